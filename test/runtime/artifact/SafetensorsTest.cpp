#include "runtime/artifact/Safetensors.h"
#include "test/runtime/artifact/TemporaryFolder.h"

#include <cstring>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>
#include <sys/stat.h>

using namespace glm;
using namespace glm::test;

namespace {

std::vector<uint8_t> randomBytes(uint64_t seed, size_t count) {
  std::mt19937_64 generator(seed);
  std::vector<uint8_t> bytes(count);
  for (uint8_t &byte : bytes)
    byte = static_cast<uint8_t>(generator() >> 56);
  return bytes;
}

class SafetensorsTest : public testing::Test {
protected:
  /// A file of this header and `data` bytes behind it; `length` overrides the header's length.
  std::string refusal(const std::string &header, size_t data, uint64_t length = 0) {
    uint64_t written = length ? length : header.size();
    std::string text(8, '\0');
    std::memcpy(text.data(), &written, 8);
    return messageOf(SafetensorsFile::open(folder.write("x.safetensors", text + header + std::string(data, 'd'))));
  }

  static std::string tensor(const std::string &dtype, const std::string &shape, const std::string &offsets) {
    return fmt::format(R"({{"w": {{"dtype": {}, "shape": {}, "data_offsets": {}}}}})", dtype, shape, offsets);
  }

  TemporaryFolder folder;
};

TEST_F(SafetensorsTest, readsBackWhatWasWritten) {
  struct Case {
    const char *name, *dtype;
    std::vector<int64_t> shape;
  };
  std::vector<Case> cases = {{"b.matrix", "BF16", {3, 5}}, {"a.scalar", "F32", {}},        {"c.empty", "F16", {0, 7}},
                             {"d.bytes", "U8", {13}},      {"e.scale", "F8_E4M3", {2, 1}}, {"f.ids", "I64", {1, 2, 3}}};
  SafetensorsWriter writer;
  writer.setMetadata("format", "pt");
  for (size_t i = 0; i < cases.size(); ++i) {
    int64_t elements = 1;
    for (int64_t size : cases[i].shape)
      elements *= size;
    writer.add(cases[i].name, cases[i].dtype, cases[i].shape, randomBytes(i, elements * dtypeBytes(cases[i].dtype)));
  }
  auto written = writer.write(folder.path() / "x.safetensors");
  ASSERT_TRUE(written) << written.error().message;
  auto file = SafetensorsFile::open(folder.path() / "x.safetensors");
  ASSERT_TRUE(file) << file.error().message;
  SafetensorsFile moved = std::move(*file); // pointers and mapping must survive
  EXPECT_EQ(moved.metadata().at("format"), "pt");
  ASSERT_EQ(moved.tensors().size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    const TensorInfo &info = moved.tensors().at(cases[i].name);
    EXPECT_EQ(info.dtype, cases[i].dtype);
    EXPECT_EQ(info.shape, cases[i].shape);
    std::vector<uint8_t> expected = randomBytes(i, info.elements() * dtypeBytes(cases[i].dtype));
    ASSERT_EQ(info.bytes, expected.size());
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), moved.data(info))) << cases[i].name;
  }
  EXPECT_EQ(moved.tensors().at("b.matrix").offset % 8, 0u); // the header is padded
  EXPECT_EQ(moved.bytes(), std::filesystem::file_size(moved.path()));
}

// FNV-1a 64 of the 8 length bytes and of "{}", computed by hand from the published constants.
TEST_F(SafetensorsTest, hashesLengthAndHeader) {
  auto file = SafetensorsFile::open(folder.write("x.safetensors", std::string("\x02\0\0\0\0\0\0\0{}", 10)));
  ASSERT_TRUE(file) << file.error().message;
  uint64_t hash = 14695981039346656037ull;
  for (uint8_t byte : {0x02, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d})
    hash = (hash ^ byte) * 1099511628211ull;
  EXPECT_EQ(file->headerHash(), hash);
}

