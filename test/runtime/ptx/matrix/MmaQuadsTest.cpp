// mma.m8n8k4 on f16: four products of quarter warps.
#include "test/runtime/ptx/matrix/MmaProbe.h"

#include <fmt/format.h>

namespace glm::ptx::test {
namespace {

// PTX ISA, "Matrix Fragments for mma.m8n8k4 with .f16 floating point type". MMA q: threads 4q .. 4q + 3 and 4q + 16 .. 4q + 19.
Coordinate placeOfA(bool isColumn, int lane, int i) {
  if (isColumn)
    return {lane < 16 ? i % 4 : i % 4 + 4, lane % 4};
  return {lane < 16 ? lane % 4 : lane % 4 + 4, i};
}
Coordinate placeOfB(bool isColumn, int lane, int i) {
  if (isColumn)
    return {i, lane < 16 ? lane % 4 : lane % 4 + 4};
  return {lane % 4, lane < 16 ? i : i + 4};
}
Coordinate placeOfC(bool isHalf, int lane, int i) {
  if (isHalf)
    return {lane < 16 ? lane % 4 : lane % 4 + 4, i};
  int x = (lane & 1) + (i & 2);
  return {lane < 16 ? x : x + 4, (i & 4) + (lane & 2) + (i & 1)};
}
int productOf(int lane) { return lane % 16 / 4; }

void check(bool columnA, bool columnB, bool halfD, bool halfC) {
  std::mt19937_64 generator(3);
  std::string name = fmt::format("mma.sync.aligned.m8n8k4.{}.{}.{}.f16.f16.{}", columnA ? "col" : "row",
                                 columnB ? "col" : "row", halfD ? "f16" : "f32", halfC ? "f16" : "f32");
  int countC = halfC ? 4 : 8, countD = halfD ? 4 : 8;
  std::vector<std::string> inputs(4, "b32"), outputs(static_cast<size_t>(countD), halfD ? "b32" : "f32");
  inputs.insert(inputs.end(), static_cast<size_t>(countC), halfC ? "b32" : "f32");
  WarpKernel kernel("sm_90a", inputs, outputs,
                    fmt::format("{} {}, {}, {}, {};", name, vectorOf("%out", 0, countD), vectorOf("%in", 0, 2),
                                vectorOf("%in", 2, 2), vectorOf("%in", 4, countC)));
  // Small whole numbers: every sum is exact in both accumulators.
  std::vector<RegisterSet> sets;
  std::vector<std::array<std::array<std::array<double, 8>, 8>, 4>> expected;
  for (int trial = 0; trial < 20; ++trial) {
    double a[4][8][4], b[4][4][8];
    auto &d = expected.emplace_back();
    for (int q = 0; q < 4; ++q) {
      for (auto &row : a[q])
        for (double &value : row)
          value = static_cast<double>(generator() % 17) - 8;
      for (auto &row : b[q])
        for (double &value : row)
          value = static_cast<double>(generator() % 17) - 8;
      for (auto &row : d[static_cast<size_t>(q)])
        for (double &value : row)
          value = static_cast<double>(generator() % 17) - 8;
    }
    RegisterSet set(inputs.size(), Register{});
    for (int lane = 0; lane < 32; ++lane) {
      auto l = static_cast<size_t>(lane);
      int q = productOf(lane);
      for (int i = 0; i < 4; ++i) {
        Coordinate inA = placeOfA(columnA, lane, i), inB = placeOfB(columnB, lane, i);
        set[static_cast<size_t>(i / 2)][l] |= accumulatorBits("f16", a[q][inA.row][inA.column]) << i % 2 * 16;
        set[static_cast<size_t>(2 + i / 2)][l] |= accumulatorBits("f16", b[q][inB.row][inB.column]) << i % 2 * 16;
      }
      for (int i = 0; i < 8; ++i) {
        Coordinate inC = placeOfC(halfC, lane, i);
        double value = d[static_cast<size_t>(q)][static_cast<size_t>(inC.row)][static_cast<size_t>(inC.column)];
        if (halfC)
          set[static_cast<size_t>(4 + i / 2)][l] |= accumulatorBits("f16", value) << i % 2 * 16;
        else
          set[static_cast<size_t>(4 + i)][l] = accumulatorBits("f32", value);
      }
    }
    sets.push_back(set);
    for (size_t q = 0; q < 4; ++q)
      for (size_t row = 0; row < 8; ++row)
        for (size_t column = 0; column < 8; ++column)
          for (size_t k = 0; k < 4; ++k)
            d[q][row][column] += a[q][row][k] * b[q][k][column];
  }
  std::vector<RegisterSet> results = kernel.run(sets);
  ASSERT_EQ(results.size(), sets.size());
  for (size_t trial = 0; trial < sets.size(); ++trial)
    for (int lane = 0; lane < 32; ++lane)
      for (int i = 0; i < 8; ++i) {
        Coordinate at = placeOfC(halfD, lane, i);
        uint64_t bits = halfD ? results[trial][static_cast<size_t>(i / 2)][static_cast<size_t>(lane)] >> i % 2 * 16
                              : results[trial][static_cast<size_t>(i)][static_cast<size_t>(lane)];
        ASSERT_EQ(accumulatorValue(halfD ? "f16" : "f32", bits),
                  expected[trial][static_cast<size_t>(productOf(lane))][static_cast<size_t>(at.row)]
                          [static_cast<size_t>(at.column)])
            << name << " lane " << lane << " element " << i;
      }
}

TEST(MmaQuads, four_products) {
  for (bool columnA : {false, true})
    for (bool columnB : {false, true}) {
      check(columnA, columnB, true, true);
      check(columnA, columnB, false, false);
      check(columnA, columnB, false, true);
    }
}

} // namespace
} // namespace glm::ptx::test
