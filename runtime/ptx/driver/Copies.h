// From the arguments of copies and fills to operations: ranges checked against what is allocated.
#pragma once

#include "runtime/ptx/driver/Operation.h"

namespace glm::ptx {

/// What an address of a copy must be: memory of a device, of the host (any address that the driver does not know is pageable
/// host memory), or whatever it is.
enum class MemorySide : uint8_t { Device, Host, Either };

struct CopyRequest {
  MemorySide toSide = MemorySide::Either, fromSide = MemorySide::Either;
  uint64_t to = 0, from = 0;
  size_t toPitch = 0, toSlice = 0, fromPitch = 0, fromSlice = 0; ///< bytes between rows and slices
  size_t width = 0, height = 1, depth = 1;                       ///< bytes, rows, slices
};

cuda::CUresult requestOf(const cuda::CUDA_MEMCPY2D *copy, CopyRequest &request);
cuda::CUresult requestOf(const cuda::CUDA_MEMCPY3D *copy, CopyRequest &request);

/// Pageable host memory is read at once, as NVIDIA's driver stages it; a copy into it must be waited for (`mustWait`).
cuda::CUresult makeCopy(const CopyRequest &request, CopyOperation &operation, bool &mustWait);

cuda::CUresult makeFill(uint64_t address, size_t pitch, uint32_t value, uint32_t elementBytes, size_t width,
                        size_t height, FillOperation &operation);

} // namespace glm::ptx
