// Single and double precision, form by form; expected values from the processor in the same rounding mode.
#include "test/runtime/ptx/arithmetic/Snippet.h"
#include "test/runtime/ptx/number/Reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace glm::ptx {
namespace {

using reference::bitsOf;
using reference::doubleIn;
using reference::doubleOf;
using reference::floatOf;
using reference::singleIn;

struct Mode {
  const char *word;
  Rounding rounding;
};
constexpr Mode kModes[] = {{"", Rounding::Nearest},
                           {".rn", Rounding::Nearest},
                           {".rz", Rounding::Zero},
                           {".rm", Rounding::Down},
                           {".rp", Rounding::Up}};

float flushed(float value, bool ftz) {
  return ftz && std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value;
}
/// A result as PTX gives it.
uint64_t finished(float value, bool ftz, bool sat) {
  if (sat) // a subnormal result is flushed before
    return bitsOf(std::isnan(value) || flushed(value, ftz) <= 0 ? 0.0f : std::fmin(value, 1.0f));
  return std::isnan(value) ? 0x7fffffff : bitsOf(flushed(value, ftz));
}

/// a op b op c, from volatile copies so that it happens in the rounding mode.
template <typename T>
T computed(const std::string &operation, T first, T second, T third) {
  volatile T a = first;
  volatile T b = second;
  volatile T c = third;
  if (operation == "add")
    return a + b;
  if (operation == "sub")
    return a - b;
  if (operation == "mul")
    return a * b;
  if (operation == "div")
    return a / b;
  if (operation == "rcp")
    return T(1) / a;
  if (operation == "sqrt")
    return std::sqrt(a);
  return std::fma(a, b, c);
}

size_t countOf(const std::string &operation) {
  return operation == "fma" || operation == "mad" ? 3 : operation == "rcp" || operation == "sqrt" ? 1 : 2;
}

uint64_t single(const std::string &operation, Rounding rounding, bool ftz, bool sat, const uint64_t *in,
                int shift = 0) {
  const size_t count = countOf(operation);
  const auto input = [&](size_t index) { return index < count ? flushed(floatOf(in[index] >> shift), ftz) : 0.0f; };
  const float value =
      singleIn(rounding, [&]() -> float { return computed<float>(operation, input(0), input(1), input(2)); });
  return finished(value, ftz, sat);
}

std::string spelled(const std::string &operation, const char *mode, bool ftz, bool sat, const char *type) {
  return operation + mode + (ftz ? ".ftz" : "") + (sat ? ".sat" : "") + "." + type;
}

TEST(FloatTest, Single) {
  for (const std::string operation : {"add", "sub", "mul", "fma", "mad", "div", "rcp", "sqrt"})
    for (const Mode &mode : kModes)
      for (bool ftz : {false, true})
        for (bool sat : {false, true}) {
          const bool isSum = operation == "add" || operation == "sub" || operation == "mul";
          const bool isFused = operation == "fma" || operation == "mad";
          if ((*mode.word == 0 && !isSum) || (sat && !isSum && !isFused))
            continue;
          check({.spelling = spelled(operation, mode.word, ftz, sat, "f32"),
                 .to = Type::F32,
                 .from = std::vector<Type>(countOf(operation), Type::F32),
                 .expected = [&](const uint64_t *in) { return single(operation, mode.rounding, ftz, sat, in); },
                 .rounds = 30});
        }
}

TEST(FloatTest, SinglesInPairs) {
  for (const std::string operation : {"add", "sub", "mul", "fma"})
    for (const Mode &mode : kModes)
      for (bool ftz : {false, true}) {
        if (*mode.word == 0 && operation == "fma")
          continue;
        check({.spelling = spelled(operation, mode.word, ftz, false, "f32x2"),
               .to = Type::F32x2,
               .from = std::vector<Type>(countOf(operation), Type::F32x2),
               .expected = [&](const uint64_t *in) {
                 return single(operation, mode.rounding, ftz, false, in, 32) << 32 |
                        single(operation, mode.rounding, ftz, false, in);
               }});
      }
}

/// Double precision keeps the payload of the first NaN; what makes a NaN of numbers gives the processor's.
uint64_t twice(const std::string &operation, Rounding rounding, const uint64_t *in) {
  const size_t count = countOf(operation);
  for (size_t i = 0; i < count; ++i)
    if (std::isnan(doubleOf(in[i])))
      return in[i] | 0x0008000000000000;
  const auto input = [&](size_t index) { return index < count ? doubleOf(in[index]) : 0.0; };
  const double value =
      doubleIn(rounding, [&]() -> double { return computed<double>(operation, input(0), input(1), input(2)); });
  return bitsOf(value);
}

TEST(FloatTest, Double) {
  for (const std::string operation : {"add", "sub", "mul", "fma", "mad", "div", "rcp", "sqrt"})
    for (const Mode &mode : kModes) {
      if (*mode.word == 0 && operation != "add" && operation != "sub" && operation != "mul")
        continue;
      check({.spelling = spelled(operation, mode.word, false, false, "f64"),
             .to = Type::F64,
             .from = std::vector<Type>(countOf(operation), Type::F64),
             .expected = [&](const uint64_t *in) { return twice(operation, mode.rounding, in); },
             .accepts =
                 [](const uint64_t *, uint64_t found, uint64_t expected) {
                   // Which sign an invalid operation gives its NaN is the processor's affair.
                   return std::isnan(doubleOf(expected)) && std::isnan(doubleOf(found)) &&
                          (found | 1ull << 63) == (expected | 1ull << 63);
                 },
             .rounds = 30});
    }
}

TEST(FloatTest, Approximations) {
  for (bool ftz : {false, true}) {
    // These are the exactly rounded results; division by more than 2^126 gives zero.
    check({.spelling = spelled("div", ".full", ftz, false, "f32"),
           .to = Type::F32,
           .from = {Type::F32, Type::F32},
           .expected = [=](const uint64_t *in) { return single("div", Rounding::Nearest, ftz, false, in); }});
    check({.spelling = spelled("div", ".approx", ftz, false, "f32"),
           .to = Type::F32,
           .from = {Type::F32, Type::F32},
           .expected = [=](const uint64_t *in) {
             const float a = flushed(floatOf(in[0]), ftz), b = flushed(floatOf(in[1]), ftz);
             if (std::fabs(b) > 0x1p126f && std::isfinite(b))
               return finished(a * std::copysign(0.0f, b), ftz, false);
             return single("div", Rounding::Nearest, ftz, false, in);
           }});
    check({.spelling = spelled("rcp", ".approx", ftz, false, "f32"),
           .to = Type::F32,
           .from = {Type::F32},
           .expected = [=](const uint64_t *in) { return single("rcp", Rounding::Nearest, ftz, false, in); }});
    check({.spelling = spelled("sqrt", ".approx", ftz, false, "f32"),
           .to = Type::F32,
           .from = {Type::F32},
           .expected = [=](const uint64_t *in) { return single("sqrt", Rounding::Nearest, ftz, false, in); }});
  }
}

/// Near the exact value: relative error as PTX ISA gives it, subnormal results flushed if the form does so.
std::function<bool(const uint64_t *, uint64_t, uint64_t)> within(double relative) {
  return [=](const uint64_t *, uint64_t found, uint64_t expected) {
    const double wanted = doubleOf(expected), got = doubleOf(found);
    if (std::isnan(wanted))
      return std::isnan(got);
    return std::isfinite(wanted) && std::fabs(got - wanted) <= std::fabs(wanted) * relative;
  };
}

TEST(FloatTest, DoubleApproximations) {
  const auto coarseInput = [](uint64_t bits) {
    const double value = doubleOf(bits & 0xffffffff00000000);
    return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0, value) : value;
  };
  const auto coarse = [](double value) {
    return std::fpclassify(value) == FP_SUBNORMAL ? bitsOf(std::copysign(0.0, value)) : bitsOf(value);
  };
  // rcp: 20 bits of the upper half's fraction; a NaN whose fraction lies in the lower half stays one.
  check({.spelling = "rcp.approx.ftz.f64",
         .to = Type::F64,
         .from = {Type::F64},
         .expected =
             [=](const uint64_t *in) {
               return std::isnan(doubleOf(in[0])) ? bitsOf(std::nan("")) : coarse(1 / coarseInput(in[0]));
             },
         .accepts = within(0x1p-20)});
  check({.spelling = "rsqrt.approx.ftz.f64",
         .to = Type::F64,
         .from = {Type::F64},
         .expected =
             [=](const uint64_t *in) {
               return std::isnan(doubleOf(in[0])) ? bitsOf(std::nan("")) : coarse(1 / std::sqrt(coarseInput(in[0])));
             },
         .accepts = within(0x1p-20)});
  check({.spelling = "rsqrt.approx.f64",
         .to = Type::F64,
         .from = {Type::F64},
         .expected = [=](const uint64_t *in) { return bitsOf(1 / std::sqrt(doubleOf(in[0]))); },
         .accepts = within(0x1p-22)});
}

