// A program of this folder, loaded for the chip of device 0, by ordinary driver-API code. GLM_PTX_CHIP chooses the chip of the
// interpreting driver; NVIDIA's own library serves as well (README.md).
#pragma once

#include "runtime/artifact/Hash.h"
#include "runtime/cuda/Driver.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace glm::cuda {

#define GLM_CHECK_CUDA(call) ASSERT_EQ(call, CUDA_SUCCESS)

/// What two drivers must agree in: every bit, or within the bound that the test holds each of them to.
enum class Agreement { Bits, Bound };

class Program : public testing::Test {
protected:
  void SetUp() override {
    testing::internal::CaptureStderr();
    GLM_CHECK_CUDA(cuInit(0));
    GLM_CHECK_CUDA(cuDevicePrimaryCtxRetain(&context, 0));
    GLM_CHECK_CUDA(cuCtxSetCurrent(context));
  }

  void TearDown() override {
    for (CUdeviceptr each : allocations)
      EXPECT_EQ(cuMemFree(each), CUDA_SUCCESS);
    if (module)
      EXPECT_EQ(cuModuleUnload(module), CUDA_SUCCESS);
    cuDevicePrimaryCtxRelease(0);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "a program without a fault must not be spoken of";
  }

  /// NAME.CHIP.ptx of this folder.
  void load(const std::string &name) {
    std::string text;
    read(name, text);
    if (HasFatalFailure())
      return;
    GLM_CHECK_CUDA(cuModuleLoadData(&module, text.c_str())) << name;
  }

