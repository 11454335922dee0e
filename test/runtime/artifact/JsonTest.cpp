#include "runtime/artifact/Json.h"
#include "test/runtime/artifact/TemporaryFolder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

using namespace glm;
using namespace glm::test;

namespace {

std::string refusal(const std::string &text) { return messageOf(parseJson("x.json", text)); }

std::string nested(int depth) { return R"({"a": )" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}"; }

TEST(Json, readsAnObject) {
  TemporaryFolder folder;
  auto file = readJson(folder.write("config.json", "{\"a\": 1.5,\n \"b\": {\"a\": [1, -2]}}"));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->name, "config.json");
  EXPECT_EQ(file->value["a"], 1.5);
  EXPECT_EQ(file->value["b"]["a"][1], -2);
}

TEST(Json, refusesDuplicateKeysByName) {
  EXPECT_EQ(refusal(R"({"a": 1, "b": {"c": 1, "d": 2, "c": 3}})"), "x.json: key c must occur once, but found it twice");
  EXPECT_EQ(refusal(R"({"a": 1, "b": {"a": 1}, "c": [{"a": 2}, {"a": 3}]})"), ""); // one each
}

TEST(Json, refusesDeepNesting) {
  EXPECT_EQ(refusal(nested(64)), "");
  EXPECT_EQ(refusal(nested(65)), "x.json: nesting must be at most 64 deep, but found more");
  EXPECT_EQ(refusal(nested(100'000)), "x.json: nesting must be at most 64 deep, but found more");
}

TEST(Json, refusesMoreValuesThanAnybodyNeeds) {
  auto list = [](size_t count) {
    std::string text = "{\"a\": [0";
    for (size_t i = 1; i < count; ++i)
      text += ",0";
    return text + "]}";
  };
  constexpr size_t most = size_t(4) << 20; // the object and the list are two of them
  EXPECT_EQ(refusal(list(most - 2)), "");
  EXPECT_EQ(refusal(list(most - 1)), "x.json: file must hold at most 4194304 values, but found more");
}

TEST(Json, refusesWhatIsNotOneObject) {
  EXPECT_EQ(refusal("[1, 2]"), "x.json: file must hold one object, but found array");
  EXPECT_EQ(refusal("{\"a\": 1,\n\n \"b\": }"), "x.json:3: text must be JSON, but found an error at byte 17");
  EXPECT_EQ(refusal("{} {}"), "x.json:1: text must be JSON, but found an error at byte 4");
  EXPECT_EQ(refusal(""), "x.json:1: text must be JSON, but found an error at byte 1");
  EXPECT_EQ(refusal("{\"a\": \"\xff\"}"), "x.json:1: text must be JSON, but found an error at byte 8");
  EXPECT_EQ(refusal("{\"a\": 1,\n\"b\": NaN}"), "x.json:2: number must be finite, but found NaN");
  EXPECT_EQ(refusal(R"({"a": [-Infinity]})"), "x.json:1: number must be finite, but found Infinity");
  EXPECT_EQ(refusal(R"({"a": NuN})"), "x.json:1: text must be JSON, but found an error at byte 7");
  EXPECT_EQ(refusal(R"({"a": 1e999})"), "x.json:1: number must fit into a double, but found 1e999");
}

TEST(Json, refusesWhatIsNotAFile) {
  TemporaryFolder folder;
  std::string place = folder.path().string();
  EXPECT_EQ(messageOf(readJson(folder.path() / "no.json")), place + ": no.json must be a file, but found none");
  std::filesystem::create_directory(folder.path() / "dir.json");
  EXPECT_EQ(messageOf(readJson(folder.path() / "dir.json")),
            place + ": dir.json must be a file, but found something else");
  ASSERT_EQ(mkfifo((folder.path() / "fifo.json").c_str(), 0600), 0);
  EXPECT_EQ(messageOf(readJson(folder.path() / "fifo.json")),
            place + ": fifo.json must be a file, but found something else");
  std::filesystem::resize_file(folder.write("big.json", "{}"), (uint64_t(256) << 20) + 1); // a hole: takes no space
  EXPECT_EQ(messageOf(readJson(folder.path() / "big.json")),
            "big.json: file must have at most 268435456 bytes, but found 268435457");
}

TEST(Json, optionalFileMayBeAbsentButNotBroken) {
  TemporaryFolder folder;
  auto absent = readOptionalJson(folder.path() / "no.json");
  ASSERT_TRUE(absent) << absent.error().message;
  EXPECT_FALSE(absent->has_value());
  auto present = readOptionalJson(folder.write("yes.json", "{\"a\": 7}"));
  ASSERT_TRUE(present) << present.error().message;
  EXPECT_EQ((*present)->value["a"], 7);
  std::filesystem::create_symlink("nowhere", folder.path() / "link.json");
  EXPECT_EQ(messageOf(readOptionalJson(folder.path() / "link.json")),
            folder.path().string() + ": link.json must be a file, but found none");
}

TEST(Json, placesKeysByLine) {
  auto file = parseJson("x.json", "{\n \"type\": \"size\",\n \"size\"\n : 3, \"q\\\"uote\": 4}");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->place("type"), "x.json:2");
  EXPECT_EQ(file->place("size"), "x.json:3"); // as a key, not as the value of line 2
  EXPECT_EQ(file->place("q\"uote"), "x.json:4");
  EXPECT_EQ(file->place("absent"), "x.json");
}

TEST(Json, placesStringsOfAListInOrder) {
  auto file =
      parseJson("x.json", "{\"other\": [\"b\"],\n\"list\": [\"a\",\n\"b\", \"a\\\\.c\",\n\"a\",\n\"\\u0062\"]}");
  ASSERT_TRUE(file) << file.error().message;
  std::vector<std::string> expected = {"x.json:2", "x.json:3", "x.json:3", "x.json:4", "x.json:2"};
  EXPECT_EQ(file->places("list", {"a", "b", "a\\.c", "a", "b"}), expected); // the last is spelled with an escape
  EXPECT_EQ(file->places("absent", {"a"}), std::vector<std::string>{"x.json"});
}

// Each string that is not found as it is spelled costs a search through the rest of the file.
TEST(Json, givesUpOnListsOfEscapes) {
  std::string text = "{\"list\": [\"z\"";
  std::vector<std::string> strings = {"z"};
  for (int i = 0; i < 30; ++i) {
    text += ",\n\"\\u0061\"";
    strings.push_back("a");
  }
  auto file = parseJson("x.json", text + ",\n\"z\"]}");
  ASSERT_TRUE(file) << file.error().message;
  strings.push_back("z");
  EXPECT_EQ(file->places("list", strings).back(), "x.json:1");
  strings.erase(strings.begin() + 1, strings.begin() + 20);
  EXPECT_EQ(file->places("list", strings).back(), "x.json:32");
}

} // namespace
