#include "runtime/ptx/driver/LaunchRequest.h"

#include "runtime/ptx/driver/State.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace glm::ptx {

using namespace cuda;

namespace {

constexpr uint32_t kPortableCluster = 8; ///< blocks (CUDA C++ programming guide, "Thread Block Clusters")

uint64_t product(const Dim3 &dims) { return uint64_t{dims[0]} * dims[1] * dims[2]; }

std::string show(const Dim3 &dims) { return fmt::format("({}, {}, {})", dims[0], dims[1], dims[2]); }

/// What a launch must fulfil; `message` is empty if it does.
CUresult checkShape(const Kernel &kernel, const LaunchRequest &request, const Dim3 &cluster, std::string &message) {
  const Chip &chip = Driver::get().chip();
  const Function &function = kernel.function();
  auto refuse = [&](CUresult code, std::string text) {
    message = std::move(text);
    return code;
  };
  for (int d = 0; d < 3; ++d) {
    if (request.grid[d] == 0 || request.grid[d] > kMaxGrid[d])
      return refuse(CUDA_ERROR_INVALID_VALUE,
                    fmt::format("grid must be 1 to {}, but found {}", show(kMaxGrid), show(request.grid)));
    if (request.block[d] == 0 || request.block[d] > kMaxBlock[d])
      return refuse(CUDA_ERROR_INVALID_VALUE,
                    fmt::format("block must be 1 to {}, but found {}", show(kMaxBlock), show(request.block)));
  }
  uint64_t threads = product(request.block);
  if (threads > maxThreadsOf(kernel))
    return refuse(CUDA_ERROR_INVALID_VALUE,
                  fmt::format("block must have at most {} threads, but found {}", maxThreadsOf(kernel), threads));
  if (function.requiredThreads[0] && product(function.requiredThreads) != threads)
    return refuse(CUDA_ERROR_INVALID_VALUE, fmt::format("block must have the {} threads of .reqntid, but found {}",
                                                        product(function.requiredThreads), threads));
  if (request.dynamicShared > kernel.maxDynamicShared)
    return refuse(CUDA_ERROR_INVALID_VALUE,
                  fmt::format("dynamic shared memory must be at most {} bytes "
                              "(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES), but found {}",
                              kernel.maxDynamicShared, request.dynamicShared));
  if (function.explicitCluster && product(cluster) == 0)
    return refuse(CUDA_ERROR_INVALID_CLUSTER_SIZE, "cluster size must be given (.explicitcluster), but found none");
  if (product(cluster) > largestCluster(kernel))
    return refuse(CUDA_ERROR_INVALID_CLUSTER_SIZE,
                  fmt::format("cluster must have at most {} blocks on {}, but found {}", largestCluster(kernel),
                              chip.name, show(cluster)));
  for (int d = 0; d < 3; ++d)
    if (request.grid[d] % cluster[d])
      return refuse(CUDA_ERROR_INVALID_VALUE, fmt::format("grid must be a multiple of the cluster {}, but found {}",
                                                          show(cluster), show(request.grid)));
  uint64_t resident = uint64_t{blocksPerMultiprocessor(kernel, static_cast<uint32_t>(threads), request.dynamicShared)} *
                      chip.multiprocessors;
  if (!resident)
    return refuse(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES,
                  fmt::format("block must fit a multiprocessor of {}, but found {} registers per thread "
                              "and {} bytes of shared memory",
                              chip.name, registersOf(kernel), kernel.staticShared + request.dynamicShared));
  if (request.cooperative && product(request.grid) > resident)
    return refuse(
        CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE,
        fmt::format("a cooperative grid must have at most {} blocks, but found {}", resident, product(request.grid)));
  return CUDA_SUCCESS;
}

CUresult copyParameters(const Kernel &kernel, void **parameters, void **extra, std::vector<std::byte> &block,
                        std::string &message) {
  const Code &code = kernel.code();
  const std::vector<Variable> &declared = kernel.function().parameters;
  block.assign(code.parameterBytes, std::byte{0});
  if (extra && *extra != CU_LAUNCH_PARAM_END) {
    const void *buffer = nullptr;
    size_t bytes = 0;
    for (void **entry = extra; *entry != CU_LAUNCH_PARAM_END; entry += 2) {
      if (entry[0] == CU_LAUNCH_PARAM_BUFFER_POINTER)
        buffer = entry[1];
      else if (entry[0] == CU_LAUNCH_PARAM_BUFFER_SIZE)
        bytes = *static_cast<size_t *>(entry[1]);
      else
        return CUDA_ERROR_INVALID_VALUE;
    }
    if (parameters || !buffer || bytes > block.size()) {
      message = fmt::format("parameters must be one buffer of at most {} bytes, but found {}", block.size(), bytes);
      return CUDA_ERROR_INVALID_VALUE;
    }
    std::memcpy(block.data(), buffer, bytes);
    return CUDA_SUCCESS;
  }
  if (!declared.empty() && !parameters) {
    message = fmt::format("parameters must be given ({} are declared), but found none", declared.size());
    return CUDA_ERROR_INVALID_VALUE;
  }
  for (size_t i = 0; i < declared.size(); ++i)
    std::memcpy(block.data() + code.parameterOffset[i], parameters[i], declared[i].bytes);
  return CUDA_SUCCESS;
}

} // namespace

