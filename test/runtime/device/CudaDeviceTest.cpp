// The GPU device, on the driver that interprets PTX.
#include "runtime/device/CudaDevice.h"

#include <cstring>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>
#include <random>
#include <unistd.h>

using namespace glm;

namespace {

/// to[i] = from[i] + 1 for the live rows, one thread each; `stray` writes beyond everything.
constexpr const char *kPtx = R"(.version 8.0
.target sm_90a
.address_size 64
.visible .entry increment(.param .u64 from, .param .u64 to, .param .u64 rows)
{
  .reg .pred %p<2>;
  .reg .b32 %r<8>;
  .reg .b64 %rd<8>;
  ld.param.u64 %rd1, [from];
  ld.param.u64 %rd2, [to];
  ld.param.u64 %rd3, [rows];
  ld.global.u32 %r1, [%rd3];
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ntid.x;
  mov.u32 %r4, %tid.x;
  mad.lo.s32 %r5, %r2, %r3, %r4;
  setp.ge.s32 %p1, %r5, %r1;
  @%p1 ret;
  mul.wide.s32 %rd4, %r5, 4;
  add.s64 %rd5, %rd1, %rd4;
  add.s64 %rd6, %rd2, %rd4;
  ld.global.u32 %r6, [%rd5];
  add.s32 %r7, %r6, 1;
  st.global.u32 [%rd6], %r7;
  ret;
}
.visible .entry stray(.param .u64 rows)
{
  .reg .b32 %r<2>;
  .reg .b64 %rd<2>;
  mov.u32 %r1, 7;
  mov.u64 %rd1, 64;
  st.global.u32 [%rd1], %r1;
  ret;
}
)";

const std::vector<Kernel> kKernels = {{.name = "increment", .threads = 4}, {.name = "stray", .threads = 1}};

class CudaDeviceTest : public testing::Test {
protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() / ("glm-cuda-device-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "kernels.ptx") << kPtx;
    auto opened = CudaDevice::open(GLM_PTX_LIBRARY);
    ASSERT_TRUE(opened) << opened.error().message;
    device = std::move(*opened);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void load() {
    auto loaded = device->loadKernels(folder / "kernels.ptx", kKernels);
    ASSERT_TRUE(loaded) << loaded.error().message;
  }
  std::vector<int32_t> read(const void *from, size_t count) {
    std::vector<uint8_t> scratch;
    std::vector<int32_t> numbers(count);
    std::memcpy(numbers.data(), device->view(from, count * sizeof(int32_t), scratch), count * sizeof(int32_t));
    return numbers;
  }

  std::filesystem::path folder;
  std::unique_ptr<CudaDevice> device;
};

/// 1, 2, ..., count, and zeros up to 12.
std::vector<int32_t> countingTo(int32_t count) {
  std::vector<int32_t> numbers(12);
  std::iota(numbers.begin(), numbers.begin() + count, 1);
  return numbers;
}

TEST_F(CudaDeviceTest, launchesOnLiveRows) {
  load();
  std::vector<int32_t> counting(12);
  std::iota(counting.begin(), counting.end(), 0);
  auto from = device->makeResident(counting.data(), counting.size() * sizeof(int32_t));
  auto to = device->allocate(counting.size() * sizeof(int32_t));
  ASSERT_TRUE(from && to);
  device->setRows({7, 9});
  device->launch({0, 3, RowCount::Step, {*from, to->address()}});
  ASSERT_TRUE(device->synchronize());
  EXPECT_EQ(read(to->address(), 12), countingTo(7));
  device->launch({0, 3, RowCount::Output, {*from, to->address()}});
  ASSERT_TRUE(device->synchronize());
  EXPECT_EQ(read(to->address(), 12), countingTo(9));
}

/// What was enqueued before it is in it, what came behind is not; two of them may be under way.
TEST_F(CudaDeviceTest, readsBack) {
  load();
  auto memory = device->allocate(12 * sizeof(int32_t));
  auto first = device->makeReadback(12 * sizeof(int32_t)), second = device->makeReadback(4);
  ASSERT_TRUE(memory && first && second);
  void *x = memory->address();
  int32_t numbers[] = {10, 20, 30};
  device->upload(x, numbers, sizeof numbers);
  numbers[0] = 0; // read by now
  device->setRows({12, 0});
  device->launch({0, 3, RowCount::Step, {x, x}});
  (*first)->start(x, 12 * sizeof(int32_t));
  device->launch({0, 3, RowCount::Step, {x, x}});
  (*second)->start(x, 4);
  device->launch({0, 3, RowCount::Step, {x, x}});
  auto early = (*first)->wait(), late = (*second)->wait();
  ASSERT_TRUE(early && late);
  const auto *all = static_cast<const int32_t *>(*early);
  EXPECT_EQ(std::vector<int32_t>(all, all + 4), (std::vector<int32_t>{11, 21, 31, 1}));
  EXPECT_EQ(*static_cast<const int32_t *>(*late), 12);

  device->launch({1, 1, RowCount::Step, {}});
  (*first)->start(x, 4);
  auto failed = (*first)->wait();
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, testing::HasSubstr("running kernels must succeed, but found CUDA_ERROR"));
}

