// Arithmetic of halves: expected values from long double, in which sums, products and fused sums of halves are exact (or
// differ by something of known sign).
#include "test/runtime/ptx/arithmetic/Snippet.h"
#include "test/runtime/ptx/number/Reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace glm::ptx {
namespace {

struct Flags {
  bool ftz = false, sat = false, relu = false, oob = false;
};

double flushedValue(const reference::Format &format, uint32_t code, bool ftz) {
  const double value = reference::valueOf(format, code);
  return ftz && std::fabs(value) < std::ldexp(1.0, 1 - format.bias) ? std::copysign(0.0, value) : value;
}

/// a op b (op c) of codes, rounded once.
uint64_t computed(const reference::Format &format, const std::string &operation, Flags flags, const uint32_t *codes) {
  if (flags.oob)
    for (int i = 0; i < 3; ++i)
      if (codes[i] == 0x7fff)
        return 0;
  const double a = flushedValue(format, codes[0], flags.ftz), b = flushedValue(format, codes[1], flags.ftz);
  double first = a, second = operation == "sub" ? -b : b;
  if (operation == "mul")
    first = a * b, second = std::copysign(0.0, first);
  if (operation == "fma")
    first = a * b, second = flushedValue(format, codes[2], flags.ftz);
  // The products are exact in double; the sum is a double and a rest (Knuth).
  const double sum = first + second;
  double rest = 0;
  if (std::isfinite(sum)) {
    const double part = sum - first;
    rest = (first - (sum - part)) + (second - part);
  }
  if (std::isnan(sum))
    return flags.sat ? 0 : 0x7fff;
  if (flags.sat && sum <= 0)
    return 0;
  if (flags.sat && sum >= 1)
    return reference::codeOf(format, 1.0);
  const uint32_t code = reference::codeOf(format, sum, rest, {.relu = flags.relu});
  const auto infinity = static_cast<uint32_t>(reference::valuesOf(format).size());
  return flags.ftz && (code & infinity) == 0 ? code & 0x8000 : code;
}

void checkHalf(const std::string &spelling, Type type, const std::string &operation, Flags flags) {
  const bool pair = bitsOf(type) == 32;
  const reference::Format &format = type == Type::F16 || type == Type::F16x2 ? reference::kHalf : reference::kBrain;
  const size_t count = operation == "fma" ? 3 : 2;
  check({.spelling = spelling + "." + std::string(nameOf(type)),
         .to = type,
         .from = std::vector<Type>(count, type),
         .expected =
             [&](const uint64_t *in) {
               uint64_t result = 0;
               for (int shift = pair ? 16 : 0; shift >= 0; shift -= 16) {
                 uint32_t codes[3] = {};
                 for (size_t i = 0; i < count; ++i)
                   codes[i] = static_cast<uint32_t>(in[i] >> shift & 0xffff);
                 result |= computed(format, operation, flags, codes) << shift;
               }
               return result;
             },
         .rounds = 200});
}

constexpr Type kF16Types[] = {Type::F16, Type::F16x2};
constexpr Type kBF16Types[] = {Type::BF16, Type::BF16x2};

TEST(HalfTest, F16) {
  for (Type type : kF16Types)
    for (const std::string operation : {"add", "sub", "mul", "fma"})
      for (bool ftz : {false, true})
        for (bool sat : {false, true})
          for (const char *rounding : {"", ".rn"}) {
            if (operation == "fma" && *rounding == 0)
              continue;
            checkHalf(operation + rounding + (ftz ? ".ftz" : "") + (sat ? ".sat" : ""), type, operation,
                      {.ftz = ftz, .sat = sat});
          }
}

TEST(HalfTest, BF16) {
  for (Type type : kBF16Types)
    for (const std::string operation : {"add", "sub", "mul", "fma"}) {
      checkHalf(operation + ".rn", type, operation, {});
      if (operation != "fma")
        checkHalf(operation, type, operation, {});
    }
}

TEST(HalfTest, FusedWithRelu) {
  for (Type type : kF16Types)
    for (bool ftz : {false, true})
      checkHalf(ftz ? "fma.rn.ftz.relu" : "fma.rn.relu", type, "fma", {.ftz = ftz, .relu = true});
  for (Type type : kBF16Types)
    checkHalf("fma.rn.relu", type, "fma", {.relu = true});
}

TEST(HalfTest, FusedOutOfBounds) {
  for (Type type : {Type::F16, Type::F16x2, Type::BF16, Type::BF16x2})
    for (bool relu : {false, true})
      checkHalf(relu ? "fma.rn.oob.relu" : "fma.rn.oob", type, "fma", {.relu = relu, .oob = true});
}

TEST(HalfTest, FusedBF16NearTies) {
  // A product that lies on a tie, and an addend far below it that decides.
  check({.spelling = "fma.rn.bf16",
         .to = Type::BF16,
         .from = {Type::BF16, Type::BF16, Type::BF16},
         .expected =
             [](const uint64_t *in) {
               const uint32_t codes[] = {static_cast<uint32_t>(in[0]), static_cast<uint32_t>(in[1]),
                                         static_cast<uint32_t>(in[2])};
               return computed(reference::kBrain, "fma", {}, codes);
             },
         .input = [](std::mt19937_64 &random, size_t index) -> uint64_t {
           static constexpr uint64_t kFactors[] = {0x3f81, 0x3f82, 0x3fc0, 0x3f84, 0x3fa0, 0x3f90};
           static constexpr uint64_t kAddends[] = {0x0001, 0x8001, 0x2000, 0xa000, 0x0000, 0x1234};
           return index == 2 ? kAddends[random() % 6] : kFactors[random() % 6];
         }});
}

} // namespace
} // namespace glm::ptx
