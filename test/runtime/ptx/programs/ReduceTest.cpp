#include "test/runtime/ptx/programs/Program.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <random>
#include <set>

namespace glm::cuda {
namespace {

TEST_F(Programs, SumOfTheLastBlock) {
  load("Reduce");
  std::mt19937 random(1);
  constexpr int kCount = 10007;
  // Integers, so that every order of addition gives the same float.
  std::vector<float> values(kCount);
  for (float &value : values)
    value = static_cast<float>(static_cast<int>(random() % 201) - 100);
  CUdeviceptr in = upload(values), out = uploadFilled<float>(1, -1);
  // The counter of blocks must be as it was: the second launch sees it.
  for (unsigned blocks : {8u, 13u}) {
    launch("sumLastBlock", {blocks}, {256}, 0, in, out, kCount);
    EXPECT_EQ(download<float>(out, 1)[0], std::accumulate(values.begin(), values.end(), 0.0f));
  }
}

TEST_F(Programs, Statistics) {
  load("Reduce");
  std::mt19937 random(2);
  constexpr int kCount = 1000; // the last warp has 8 lanes
  std::vector<int> values(kCount);
  for (int &value : values)
    value = static_cast<int>(random() % 41) - 20;
  CUdeviceptr in = upload(values), out = upload(std::vector<int>{0, 1 << 30, -(1 << 30), 0, 0});
  launch("statistics", {4}, {256}, 0, in, out, kCount);

  int leaders = 0;
  for (int first = 0; first < kCount; first += 32)
    leaders +=
        static_cast<int>(std::set<int>(values.begin() + first, values.begin() + std::min(first + 32, kCount)).size());
  int odd = static_cast<int>(std::ranges::count_if(values, [](int value) { return value & 1; }));
  EXPECT_EQ(download<int>(out, 5),
            (std::vector<int>{std::accumulate(values.begin(), values.end(), 0), *std::ranges::min_element(values),
                              *std::ranges::max_element(values), odd, leaders}));
}

TEST_F(Programs, CooperativeScan) {
  load("Reduce");
  std::mt19937 random(3);
  int count = 500;
  std::vector<unsigned> values(static_cast<size_t>(count));
  for (unsigned &value : values)
    value = random();
  CUdeviceptr data = upload(values), other = allocate(values.size() * 4);
  void *parameters[] = {&data, &other, &count};
  GLM_CHECK_CUDA(cuLaunchCooperativeKernel(kernel("scanCooperative"), 4, 1, 1, 128, 1, 1, 0, nullptr, parameters));
  std::vector<unsigned> expected(values.size());
  std::inclusive_scan(values.begin(), values.end(), expected.begin());
  EXPECT_EQ(download<unsigned>(data, values.size()), expected);
}

TEST_F(Programs, HistogramOfACluster) {
  load("Reduce");
  std::mt19937 random(4);
  std::vector<uint8_t> values(5000);
  std::vector<unsigned> expected(256);
  for (uint8_t &value : values) {
    value = static_cast<uint8_t>(random() & random());
    ++expected[value];
  }
  CUdeviceptr in = upload(values), bins = allocate(256 * 4);
  launch("histogramCluster", {4}, {128}, 0, in, bins, static_cast<int>(values.size()));
  EXPECT_EQ(download<unsigned>(bins, 256), expected);
}

unsigned collatzSteps(unsigned n) {
  unsigned steps = 0;
  for (; n != 1; ++steps)
    n = n & 1 ? 3 * n + 1 : n / 2;
  return steps;
}

TEST_F(Programs, CallsAndDoubles) {
  load("Reduce");
  constexpr int kCount = 300;
  CUdeviceptr values = allocate(kCount * 8), steps = allocate(kCount * 4);
  launch("calls", {3}, {128}, 0, values, steps, kCount);
  std::vector<double> gotValues = download<double>(values, kCount);
  std::vector<unsigned> gotSteps = download<unsigned>(steps, kCount);
  for (int i = 0; i < kCount; ++i) {
    double x = 1.0 + i;
    auto which = static_cast<unsigned>(i + 1) % 3;
    double result = (which == 0 ? x * x : which == 1 ? 1.0 / x : std::sqrt(x)) * (i % 8 + 1);
    const double results[] = {
        result + 1, result - 2, result * 3, -result, std::fabs(result), std::fma(result, 2.0, 1.0), std::floor(result)};
    EXPECT_EQ(gotValues[static_cast<size_t>(i)], results[i % 7]) << i;
    EXPECT_EQ(gotSteps[static_cast<size_t>(i)], collatzSteps(static_cast<unsigned>(i) + 1)) << i;
  }
}

TEST_F(Programs, CubSortsBlocks) {
  load("Cub");
  std::mt19937 random(5);
  constexpr size_t kBlocks = 3, kPerBlock = 512;
  std::vector<unsigned> keys(kBlocks * kPerBlock), values(keys.size());
  for (unsigned &key : keys)
    key = random() >> random() % 32; // short ones, so that some are equal
  std::iota(values.begin(), values.end(), 0u);
  CUdeviceptr deviceKeys = upload(keys), deviceValues = upload(values);
  launch("sortBlocks", {kBlocks}, {128}, 0, deviceKeys, deviceValues);
  std::vector<unsigned> gotKeys = download<unsigned>(deviceKeys, keys.size());
  std::vector<unsigned> gotValues = download<unsigned>(deviceValues, keys.size());
  // A radix sort keeps the order of equal keys.
  for (size_t block = 0; block < kBlocks; ++block)
    std::stable_sort(values.begin() + static_cast<ptrdiff_t>(block * kPerBlock),
                     values.begin() + static_cast<ptrdiff_t>((block + 1) * kPerBlock),
                     [&](unsigned a, unsigned b) { return keys[a] < keys[b]; });
  EXPECT_EQ(gotValues, values);
  for (size_t i = 0; i < keys.size(); ++i)
    ASSERT_EQ(gotKeys[i], keys[values[i]]) << i;
}

TEST_F(Programs, CubScansBlocks) {
  load("Cub");
  std::mt19937 random(6);
  constexpr size_t kBlocks = 3, kPerBlock = 512;
  std::vector<int> values(kBlocks * kPerBlock), expected(values.size()), totals;
  for (int &value : values)
    value = static_cast<int>(random() % 2001) - 1000;
  for (size_t block = 0; block < kBlocks; ++block) {
    int sum = 0;
    for (size_t i = block * kPerBlock; i < (block + 1) * kPerBlock; ++i) {
      expected[i] = sum;
      sum += values[i];
    }
    totals.push_back(sum);
  }
  CUdeviceptr in = upload(values), out = allocate(values.size() * 4), sums = allocate(kBlocks * 4);
  launch("scanBlocks", {kBlocks}, {128}, 0, in, out, sums);
  EXPECT_EQ(download<int>(out, values.size()), expected);
  EXPECT_EQ(download<int>(sums, kBlocks), totals);
}

TEST_F(Programs, CubCountsBlocks) {
  load("Cub");
  std::mt19937 random(7);
  constexpr size_t kBlocks = 3, kPerBlock = 512;
  std::vector<uint8_t> values(kBlocks * kPerBlock);
  std::vector<unsigned> expected(kBlocks * 64);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<uint8_t>(random() % 64 & random());
    ++expected[i / kPerBlock * 64 + values[i]];
  }
  CUdeviceptr in = upload(values), bins = allocate(expected.size() * 4);
  launch("histogramBlocks", {kBlocks}, {128}, 0, in, bins);
  EXPECT_EQ(download<unsigned>(bins, expected.size()), expected);
}

} // namespace
} // namespace glm::cuda
