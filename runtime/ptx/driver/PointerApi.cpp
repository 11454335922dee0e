// What addresses mean, hints about them, and handles of memory for other processes.
#include "runtime/cuda/Driver.h"
#include "runtime/ptx/driver/Allocation.h"

#include <fmt/format.h>

#include <unistd.h>

#include <cstring>

namespace glm::cuda {

using namespace glm::ptx;

namespace {

/// What an IPC handle holds. Only this process can open it: memory of another one is not shared.
struct IpcContent {
  char magic[8];
  uint64_t process;
  uint64_t address;
};
constexpr char kIpcMagic[8] = {'g', 'l', 'm', '-', 'p', 't', 'x', 0};

} // namespace

CUresult cuPointerGetAttribute(void *value, CUpointer_attribute attribute, CUdeviceptr address) {
  return withContext([&](Context &context) {
    Region region = Driver::get().memory().find(address);
    if (!value)
      return CUDA_ERROR_INVALID_VALUE;
    if (attribute == CU_POINTER_ATTRIBUTE_MAPPED) {
      *static_cast<int *>(value) = region.bytes != 0;
      return CUDA_SUCCESS;
    }
    if (!region.bytes)
      return CUDA_ERROR_INVALID_VALUE;
    bool host = region.kind == Region::Kind::Host;
    switch (attribute) {
    case CU_POINTER_ATTRIBUTE_CONTEXT:
      *static_cast<CUcontext *>(value) = handleOf(&context);
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
      *static_cast<unsigned *>(value) = host ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_DEVICE;
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
    case CU_POINTER_ATTRIBUTE_HOST_POINTER:
      if (attribute == CU_POINTER_ATTRIBUTE_HOST_POINTER && !host && region.kind != Region::Kind::Managed)
        return CUDA_ERROR_INVALID_VALUE;
      *static_cast<uint64_t *>(value) = address;
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_IS_MANAGED:
      *static_cast<bool *>(value) = region.kind == Region::Kind::Managed;
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
      *static_cast<int *>(value) = host ? context.device : region.device;
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
      *static_cast<uint64_t *>(value) = region.address;
      return CUDA_SUCCESS;
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
      *static_cast<size_t *>(value) = region.bytes;
      return CUDA_SUCCESS;
    default:
      return CUDA_ERROR_INVALID_VALUE;
    }
  });
}

/// What an attribute's value takes at least where the caller put it.
static size_t bytesOf(CUpointer_attribute attribute) {
  switch (attribute) {
  case CU_POINTER_ATTRIBUTE_CONTEXT:
  case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
  case CU_POINTER_ATTRIBUTE_HOST_POINTER:
  case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
  case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
    return 8;
  case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
  case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
  case CU_POINTER_ATTRIBUTE_MAPPED:
    return 4;
  default:
    return 1;
  }
}

CUresult cuPointerGetAttributes(unsigned count, CUpointer_attribute *attributes, void **values, CUdeviceptr address) {
  if (!count || !attributes || !values)
    return CUDA_ERROR_INVALID_VALUE;
  // Documented: an address that the driver does not know gives zeros, and success.
  for (unsigned i = 0; i < count; ++i) {
    CUresult result = cuPointerGetAttribute(values[i], attributes[i], address);
    if (result == CUDA_ERROR_INVALID_VALUE)
      std::memset(values[i], 0, bytesOf(attributes[i]));
    else if (result)
      return result;
    if (result && attributes[i] == CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL)
      *static_cast<int *>(values[i]) = -2; // as documented for no device
  }
  return CUDA_SUCCESS;
}

CUresult cuMemPrefetchAsync(CUdeviceptr address, size_t bytes, CUmemLocation, unsigned flags, CUstream stream) {
  return withContext([&](Context &context) {
    Region region = Driver::get().memory().find(address);
    bool inside = region.bytes && bytes <= region.address + region.bytes - address;
    if (!inside || flags || !streamOf(context, stream))
      return CUDA_ERROR_INVALID_VALUE;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemAdvise(CUdeviceptr address, size_t, int, CUmemLocation) {
  return withContext([&](Context &) {
    return Driver::get().memory().find(address).kind == Region::Kind::Managed ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

CUresult cuIpcGetMemHandle(CUipcMemHandle *handle, CUdeviceptr address) {
  return withContext([&](Context &) {
    Region region = Driver::get().memory().find(address);
    if (!handle || !region.bytes || region.kind != Region::Kind::Device)
      return CUDA_ERROR_INVALID_VALUE;
    IpcContent content{};
    std::memcpy(content.magic, kIpcMagic, sizeof kIpcMagic);
    content.process = static_cast<uint64_t>(getpid());
    content.address = region.address;
    std::memset(handle, 0, sizeof *handle);
    std::memcpy(handle, &content, sizeof content);
    return CUDA_SUCCESS;
  });
}

CUresult cuIpcOpenMemHandle(CUdeviceptr *address, CUipcMemHandle handle, unsigned) {
  return withContext([&](Context &) {
    IpcContent content;
    std::memcpy(&content, &handle, sizeof content);
    if (!address || std::memcmp(content.magic, kIpcMagic, sizeof kIpcMagic) != 0)
      return CUDA_ERROR_INVALID_VALUE;
    if (content.process != static_cast<uint64_t>(getpid())) {
      report("cuIpcOpenMemHandle",
             fmt::format("handle must come from this process, but found one of process {}", content.process));
      return CUDA_ERROR_NOT_SUPPORTED;
    }
    if (!startsAt(content.address, {Region::Kind::Device}))
      return CUDA_ERROR_INVALID_HANDLE;
    *address = content.address;
    return CUDA_SUCCESS;
  });
}

CUresult cuIpcCloseMemHandle(CUdeviceptr address) {
  return withContext(
      [&](Context &) { return startsAt(address, {Region::Kind::Device}) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE; });
}

} // namespace glm::cuda