/// More than both pinned buffers hold, a little at a time.
TEST_F(CudaDeviceTest, uploadsThroughPinnedMemory) {
  constexpr int32_t kWords = 700000, kRounds = 12;
  auto memory = device->allocate(uint64_t(kWords) * kRounds * sizeof(int32_t));
  ASSERT_TRUE(memory);
  std::vector<int32_t> numbers(kWords);
  for (int32_t round = 0; round < kRounds; ++round) {
    std::iota(numbers.begin(), numbers.end(), round * kWords);
    device->upload(static_cast<int32_t *>(memory->address()) + int64_t(round) * kWords, numbers.data(),
                   numbers.size() * sizeof(int32_t));
  }
  ASSERT_TRUE(device->synchronize());
  std::vector<int32_t> expected(size_t(kWords) * kRounds);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(read(memory->address(), expected.size()), expected);
}

/// A program is recorded once and takes the rows of each step.
TEST_F(CudaDeviceTest, replaysAProgram) {
  load();
  auto memory = device->allocate(12 * sizeof(int32_t));
  ASSERT_TRUE(memory);
  void *x = memory->address();
  std::vector<Call> calls(3, Call{0, 3, RowCount::Step, {x, x}});
  device->setRows({2, 0});
  device->replay(0, calls);
  ASSERT_TRUE(device->synchronize());
  EXPECT_EQ(read(x, 4), (std::vector<int32_t>{3, 3, 0, 0}));
  device->setRows({3, 0});
  device->replay(0, calls);
  device->setRows({4, 0});
  device->replay(0, calls);
  ASSERT_TRUE(device->synchronize());
  EXPECT_EQ(read(x, 5), (std::vector<int32_t>{9, 9, 6, 3, 0}));
}

TEST_F(CudaDeviceTest, reportsAFaultOnce) {
  load();
  device->setRows({1, 1});
  device->launch({1, 1, RowCount::Step, {}});
  auto done = device->synchronize();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message,
            "running kernels must succeed, but found CUDA_ERROR_ILLEGAL_ADDRESS (an illegal memory "
            "access was encountered)");
}

/// More than both pinned buffers together hold, and no multiple of one.
TEST_F(CudaDeviceTest, copiesLargeConstantsWhole) {
  std::mt19937_64 generator(5);
  std::vector<uint64_t> numbers((21 << 20) / 8 + 3);
  for (uint64_t &number : numbers)
    number = generator();
  auto place = device->makeResident(numbers.data(), numbers.size() * 8);
  ASSERT_TRUE(place);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(*place) % 256, 0u);
  ASSERT_TRUE(device->synchronize());
  std::vector<uint8_t> scratch;
  EXPECT_EQ(std::memcmp(device->view(*place, numbers.size() * 8, scratch), numbers.data(), numbers.size() * 8), 0);
}

TEST_F(CudaDeviceTest, smallConstantsDoNotMeet) {
  std::vector<int32_t> first = {1, 2, 3}, second = {4, 5, 6};
  auto one = device->makeResident(first.data(), 12), two = device->makeResident(second.data(), 12);
  ASSERT_TRUE(one && two);
  ASSERT_TRUE(device->synchronize());
  EXPECT_EQ(read(*one, 3), first);
  EXPECT_EQ(read(*two, 3), second);
}

TEST_F(CudaDeviceTest, clearsWhatItReserves) {
  auto memory = device->allocate(1000 * sizeof(int32_t));
  ASSERT_TRUE(memory);
  ASSERT_TRUE(device->synchronize());
  EXPECT_EQ(read(memory->address(), 1000), std::vector<int32_t>(1000));
  auto nothing = device->allocate(0);
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->address(), nullptr);
}

TEST_F(CudaDeviceTest, saysHowMuchMemoryThereIs) {
  auto memory = device->allocate(uint64_t(1) << 50);
  ASSERT_FALSE(memory);
  EXPECT_NE(memory.error().message.find("a reserve of 1125899906842624 bytes, with "), std::string::npos)
      << memory.error().message;
  EXPECT_NE(memory.error().message.find(" free, must succeed, but found CUDA_ERROR_OUT_OF_MEMORY"), std::string::npos)
      << memory.error().message;
}

TEST_F(CudaDeviceTest, measuresCopies) {
  auto rate = device->copyBandwidth(1 << 20);
  ASSERT_TRUE(rate) << rate.error().message;
  EXPECT_GT(*rate, 0);
}

TEST_F(CudaDeviceTest, namesMissingKernel) {
  auto loaded = device->loadKernels(folder / "kernels.ptx", {{.name = "moe_gemm", .threads = 32}});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message, "kernels.ptx: kernel moe_gemm must be an entry of it, but found none");
}

TEST_F(CudaDeviceTest, namesCodeThatDoesNotLoad) {
  std::ofstream(folder / "kernels.ptx") << "kernels, in prose";
  auto loaded = device->loadKernels(folder / "kernels.ptx", kKernels);
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(loaded.error().message.starts_with("kernels.ptx: loading on NVIDIA H200 (interpreted) must succeed, but "
                                                 "found CUDA_ERROR_INVALID_PTX"))
      << loaded.error().message;
}

TEST(CudaDeviceLibrary, namesOneThatIsNoDriver) {
  auto missing = CudaDevice::open("/nowhere/libcuda.so.1");
  ASSERT_FALSE(missing);
  EXPECT_TRUE(
      missing.error().message.starts_with("/nowhere/libcuda.so.1: the CUDA driver must be loadable, but found "))
      << missing.error().message;
  auto other = CudaDevice::open("libm.so.6");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message, "libm.so.6: the CUDA driver must be one of CUDA 12 or later, but found no cuInit");
}

} // namespace
