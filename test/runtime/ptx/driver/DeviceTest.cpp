#include "test/runtime/ptx/driver/Fixture.h"

#include <dlfcn.h>

#include <string>

namespace glm::cuda {
namespace {

class DeviceTest : public DriverTest {};

TEST_F(DeviceTest, describesTheChip) {
  auto attribute = [](CUdevice_attribute which) {
    int value = -1;
    EXPECT_EQ(cuDeviceGetAttribute(&value, which, 1), CUDA_SUCCESS);
    return value;
  };
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR), 12);
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR), 0);
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT), 188);
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN), 101376);
  EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_WARP_SIZE), 32);
  int value = 0;
  EXPECT_EQ(cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_WARP_SIZE, 2), CUDA_ERROR_INVALID_DEVICE);
  EXPECT_EQ(cuDeviceGetAttribute(&value, static_cast<CUdevice_attribute>(9999), 0), CUDA_ERROR_INVALID_VALUE);
  char name[64] = {}, bus[16] = {};
  ASSERT_EQ(cuDeviceGetName(name, sizeof name, 0), CUDA_SUCCESS);
  EXPECT_NE(std::string(name), "");
  ASSERT_EQ(cuDeviceGetPCIBusId(bus, sizeof bus, 1), CUDA_SUCCESS);
  CUdevice found = -1;
  ASSERT_EQ(cuDeviceGetByPCIBusId(&found, bus), CUDA_SUCCESS);
  EXPECT_EQ(found, 1);
  int possible = 0;
  ASSERT_EQ(cuDeviceCanAccessPeer(&possible, 0, 1), CUDA_SUCCESS);
  EXPECT_EQ(possible, 1);
  size_t bytes = 0;
  ASSERT_EQ(cuDeviceTotalMem(&bytes, 0), CUDA_SUCCESS);
  EXPECT_GE(bytes, size_t{90} << 30);
}

TEST_F(DeviceTest, keepsAStackOfContexts) {
  CUcontext made = nullptr, current = nullptr;
  ASSERT_EQ(cuCtxCreate(&made, nullptr, 0, 1), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxGetCurrent(&current), CUDA_SUCCESS);
  EXPECT_EQ(current, made);
  CUdevice device = -1;
  ASSERT_EQ(cuCtxGetDevice(&device), CUDA_SUCCESS);
  EXPECT_EQ(device, 1);
  ASSERT_EQ(cuCtxPopCurrent(&current), CUDA_SUCCESS);
  EXPECT_EQ(current, made);
  ASSERT_EQ(cuCtxGetCurrent(&current), CUDA_SUCCESS);
  EXPECT_EQ(current, context);
  ASSERT_EQ(cuCtxDestroy(made), CUDA_SUCCESS);
  EXPECT_EQ(cuCtxPushCurrent(made), CUDA_ERROR_INVALID_CONTEXT);
  EXPECT_EQ(cuCtxDestroy(context), CUDA_ERROR_INVALID_VALUE) << "a primary context is released, not destroyed";
  size_t stack = 0;
  ASSERT_EQ(cuCtxSetLimit(CU_LIMIT_STACK_SIZE, 4096), CUDA_SUCCESS);
  ASSERT_EQ(cuCtxGetLimit(&stack, CU_LIMIT_STACK_SIZE), CUDA_SUCCESS);
  EXPECT_EQ(stack, 4096u);
}

TEST_F(DeviceTest, namesErrors) {
  const char *text = nullptr;
  ASSERT_EQ(cuGetErrorName(CUDA_ERROR_ILLEGAL_ADDRESS, &text), CUDA_SUCCESS);
  EXPECT_STREQ(text, "CUDA_ERROR_ILLEGAL_ADDRESS");
  ASSERT_EQ(cuGetErrorString(CUDA_ERROR_ILLEGAL_ADDRESS, &text), CUDA_SUCCESS);
  EXPECT_STREQ(text, "an illegal memory access was encountered");
  EXPECT_EQ(cuGetErrorName(static_cast<CUresult>(12345), &text), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(text, nullptr);
}

TEST_F(DeviceTest, findsEntryPointsByNameAndVersion) {
  void *function = nullptr;
  CUdriverProcAddressQueryResult status = CU_GET_PROC_ADDRESS_SUCCESS;
  ASSERT_EQ(cuGetProcAddress("cuMemAlloc", &function, 13000, 0, &status), CUDA_SUCCESS);
  EXPECT_EQ(function, reinterpret_cast<void *>(&cuMemAlloc));
  ASSERT_EQ(cuGetProcAddress("cuCtxCreate", &function, 13000, 0, &status), CUDA_SUCCESS);
  EXPECT_EQ(function, reinterpret_cast<void *>(&cuCtxCreate));
  ASSERT_EQ(cuGetProcAddress("cuCtxCreate", &function, 11000, 0, &status), CUDA_SUCCESS);
  EXPECT_EQ(function, reinterpret_cast<void *>(&cuCtxCreate_v2));
  ASSERT_EQ(cuGetProcAddress("cuGraphInstantiate", &function, 13000, 0, &status), CUDA_SUCCESS);
  EXPECT_EQ(function, reinterpret_cast<void *>(&cuGraphInstantiate));
  EXPECT_EQ(cuGetProcAddress("cuNothing", &function, 13000, 0, &status), CUDA_ERROR_NOT_FOUND);
  EXPECT_EQ(status, CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
}

TEST_F(DeviceTest, saysOnceWhatItDoesNotSupport) {
  void *function = nullptr;
  ASSERT_EQ(cuGetProcAddress("cuTexObjectCreate", &function, 13000, 0, nullptr), CUDA_SUCCESS);
  auto call = reinterpret_cast<CUresult (*)()>(function);
  testing::internal::CaptureStderr();
  EXPECT_EQ(call(), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(call(), CUDA_ERROR_NOT_SUPPORTED);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "glm-ptx: cuTexObjectCreate: function must be one that this driver "
                                                    "has, but found one that it does not support\n");
}

TEST_F(DeviceTest, encodesTensorMaps) {
  CUtensorMap map{};
  CUdeviceptr data = 0;
  ASSERT_EQ(cuMemAlloc(&data, 64 * 64 * 2), CUDA_SUCCESS);
  uint64_t dimensions[] = {64, 64}, strides[] = {128};
  uint32_t box[] = {64, 8}, steps[] = {1, 1};
  auto encode = [&](CUtensorMapSwizzle swizzle) {
    return cuTensorMapEncodeTiled(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, reinterpret_cast<void *>(data), dimensions,
                                  strides, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle,
                                  CU_TENSOR_MAP_L2_PROMOTION_NONE, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  };
  EXPECT_EQ(encode(CU_TENSOR_MAP_SWIZZLE_128B), CUDA_SUCCESS);
  EXPECT_EQ(encode(CU_TENSOR_MAP_SWIZZLE_64B), CUDA_ERROR_INVALID_VALUE)
      << "128 bytes a row do not fit a 64-byte swizzle";
  EXPECT_EQ(cuTensorMapReplaceAddress(&map, reinterpret_cast<void *>(data + 4096)), CUDA_SUCCESS);
  EXPECT_EQ(cuTensorMapReplaceAddress(&map, reinterpret_cast<void *>(data + 4)), CUDA_ERROR_INVALID_VALUE);
}

} // namespace
} // namespace glm::cuda
