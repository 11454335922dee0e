// Single and double precision in every rounding, against the processor in that rounding mode.
#include "runtime/ptx/number/Exact.h"
#include "runtime/ptx/number/Double.h"
#include "test/runtime/ptx/number/Reference.h"

#include <gtest/gtest.h>

#include <cmath>

namespace glm::ptx {
namespace {

using reference::doubleIn;
using reference::doubleOf;
using reference::floatOf;
using reference::interestingDouble;
using reference::interestingFloat;
using reference::singleIn;

constexpr int kTries = 100000;
constexpr Rounding kModes[] = {Rounding::Nearest, Rounding::Zero, Rounding::Down, Rounding::Up};

template <typename T>
void expectSame(T found, T expected, const char *what, std::initializer_list<T> inputs) {
  if (std::isnan(expected) && std::isnan(found))
    return;
  std::string text;
  for (T input : inputs)
    text += ' ' + std::to_string(reference::bitsOf(input));
  ASSERT_EQ(reference::bitsOf(found), reference::bitsOf(expected)) << what << " of bits" << text;
}

template <Rounding R>
void expectSingle() {
  std::mt19937_64 random(11 + static_cast<int>(R));
  for (int i = 0; i < kTries; ++i) {
    // Volatile: the compiler must not compute before the rounding mode is set.
    volatile float a = floatOf(interestingFloat(random));
    volatile float b = floatOf(interestingFloat(random));
    volatile float c = floatOf(interestingFloat(random));
    if (i % 3 == 0)
      c = -a * b;
    const Vector<float, 1> va(a), vb(b), vc(c);
    expectSame<float>(add<R>(va, vb)[0], singleIn(R, [&]() -> float { return a + b; }), "sum", {a, b});
    expectSame<float>(multiply<R>(va, vb)[0], singleIn(R, [&]() -> float { return a * b; }), "product", {a, b});
    expectSame<float>(divide<R>(va, vb)[0], singleIn(R, [&]() -> float { return a / b; }), "quotient", {a, b});
    expectSame<float>(squareRoot<R>(va)[0], singleIn(R, [&]() -> float { return std::sqrt(a); }), "root", {a});
    expectSame<float>(fusedMultiplyAdd<R>(va, vb, vc)[0], singleIn(R, [&]() -> float { return std::fma(a, b, c); }),
                      "fma", {a, b, c});
    volatile double wide = doubleOf(interestingDouble(random));
    expectSame<float>(roundToFloat<R>(Vector<double, 1>(wide))[0],
                      singleIn(R, [&]() -> float { return static_cast<float>(wide); }), "float of double", {});
  }
}
TEST(ExactTest, SingleNearest) { expectSingle<Rounding::Nearest>(); }
TEST(ExactTest, SingleZero) { expectSingle<Rounding::Zero>(); }
TEST(ExactTest, SingleDown) { expectSingle<Rounding::Down>(); }
TEST(ExactTest, SingleUp) { expectSingle<Rounding::Up>(); }

TEST(ExactTest, OddFloatsRoundFurtherAsTheDoubleDoes) {
  std::mt19937_64 random(3);
  for (int i = 0; i < kTries; ++i) {
    // Doubles that lie near ties of f16.
    double value = doubleOf(interestingDouble(random));
    if (i % 2 == 0)
      value = reference::valuesOf(reference::kHalf)[random() % 31000] * (1 + 0x1p-11) *
              (1 + std::ldexp(1.0, -40) * static_cast<double>(random() % 3));
    const float odd = roundToOddFloat(Vector<double, 1>(value))[0];
    ASSERT_EQ(reference::codeOf(reference::kHalf, odd), reference::codeOf(reference::kHalf, value))
        << std::hexfloat << value;
  }
}

TEST(ExactTest, Double) {
  for (Rounding mode : kModes) {
    std::mt19937_64 random(23 + static_cast<int>(mode));
    for (int i = 0; i < kTries / 4; ++i) {
      volatile double a = doubleOf(interestingDouble(random));
      volatile double b = doubleOf(interestingDouble(random));
      volatile double c = doubleOf(interestingDouble(random));
      if (i % 3 == 0)
        c = -a * b;
      if (i % 7 == 0)
        b = std::nextafter(-a, 0.0);
      expectSame<double>(addDouble(a, b, mode), doubleIn(mode, [&]() -> double { return a + b; }), "sum", {a, b});
      expectSame<double>(multiplyDouble(a, b, mode), doubleIn(mode, [&]() -> double { return a * b; }), "product",
                         {a, b});
      expectSame<double>(divideDouble(a, b, mode), doubleIn(mode, [&]() -> double { return a / b; }), "quotient",
                         {a, b});
      expectSame<double>(squareRootDouble(a, mode), doubleIn(mode, [&]() -> double { return std::sqrt(a); }), "root",
                         {a});
      expectSame<double>(fusedMultiplyAddDouble(a, b, c, mode),
                         doubleIn(mode, [&]() -> double { return std::fma(a, b, c); }), "fma", {a, b, c});
    }
  }
}

TEST(ExactTest, Integers) {
  for (Rounding mode : kModes) {
    std::mt19937_64 random(31 + static_cast<int>(mode));
    for (int i = 0; i < kTries; ++i) {
      volatile auto value = static_cast<int64_t>(reference::interestingInteger(random, 64));
      volatile auto magnitude = static_cast<uint64_t>(value);
      const uint64_t absolute = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
      expectSame<double>(doubleOf(absolute, value < 0, mode),
                         doubleIn(mode, [&]() -> double { return static_cast<double>(value); }), "signed", {});
      expectSame<float>(floatOf(absolute, value < 0, mode),
                        singleIn(mode, [&]() -> float { return static_cast<float>(value); }), "signed", {});
      // The compiler converts unsigned 64 bits in two steps, which is right in nearest mode only.
      if (mode == Rounding::Nearest)
        expectSame<double>(doubleOf(magnitude, false, mode), static_cast<double>(magnitude), "unsigned", {});
    }
  }
}

} // namespace
} // namespace glm::ptx
