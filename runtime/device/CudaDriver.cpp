#include "runtime/device/CudaDriver.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace glm {

template <typename Function>
static void lookUp(void *library, const char *symbol, Function &function, std::string &missing) {
  function = reinterpret_cast<Function>(dlsym(library, symbol));
  if (!function && missing.empty())
    missing = symbol;
}

Result<CudaDriver> CudaDriver::open(const std::filesystem::path &path) {
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return Error{fmt::format("{}: the CUDA driver must be loadable, but found {}", path.string(), dlerror())};
  CudaDriver driver;
  std::string missing;
  auto find = [&](const char *symbol, auto &function) { lookUp(library, symbol, function, missing); };
  // The newer forms of cuda.h's macros, as runtime/cuda/Driver.h declares them.
  find("cuInit", driver.init);
  find("cuGetErrorName", driver.getErrorName);
  find("cuGetErrorString", driver.getErrorString);
  find("cuDeviceGet", driver.deviceGet);
  find("cuDeviceGetCount", driver.deviceGetCount);
  find("cuDeviceGetName", driver.deviceGetName);
  find("cuDevicePrimaryCtxRetain", driver.primaryCtxRetain);
  find("cuDevicePrimaryCtxRelease_v2", driver.primaryCtxRelease);
  find("cuCtxSetCurrent", driver.ctxSetCurrent);
  find("cuModuleLoadDataEx", driver.moduleLoadDataEx);
  find("cuModuleUnload", driver.moduleUnload);
  find("cuModuleGetFunction", driver.moduleGetFunction);
  find("cuFuncSetAttribute", driver.funcSetAttribute);
  find("cuMemAlloc_v2", driver.memAlloc);
  find("cuMemFree_v2", driver.memFree);
  find("cuMemAllocHost_v2", driver.memAllocHost);
  find("cuMemFreeHost", driver.memFreeHost);
  find("cuMemGetInfo_v2", driver.memGetInfo);
  find("cuMemcpyHtoDAsync_v2", driver.memcpyHtoDAsync);
  find("cuMemcpyDtoH_v2", driver.memcpyDtoH);
  find("cuMemcpyDtoHAsync_v2", driver.memcpyDtoHAsync);
  find("cuMemcpyDtoDAsync_v2", driver.memcpyDtoDAsync);
  find("cuMemsetD8Async", driver.memsetD8Async);
  find("cuStreamCreate", driver.streamCreate);
  find("cuStreamDestroy_v2", driver.streamDestroy);
  find("cuStreamSynchronize", driver.streamSynchronize);
  find("cuEventCreate", driver.eventCreate);
  find("cuEventDestroy_v2", driver.eventDestroy);
  find("cuEventRecord", driver.eventRecord);
  find("cuEventSynchronize", driver.eventSynchronize);
  find("cuEventElapsedTime_v2", driver.eventElapsedTime);
  find("cuLaunchKernel", driver.launchKernel);
  find("cuStreamBeginCapture_v2", driver.streamBeginCapture);
  find("cuStreamEndCapture", driver.streamEndCapture);
  find("cuGraphInstantiateWithFlags", driver.graphInstantiate);
  find("cuGraphLaunch", driver.graphLaunch);
  find("cuGraphExecDestroy", driver.graphExecDestroy);
  find("cuGraphDestroy", driver.graphDestroy);
  if (!missing.empty())
    return Error{
        fmt::format("{}: the CUDA driver must be one of CUDA 12 or later, but found no {}", path.string(), missing)};
  if (Result<void> started = driver.check(driver.init(0), "cuInit"); !started)
    return Error{fmt::format("{}: {}", path.string(), started.error().message)};
  return driver;
}

Result<void> CudaDriver::check(cuda::CUresult result, const std::string &what) const {
  if (result == cuda::CUDA_SUCCESS)
    return {};
  const char *name = nullptr, *text = nullptr;
  getErrorName(result, &name);
  getErrorString(result, &text);
  return Error{fmt::format("{} must succeed, but found {} ({})", what, name ? name : std::to_string(result),
                           text ? text : "no description")};
}

} // namespace glm
