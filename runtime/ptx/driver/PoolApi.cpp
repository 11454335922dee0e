// Stream-ordered allocation and its pools.
#include "runtime/cuda/Driver.h"
#include "runtime/ptx/driver/Allocation.h"

#include <algorithm>

namespace glm::cuda {

using namespace glm::ptx;

namespace {

MemoryPool *livePool(CUmemoryPool handle) {
  auto *pool = reinterpret_cast<MemoryPool *>(handle);
  return Driver::get().alive(ObjectKind::Pool, pool) ? pool : nullptr;
}

CUresult allocateOrdered(Context &context, MemoryPool &pool, CUdeviceptr *address, size_t bytes) {
  CUresult result = allocate(context, address, bytes, Region::Kind::Device);
  if (!result) {
    uint64_t now = pool.used += bytes;
    uint64_t high = pool.usedHigh;
    while (now > high && !pool.usedHigh.compare_exchange_weak(high, now)) {
    }
  }
  return result;
}

} // namespace

CUresult cuMemAllocAsync(CUdeviceptr *address, size_t bytes, CUstream stream) {
  return withContext([&](Context &context) {
    if (!streamOf(context, stream))
      return CUDA_ERROR_INVALID_HANDLE;
    return allocateOrdered(context, *Driver::get().device(context.device).pool, address, bytes);
  });
}

CUresult cuMemFreeAsync(CUdeviceptr address, CUstream stream) {
  return withContext([&](Context &context) {
    auto target = streamOf(context, stream);
    if (!target)
      return CUDA_ERROR_INVALID_HANDLE;
    if (!startsAt(address, {Region::Kind::Device, Region::Kind::Managed}))
      return CUDA_ERROR_INVALID_VALUE;
    MemoryPool *pool = Driver::get().device(context.device).pool;
    uint64_t bytes = Driver::get().memory().find(address).bytes;
    enqueueOrdered(*target, [address, bytes, pool] {
      Driver::get().memory().release(address);
      pool->used -= std::min<uint64_t>(pool->used, bytes);
      return CUDA_SUCCESS;
    });
    return CUDA_SUCCESS;
  });
}

CUresult cuMemAllocFromPoolAsync(CUdeviceptr *address, size_t bytes, CUmemoryPool handle, CUstream stream) {
  return withContext([&](Context &context) {
    MemoryPool *pool = livePool(handle);
    if (!pool || !streamOf(context, stream))
      return CUDA_ERROR_INVALID_HANDLE;
    return allocateOrdered(context, *pool, address, bytes);
  });
}

CUresult cuDeviceGetDefaultMemPool(CUmemoryPool *pool, CUdevice device) {
  if (!pool || device < 0 || device >= Driver::get().deviceCount())
    return pool ? CUDA_ERROR_INVALID_DEVICE : CUDA_ERROR_INVALID_VALUE;
  *pool = reinterpret_cast<CUmemoryPool>(Driver::get().device(device).defaultPool.get());
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetMemPool(CUmemoryPool *pool, CUdevice device) {
  if (!pool || device < 0 || device >= Driver::get().deviceCount())
    return pool ? CUDA_ERROR_INVALID_DEVICE : CUDA_ERROR_INVALID_VALUE;
  *pool = reinterpret_cast<CUmemoryPool>(Driver::get().device(device).pool);
  return CUDA_SUCCESS;
}

CUresult cuDeviceSetMemPool(CUdevice device, CUmemoryPool handle) {
  MemoryPool *pool = livePool(handle);
  if (!pool || pool->device != device)
    return CUDA_ERROR_INVALID_VALUE;
  Driver::get().device(device).pool = pool;
  return CUDA_SUCCESS;
}

CUresult cuMemPoolCreate(CUmemoryPool *handle, const CUmemPoolProps *properties) {
  if (!handle || !properties || properties->allocType != CU_MEM_ALLOCATION_TYPE_PINNED ||
      properties->location.type != CU_MEM_LOCATION_TYPE_DEVICE || properties->location.id < 0 ||
      properties->location.id >= Driver::get().deviceCount())
    return CUDA_ERROR_INVALID_VALUE;
  if (properties->handleTypes != CU_MEM_HANDLE_TYPE_NONE)
    return CUDA_ERROR_NOT_SUPPORTED;
  auto *pool = new MemoryPool;
  pool->device = properties->location.id;
  Driver::get().add(ObjectKind::Pool, pool);
  *handle = reinterpret_cast<CUmemoryPool>(pool);
  return CUDA_SUCCESS;
}

CUresult cuMemPoolDestroy(CUmemoryPool handle) {
  MemoryPool *pool = livePool(handle);
  if (!pool)
    return CUDA_ERROR_INVALID_HANDLE;
  Device &device = Driver::get().device(pool->device);
  if (device.defaultPool.get() == pool)
    return CUDA_ERROR_INVALID_VALUE;
  if (device.pool == pool)
    device.pool = device.defaultPool.get();
  Driver::get().remove(pool);
  delete pool;
  return CUDA_SUCCESS;
}

CUresult cuMemPoolSetAttribute(CUmemoryPool handle, CUmemPool_attribute attribute, void *value) {
  MemoryPool *pool = livePool(handle);
  if (!pool || !value)
    return CUDA_ERROR_INVALID_VALUE;
  switch (attribute) {
  case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
  case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
  case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
    pool->reuse[attribute] = *static_cast<int *>(value);
    return CUDA_SUCCESS;
  case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
    pool->releaseThreshold = *static_cast<uint64_t *>(value);
    return CUDA_SUCCESS;
  case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
  case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
    // Only a reset is allowed.
    if (*static_cast<uint64_t *>(value))
      return CUDA_ERROR_INVALID_VALUE;
    pool->usedHigh = pool->used.load();
    return CUDA_SUCCESS;
  default:
    return CUDA_ERROR_INVALID_VALUE;
  }
}

CUresult cuMemPoolGetAttribute(CUmemoryPool handle, CUmemPool_attribute attribute, void *value) {
  MemoryPool *pool = livePool(handle);
  if (!pool || !value)
    return CUDA_ERROR_INVALID_VALUE;
  switch (attribute) {
  case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES:
  case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
  case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES:
    *static_cast<int *>(value) = pool->reuse[attribute];
    return CUDA_SUCCESS;
  case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD:
    *static_cast<uint64_t *>(value) = pool->releaseThreshold;
    return CUDA_SUCCESS;
  case CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT:
  case CU_MEMPOOL_ATTR_USED_MEM_CURRENT:
    *static_cast<uint64_t *>(value) = pool->used;
    return CUDA_SUCCESS;
  case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH:
  case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
    *static_cast<uint64_t *>(value) = pool->usedHigh;
    return CUDA_SUCCESS;
  }
  return CUDA_ERROR_INVALID_VALUE;
}

CUresult cuMemPoolSetAccess(CUmemoryPool handle, const CUmemAccessDesc *access, size_t count) {
  MemoryPool *pool = livePool(handle);
  if (!pool || (count && !access))
    return CUDA_ERROR_INVALID_VALUE;
  for (size_t i = 0; i < count; ++i)
    Driver::get().memory().setPeer(pool->device, access[i].location.id,
                                   access[i].flags == CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
  return CUDA_SUCCESS;
}

CUresult cuMemPoolTrimTo(CUmemoryPool handle, size_t) {
  return livePool(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

} // namespace glm::cuda
