// The functions of a CUDA driver library, looked up by name: NVIDIA's, or the one of runtime/ptx.
#pragma once

#include "runtime/artifact/Result.h"
#include "runtime/cuda/Driver.h"

#include <filesystem>

namespace glm {

struct CudaDriver {
  decltype(&cuda::cuInit) init = nullptr;
  decltype(&cuda::cuGetErrorName) getErrorName = nullptr;
  decltype(&cuda::cuGetErrorString) getErrorString = nullptr;
  decltype(&cuda::cuDeviceGet) deviceGet = nullptr;
  decltype(&cuda::cuDeviceGetCount) deviceGetCount = nullptr;
  decltype(&cuda::cuDeviceGetName) deviceGetName = nullptr;
  decltype(&cuda::cuDevicePrimaryCtxRetain) primaryCtxRetain = nullptr;
  decltype(&cuda::cuDevicePrimaryCtxRelease) primaryCtxRelease = nullptr;
  decltype(&cuda::cuCtxSetCurrent) ctxSetCurrent = nullptr;
  decltype(&cuda::cuModuleLoadDataEx) moduleLoadDataEx = nullptr;
  decltype(&cuda::cuModuleUnload) moduleUnload = nullptr;
  decltype(&cuda::cuModuleGetFunction) moduleGetFunction = nullptr;
  decltype(&cuda::cuFuncSetAttribute) funcSetAttribute = nullptr;
  decltype(&cuda::cuMemAlloc) memAlloc = nullptr;
  decltype(&cuda::cuMemFree) memFree = nullptr;
  decltype(&cuda::cuMemAllocHost) memAllocHost = nullptr;
  decltype(&cuda::cuMemFreeHost) memFreeHost = nullptr;
  decltype(&cuda::cuMemGetInfo) memGetInfo = nullptr;
  decltype(&cuda::cuMemcpyHtoDAsync) memcpyHtoDAsync = nullptr;
  decltype(&cuda::cuMemcpyDtoH) memcpyDtoH = nullptr;
  decltype(&cuda::cuMemcpyDtoHAsync) memcpyDtoHAsync = nullptr;
  decltype(&cuda::cuMemcpyDtoDAsync) memcpyDtoDAsync = nullptr;
  decltype(&cuda::cuMemsetD8Async) memsetD8Async = nullptr;
  decltype(&cuda::cuStreamCreate) streamCreate = nullptr;
  decltype(&cuda::cuStreamDestroy) streamDestroy = nullptr;
  decltype(&cuda::cuStreamSynchronize) streamSynchronize = nullptr;
  decltype(&cuda::cuEventCreate) eventCreate = nullptr;
  decltype(&cuda::cuEventDestroy) eventDestroy = nullptr;
  decltype(&cuda::cuEventRecord) eventRecord = nullptr;
  decltype(&cuda::cuEventSynchronize) eventSynchronize = nullptr;
  decltype(&cuda::cuEventElapsedTime) eventElapsedTime = nullptr;
  decltype(&cuda::cuLaunchKernel) launchKernel = nullptr;
  decltype(&cuda::cuStreamBeginCapture) streamBeginCapture = nullptr;
  decltype(&cuda::cuStreamEndCapture) streamEndCapture = nullptr;
  decltype(&cuda::cuGraphInstantiate) graphInstantiate = nullptr;
  decltype(&cuda::cuGraphLaunch) graphLaunch = nullptr;
  decltype(&cuda::cuGraphExecDestroy) graphExecDestroy = nullptr;
  decltype(&cuda::cuGraphDestroy) graphDestroy = nullptr;

  /// Open a library by the system loader's rules and initialise the driver. It stays open until the process ends, as drivers want it.
  static Result<CudaDriver> open(const std::filesystem::path &library);

  /// Nothing, or `<what> must succeed, but found <name of the error> (<its text>)`.
  Result<void> check(cuda::CUresult result, const std::string &what) const;
};

} // namespace glm
