// Constants and constant expressions: values as C computes them in 64 bits.
#include "runtime/ptx/text/Expression.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <string>

namespace glm::ptx {
namespace {

Constant valueOf(const std::string &text) {
  std::string ended = text + ";"; // the cursor points into it
  Cursor cursor(ended, "t");
  std::optional<Constant> value = parseExpression(cursor);
  EXPECT_TRUE(value) << text << ": " << (cursor.failed() ? cursor.error().message : "");
  EXPECT_TRUE(cursor.peek().is(";")) << text;
  return value.value_or(Constant());
}

std::string refusalOf(const std::string &text) {
  Cursor cursor(text, "t");
  return parseExpression(cursor) ? "accepted" : cursor.error().message;
}

int64_t integerOf(const std::string &text) {
  Constant value = valueOf(text);
  EXPECT_TRUE(value.isInteger()) << text;
  return static_cast<int64_t>(value.bits);
}

TEST(Expression, Literals) {
  EXPECT_EQ(integerOf("0"), 0);
  EXPECT_EQ(integerOf("123"), 123);
  EXPECT_EQ(integerOf("0x1Ff"), 511);
  EXPECT_EQ(integerOf("0X1fU"), 31);
  EXPECT_EQ(integerOf("017"), 15);
  EXPECT_EQ(integerOf("0b1011"), 11);
  EXPECT_EQ(integerOf("0B11U"), 3);
  EXPECT_EQ(integerOf("WARP_SZ"), 32);
  EXPECT_EQ(valueOf("9223372036854775807").kind, Constant::Kind::Signed);
  EXPECT_EQ(valueOf("9223372036854775808").kind, Constant::Kind::Unsigned);
  EXPECT_EQ(valueOf("1U").kind, Constant::Kind::Unsigned);
  EXPECT_EQ(valueOf("0xffffffffffffffff").bits, UINT64_MAX);

  EXPECT_EQ(valueOf("0f3F800000").kind, Constant::Kind::Float32);
  EXPECT_EQ(valueOf("0F3f800000").bits, 0x3f800000u);
  EXPECT_EQ(valueOf("0d4000000000000000").bits, std::bit_cast<uint64_t>(2.0));
  EXPECT_EQ(valueOf("1.5").bits, std::bit_cast<uint64_t>(1.5));
  EXPECT_EQ(valueOf("2.").bits, std::bit_cast<uint64_t>(2.0));
  EXPECT_EQ(valueOf("1e3").bits, std::bit_cast<uint64_t>(1000.0));
  EXPECT_EQ(valueOf("25E-2").bits, std::bit_cast<uint64_t>(0.25));
  EXPECT_EQ(valueOf("1e999").bits, std::bit_cast<uint64_t>(HUGE_VAL));
  EXPECT_EQ(valueOf("-1.5").bits, std::bit_cast<uint64_t>(-1.5));
}

TEST(Expression, BadLiterals) {
  std::string rule = "t:1: number must be a constant of PTX of at most 64 bits, but found ";
  for (std::string text :
       {"08", "0x", "0b2", "0f3F8", "0d3FF", "0f3F8000000", "18446744073709551616", "0x10000000000000000"})
    EXPECT_EQ(refusalOf(text), rule + text);
  EXPECT_EQ(refusalOf("12abc"), "t:1: text must be PTX, but found a number that runs into a name");
  EXPECT_EQ(refusalOf("1.5U"), rule + "1.5U");
  EXPECT_EQ(refusalOf(""), "t:1: expression must be of constants, but found the end of the text");
}

// Random expressions of the operators that wrap, printed with all their parentheses and without them where C needs none.
TEST(Expression, AgreesWithC) {
  EXPECT_EQ(integerOf("1 + 2 * 3"), 7);
  EXPECT_EQ(integerOf("(1 + 2) * 3"), 9);
  EXPECT_EQ(integerOf("10 - 4 - 3"), 3);
  EXPECT_EQ(integerOf("100 / 7 % 4"), 2);
  EXPECT_EQ(integerOf("-7 / 2"), -3);
  EXPECT_EQ(integerOf("-7 % 3"), -1);
  EXPECT_EQ(integerOf("1 << 2 + 3"), 32);
  EXPECT_EQ(integerOf("-8 >> 1"), -4);
  EXPECT_EQ(integerOf("(.u64)-8 >> 60"), 15);
  EXPECT_EQ(integerOf("1 << 64"), 0);
  EXPECT_EQ(integerOf("-1 >> 70"), -1);
  EXPECT_EQ(integerOf("6 & 3 ^ 8 | 1"), 11);
  EXPECT_EQ(integerOf("1 | 2 == 2"), 1);
  EXPECT_EQ(integerOf("3 < 4 == 1"), 1);
  EXPECT_EQ(integerOf("-1 < 1"), 1);
  EXPECT_EQ(integerOf("-1 < 1U"), 0);
  EXPECT_EQ(integerOf("(.s64)1U > -1"), 1);
  EXPECT_EQ(integerOf("!0 + !5"), 1);
  EXPECT_EQ(integerOf("~0"), -1);
  EXPECT_EQ(integerOf("- - 5"), 5);
  EXPECT_EQ(integerOf("+5"), 5);
  EXPECT_EQ(integerOf("1 ? 2 : 0 ? 3 : 4"), 2);
  EXPECT_EQ(integerOf("0 ? 2 : 0 ? 3 : 4"), 4);
  EXPECT_EQ(integerOf("1 && 0 || 1"), 1);
  EXPECT_EQ(integerOf("2 >= 2 && 3 <= 2"), 0);
  EXPECT_EQ(integerOf("5 != 5"), 0);
  EXPECT_EQ(integerOf("(-9223372036854775807 - 1) / -1"), INT64_MIN);
  EXPECT_EQ(integerOf("(-9223372036854775807 - 1) % -1"), 0);
  EXPECT_EQ(valueOf("1.5 + 2").bits, std::bit_cast<uint64_t>(3.5));
  EXPECT_EQ(valueOf("3 / 2.0").bits, std::bit_cast<uint64_t>(1.5));
  EXPECT_EQ(integerOf("1.5 < 2.0"), 1);
}

TEST(Expression, RandomIntegers) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    uint64_t a = random() >> random() % 64, b = random() >> random() % 64, c = random() % 64;
    std::string sa = std::to_string(a) + "U", sb = std::to_string(b) + "U", sc = std::to_string(c);
    auto bits = [&](const std::string &text) { return valueOf(text).bits; };
    EXPECT_EQ(bits(sa + "+" + sb + "*" + sc), a + b * c);
    EXPECT_EQ(bits(sa + "-" + sb + "-" + sc), a - b - c);
    EXPECT_EQ(bits(sa + "^" + sb + "&" + sc), a ^ (b & c));
    EXPECT_EQ(bits(sa + "<<" + sc + "|" + sb + ">>" + sc), (a << c) | (b >> c));
    if (b) {
      EXPECT_EQ(bits(sa + "/" + sb + "+" + sa + " % " + sb), a / b + a % b);
    }
    EXPECT_EQ(bits(sa + "<" + sb + "?" + sa + ":" + sb), a < b ? a : b);
  }
}

