// A driver with two devices, a context on the first, and a few kernels.
#pragma once

#include "runtime/cuda/Driver.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace glm::cuda {

/// scale(out, in, factor, count): out[i] = in[i] * factor + i.  add_one(data, count).  fail(p): writes to address p.
/// spin(flag): until *flag is not 0, then adds 1 to flag[1].  table: .global u32[4] = {1, 2, 3, 4}.
inline constexpr const char *kKernels = R"(
.version 8.7
.target sm_120a
.address_size 64

.visible .global .align 4 .u32 table[4] = {1, 2, 3, 4};

.visible .entry scale(.param .u64 out, .param .u64 in, .param .u32 factor, .param .u32 count)
{
  .reg .pred %p;
  .reg .b32 %r<10>;
  .reg .b64 %rd<6>;
  ld.param.u64 %rd1, [out];
  ld.param.u64 %rd2, [in];
  ld.param.u32 %r1, [factor];
  ld.param.u32 %r2, [count];
  mov.u32 %r3, %ctaid.x;
  mov.u32 %r4, %ntid.x;
  mov.u32 %r5, %tid.x;
  mad.lo.s32 %r6, %r3, %r4, %r5;
  setp.ge.u32 %p, %r6, %r2;
  @%p bra done;
  mul.wide.u32 %rd3, %r6, 4;
  add.s64 %rd4, %rd2, %rd3;
  ld.global.u32 %r7, [%rd4];
  mad.lo.s32 %r8, %r7, %r1, %r6;
  add.s64 %rd5, %rd1, %rd3;
  st.global.u32 [%rd5], %r8;
done:
  ret;
}

.visible .entry add_one(.param .u64 data, .param .u32 count)
{
  .reg .pred %p;
  .reg .b32 %r<8>;
  .reg .b64 %rd<4>;
  ld.param.u64 %rd1, [data];
  ld.param.u32 %r1, [count];
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ntid.x;
  mov.u32 %r4, %tid.x;
  mad.lo.s32 %r5, %r2, %r3, %r4;
  setp.ge.u32 %p, %r5, %r1;
  @%p bra done;
  mul.wide.u32 %rd2, %r5, 4;
  add.s64 %rd3, %rd1, %rd2;
  ld.global.u32 %r6, [%rd3];
  add.s32 %r7, %r6, 1;
  st.global.u32 [%rd3], %r7;
done:
  ret;
}

.visible .entry fail(.param .u64 where)
{
  .reg .b64 %rd1;
  .reg .b32 %r1;
  ld.param.u64 %rd1, [where];
  mov.u32 %r1, 7;
  st.global.u32 [%rd1], %r1;
  ret;
}

.visible .entry spin(.param .u64 flag)
{
  .reg .pred %p;
  .reg .b32 %r<3>;
  .reg .b64 %rd1;
  ld.param.u64 %rd1, [flag];
again:
  ld.acquire.sys.global.u32 %r1, [%rd1];
  setp.eq.u32 %p, %r1, 0;
  @%p bra again;
  ld.global.u32 %r2, [%rd1+4];
  add.s32 %r2, %r2, 1;
  st.global.u32 [%rd1+4], %r2;
  ret;
}

.visible .entry small(.param .u64 out) .maxntid 64
{
  .shared .align 4 .b8 room[2048];
  .reg .pred %p;
  .reg .b32 %r1;
  mov.u32 %r1, %tid.x;
  setp.eq.u32 %p, %r1, 0;
  @%p st.shared.u32 [room], %r1;
  ret;
}
)";

class DriverTest : public testing::Test {
protected:
  void SetUp() override {
    setenv("GLM_PTX_CHIP", "sm_120a", 1);
    setenv("GLM_PTX_DEVICES", "2", 1);
    setenv("GLM_PTX_PROFILE", profilePath().c_str(), 1);
    ASSERT_EQ(cuInit(0), CUDA_SUCCESS);
    ASSERT_EQ(cuDevicePrimaryCtxRetain(&context, 0), CUDA_SUCCESS);
    ASSERT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
  }

  /// A test that breaks its context on purpose breaks no other.
  void TearDown() override {
    EXPECT_EQ(cuDevicePrimaryCtxReset(0), CUDA_SUCCESS);
    EXPECT_EQ(cuDevicePrimaryCtxReset(1), CUDA_SUCCESS);
    std::remove(profilePath().c_str());
  }

  /// Of this process: tests run beside each other.
  static std::string profilePath() {
    return testing::TempDir() + "glm-ptx-profile-" + std::to_string(getpid()) + ".json";
  }

  CUfunction kernel(const char *name) {
    if (!module)
      EXPECT_EQ(cuModuleLoadData(&module, kKernels), CUDA_SUCCESS);
    CUfunction function = nullptr;
    EXPECT_EQ(cuModuleGetFunction(&function, module, name), CUDA_SUCCESS) << name;
    return function;
  }

  /// Device memory with `values` in it.
  CUdeviceptr upload(const std::vector<uint32_t> &values) {
    CUdeviceptr address = 0;
    EXPECT_EQ(cuMemAlloc(&address, values.size() * 4), CUDA_SUCCESS);
    EXPECT_EQ(cuMemcpyHtoD(address, values.data(), values.size() * 4), CUDA_SUCCESS);
    return address;
  }

  std::vector<uint32_t> download(CUdeviceptr address, size_t count) {
    std::vector<uint32_t> values(count);
    EXPECT_EQ(cuMemcpyDtoH(values.data(), address, count * 4), CUDA_SUCCESS);
    return values;
  }

  CUresult addOne(CUdeviceptr data, uint32_t count, CUstream stream) {
    void *parameters[] = {&data, &count};
    return cuLaunchKernel(kernel("add_one"), (count + 31) / 32, 1, 1, 32, 1, 1, 0, stream, parameters, nullptr);
  }

  static std::vector<uint32_t> random(size_t count, uint32_t seed) {
    std::mt19937 generator(seed);
    std::vector<uint32_t> values(count);
    for (uint32_t &value : values)
      value = generator();
    return values;
  }

  CUcontext context = nullptr;
  CUmodule module = nullptr;
};

/// Every value plus `step`.
inline std::vector<uint32_t> plus(std::vector<uint32_t> values, uint32_t step) {
  for (uint32_t &value : values)
    value += step;
  return values;
}

} // namespace glm::cuda
