// Launches and occupancy.
#include "runtime/cuda/Driver.h"
#include "runtime/ptx/driver/LaunchRequest.h"
#include "runtime/ptx/driver/State.h"

#include <algorithm>

namespace glm::cuda {

using namespace glm::ptx;

namespace {

CUresult launch(const char *name, CUfunction handle, const LaunchRequest &request, CUstream stream, void **parameters,
                void **extra) {
  return withContext([&](Context &context) {
    Kernel *kernel = liveKernel(handle);
    if (!kernel)
      return CUDA_ERROR_INVALID_HANDLE;
    auto target = streamOf(context, stream);
    if (!target)
      return CUDA_ERROR_INVALID_HANDLE;
    KernelOperation operation;
    if (CUresult failed = makeKernelOperation(name, *kernel, request, parameters, extra, operation))
      return failed;
    return submit(*target, std::move(operation));
  });
}

/// Blocks of one SM for a cluster launch: whole clusters only, and a cluster lies within one of eight groups of SMs.
int activeClusters(const Kernel &kernel, const CUlaunchConfig &config, uint32_t blocksOfCluster) {
  uint32_t threads = config.blockDimX * config.blockDimY * config.blockDimZ;
  uint64_t blocks =
      uint64_t{blocksPerMultiprocessor(kernel, threads, config.sharedMemBytes)} * Driver::get().chip().multiprocessors;
  return static_cast<int>(blocks / std::max(blocksOfCluster, 1u));
}

} // namespace

CUresult cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                        unsigned blockY, unsigned blockZ, unsigned sharedBytes, CUstream stream, void **parameters,
                        void **extra) {
  LaunchRequest request{{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, {}, sharedBytes, false};
  return launch("cuLaunchKernel", function, request, stream, parameters, extra);
}

CUresult cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function, void **parameters, void **extra) {
  LaunchRequest request;
  if (!config)
    return CUDA_ERROR_INVALID_VALUE;
  if (CUresult failed = requestOf("cuLaunchKernelEx", *config, request))
    return failed;
  return launch("cuLaunchKernelEx", function, request, config->hStream, parameters, extra);
}

CUresult cuLaunchCooperativeKernel(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                                   unsigned blockY, unsigned blockZ, unsigned sharedBytes, CUstream stream,
                                   void **parameters) {
  LaunchRequest request{{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, {}, sharedBytes, true};
  return launch("cuLaunchCooperativeKernel", function, request, stream, parameters, nullptr);
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, CUfunction handle, int blockSize,
                                                     size_t dynamicBytes) {
  return cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, handle, blockSize, dynamicBytes, 0);
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, CUfunction handle, int blockSize,
                                                              size_t dynamicBytes, unsigned) {
  return withContext([&](Context &) {
    Kernel *kernel = liveKernel(handle);
    if (!kernel)
      return CUDA_ERROR_INVALID_HANDLE;
    if (!blocks || blockSize <= 0)
      return CUDA_ERROR_INVALID_VALUE;
    *blocks = static_cast<int>(blocksPerMultiprocessor(*kernel, static_cast<uint32_t>(blockSize), dynamicBytes));
    return CUDA_SUCCESS;
  });
}

CUresult cuOccupancyMaxPotentialBlockSize(int *minGrid, int *blockSize, CUfunction handle,
                                          CUoccupancyB2DSize dynamicBytesOf, size_t dynamicBytes, int blockLimit) {
  return withContext([&](Context &) {
    Kernel *kernel = liveKernel(handle);
    if (!kernel)
      return CUDA_ERROR_INVALID_HANDLE;
    if (!minGrid || !blockSize)
      return CUDA_ERROR_INVALID_VALUE;
    uint32_t most = maxThreadsOf(*kernel);
    if (blockLimit > 0)
      most = std::min(most, static_cast<uint32_t>(blockLimit));
    uint32_t bestThreads = 0, best = 0;
    // The largest of the block sizes that keep most threads resident.
    for (uint32_t threads = most; threads > 0; threads -= std::min(threads, kWarpSize)) {
      size_t dynamic = dynamicBytesOf ? dynamicBytesOf(static_cast<int>(threads)) : dynamicBytes;
      uint32_t resident = threads * blocksPerMultiprocessor(*kernel, threads, dynamic);
      if (resident > best) {
        best = resident;
        bestThreads = threads;
      }
    }
    *blockSize = static_cast<int>(bestThreads);
    *minGrid = bestThreads ? static_cast<int>(best / bestThreads * Driver::get().chip().multiprocessors) : 0;
    return CUDA_SUCCESS;
  });
}

CUresult cuOccupancyAvailableDynamicSMemPerBlock(size_t *dynamicBytes, CUfunction handle, int blocks, int blockSize) {
  return withContext([&](Context &) {
    Kernel *kernel = liveKernel(handle);
    if (!kernel)
      return CUDA_ERROR_INVALID_HANDLE;
    if (!dynamicBytes || blocks <= 0 || blockSize <= 0)
      return CUDA_ERROR_INVALID_VALUE;
    const Chip &chip = Driver::get().chip();
    uint64_t share = std::min<uint64_t>(chip.sharedPerSm / blocks - chip.sharedReserved, chip.sharedPerBlockOptin);
    uint64_t used = kernel->staticShared;
    *dynamicBytes = share > used ? share - used : 0;
    return CUDA_SUCCESS;
  });
}

CUresult cuOccupancyMaxActiveClusters(int *clusters, CUfunction handle, const CUlaunchConfig *config) {
  return withContext([&](Context &) {
    Kernel *kernel = liveKernel(handle);
    if (!kernel)
      return CUDA_ERROR_INVALID_HANDLE;
    LaunchRequest request;
    if (!clusters || !config)
      return CUDA_ERROR_INVALID_VALUE;
    if (CUresult failed = requestOf("cuOccupancyMaxActiveClusters", *config, request))
      return failed;
    Dim3 cluster = request.cluster[0] ? request.cluster : kernel->requiredCluster;
    *clusters = activeClusters(*kernel, *config,
                               std::max(cluster[0], 1u) * std::max(cluster[1], 1u) * std::max(cluster[2], 1u));
    return CUDA_SUCCESS;
  });
}

CUresult cuOccupancyMaxPotentialClusterSize(int *blocks, CUfunction handle, const CUlaunchConfig *config) {
  return withContext([&](Context &) {
    Kernel *kernel = liveKernel(handle);
    if (!kernel)
      return CUDA_ERROR_INVALID_HANDLE;
    if (!blocks || !config)
      return CUDA_ERROR_INVALID_VALUE;
    uint32_t most = largestCluster(*kernel);
    while (most > 1 && !activeClusters(*kernel, *config, most))
      most /= 2;
    *blocks = activeClusters(*kernel, *config, most) ? static_cast<int>(most) : 0;
    return CUDA_SUCCESS;
  });
}

} // namespace glm::cuda