uint32_t largestCluster(const Kernel &kernel) {
  uint32_t most = Driver::get().chip().maxClusterBlocks;
  return kernel.nonPortableCluster ? most : std::min(most, kPortableCluster);
}

CUresult requestOf(const char *function, const CUlaunchConfig &config, LaunchRequest &request) {
  request = {{config.gridDimX, config.gridDimY, config.gridDimZ},
             {config.blockDimX, config.blockDimY, config.blockDimZ},
             {},
             config.sharedMemBytes,
             false};
  if (config.numAttrs && !config.attrs)
    return CUDA_ERROR_INVALID_VALUE;
  for (unsigned i = 0; i < config.numAttrs; ++i) {
    const CUlaunchAttribute &attribute = config.attrs[i];
    switch (attribute.id) {
    case CU_LAUNCH_ATTRIBUTE_COOPERATIVE:
      request.cooperative = attribute.value.cooperative != 0;
      break;
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION:
      request.cluster = {attribute.value.clusterDim.x, attribute.value.clusterDim.y, attribute.value.clusterDim.z};
      break;
    case CU_LAUNCH_ATTRIBUTE_IGNORE:
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
    // A stream runs one launch after the other here, so a launch that may start early starts when its predecessor is done:
    // every order that this allows is legal.
    case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION:
      break;
    default:
      report(function, fmt::format("launch attribute must be one that this driver knows, but found number {}",
                                   static_cast<int>(attribute.id)));
      return CUDA_ERROR_NOT_SUPPORTED;
    }
  }
  return CUDA_SUCCESS;
}

CUresult makeKernelOperation(const char *function, Kernel &kernel, const LaunchRequest &request, void **parameters,
                             void **extra, KernelOperation &operation) {
  Dim3 cluster = request.cluster;
  const Dim3 &required = kernel.requiredCluster;
  if (!cluster[0])
    cluster = required;
  // Without any size the cluster is one block, unless the kernel demands that the launch names one.
  if (cluster[0] || !kernel.function().explicitCluster)
    for (uint32_t &blocks : cluster)
      blocks = std::max(blocks, 1u);
  std::string message;
  CUresult result = checkShape(kernel, request, cluster, message);
  LaunchConfig &config = operation.config;
  if (!result)
    result = copyParameters(kernel, parameters, extra, config.parameters, message);
  if (result) {
    report(function, fmt::format("{}: {}", kernel.function().name, message));
    return result;
  }
  operation.kernel = &kernel;
  config.grid = request.grid;
  config.block = request.block;
  config.cluster = cluster;
  config.dynamicShared = request.dynamicShared;
  config.cooperative = request.cooperative;
  return CUDA_SUCCESS;
}

} // namespace glm::ptx
