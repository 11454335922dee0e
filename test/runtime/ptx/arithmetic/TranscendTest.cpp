// The approximations as instructions: values within the documented error, flushing, and every code of the halves.
#include "test/runtime/ptx/arithmetic/Snippet.h"
#include "test/runtime/ptx/number/Reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace glm::ptx {
namespace {

using reference::bitsOf;
using reference::floatOf;

struct Function {
  const char *name;
  long double (*exact)(long double);
  /// The documented bound: absolute or relative (PTX ISA, the instruction's text).
  double absolute, relative;
  bool hasFtz;
  double limit; ///< of inputs whose error is documented
};
const Function kFunctions[] = {{"sin", [](long double x) { return std::sin(x); }, 0x1p-20, 0, true, 3.2},
                               {"cos", [](long double x) { return std::cos(x); }, 0x1p-20, 0, true, 3.2},
                               {"lg2", [](long double x) { return std::log2(x); }, 0x1p-22, 0x1p-22, true, INFINITY},
                               {"ex2", [](long double x) { return std::exp2(x); }, 0, 0x1p-22, true, INFINITY},
                               {"rsqrt", [](long double x) { return 1 / std::sqrt(x); }, 0, 0x1p-22, true, INFINITY},
                               {"tanh", [](long double x) { return std::tanh(x); }, 0, 0x1p-11, false, INFINITY}};

float flushed(float value, bool ftz) {
  return ftz && std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value;
}

TEST(TranscendTest, Single) {
  for (const Function &function : kFunctions)
    for (bool ftz : {false, true}) {
      if (ftz && !function.hasFtz)
        continue;
      check({.spelling = std::string(function.name) + ".approx" + (ftz ? ".ftz" : "") + ".f32",
             .to = Type::F32,
             .from = {Type::F32},
             .expected =
                 [&](const uint64_t *in) {
                   const auto value = static_cast<float>(function.exact(flushed(floatOf(in[0]), ftz)));
                   return std::isnan(value) ? 0x7fffffff : bitsOf(flushed(value, ftz));
                 },
             .accepts =
                 [&](const uint64_t *in, uint64_t found, uint64_t expected) {
                   const double wanted = floatOf(expected), got = floatOf(found);
                   const double allowed = std::max(function.absolute, function.relative * std::fabs(wanted));
                   return std::isfinite(wanted) && std::isfinite(got) &&
                          (std::fabs(got - wanted) <= allowed ||
                           (std::fabs(floatOf(in[0])) > function.limit && std::fabs(got) <= 1));
                 },
             .input = [](std::mt19937_64 &random, size_t) -> uint64_t {
               const uint64_t bits = random();
               return bits % 3 == 0 ? bitsOf(static_cast<float>(static_cast<int32_t>(bits >> 32)) * 0x1p-26f)
                                    : reference::interestingFloat(random);
             },
             .rounds = 100});
    }
}

/// 16-bit codes in order, all of them in 2048 rounds.
std::function<uint64_t(std::mt19937_64 &, size_t)> everyCode() {
  return [next = uint64_t(0)](std::mt19937_64 &, size_t) mutable { return next++ & 0xffff; };
}

TEST(TranscendTest, Halves) {
  const struct {
    const char *spelling;
    const reference::Format &format;
    const Function &function;
    bool ftz;
    bool pair;
  } cases[] = {{"ex2.approx.f16", reference::kHalf, kFunctions[3], false, false},
               {"ex2.approx.f16x2", reference::kHalf, kFunctions[3], false, true},
               {"ex2.approx.ftz.bf16", reference::kBrain, kFunctions[3], true, false},
               {"ex2.approx.ftz.bf16x2", reference::kBrain, kFunctions[3], true, true},
               {"tanh.approx.f16", reference::kHalf, kFunctions[5], false, false},
               {"tanh.approx.f16x2", reference::kHalf, kFunctions[5], false, true},
               {"tanh.approx.bf16", reference::kBrain, kFunctions[5], false, false},
               {"tanh.approx.bf16x2", reference::kBrain, kFunctions[5], false, true}};
  for (const auto &one : cases) {
    const auto half = [&](uint64_t code) -> uint64_t {
      double value = reference::valueOf(one.format, static_cast<uint32_t>(code & 0xffff));
      if (one.ftz)
        value = flushed(static_cast<float>(value), true);
      auto result = static_cast<double>(one.function.exact(value));
      if (one.ftz && std::fabs(result) < 0x1p-126)
        result = std::copysign(0.0, result);
      return reference::codeOf(one.format, result);
    };
    check(
        {.spelling = one.spelling,
         .to = one.pair ? Type::B32 : Type::B16,
         .from = {one.pair ? Type::B32 : Type::B16},
         .expected = [&](const uint64_t *in) { return one.pair ? half(in[0] >> 16) << 16 | half(in[0]) : half(in[0]); },
         // Rounded twice: a tie of the half that single precision cannot see may go to the neighbour.
         .accepts =
             [&](const uint64_t *, uint64_t found, uint64_t expected) {
               const auto near = [](uint64_t a, uint64_t b) {
                 return (a & 0xffff) + 1 >= (b & 0xffff) && (a & 0xffff) <= (b & 0xffff) + 1;
               };
               return near(found, expected) && near(found >> 16, expected >> 16);
             },
         .input = one.pair ? std::function<uint64_t(std::mt19937_64 &, size_t)>() : everyCode(),
         .rounds = one.pair ? 64 : 4096});
  }
}

} // namespace
} // namespace glm::ptx
