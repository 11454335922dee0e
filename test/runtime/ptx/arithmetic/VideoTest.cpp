// The packed video instructions.
#include "test/runtime/ptx/arithmetic/Snippet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace glm::ptx {
namespace {

int64_t partOf(bool isSignedPart, uint64_t word, int index, int width) {
  const auto bits = static_cast<int64_t>(word >> (index * width) & ((1ull << width) - 1));
  return isSignedPart && bits >> (width - 1) != 0 ? bits - (int64_t(1) << width) : bits;
}

int64_t computed(const std::string &operation, int64_t a, int64_t b) {
  if (operation == "vadd")
    return a + b;
  if (operation == "vsub")
    return a - b;
  if (operation == "vabsdiff")
    return std::abs(a - b);
  if (operation == "vmin")
    return std::min(a, b);
  if (operation == "vmax")
    return std::max(a, b);
  const int64_t sum = a + b;
  // Exactly half way: up for sums from zero on, down below.
  return sum >= 0 ? (sum + 1) / 2 : -((1 - sum) / 2);
}

TEST(VideoTest, Arithmetic) {
  for (const std::string operation : {"vadd", "vsub", "vavrg", "vabsdiff", "vmin", "vmax"})
    for (int count : {2, 4})
      for (int types = 0; types < 8; ++types)
        for (const std::string modifier : {"", ".sat", ".add"}) {
          const bool to = (types & 1) != 0, a = (types & 2) != 0, b = (types & 4) != 0;
          const auto word = [](bool isSignedType) { return isSignedType ? ".s32" : ".u32"; };
          const int width = 32 / count;
          check({.spelling = operation + std::to_string(count) + word(to) + word(a) + word(b) + modifier,
                 .to = Type::B32,
                 .from = {Type::B32, Type::B32, Type::B32},
                 .expected =
                     [&](const uint64_t *in) {
                       uint64_t result = modifier == ".add" ? in[2] : 0;
                       for (int i = 0; i < count; ++i) {
                         int64_t value = computed(operation, partOf(a, in[0], i, width), partOf(b, in[1], i, width));
                         if (modifier == ".sat")
                           value = std::clamp<int64_t>(value, to ? -(1 << (width - 1)) : 0,
                                                       to ? (1 << (width - 1)) - 1 : (1 << width) - 1);
                         if (modifier == ".add")
                           result += static_cast<uint64_t>(value);
                         else
                           result |= (static_cast<uint64_t>(value) & ((1ull << width) - 1)) << (i * width);
                       }
                       return result;
                     },
                 .rounds = 4});
        }
}

TEST(VideoTest, Comparisons) {
  for (int count : {2, 4})
    for (const std::string relation : {"eq", "ne", "lt", "le", "gt", "ge"})
      for (bool isSignedType : {false, true})
        for (bool adds : {false, true}) {
          const std::string type = isSignedType ? ".s32.s32." : ".u32.u32.";
          const int width = 32 / count;
          check({.spelling = "vset" + std::to_string(count) + type + relation + (adds ? ".add" : ""),
                 .to = Type::B32,
                 .from = {Type::B32, Type::B32, Type::B32},
                 .expected =
                     [&](const uint64_t *in) {
                       uint64_t result = adds ? in[2] : 0;
                       for (int i = 0; i < count; ++i) {
                         const int64_t a = partOf(isSignedType, in[0], i, width),
                                       b = partOf(isSignedType, in[1], i, width);
                         const bool holds = relation == "eq"   ? a == b
                                            : relation == "ne" ? a != b
                                            : relation == "lt" ? a < b
                                            : relation == "le" ? a <= b
                                            : relation == "gt" ? a > b
                                                               : a >= b;
                         result += adds ? (holds ? 1 : 0) : static_cast<uint64_t>(holds) << (i * width);
                       }
                       return result;
                     },
                 .rounds = 6});
        }
}

} // namespace
} // namespace glm::ptx
