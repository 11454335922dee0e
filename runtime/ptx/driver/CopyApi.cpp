// Copies and fills, of every direction: all memory is one address space here, so a direction is a check.
#include "runtime/cuda/Driver.h"
#include "runtime/ptx/driver/Copies.h"
#include "runtime/ptx/driver/State.h"

namespace glm::cuda {

using namespace glm::ptx;

namespace {

enum class Wait : uint8_t { No, Yes };

CUresult submitCopy(CUstream stream, Wait wait, const CopyRequest &request) {
  return withContext([&](Context &context) {
    auto target = streamOf(context, stream);
    if (!target)
      return CUDA_ERROR_INVALID_HANDLE;
    CopyOperation operation;
    bool mustWait = false;
    if (CUresult failed = makeCopy(request, operation, mustWait))
      return failed;
    if (!operation.width || !operation.height || !operation.depth)
      return CUDA_SUCCESS;
    bool waits = wait == Wait::Yes || mustWait;
    return waits ? submitAndWait(*target, std::move(operation)) : submit(*target, std::move(operation));
  });
}

CUresult linear(CUstream stream, Wait wait, MemorySide toSide, uint64_t to, MemorySide fromSide, uint64_t from,
                size_t bytes) {
  CopyRequest request;
  request.toSide = toSide;
  request.to = to;
  request.fromSide = fromSide;
  request.from = from;
  request.width = bytes;
  return submitCopy(stream, wait, request);
}

uint64_t bits(const void *address) { return reinterpret_cast<uint64_t>(address); }

CUresult fill(CUstream stream, Wait wait, CUdeviceptr address, size_t pitch, unsigned value, unsigned elementBytes,
              size_t width, size_t height) {
  return withContext([&](Context &context) {
    auto target = streamOf(context, stream);
    if (!target)
      return CUDA_ERROR_INVALID_HANDLE;
    FillOperation operation;
    if (CUresult failed = makeFill(address, pitch, value, elementBytes, width, height, operation))
      return failed;
    if (!width || !height)
      return CUDA_SUCCESS;
    return wait == Wait::Yes ? submitAndWait(*target, operation) : submit(*target, operation);
  });
}

} // namespace

CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return linear(nullptr, Wait::Yes, MemorySide::Either, to, MemorySide::Either, from, bytes);
}

CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return linear(stream, Wait::No, MemorySide::Either, to, MemorySide::Either, from, bytes);
}

CUresult cuMemcpyHtoD(CUdeviceptr to, const void *from, size_t bytes) {
  return linear(nullptr, Wait::Yes, MemorySide::Device, to, MemorySide::Host, bits(from), bytes);
}

CUresult cuMemcpyDtoH(void *to, CUdeviceptr from, size_t bytes) {
  return linear(nullptr, Wait::Yes, MemorySide::Host, bits(to), MemorySide::Device, from, bytes);
}

CUresult cuMemcpyDtoD(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  return linear(nullptr, Wait::No, MemorySide::Device, to, MemorySide::Device, from, bytes);
}

CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
  return linear(stream, Wait::No, MemorySide::Device, to, MemorySide::Host, bits(from), bytes);
}

CUresult cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return linear(stream, Wait::No, MemorySide::Host, bits(to), MemorySide::Device, from, bytes);
}

CUresult cuMemcpyDtoDAsync(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return linear(stream, Wait::No, MemorySide::Device, to, MemorySide::Device, from, bytes);
}

CUresult cuMemcpyPeer(CUdeviceptr to, CUcontext, CUdeviceptr from, CUcontext, size_t bytes) {
  return linear(nullptr, Wait::No, MemorySide::Device, to, MemorySide::Device, from, bytes);
}

CUresult cuMemcpyPeerAsync(CUdeviceptr to, CUcontext, CUdeviceptr from, CUcontext, size_t bytes, CUstream stream) {
  return linear(stream, Wait::No, MemorySide::Device, to, MemorySide::Device, from, bytes);
}

CUresult cuMemcpy2D(const CUDA_MEMCPY2D *copy) {
  CopyRequest request;
  CUresult failed = requestOf(copy, request);
  return failed ? failed : submitCopy(nullptr, Wait::Yes, request);
}

CUresult cuMemcpy2DUnaligned(const CUDA_MEMCPY2D *copy) { return cuMemcpy2D(copy); }

CUresult cuMemcpy2DAsync(const CUDA_MEMCPY2D *copy, CUstream stream) {
  CopyRequest request;
  CUresult failed = requestOf(copy, request);
  return failed ? failed : submitCopy(stream, Wait::No, request);
}

CUresult cuMemcpy3D(const CUDA_MEMCPY3D *copy) {
  CopyRequest request;
  CUresult failed = requestOf(copy, request);
  return failed ? failed : submitCopy(nullptr, Wait::Yes, request);
}

CUresult cuMemcpy3DAsync(const CUDA_MEMCPY3D *copy, CUstream stream) {
  CopyRequest request;
  CUresult failed = requestOf(copy, request);
  return failed ? failed : submitCopy(stream, Wait::No, request);
}

CUresult cuMemsetD8(CUdeviceptr address, unsigned char value, size_t count) {
  return fill(nullptr, Wait::Yes, address, 0, value, 1, count, 1);
}

CUresult cuMemsetD16(CUdeviceptr address, unsigned short value, size_t count) {
  return fill(nullptr, Wait::Yes, address, 0, value, 2, count, 1);
}

CUresult cuMemsetD32(CUdeviceptr address, unsigned value, size_t count) {
  return fill(nullptr, Wait::Yes, address, 0, value, 4, count, 1);
}

CUresult cuMemsetD8Async(CUdeviceptr address, unsigned char value, size_t count, CUstream stream) {
  return fill(stream, Wait::No, address, 0, value, 1, count, 1);
}

CUresult cuMemsetD16Async(CUdeviceptr address, unsigned short value, size_t count, CUstream stream) {
  return fill(stream, Wait::No, address, 0, value, 2, count, 1);
}

CUresult cuMemsetD32Async(CUdeviceptr address, unsigned value, size_t count, CUstream stream) {
  return fill(stream, Wait::No, address, 0, value, 4, count, 1);
}

CUresult cuMemsetD2D8(CUdeviceptr address, size_t pitch, unsigned char value, size_t width, size_t height) {
  return fill(nullptr, Wait::Yes, address, pitch, value, 1, width, height);
}

CUresult cuMemsetD2D16(CUdeviceptr address, size_t pitch, unsigned short value, size_t width, size_t height) {
  return fill(nullptr, Wait::Yes, address, pitch, value, 2, width, height);
}

CUresult cuMemsetD2D32(CUdeviceptr address, size_t pitch, unsigned value, size_t width, size_t height) {
  return fill(nullptr, Wait::Yes, address, pitch, value, 4, width, height);
}

CUresult cuMemsetD2D8Async(CUdeviceptr address, size_t pitch, unsigned char value, size_t width, size_t height,
                           CUstream stream) {
  return fill(stream, Wait::No, address, pitch, value, 1, width, height);
}

CUresult cuMemsetD2D16Async(CUdeviceptr address, size_t pitch, unsigned short value, size_t width, size_t height,
                            CUstream stream) {
  return fill(stream, Wait::No, address, pitch, value, 2, width, height);
}

CUresult cuMemsetD2D32Async(CUdeviceptr address, size_t pitch, unsigned value, size_t width, size_t height,
                            CUstream stream) {
  return fill(stream, Wait::No, address, pitch, value, 4, width, height);
}

} // namespace glm::cuda
