// Contexts and peers.
#include "runtime/cuda/Driver.h"
#include "runtime/ptx/driver/State.h"

namespace glm::cuda {

using namespace glm::ptx;

namespace {

constexpr int kLeastPriority = 0, kGreatestPriority = -5;

bool validDevice(CUdevice device) { return device >= 0 && device < Driver::get().deviceCount(); }

CUresult create(CUcontext *context, unsigned flags, CUdevice device) {
  if (!Driver::get().isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!context)
    return CUDA_ERROR_INVALID_VALUE;
  if (!validDevice(device))
    return CUDA_ERROR_INVALID_DEVICE;
  auto made = makeContext(device, /*primary=*/false, flags);
  contextStack().push_back(made);
  *context = handleOf(made.get());
  return CUDA_SUCCESS;
}

/// Take the primary context out of its device once nobody holds it, or at once.
CUresult dropPrimary(CUdevice device, bool now) {
  if (!Driver::get().isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!validDevice(device))
    return CUDA_ERROR_INVALID_DEVICE;
  std::shared_ptr<Context> gone;
  {
    std::lock_guard lock(Driver::get().mutex);
    std::shared_ptr<Context> &primary = Driver::get().device(device).primary;
    if (!primary)
      return now ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
    if (!now && --primary->references)
      return CUDA_SUCCESS;
    gone = std::move(primary);
  }
  destroyContext(gone);
  return CUDA_SUCCESS;
}

} // namespace

CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
  Driver &driver = Driver::get();
  if (!driver.isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!context)
    return CUDA_ERROR_INVALID_VALUE;
  if (!validDevice(device))
    return CUDA_ERROR_INVALID_DEVICE;
  {
    std::lock_guard lock(driver.mutex);
    if (auto &primary = driver.device(device).primary) {
      ++primary->references;
      *context = handleOf(primary.get());
      return CUDA_SUCCESS;
    }
  }
  auto made = makeContext(device, /*primary=*/true, driver.device(device).primaryFlags);
  std::lock_guard lock(driver.mutex);
  driver.device(device).primary = made;
  *context = handleOf(made.get());
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRelease(CUdevice device) { return dropPrimary(device, /*now=*/false); }

CUresult cuDevicePrimaryCtxReset(CUdevice device) { return dropPrimary(device, /*now=*/true); }

CUresult cuDevicePrimaryCtxSetFlags(CUdevice device, unsigned flags) {
  if (!validDevice(device))
    return CUDA_ERROR_INVALID_DEVICE;
  std::lock_guard lock(Driver::get().mutex);
  Driver::get().device(device).primaryFlags = flags;
  if (auto &primary = Driver::get().device(device).primary)
    primary->flags = flags;
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned *flags, int *active) {
  if (!validDevice(device))
    return CUDA_ERROR_INVALID_DEVICE;
  if (!flags || !active)
    return CUDA_ERROR_INVALID_VALUE;
  std::lock_guard lock(Driver::get().mutex);
  *flags = Driver::get().device(device).primaryFlags;
  *active = Driver::get().device(device).primary != nullptr;
  return CUDA_SUCCESS;
}

CUresult cuCtxCreate_v2(CUcontext *context, unsigned flags, CUdevice device) { return create(context, flags, device); }

CUresult cuCtxCreate(CUcontext *context, void *parameters, unsigned flags, CUdevice device) {
  if (parameters) {
    report("cuCtxCreate", "parameters must be null, but found some (execution affinity, CUDA in graphics)");
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  return create(context, flags, device);
}

CUresult cuCtxDestroy(CUcontext handle) {
  auto context = contextOf(handle);
  if (!context)
    return CUDA_ERROR_INVALID_CONTEXT;
  if (context->primary)
    return CUDA_ERROR_INVALID_VALUE;
  auto &stack = contextStack();
  if (!stack.empty() && stack.back() == context)
    stack.pop_back();
  destroyContext(context);
  return CUDA_SUCCESS;
}

CUresult cuCtxPushCurrent(CUcontext handle) {
  auto context = contextOf(handle);
  if (!context)
    return CUDA_ERROR_INVALID_CONTEXT;
  contextStack().push_back(std::move(context));
  return CUDA_SUCCESS;
}

CUresult cuCtxPopCurrent(CUcontext *context) {
  auto &stack = contextStack();
  if (stack.empty())
    return CUDA_ERROR_INVALID_CONTEXT;
  if (context)
    *context = handleOf(stack.back().get());
  stack.pop_back();
  return CUDA_SUCCESS;
}

CUresult cuCtxSetCurrent(CUcontext handle) {
  if (!Driver::get().isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  auto &stack = contextStack();
  if (!handle) {
    if (!stack.empty())
      stack.pop_back();
    return CUDA_SUCCESS;
  }
  auto context = contextOf(handle);
  if (!context)
    return CUDA_ERROR_INVALID_CONTEXT;
  if (stack.empty())
    stack.push_back(std::move(context));
  else
    stack.back() = std::move(context);
  return CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext *context) {
  if (!Driver::get().isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!context)
    return CUDA_ERROR_INVALID_VALUE;
  *context = contextStack().empty() ? nullptr : handleOf(contextStack().back().get());
  return CUDA_SUCCESS;
}

CUresult cuCtxGetDevice(CUdevice *device) {
  return withContext([&](Context &context) {
    if (!device)
      return CUDA_ERROR_INVALID_VALUE;
    *device = context.device;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxGetFlags(unsigned *flags) {
  return withContext([&](Context &context) {
    if (!flags)
      return CUDA_ERROR_INVALID_VALUE;
    *flags = context.flags;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxGetApiVersion(CUcontext handle, unsigned *version) {
  if (!version)
    return CUDA_ERROR_INVALID_VALUE;
  if (handle && !contextOf(handle))
    return CUDA_ERROR_INVALID_CONTEXT;
  *version = 3020; // what drivers have said since CUDA 3.2
  return CUDA_SUCCESS;
}

CUresult cuCtxGetId(CUcontext handle, unsigned long long *id) {
  if (!id)
    return CUDA_ERROR_INVALID_VALUE;
  auto context = handle ? contextOf(handle) : contextStack().empty() ? nullptr : contextStack().back();
  if (!context)
    return CUDA_ERROR_INVALID_CONTEXT;
  *id = context->id;
  return CUDA_SUCCESS;
}

CUresult cuCtxSynchronize() {
  return withContext([](Context &context) { return synchronize(context); });
}

CUresult cuCtxSetLimit(CUlimit limit, size_t value) {
  return withContext([&](Context &context) {
    if (limit < 0 || limit > CU_LIMIT_MALLOC_HEAP_SIZE)
      return CUDA_ERROR_UNSUPPORTED_LIMIT;
    context.limits[limit] = value;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxGetLimit(size_t *value, CUlimit limit) {
  return withContext([&](Context &context) {
    if (limit < 0 || limit > CU_LIMIT_MALLOC_HEAP_SIZE)
      return CUDA_ERROR_UNSUPPORTED_LIMIT;
    if (!value)
      return CUDA_ERROR_INVALID_VALUE;
    *value = context.limits[limit];
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  return withContext([&](Context &) {
    if (least)
      *least = kLeastPriority;
    if (greatest)
      *greatest = kGreatestPriority;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxSetCacheConfig(CUfunc_cache config) {
  return withContext([&](Context &context) {
    context.cacheConfig = config;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxGetCacheConfig(CUfunc_cache *config) {
  return withContext([&](Context &context) {
    if (!config)
      return CUDA_ERROR_INVALID_VALUE;
    *config = context.cacheConfig;
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxEnablePeerAccess(CUcontext peer, unsigned flags) {
  return withContext([&](Context &context) {
    auto other = contextOf(peer);
    if (!other)
      return CUDA_ERROR_INVALID_CONTEXT;
    if (flags)
      return CUDA_ERROR_INVALID_VALUE;
    if (other->device == context.device)
      return CUDA_ERROR_PEER_ACCESS_UNSUPPORTED;
    std::lock_guard lock(context.mutex);
    if (!context.peers.insert(other->device).second)
      return CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED;
    Driver::get().memory().setPeer(other->device, context.device, true);
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxDisablePeerAccess(CUcontext peer) {
  return withContext([&](Context &context) {
    auto other = contextOf(peer);
    if (!other)
      return CUDA_ERROR_INVALID_CONTEXT;
    std::lock_guard lock(context.mutex);
    if (!context.peers.erase(other->device))
      return CUDA_ERROR_PEER_ACCESS_NOT_ENABLED;
    Driver::get().memory().setPeer(other->device, context.device, false);
    return CUDA_SUCCESS;
  });
}

} // namespace glm::cuda