TEST(Expression, Refusals) {
  EXPECT_EQ(refusalOf("1 / 0"), "t:1: operator / must not divide by zero, but found 0");
  EXPECT_EQ(refusalOf("1 % 0"), "t:1: operator % must not divide by zero, but found 0");
  EXPECT_EQ(refusalOf("~1.0"), "t:1: operator ~ must be applied to an integer, but found a float");
  EXPECT_EQ(refusalOf("1.0 << 2"), "t:1: operator << must be applied to integers, but found a float");
  EXPECT_EQ(refusalOf("(.s64)1.0"), "t:1: cast must be of an integer, but found a float");
  EXPECT_EQ(refusalOf("(1"), "t:1: expression must end with ), but found the end of the text");
  EXPECT_EQ(refusalOf("1 ? 2"), "t:1: conditional expression must go on with :, but found the end of the text");
  EXPECT_EQ(refusalOf(std::string(100000, '(')), "t:1: expression must nest at most 100 deep, but found more");
  EXPECT_EQ(refusalOf(std::string(100000, '-')), "t:1: expression must nest at most 100 deep, but found more");
  std::string chain;
  for (int i = 0; i < 100000; ++i)
    chain += "1?1:";
  EXPECT_EQ(refusalOf(chain), "t:1: expression must nest at most 100 deep, but found more");
}

TEST(Expression, LongSumsAreLinear) {
  std::string sum = "0";
  for (int i = 0; i < 100000; ++i)
    sum += "+1";
  EXPECT_EQ(integerOf(sum), 100000);
}

} // namespace
} // namespace glm::ptx
