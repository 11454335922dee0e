// From the arguments of a launch call to an operation: shapes and limits checked, parameters copied.
#pragma once

#include "runtime/ptx/driver/Operation.h"

namespace glm::ptx {

struct LaunchRequest {
  Dim3 grid{}, block{};
  Dim3 cluster{};             ///< zeros: not given
  uint32_t dynamicShared = 0; ///< bytes
  bool cooperative = false;
};

/// The attributes of a CUlaunchConfig. Those that only hint are accepted; one that is not known is refused by number.
cuda::CUresult requestOf(const char *function, const cuda::CUlaunchConfig &config, LaunchRequest &request);

/// Checks what cuLaunchKernel checks, with a line on stderr for what it refuses, and copies the parameters: from `parameters`
/// (one pointer each) or from `extra` (CU_LAUNCH_PARAM_BUFFER_POINTER).
cuda::CUresult makeKernelOperation(const char *function, Kernel &kernel, const LaunchRequest &request,
                                   void **parameters, void **extra, KernelOperation &operation);

/// Blocks of the largest cluster that a kernel may be launched with.
uint32_t largestCluster(const Kernel &kernel);

} // namespace glm::ptx
