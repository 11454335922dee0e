#include "runtime/ptx/driver/Copies.h"

#include "runtime/ptx/driver/State.h"

#include <cstring>

namespace glm::ptx {

using namespace cuda;

namespace {

/// Bytes from the first to the last of a pitched box; all ones if they overflow.
size_t extent(size_t width, size_t height, size_t depth, size_t pitch, size_t slice) {
  size_t rows = 0, slices = 0, total = 0;
  bool overflow = __builtin_mul_overflow(height - 1, pitch, &rows) ||
                  __builtin_mul_overflow(depth - 1, slice, &slices) || __builtin_add_overflow(rows, slices, &total) ||
                  __builtin_add_overflow(total, width, &total);
  return overflow ? ~size_t{0} : total;
}

/// Whether `bytes` at `address` may be used as `side`; `pageable`: memory that the driver does not know.
bool fits(MemorySide side, uint64_t address, size_t bytes, bool &pageable) {
  Region region = Driver::get().memory().find(address);
  pageable = region.bytes == 0;
  if (pageable)
    return side != MemorySide::Device && address != 0;
  return bytes <= region.address + region.bytes - address;
}

/// One side of a 2D or 3D copy.
CUresult sideOf(CUmemorytype type, const void *host, CUdeviceptr device, MemorySide &side, uint64_t &address) {
  switch (type) {
  case CU_MEMORYTYPE_HOST:
    side = MemorySide::Host;
    address = reinterpret_cast<uint64_t>(host);
    return CUDA_SUCCESS;
  case CU_MEMORYTYPE_DEVICE:
    side = MemorySide::Device;
    address = device;
    return CUDA_SUCCESS;
  case CU_MEMORYTYPE_UNIFIED:
    side = MemorySide::Either;
    address = device;
    return CUDA_SUCCESS;
  case CU_MEMORYTYPE_ARRAY:
    report("copy", "memory must be linear, but found an array");
    return CUDA_ERROR_NOT_SUPPORTED;
  }
  return CUDA_ERROR_INVALID_VALUE;
}

} // namespace

CUresult requestOf(const CUDA_MEMCPY2D *copy, CopyRequest &request) {
  if (!copy)
    return CUDA_ERROR_INVALID_VALUE;
  CUDA_MEMCPY3D box{};
  box.srcXInBytes = copy->srcXInBytes;
  box.srcY = copy->srcY;
  box.srcMemoryType = copy->srcMemoryType;
  box.srcHost = copy->srcHost;
  box.srcDevice = copy->srcDevice;
  box.srcPitch = copy->srcPitch;
  box.dstXInBytes = copy->dstXInBytes;
  box.dstY = copy->dstY;
  box.dstMemoryType = copy->dstMemoryType;
  box.dstHost = copy->dstHost;
  box.dstDevice = copy->dstDevice;
  box.dstPitch = copy->dstPitch;
  box.WidthInBytes = copy->WidthInBytes;
  box.Height = copy->Height;
  box.Depth = 1;
  return requestOf(&box, request);
}

CUresult requestOf(const CUDA_MEMCPY3D *copy, CopyRequest &request) {
  if (!copy || copy->srcLOD || copy->dstLOD)
    return CUDA_ERROR_INVALID_VALUE;
  if (CUresult failed = sideOf(copy->srcMemoryType, copy->srcHost, copy->srcDevice, request.fromSide, request.from))
    return failed;
  if (CUresult failed = sideOf(copy->dstMemoryType, copy->dstHost, copy->dstDevice, request.toSide, request.to))
    return failed;
  request.width = copy->WidthInBytes;
  request.height = copy->Height;
  request.depth = copy->Depth;
  // A pitch or height of 0 means rows and slices without gaps.
  request.fromPitch = copy->srcPitch ? copy->srcPitch : copy->srcXInBytes + copy->WidthInBytes;
  request.toPitch = copy->dstPitch ? copy->dstPitch : copy->dstXInBytes + copy->WidthInBytes;
  if (request.fromPitch < copy->srcXInBytes + copy->WidthInBytes ||
      request.toPitch < copy->dstXInBytes + copy->WidthInBytes)
    return CUDA_ERROR_INVALID_VALUE;
  request.fromSlice = request.fromPitch * (copy->srcHeight ? copy->srcHeight : copy->srcY + copy->Height);
  request.toSlice = request.toPitch * (copy->dstHeight ? copy->dstHeight : copy->dstY + copy->Height);
  request.from += copy->srcZ * request.fromSlice + copy->srcY * request.fromPitch + copy->srcXInBytes;
  request.to += copy->dstZ * request.toSlice + copy->dstY * request.toPitch + copy->dstXInBytes;
  return CUDA_SUCCESS;
}

CUresult makeCopy(const CopyRequest &request, CopyOperation &operation, bool &mustWait) {
  operation.width = request.width;
  operation.height = request.height;
  operation.depth = request.depth;
  if (!request.width || !request.height || !request.depth)
    return CUDA_SUCCESS;
  size_t toBytes = extent(request.width, request.height, request.depth, request.toPitch, request.toSlice);
  size_t fromBytes = extent(request.width, request.height, request.depth, request.fromPitch, request.fromSlice);
  bool toPageable = false, fromPageable = false;
  if (!fits(request.toSide, request.to, toBytes, toPageable) ||
      !fits(request.fromSide, request.from, fromBytes, fromPageable))
    return CUDA_ERROR_INVALID_VALUE;
  operation.to = reinterpret_cast<std::byte *>(request.to);
  operation.from = reinterpret_cast<const std::byte *>(request.from);
  operation.toPitch = request.toPitch;
  operation.toSlice = request.toSlice;
  operation.fromPitch = request.fromPitch;
  operation.fromSlice = request.fromSlice;
  mustWait = toPageable;
  if (fromPageable) {
    operation.staged = std::make_shared<std::vector<std::byte>>(operation.from, operation.from + fromBytes);
    operation.from = operation.staged->data();
  }
  return CUDA_SUCCESS;
}

CUresult makeFill(uint64_t address, size_t pitch, uint32_t value, uint32_t elementBytes, size_t width, size_t height,
                  FillOperation &operation) {
  size_t rowBytes = 0;
  if (__builtin_mul_overflow(width, size_t{elementBytes}, &rowBytes) || address % elementBytes ||
      pitch % elementBytes || (height > 1 && pitch < rowBytes))
    return CUDA_ERROR_INVALID_VALUE;
  bool pageable = false;
  if (width && height && (!fits(MemorySide::Device, address, extent(rowBytes, height, 1, pitch, 0), pageable)))
    return CUDA_ERROR_INVALID_VALUE;
  operation = {reinterpret_cast<std::byte *>(address), pitch, value, elementBytes, width, height};
  return CUDA_SUCCESS;
}

} // namespace glm::ptx
