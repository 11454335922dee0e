// Allocation: device, host, registered, managed.
#include "runtime/cuda/Driver.h"
#include "runtime/ptx/driver/Allocation.h"

#include <fmt/format.h>

#include <algorithm>

namespace glm::cuda {

using namespace glm::ptx;

namespace {

constexpr size_t kPitchAlign = 512; ///< bytes
constexpr uint64_t kAllDevices = ~uint64_t{0};

} // namespace

CUresult cuMemGetInfo(size_t *available, size_t *total) {
  return withContext([&](Context &context) {
    uint64_t all = Driver::get().chip().memoryBytes;
    if (total)
      *total = all;
    if (available)
      *available = all - std::min(all, Driver::get().memory().used(context.device));
    return CUDA_SUCCESS;
  });
}

CUresult cuMemAlloc(CUdeviceptr *address, size_t bytes) {
  return withContext([&](Context &context) { return allocate(context, address, bytes, Region::Kind::Device); });
}

CUresult cuMemAllocPitch(CUdeviceptr *address, size_t *pitch, size_t width, size_t height, unsigned elementBytes) {
  return withContext([&](Context &context) {
    if (!pitch || !width || !height || (elementBytes != 4 && elementBytes != 8 && elementBytes != 16))
      return CUDA_ERROR_INVALID_VALUE;
    *pitch = (width + kPitchAlign - 1) / kPitchAlign * kPitchAlign;
    return allocate(context, address, *pitch * height, Region::Kind::Device);
  });
}

CUresult cuMemFree(CUdeviceptr address) {
  return withContext([&](Context &context) {
    if (!address)
      return CUDA_SUCCESS;
    // As NVIDIA's does, it waits: a kernel that still runs may use it.
    if (CUresult failed = synchronize(context))
      return failed;
    return release(address, {Region::Kind::Device, Region::Kind::Managed});
  });
}

CUresult cuMemGetAddressRange(CUdeviceptr *base, size_t *bytes, CUdeviceptr address) {
  return withContext([&](Context &) {
    Region region = Driver::get().memory().find(address);
    if (!region.bytes || region.kind == Region::Kind::Host)
      return CUDA_ERROR_NOT_FOUND;
    if (base)
      *base = region.address;
    if (bytes)
      *bytes = region.bytes;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemAllocHost(void **address, size_t bytes) { return cuMemHostAlloc(address, bytes, 0); }

CUresult cuMemHostAlloc(void **address, size_t bytes, unsigned flags) {
  constexpr unsigned kKnown = CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP | CU_MEMHOSTALLOC_WRITECOMBINED;
  return withContext([&](Context &context) {
    return flags & ~kKnown ? CUDA_ERROR_INVALID_VALUE : allocate(context, address, bytes, Region::Kind::Host);
  });
}

CUresult cuMemFreeHost(void *address) {
  return withContext([&](Context &context) {
    if (CUresult failed = synchronize(context))
      return failed;
    return release(reinterpret_cast<uint64_t>(address), {Region::Kind::Host});
  });
}

CUresult cuMemHostGetDevicePointer(CUdeviceptr *address, void *host, unsigned flags) {
  return withContext([&](Context &) {
    Region region = Driver::get().memory().find(reinterpret_cast<uint64_t>(host));
    if (!address || flags || !region.bytes || region.kind != Region::Kind::Host)
      return CUDA_ERROR_INVALID_VALUE;
    *address = reinterpret_cast<CUdeviceptr>(host);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemHostGetFlags(unsigned *flags, void *host) {
  return withContext([&](Context &) {
    Region region = Driver::get().memory().find(reinterpret_cast<uint64_t>(host));
    if (!flags || !region.bytes || region.kind != Region::Kind::Host)
      return CUDA_ERROR_INVALID_VALUE;
    *flags = CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemHostRegister(void *host, size_t bytes, unsigned flags) {
  return withContext([&](Context &) {
    if (!host || !bytes || flags & CU_MEMHOSTREGISTER_IOMEMORY)
      return CUDA_ERROR_INVALID_VALUE;
    GlobalMemory &memory = Driver::get().memory();
    auto address = reinterpret_cast<uint64_t>(host);
    if (memory.find(address).bytes || memory.find(address + bytes - 1).bytes)
      return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
    Region region;
    region.address = address;
    region.bytes = bytes;
    region.kind = Region::Kind::Host;
    region.device = -1;
    region.deviceMask = kAllDevices;
    region.writableMask = flags & CU_MEMHOSTREGISTER_READ_ONLY ? 0 : kAllDevices;
    region.name = fmt::format("registered host memory of {} bytes", bytes);
    memory.addRegion(std::move(region));
    return CUDA_SUCCESS;
  });
}

CUresult cuMemHostUnregister(void *host) {
  return withContext([&](Context &context) {
    if (CUresult failed = synchronize(context))
      return failed;
    auto address = reinterpret_cast<uint64_t>(host);
    if (!startsAt(address, {Region::Kind::Host}))
      return CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
    return Driver::get().memory().removeRegion(address) ? CUDA_SUCCESS : CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
  });
}

CUresult cuMemAllocManaged(CUdeviceptr *address, size_t bytes, unsigned flags) {
  return withContext([&](Context &context) {
    if (flags != CU_MEM_ATTACH_GLOBAL && flags != CU_MEM_ATTACH_HOST)
      return CUDA_ERROR_INVALID_VALUE;
    return allocate(context, address, bytes, Region::Kind::Managed);
  });
}

} // namespace glm::cuda