TEST(FloatTest, MixedPrecision) {
  for (Type half : {Type::F16, Type::BF16})
    for (const Mode &mode : kModes)
      for (bool sat : {false, true}) {
        const reference::Format &format = half == Type::F16 ? reference::kHalf : reference::kBrain;
        const auto widened = [&](uint64_t code) {
          return bitsOf(static_cast<float>(valueOf(format, static_cast<uint32_t>(code))));
        };
        const std::string type = std::string("f32.") + std::string(nameOf(half));
        for (const std::string operation : {"add", "sub"})
          check({.spelling = spelled(operation, mode.word, false, sat, type.c_str()),
                 .to = Type::F32,
                 .from = {half, Type::F32},
                 .expected = [&](const uint64_t *in) {
                   const uint64_t wide[] = {widened(in[0]), in[1]};
                   return single(operation, mode.rounding, false, sat, wide);
                 }});
        if (*mode.word != 0)
          check({.spelling = spelled("fma", mode.word, false, sat, type.c_str()),
                 .to = Type::F32,
                 .from = {half, half, Type::F32},
                 .expected = [&](const uint64_t *in) {
                   const uint64_t wide[] = {widened(in[0]), widened(in[1]), in[2]};
                   return single("fma", mode.rounding, false, sat, wide);
                 }});
      }
}

TEST(FloatTest, RefusesWhatDoesNotExist) {
  for (const char *text :
       {"fma.f32 %r0, %r1, %r2, %r3;", "add.ftz.f64 %l0, %l1, %l2;", "add.rn.sat.f32x2 %l0, %l1, %l2;",
        "div.f32 %r0, %r1, %r2;", "mul.f32.f16 %r0, %h1, %r2;", "sqrt.approx.f64 %l0, %l1;"})
    EXPECT_NE(Snippet(bestLaneSet(), text).refusal(), "") << text;
  EXPECT_NE(Snippet(bestLaneSet(), "add.f32x2 %l0, %l1, %l2;", "sm_90a").refusal(), "");
  EXPECT_NE(Snippet(bestLaneSet(), "fma.rn.f32.f16 %r0, %h1, %h2, %r3;", "sm_90a").refusal(), "");
}

} // namespace
} // namespace glm::ptx
