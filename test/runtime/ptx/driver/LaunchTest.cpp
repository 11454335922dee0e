#include "test/runtime/ptx/driver/Fixture.h"

#include <nlohmann/json.hpp>

#include <cstring>
#include <fstream>
#include <string>

namespace glm::cuda {
namespace {

class LaunchTest : public DriverTest {};

TEST_F(LaunchTest, runsAKernelOverManyBlocks) {
  std::vector<uint32_t> values = random(1000, 1);
  CUdeviceptr in = upload(values), out = upload(random(1000, 2));
  uint32_t factor = 77, count = 1000;
  void *parameters[] = {&out, &in, &factor, &count};
  ASSERT_EQ(cuLaunchKernel(kernel("scale"), 8, 1, 1, 128, 1, 1, 0, nullptr, parameters, nullptr), CUDA_SUCCESS);
  std::vector<uint32_t> result = download(out, 1000);
  for (uint32_t i = 0; i < count; ++i)
    ASSERT_EQ(result[i], values[i] * factor + i) << i;
}

TEST_F(LaunchTest, takesParametersFromOneBuffer) {
  std::vector<uint32_t> values = random(64, 3);
  struct {
    CUdeviceptr out, in;
    uint32_t factor, count;
  } block{upload(values), upload(values), 3, 64};
  size_t bytes = sizeof block;
  void *extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &block, CU_LAUNCH_PARAM_BUFFER_SIZE, &bytes, CU_LAUNCH_PARAM_END};
  ASSERT_EQ(cuLaunchKernel(kernel("scale"), 2, 1, 1, 32, 1, 1, 0, nullptr, nullptr, extra), CUDA_SUCCESS);
  std::vector<uint32_t> result = download(block.out, 64);
  for (uint32_t i = 0; i < 64; ++i)
    ASSERT_EQ(result[i], values[i] * 3 + i) << i;
}

TEST_F(LaunchTest, takesAttributes) {
  CUdeviceptr data = upload({5, 6, 7, 8});
  uint32_t count = 4;
  void *parameters[] = {&data, &count};
  CUlaunchAttribute attributes[2]{};
  attributes[0].id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
  attributes[0].value.programmaticStreamSerializationAllowed = 1;
  attributes[1].id = CU_LAUNCH_ATTRIBUTE_COOPERATIVE;
  attributes[1].value.cooperative = 1;
  CUlaunchConfig config{1, 1, 1, 32, 1, 1, 0, nullptr, attributes, 2};
  ASSERT_EQ(cuLaunchKernelEx(&config, kernel("add_one"), parameters, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 4), (std::vector<uint32_t>{6, 7, 8, 9}));
  attributes[0].id = static_cast<CUlaunchAttributeID>(13);
  EXPECT_EQ(cuLaunchKernelEx(&config, kernel("add_one"), parameters, nullptr), CUDA_ERROR_NOT_SUPPORTED);
}

TEST_F(LaunchTest, refusesShapesThatTheChipDoesNotHave) {
  uint64_t pointer = 0;
  void *parameters[] = {&pointer};
  auto launch = [&](unsigned grid, unsigned block, unsigned shared) {
    return cuLaunchKernel(kernel("small"), grid, 1, 1, block, 1, 1, shared, nullptr, parameters, nullptr);
  };
  EXPECT_EQ(launch(0, 32, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launch(1, 0, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launch(1, 65, 0), CUDA_ERROR_INVALID_VALUE) << ".maxntid 64";
  EXPECT_EQ(launch(1, 64, 49152 - 2048), CUDA_SUCCESS);
  EXPECT_EQ(launch(1, 64, 49152 - 2047), CUDA_ERROR_INVALID_VALUE) << "48 KiB without opting in";
  ASSERT_EQ(cuFuncSetAttribute(kernel("small"), CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 101376 - 2048),
            CUDA_SUCCESS);
  EXPECT_EQ(launch(1, 64, 101376 - 2048), CUDA_SUCCESS);
  EXPECT_EQ(cuFuncSetAttribute(kernel("small"), CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 101376),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS) << "what is refused leaves the context whole";
}

TEST_F(LaunchTest, refusesACooperativeGridThatIsNotResident) {
  uint64_t pointer = 0;
  void *parameters[] = {&pointer};
  int blocks = 0, multiprocessors = 0;
  ASSERT_EQ(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel("small"), 64, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuDeviceGetAttribute(&multiprocessors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 0), CUDA_SUCCESS);
  // 2048 + 1024 bytes of shared memory a block, of 100 KiB.
  EXPECT_LE(blocks, 33);
  EXPECT_GE(blocks, 1);
  auto launch = [&](unsigned grid) {
    return cuLaunchCooperativeKernel(kernel("small"), grid, 1, 1, 64, 1, 1, 0, nullptr, parameters);
  };
  EXPECT_EQ(launch(static_cast<unsigned>(blocks * multiprocessors)), CUDA_SUCCESS);
  EXPECT_EQ(launch(static_cast<unsigned>(blocks * multiprocessors + 1)), CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE);
}

TEST_F(LaunchTest, reportsAFaultAtTheNextWaitAndFromThenOn) {
  CUdeviceptr data = upload({1, 2, 3, 4});
  CUdeviceptr beyond = data + (1u << 20);
  void *parameters[] = {&beyond};
  testing::internal::CaptureStderr();
  ASSERT_EQ(cuLaunchKernel(kernel("fail"), 1, 1, 1, 1, 1, 1, 0, nullptr, parameters, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(cuMemAlloc(&data, 4), CUDA_ERROR_ILLEGAL_ADDRESS) << "sticky";
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("kernel fail"), std::string::npos) << said;
  // Only a new context is usable.
  ASSERT_EQ(cuDevicePrimaryCtxReset(0), CUDA_SUCCESS);
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&context, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSetCurrent(context), CUDA_SUCCESS);
  EXPECT_EQ(cuMemAlloc(&data, 4), CUDA_SUCCESS);
}

TEST_F(LaunchTest, reachesAnotherDeviceOnlyAsAPeer) {
  CUcontext other = nullptr;
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&other, 1), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxPushCurrent(other), CUDA_SUCCESS);
  CUdeviceptr there = upload({10, 20});
  ASSERT_EQ(cuCtxPopCurrent(nullptr), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxEnablePeerAccess(other, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxEnablePeerAccess(other, 0), CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED);
  ASSERT_EQ(addOne(there, 2, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(download(there, 2), (std::vector<uint32_t>{11, 21}));
  ASSERT_EQ(cuCtxDisablePeerAccess(other), CUDA_SUCCESS);
  ASSERT_EQ(addOne(there, 2, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
}

TEST_F(LaunchTest, loadsModulesAndFindsWhatIsInThem) {
  ASSERT_NE(kernel("scale"), nullptr);
  CUfunction missing = nullptr;
  EXPECT_EQ(cuModuleGetFunction(&missing, module, "nothing"), CUDA_ERROR_NOT_FOUND);
  CUdeviceptr table = 0;
  size_t bytes = 0;
  ASSERT_EQ(cuModuleGetGlobal(&table, &bytes, module, "table"), CUDA_SUCCESS);
  EXPECT_EQ(bytes, 16u);
  EXPECT_EQ(download(table, 4), (std::vector<uint32_t>{1, 2, 3, 4}));
  unsigned count = 0;
  ASSERT_EQ(cuModuleGetFunctionCount(&count, module), CUDA_SUCCESS);
  EXPECT_EQ(count, 5u);
  const char *name = nullptr;
  ASSERT_EQ(cuFuncGetName(&name, kernel("add_one")), CUDA_SUCCESS);
  EXPECT_STREQ(name, "add_one");
  int value = 0;
  ASSERT_EQ(cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, kernel("small")), CUDA_SUCCESS);
  EXPECT_EQ(value, 2048);
  ASSERT_EQ(cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, kernel("small")), CUDA_SUCCESS);
  EXPECT_EQ(value, 64);
  size_t offset = 0, size = 0;
  ASSERT_EQ(cuFuncGetParamInfo(kernel("scale"), 3, &offset, &size), CUDA_SUCCESS);
  EXPECT_EQ(offset, 20u);
  EXPECT_EQ(size, 4u);
  EXPECT_EQ(cuFuncGetParamInfo(kernel("scale"), 4, &offset, &size), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuModuleUnload(module), CUDA_SUCCESS);
  EXPECT_EQ(cuModuleUnload(module), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(LaunchTest, writesAProfile) {
  CUdeviceptr data = upload(random(100, 12));
  ASSERT_EQ(addOne(data, 100, nullptr), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  std::ifstream file(profilePath());
  nlohmann::json profile = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(profile.is_object()) << profilePath();
  const nlohmann::json &launch = profile["launches"].back();
  EXPECT_EQ(launch["kernel"], "add_one");
  EXPECT_EQ(launch["blocks"], 4);
  // 100 words are read and written once each: 13 sectors of 32 bytes, of which the last is half full.
  EXPECT_EQ(launch["global_unique_bytes_read"], 13 * 32);
  EXPECT_EQ(launch["global_unique_bytes_written"], 13 * 32);
}

TEST_F(LaunchTest, refusesImagesThatAreNotForIt) {
  const unsigned char cubin[16] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
  CUmodule none = nullptr;
  testing::internal::CaptureStderr();
  EXPECT_EQ(cuModuleLoadData(&none, cubin), CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "glm-ptx: cuModuleLoadDataEx: ptx image: image must be PTX text, but found a cubin\n");

  char log[512] = {};
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log, reinterpret_cast<void *>(sizeof log)};
  const char *wrong =
      ".version 8.7\n.target sm_120a\n.address_size 64\n.entry k() {\n  frobnicate.u32 %r1, %r2;\n  ret;\n}\n";
  EXPECT_EQ(cuModuleLoadDataEx(&none, wrong, 2, options, values), CUDA_ERROR_INVALID_PTX);
  EXPECT_NE(std::string(log).find("ptx image:5: "), std::string::npos) << log;
  EXPECT_EQ(reinterpret_cast<size_t>(values[1]), std::strlen(log));
}

} // namespace
} // namespace glm::cuda