TEST_F(SafetensorsTest, writerRefusesWhatCouldNotBeRead) {
  auto refused = [&](auto add) {
    SafetensorsWriter writer;
    add(writer);
    std::string message = messageOf(writer.write(folder.path() / "x.safetensors"));
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    return message;
  };
  EXPECT_EQ(refused([](auto &w) { w.add("a", "F32", {2}, std::vector<uint8_t>(7)); }),
            "x.safetensors: a of F32 [2] must have 8 bytes, but found 7");
  EXPECT_EQ(refused([](auto &w) { w.add("a", "F31", {}, std::vector<uint8_t>(4)); }),
            "x.safetensors: a must have a known dtype, but found F31");
  EXPECT_EQ(refused([](auto &w) {
              w.add("a", "U8", {1}, std::vector<uint8_t>(1));
              w.add("a", "U8", {1}, std::vector<uint8_t>(1));
            }),
            "x.safetensors: a must be the name of one tensor, but found it taken");
}

TEST_F(SafetensorsTest, writerLeavesNothingBehind) {
  SafetensorsWriter writer;
  writer.add("a", "U8", {1}, {1});
  EXPECT_EQ(messageOf(writer.write(folder.path() / "no" / "x.safetensors")),
            (folder.path() / "no" / "x.safetensors").string() +
                ": the folder of an output must be writable, but found No such file or directory");
  std::filesystem::create_directory(folder.path() / "x.safetensors");
  EXPECT_EQ(messageOf(writer.write(folder.path() / "x.safetensors")),
            (folder.path() / "x.safetensors").string() + ": output must be absent or a file, but found a folder");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

// A rename would replace the device.
TEST_F(SafetensorsTest, writerSparesDevices) {
  SafetensorsWriter writer;
  writer.add("a", "U8", {1}, {1});
  std::filesystem::path fifo = folder.path() / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(messageOf(writer.write(fifo)),
            fifo.string() + ": output must be absent or a file, but found a device or a FIFO");
  EXPECT_TRUE(std::filesystem::is_fifo(fifo));
}

TEST_F(SafetensorsTest, refusesFilesThatAreNone) {
  std::string place = folder.path().string();
  EXPECT_EQ(messageOf(SafetensorsFile::open(folder.path() / "no")),
            place + ": no must be readable, but found No such file or directory");
  EXPECT_EQ(messageOf(SafetensorsFile::open(folder.write("short", "1234567"))),
            "short: file must have at least 8 bytes, but found 7");
  std::filesystem::create_directory(folder.path() / "dir");
  EXPECT_EQ(messageOf(SafetensorsFile::open(folder.path() / "dir")),
            place + ": dir must be a regular file, but found another kind");
  ASSERT_EQ(mkfifo((folder.path() / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(messageOf(SafetensorsFile::open(folder.path() / "fifo")),
            place + ": fifo must be a regular file, but found another kind");
}

TEST_F(SafetensorsTest, refusesHeaders) {
  EXPECT_EQ(refusal("{}", 3, 6), "x.safetensors: header must fit into the file's 13 bytes, but found 6");
  EXPECT_EQ(refusal("{}", 0, 100'000'001),
            "x.safetensors: header must have at most 100000000 bytes, but found 100000001");
  EXPECT_EQ(refusal("{}", 0, UINT64_MAX),
            "x.safetensors: header must have at most 100000000 bytes, but found 18446744073709551615");
  EXPECT_EQ(refusal("not JSON", 0), "x.safetensors:1: text must be JSON, but found an error at byte 2");
  EXPECT_EQ(refusal("[1]", 0), "x.safetensors: file must hold one object, but found array");
  EXPECT_EQ(refusal(R"({"__metadata__": 3})", 0), "x.safetensors: __metadata__ must be an object, but found number");
  EXPECT_EQ(refusal(R"({"__metadata__": {"a": 3}})", 0), "x.safetensors: __metadata__ a must be a string, but found 3");
}

TEST_F(SafetensorsTest, refusesEntries) {
  EXPECT_EQ(refusal(R"({"w": 3})", 0), "x.safetensors: w must have dtype, shape and data_offsets, but found 3");
  EXPECT_EQ(refusal(R"({"w": {"dtype": "F32", "shape": []}})", 0),
            R"(x.safetensors: w must have dtype, shape and data_offsets, but found {"dtype":"F32","shape":[]})");
  EXPECT_EQ(refusal(tensor("\"F33\"", "[]", "[0, 4]"), 4),
            "x.safetensors: w must have a known dtype, but found \"F33\"");
  EXPECT_EQ(refusal(tensor("7", "[]", "[0, 4]"), 4), "x.safetensors: w must have a known dtype, but found 7");
  for (const char *shape : {"[-1]", "[1.0]", "3", "[\"1\"]", "[18446744073709551615]"})
    EXPECT_EQ(refusal(tensor("\"F32\"", shape, "[0, 4]"), 4),
              fmt::format("x.safetensors: w must have a shape of non-negative integers, but found {}", shape));
  for (const char *offsets : {"[4,0]", "[0]", "[0,4,8]", "[-4,0]", "7"})
    EXPECT_EQ(refusal(tensor("\"F32\"", "[1]", offsets), 4),
              fmt::format("x.safetensors: w must have two ascending data_offsets, but found {}", offsets));
  EXPECT_EQ(refusal(tensor("\"F32\"", "[2]", "[0, 8]"), 7),
            "x.safetensors: file must have 77 bytes as its header says, but found 76 (1 missing)");
  EXPECT_EQ(refusal(tensor("\"F32\"", "[2]", "[0, 9223372036854775807]"), 8),
            "x.safetensors: w of F32 [2] must have 8 bytes, but found 9223372036854775807");
  EXPECT_EQ(refusal(tensor("\"BF16\"", "[3, 5]", "[0, 28]"), 28),
            "x.safetensors: w of BF16 [3, 5] must have 30 bytes, but found 28");
  EXPECT_EQ(refusal(tensor("\"F32\"", "[4294967296, 4294967296]", "[0, 0]"), 0),
            "x.safetensors: w of F32 [4294967296, 4294967296] must have less than 2^64 bytes, but found more");
}

TEST_F(SafetensorsTest, refusesHolesAndOverlaps) {
  auto two = [](int a, int b, int c, int d) {
    return fmt::format(R"({{"a": {{"dtype": "U8", "shape": [{}], "data_offsets": [{}, {}]}},
                           "b": {{"dtype": "U8", "shape": [{}], "data_offsets": [{}, {}]}}}})",
                       b - a, a, b, d - c, c, d);
  };
  auto start = [&](const std::string &header) { return 8 + header.size(); };
  EXPECT_EQ(refusal(two(0, 3, 3, 7), 7), "");
  EXPECT_EQ(refusal(two(4, 7, 0, 4), 7), ""); // order of names and order of bytes differ
  std::string overlap = two(0, 4, 3, 7), hole = two(0, 3, 4, 7), late = two(1, 3, 3, 7), early = two(0, 3, 3, 6);
  EXPECT_EQ(refusal(overlap, 7),
            fmt::format("x.safetensors: b must start at byte {} of the file, where the one before ends, but found {}",
                        start(overlap) + 4, start(overlap) + 3));
  EXPECT_EQ(refusal(hole, 7),
            fmt::format("x.safetensors: b must start at byte {} of the file, where the one before ends, but found {}",
                        start(hole) + 3, start(hole) + 4));
  EXPECT_EQ(refusal(late, 7),
            fmt::format("x.safetensors: a must start at byte {} of the file, where the one before ends, but found {}",
                        start(late), start(late) + 1));
  EXPECT_EQ(refusal(early, 7),
            fmt::format("x.safetensors: file must have {} bytes as its header says, but found {} (1 too many)",
                        start(early) + 6, start(early) + 7));
}

// Whatever is flipped in a header, the file is refused or read whole within its bounds; under a sanitizer this says more.
TEST_F(SafetensorsTest, survivesRandomDamage) {
  SafetensorsWriter writer;
  for (int i = 0; i < 4; ++i)
    writer.add(fmt::format("layer.{}.weight", i), i % 2 ? "F32" : "BF16", {3, i + 1},
               randomBytes(i, 3 * (i + 1) * (i % 2 ? 4 : 2)));
  ASSERT_TRUE(writer.write(folder.path() / "good"));
  std::string good = folder.read("good");
  std::mt19937_64 generator(7);
  int refused = 0;
  for (int round = 0; round < 500; ++round) {
    std::string bad = good;
    for (int flips = 0; flips < 2; ++flips)
      bad[generator() % bad.size()] = static_cast<char>(generator());
    bad.resize(bad.size() - generator() % 3);
    auto file = SafetensorsFile::open(folder.write("bad", bad));
    refused += !file;
    if (!file)
      continue;
    uint64_t sum = 0;
    for (const auto &[name, info] : file->tensors()) {
      ASSERT_LE(info.offset + info.bytes, bad.size());
      for (uint64_t i = 0; i < info.bytes; ++i)
        sum += file->data(info)[i];
    }
    EXPECT_GT(sum, 0u);
  }
  EXPECT_GT(refused, 100); // most damage hits the header or the length of the file
}

} // namespace