  void read(const std::string &name, std::string &text) {
    int major = 0, minor = 0;
    GLM_CHECK_CUDA(cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0));
    GLM_CHECK_CUDA(cuDeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 0));
    std::string path = GLM_TEST_PROGRAMS "/" + name + ".sm_" + std::to_string(major * 10 + minor) + "a.ptx";
    std::ifstream file(path);
    ASSERT_TRUE(file) << path;
    std::stringstream content;
    content << file.rdbuf();
    text = content.str();
  }

  CUfunction kernel(const char *name) {
    CUfunction function = nullptr;
    EXPECT_EQ(cuModuleGetFunction(&function, module, name), CUDA_SUCCESS) << name;
    return function;
  }

  CUdeviceptr allocate(size_t bytes) {
    CUdeviceptr address = 0;
    EXPECT_EQ(cuMemAlloc(&address, bytes), CUDA_SUCCESS);
    allocations.push_back(address);
    return address;
  }

  template <typename T>
  CUdeviceptr upload(const std::vector<T> &values) {
    CUdeviceptr address = allocate(values.size() * sizeof(T));
    EXPECT_EQ(cuMemcpyHtoD(address, values.data(), values.size() * sizeof(T)), CUDA_SUCCESS);
    return address;
  }

  template <typename T>
  CUdeviceptr uploadFilled(size_t count, T value) {
    return upload(std::vector<T>(count, value));
  }

  /// Waits for everything first. GLM_PROGRAM_RESULTS names a folder that takes the values, for a comparison of drivers: a file
  /// TEST.NUMBER.TYPE.AGREEMENT each.
  template <typename T>
  std::vector<T> download(CUdeviceptr address, size_t count, Agreement agreement = Agreement::Bits) {
    EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
    std::vector<T> values(count);
    EXPECT_EQ(cuMemcpyDtoH(values.data(), address, count * sizeof(T)), CUDA_SUCCESS);
    if (const char *folder = std::getenv("GLM_PROGRAM_RESULTS")) {
      const testing::TestInfo *test = testing::UnitTest::GetInstance()->current_test_info();
      std::string type = (std::is_floating_point_v<T> ? "f"
                          : std::is_signed_v<T>       ? "s"
                                                      : "u") +
                         std::to_string(8 * sizeof(T));
      std::ofstream file(std::string(folder) + "/" + test->name() + "." + std::to_string(results++) + "." + type +
                             (agreement == Agreement::Bits ? ".bits" : ".bound"),
                         std::ios::binary);
      file.write(reinterpret_cast<const char *>(values.data()), static_cast<std::streamsize>(count * sizeof(T)));
    }
    return values;
  }

  struct Dimensions {
    unsigned x = 1, y = 1, z = 1;
  };

  template <typename... Arguments>
  void launch(const char *name, Dimensions grid, Dimensions block, unsigned sharedBytes, Arguments... arguments) {
    void *parameters[] = {&arguments...};
    CUfunction function = kernel(name);
    if (sharedBytes) {
      GLM_CHECK_CUDA(
          cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, static_cast<int>(sharedBytes)));
    }
    GLM_CHECK_CUDA(cuLaunchKernel(function, grid.x, grid.y, grid.z, block.x, block.y, block.z, sharedBytes, nullptr,
                                  parameters, nullptr));
  }

  /// A matrix of `rows` x `columns` elements with rows `stride` bytes apart, read in boxes of `boxRows` x `boxColumns`.
  static CUtensorMap tensorMap(CUtensorMapDataType type, CUdeviceptr address, uint64_t rows, uint64_t columns,
                               uint64_t stride, uint32_t boxRows, uint32_t boxColumns, CUtensorMapSwizzle swizzle) {
    CUtensorMap map;
    const uint64_t dimensions[] = {columns, rows}, strides[] = {stride};
    const uint32_t box[] = {boxColumns, boxRows}, elementStrides[] = {1, 1};
    EXPECT_EQ(cuTensorMapEncodeTiled(&map, type, 2, reinterpret_cast<void *>(address), dimensions, strides, box,
                                     elementStrides, CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle,
                                     CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE),
              CUDA_SUCCESS);
    return map;
  }

  /// The matrix products of this folder that more than one test launches, of bf16: the address of C [m][n] = A [m][k] B [n][k]^T. The
  /// module is loaded.
  CUdeviceptr gemmMma(const std::vector<uint16_t> &a, const std::vector<uint16_t> &b, int n, int k) {
    Gemm gemm = prepare(a, b, n, k);
    launch("gemmMma", {gemm.n / 64, gemm.m / 64}, {128}, 0, gemm.a, gemm.b, gemm.c, n, k);
    return gemm.c;
  }

  CUdeviceptr gemmWgmma(const std::vector<uint16_t> &a, const std::vector<uint16_t> &b, int n, int k) {
    Gemm gemm = prepare(a, b, n, k);
    launch("gemmWgmma", {gemm.n / 64, gemm.m / 64}, {256}, 3 * 2 * 64 * 128, gemm.map(gemm.a, gemm.m, 64),
           gemm.map(gemm.b, gemm.n, 64), gemm.c, n, k);
    return gemm.c;
  }

  CUdeviceptr gemmTcgen05(const std::vector<uint16_t> &a, const std::vector<uint16_t> &b, int n, int k) {
    Gemm gemm = prepare(a, b, n, k);
    launch("gemmTcgen05", {gemm.n / 64, gemm.m / 128}, {128}, 2 * (128 + 64) * 128, gemm.map(gemm.a, gemm.m, 128),
           gemm.map(gemm.b, gemm.n, 64), gemm.c, n, k);
    return gemm.c;
  }

  /// `hash` is FNV-1a of the bytes that an H100 computed: what an interpreter that accumulates as it does must compute too.
  template <typename T>
  static void expectAsOnH100(const std::vector<T> &values, uint64_t hash) {
    const char *sums = std::getenv("GLM_PTX_SUMS");
    if (!sums || std::string(sums) != "aligned")
      return;
    EXPECT_EQ(fnv1a64({reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)}), hash);
  }

  CUcontext context = nullptr;
  CUmodule module = nullptr;

private:
  struct Gemm {
    unsigned m, n, k;
    CUdeviceptr a, b, c;

    CUtensorMap map(CUdeviceptr operand, uint64_t rows, uint32_t boxRows) const {
      return tensorMap(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, operand, rows, k, uint64_t{k} * 2, boxRows, 64,
                       CU_TENSOR_MAP_SWIZZLE_128B);
    }
  };

  Gemm prepare(const std::vector<uint16_t> &a, const std::vector<uint16_t> &b, int n, int k) {
    auto m = static_cast<unsigned>(a.size() / static_cast<size_t>(k)), columns = static_cast<unsigned>(n);
    return {m, columns, static_cast<unsigned>(k), upload(a), upload(b), allocate(size_t{m} * columns * 4)};
  }

  std::vector<CUdeviceptr> allocations;
  int results = 0;
};

/// Products whose sums must be rounded, on every chip; also run with the sums of a chip that was measured.
class RoundedSums : public Program {};

/// Runs on every chip; the others need what only one has.
class Programs : public Program {};
class ProgramsOfSm100a : public Program {};
class ProgramsOfSm120a : public Program {};

} // namespace glm::cuda
