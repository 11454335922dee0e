#include "runtime/artifact/Message.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace glm;

namespace {

TEST(Message, keepsWhatPeopleRead) {
  for (const char *text :
       {"config.json:3: hidden_size must be 96, but found \"é\"", "", "\xe2\x82\xac \xf0\x9f\x98\x80"})
    EXPECT_EQ(oneLine(text), text);
}

TEST(Message, spellsControlCharacters) {
  EXPECT_EQ(oneLine("a\nb\x1b[31m\x7f"), "a\\x0ab\\x1b[31m\\x7f");
  EXPECT_EQ(oneLine(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(oneLine("\xc2\x9b\xc2\xa0"),
            "\\xc2\\x9b\xc2\xa0"); // U+009B starts a sequence for terminals, U+00A0 is a space
}

// The Unicode Standard, table 3-7: what is in none of its rows.
TEST(Message, spellsWhatIsNotUtf8) {
  for (const char *text : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xe2\x82 "}) {
    std::string expected;
    for (const char *c = text; *c; ++c)
      expected += *c == ' ' ? std::string(" ") : fmt::format("\\x{:02x}", static_cast<uint8_t>(*c));
    EXPECT_EQ(oneLine(text), expected);
  }
}

TEST(Message, leavesTheMiddleOut) {
  EXPECT_EQ(oneLine(std::string(1000, 'a')), std::string(1000, 'a'));
  EXPECT_EQ(oneLine("place: " + std::string(100'000, 'a') + ", but found 3"),
            "place: " + std::string(693, 'a') + " ... (99070 bytes) ... " + std::string(237, 'a') + ", but found 3");
}

TEST(Message, printsALineForEach) {
  Error error{"a: b must be 1, but found 2"};
  EXPECT_EQ(errorText(error), "error: a: b must be 1, but found 2\n");
  Error other{"c\nd", {"e"}};
  error.add(other);
  EXPECT_EQ(errorText(error), "error: a: b must be 1, but found 2\nerror: c\\x0ad\nerror: e\n");
}

TEST(Message, countsLinesThatNobodyReads) {
  Error error{"0"};
  std::string expected = "error: 0\n";
  for (int i = 1; i < 20; ++i) {
    error.add(Error{std::to_string(i)});
    expected += fmt::format("error: {}\n", i);
  }
  EXPECT_EQ(errorText(error), expected);
  error.add(Error{"20"});
  error.add(Error{"21"});
  EXPECT_EQ(errorText(error), expected + "error: messages: there must be at most 20, but found 2 more\n");
}

} // namespace
