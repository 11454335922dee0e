// Tensor maps.
#include "runtime/cuda/Driver.h"
#include "runtime/ptx/async/TensorMap.h"
#include "runtime/ptx/driver/State.h"

#include <span>

namespace glm::cuda {

using namespace glm::ptx;

namespace {

std::span<std::byte, kTensorMapBytes> bytesOf(CUtensorMap *map) {
  return std::span<std::byte, kTensorMapBytes>(reinterpret_cast<std::byte *>(map), kTensorMapBytes);
}

CUresult resultOf(const Result<void> &made) {
  if (made)
    return CUDA_SUCCESS;
  report(made.error().message);
  return CUDA_ERROR_INVALID_VALUE;
}

} // namespace

CUresult cuTensorMapEncodeTiled(CUtensorMap *map, CUtensorMapDataType type, uint32_t rank, void *address,
                                const uint64_t *dimensions, const uint64_t *strides, const uint32_t *box,
                                const uint32_t *elementStrides, CUtensorMapInterleave interleave,
                                CUtensorMapSwizzle swizzle, CUtensorMapL2promotion promotion,
                                CUtensorMapFloatOOBfill fill) {
  if (!map || reinterpret_cast<uintptr_t>(map) % kTensorMapAlign)
    return CUDA_ERROR_INVALID_VALUE;
  TiledArguments arguments;
  arguments.type = static_cast<uint32_t>(type);
  arguments.rank = rank;
  arguments.globalAddress = reinterpret_cast<uint64_t>(address);
  arguments.globalDim = dimensions;
  arguments.globalStrides = strides;
  arguments.boxDim = box;
  arguments.elementStrides = elementStrides;
  arguments.interleave = static_cast<uint32_t>(interleave);
  arguments.swizzle = static_cast<uint32_t>(swizzle);
  arguments.l2Promotion = static_cast<uint32_t>(promotion);
  arguments.oobFill = static_cast<uint32_t>(fill);
  return resultOf(encodeTiled(arguments, bytesOf(map)));
}

CUresult cuTensorMapReplaceAddress(CUtensorMap *map, void *address) {
  if (!map)
    return CUDA_ERROR_INVALID_VALUE;
  return resultOf(replaceAddress(bytesOf(map), reinterpret_cast<uint64_t>(address)));
}

} // namespace glm::cuda
