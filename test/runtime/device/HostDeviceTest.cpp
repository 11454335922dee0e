#include "runtime/device/HostDevice.h"

#include <array>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <unistd.h>

using namespace glm;

namespace {

constexpr int64_t kThreads = 3;

int64_t residentBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

TEST(HostDevice, launchesOnAllThreads) {
  HostDevice device(kThreads);
  ASSERT_TRUE(device.loadKernels(GLM_TEST_KERNELS, {{"count_calls", true}}));
  std::array<std::array<int64_t, 3>, kThreads> seen{};
  device.setRows({17, 0});
  device.launch({0, 0, RowCount::Step, {seen.data()}});
  for (const auto &line : seen)
    EXPECT_EQ(line, (std::array<int64_t, 3>{1, 17, kThreads}));
}

TEST(HostDevice, launchesSerialKernelsOnce) {
  HostDevice device(kThreads);
  ASSERT_TRUE(device.loadKernels(GLM_TEST_KERNELS, {{"count_calls", false}}));
  std::array<std::array<int64_t, 3>, kThreads> seen{};
  device.setRows({5, 0});
  device.launch({0, 0, RowCount::Step, {seen.data()}});
  EXPECT_EQ(seen[0], (std::array<int64_t, 3>{1, 5, 1}));
  EXPECT_EQ(seen[1][0] + seen[2][0], 0);
}

TEST(HostDevice, leavesOutLaunchesWithoutRows) {
  HostDevice device(1);
  ASSERT_TRUE(device.loadKernels(GLM_TEST_KERNELS, {{"count_calls", true}}));
  std::array<int64_t, 3> step{}, output{};
  std::vector<Call> calls = {{0, 0, RowCount::Step, {step.data()}}, {0, 0, RowCount::Output, {output.data()}}};
  device.setRows({7, 0});
  device.replay(0, calls);
  EXPECT_EQ(step, (std::array<int64_t, 3>{1, 7, 1}));
  EXPECT_EQ(output[0], 0);
  device.setRows({7, 2});
  device.replay(0, calls);
  EXPECT_EQ(step[0], 2);
  EXPECT_EQ(output, (std::array<int64_t, 3>{1, 2, 1}));
}

TEST(HostDevice, namesMissingLibrary) {
  HostDevice device(1);
  Result<void> loaded = device.loadKernels("/nowhere/host.so", {});
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(loaded.error().message.starts_with("host.so: the library must be loadable, but found "))
      << loaded.error().message;
}

TEST(HostDevice, namesMissingKernel) {
  HostDevice device(1);
  Result<void> loaded = device.loadKernels(GLM_TEST_KERNELS, {{"count_calls", true}, {"moe_gemm_bf16", true}});
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message.find("kernel moe_gemm_bf16 must be a symbol of the library, but found none"),
            std::string::npos)
      << loaded.error().message;
}

TEST(HostDevice, reservesWithoutCost) {
  HostDevice device(1);
  int64_t before = residentBytes();
  constexpr uint64_t reserve = 1ull << 38; // 256 GiB: more than the machines that run this have
  Result<Allocation> memory = device.allocate(reserve);
  ASSERT_TRUE(memory);
  unsigned char *bytes = static_cast<unsigned char *>(memory->address());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes) % 64, 0u);
  for (uint64_t offset : {uint64_t{0}, reserve / 3, reserve - 1}) {
    EXPECT_EQ(bytes[offset], 0);
    bytes[offset] = 1;
  }
  // Three touched places, of at most one huge page each, and some slack for the test itself.
  EXPECT_LT(residentBytes() - before, 16 << 20);
}

TEST(HostDevice, copiesAndShows) {
  HostDevice device(1);
  Result<Allocation> memory = device.allocate(100);
  ASSERT_TRUE(memory);
  std::vector<uint8_t> bytes(100), scratch;
  std::mt19937 generator(11);
  for (uint8_t &byte : bytes)
    byte = static_cast<uint8_t>(generator());
  device.upload(memory->address(), bytes.data(), bytes.size());
  const uint8_t *seen = static_cast<const uint8_t *>(device.view(memory->address(), bytes.size(), scratch));
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), seen));
  Result<void *> resident = device.makeResident(bytes.data(), bytes.size());
  ASSERT_TRUE(resident);
  EXPECT_EQ(*resident, bytes.data()); // weights are read where the file is mapped
}

TEST(HostDevice, holdsNothingForNothing) {
  HostDevice device(1);
  Result<Allocation> memory = device.allocate(0);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->address(), nullptr);
}

} // namespace
