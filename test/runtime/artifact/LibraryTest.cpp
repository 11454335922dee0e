#include "runtime/artifact/Library.h"
#include "test/runtime/artifact/TemporaryFolder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

using namespace glm;
using namespace glm::test;

namespace {

class LibraryTest : public testing::Test {
protected:
  LibraryTest() {
    std::mt19937_64 generator(11);
    content.resize((3 << 20) + 17); // more than one piece of the reader
    for (char &byte : content)
      byte = static_cast<char>(generator());
    folder.write("host.so", content);
  }

  Code describe() const {
    auto code = describeLibrary(folder.path() / "host.so", {"avx2", "fma"});
    EXPECT_TRUE(code) << code.error().message;
    return code ? *code : Code();
  }
  std::string refusal(const Code &code) const { return messageOf(checkLibrary(folder.path(), code)); }

  TemporaryFolder folder;
  std::string content;
};

TEST_F(LibraryTest, describesAllOfTheFile) {
  Code code = describe();
  uint64_t hash = 14695981039346656037ull; // the published constants
  for (char byte : content)
    hash = (hash ^ static_cast<uint8_t>(byte)) * 1099511628211ull;
  EXPECT_EQ(std::tuple(code.file, code.bytes, code.hash), std::tuple("host.so", content.size(), hash));
  EXPECT_EQ(code.features, (std::vector<std::string>{"avx2", "fma"}));
  EXPECT_EQ(refusal(code), "");
}

TEST_F(LibraryTest, refusesAnotherFile) {
  Code code = describe();
  folder.write("host.so", content.substr(1));
  EXPECT_EQ(refusal(code), fmt::format("host.so: file must have {} bytes as glm-compile wrote it, but found {}",
                                       content.size(), content.size() - 1));
  std::string other = content;
  other[2'000'000] = static_cast<char>(other[2'000'000] ^ 4);
  folder.write("host.so", other);
  EXPECT_EQ(refusal(code),
            fmt::format("host.so: file must be as glm-compile wrote it (hash {:016x}), but found {:016x}", code.hash,
                        describe().hash));
}

TEST_F(LibraryTest, refusesWhatIsNoFile) {
  std::string place = folder.path().string();
  Code code = describe();
  code.file = "gone.so";
  EXPECT_EQ(refusal(code), place + ": gone.so must be a file, but found none");
  EXPECT_EQ(messageOf(describeLibrary(folder.path() / "gone.so", {})),
            place + ": gone.so must be a file, but found none");
  std::filesystem::create_directory(folder.path() / "gone.so");
  EXPECT_EQ(refusal(code), place + ": gone.so must be a file, but found something else");
}

} // namespace
