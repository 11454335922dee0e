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
    manifest.library = "host.so";
  }

  std::string refusal() const { return messageOf(checkLibrary(folder.path(), manifest)); }

  TemporaryFolder folder;
  std::string content;
  Manifest manifest;
};

TEST_F(LibraryTest, describesAllOfTheFile) {
  ASSERT_EQ(messageOf(describeLibrary(folder.path(), manifest)), "");
  uint64_t hash = 14695981039346656037ull; // the published constants
  for (char byte : content)
    hash = (hash ^ static_cast<uint8_t>(byte)) * 1099511628211ull;
  EXPECT_EQ(std::pair(manifest.libraryBytes, manifest.libraryHash), std::pair(content.size(), hash));
  EXPECT_EQ(refusal(), "");
}

TEST_F(LibraryTest, refusesAnotherFile) {
  ASSERT_TRUE(describeLibrary(folder.path(), manifest));
  folder.write("host.so", content.substr(1));
  EXPECT_EQ(refusal(), fmt::format("host.so: file must have {} bytes as glm-compile wrote it, but found {}",
                                   content.size(), content.size() - 1));
  std::string other = content;
  other[2'000'000] = static_cast<char>(other[2'000'000] ^ 4);
  folder.write("host.so", other);
  Manifest found = manifest;
  ASSERT_TRUE(describeLibrary(folder.path(), found));
  EXPECT_EQ(refusal(), fmt::format("host.so: file must be as glm-compile wrote it (hash {:016x}), but found {:016x}",
                                   manifest.libraryHash, found.libraryHash));
}

TEST_F(LibraryTest, refusesWhatIsNoFileOfTheArtifact) {
  std::string place = folder.path().string();
  for (const char *name : {"", "../host.so", "/lib/x.so", "a/b"}) {
    manifest.library = name;
    EXPECT_EQ(refusal(),
              fmt::format("manifest.json: library must be a file name within the artifact, but found \"{}\"", name));
  }
  manifest.library = "gone.so";
  EXPECT_EQ(refusal(), place + ": gone.so must be a file, but found none");
  EXPECT_EQ(messageOf(describeLibrary(folder.path(), manifest)), place + ": gone.so must be a file, but found none");
  std::filesystem::create_directory(folder.path() / "gone.so");
  EXPECT_EQ(refusal(), place + ": gone.so must be a file, but found something else");
}

} // namespace
