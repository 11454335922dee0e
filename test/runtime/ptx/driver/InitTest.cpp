// What happens before and while the driver is initialized: a program of its own, since that happens once.
#include "runtime/cuda/Driver.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace glm::cuda {
namespace {

TEST(UninitializedTest, refusesEverythingBeforeInit) {
  int count = 0;
  EXPECT_EQ(cuDeviceGetCount(&count), CUDA_ERROR_NOT_INITIALIZED);
  CUdeviceptr address = 0;
  EXPECT_EQ(cuMemAlloc(&address, 4), CUDA_ERROR_NOT_INITIALIZED);
  EXPECT_EQ(cuInit(1), CUDA_ERROR_INVALID_VALUE);
}

TEST(UninitializedTest, refusesChipsThatAreNot) {
  setenv("GLM_PTX_CHIP", "sm_75", 1);
  testing::internal::CaptureStderr();
  EXPECT_EQ(cuInit(0), CUDA_ERROR_NO_DEVICE);
  std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("sm_120a"), std::string::npos) << said;
  EXPECT_NE(said.find("but found sm_75"), std::string::npos) << said;
  setenv("GLM_PTX_CHIP", "sm_90a", 1);
  setenv("GLM_PTX_DEVICES", "65", 1);
  EXPECT_EQ(cuInit(0), CUDA_ERROR_NO_DEVICE);
  setenv("GLM_PTX_DEVICES", "8", 1);
  EXPECT_EQ(cuInit(0), CUDA_SUCCESS);
  int count = 0, value = 0;
  EXPECT_EQ(cuDeviceGetCount(&count), CUDA_SUCCESS);
  EXPECT_EQ(count, 8);
  EXPECT_EQ(cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 7), CUDA_SUCCESS);
  EXPECT_EQ(value, 9);
}

} // namespace
} // namespace glm::cuda
