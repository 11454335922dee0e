// Initialization, errors and devices.
#include "runtime/cuda/Driver.h"
#include "runtime/ptx/driver/State.h"

#include <fmt/format.h>

#include <cstring>

namespace glm::cuda {

using namespace glm::ptx;

namespace {

constexpr int kConstantBytes = 65536; ///< every chip
constexpr int kFirstBus = 1;          ///< of the made-up PCI addresses: device N has bus N + 1

CUresult checkDevice(CUdevice device) {
  Driver &driver = Driver::get();
  if (!driver.isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  return device >= 0 && device < driver.deviceCount() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

/// The attribute of every device of this chip; nothing for one that is not known.
std::optional<int> attributeOf(const Chip &chip, CUdevice_attribute attribute, CUdevice device) {
  switch (attribute) {
  case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    return kMaxThreadsPerBlock;
  case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X:
  case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y:
  case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z:
    return kMaxBlock[attribute - CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X];
  case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X:
  case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y:
  case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z:
    return kMaxGrid[attribute - CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X];
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK:
    return chip.sharedPerBlock;
  case CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY:
    return kConstantBytes;
  case CU_DEVICE_ATTRIBUTE_WARP_SIZE:
    return kWarpSize;
  case CU_DEVICE_ATTRIBUTE_MAX_PITCH:
    return 0x7fffffff;
  case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK:
  case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR:
    return chip.registersPerSm;
  case CU_DEVICE_ATTRIBUTE_CLOCK_RATE:
    return chip.clockKhz;
  case CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT:
    return 512;
  case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
    return chip.multiprocessors;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_MODE:
    return 0;
  case CU_DEVICE_ATTRIBUTE_PCI_BUS_ID:
    return kFirstBus + device;
  case CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID:
    return 0;
  case CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE:
    return chip.memoryClockKhz;
  case CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH:
    return chip.memoryBusBits;
  case CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE:
    return chip.l2Bytes;
  case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR:
    return chip.threadsPerSm;
  case CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT:
    return 3;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
    return chip.major;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
    return chip.minor;
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR:
    return chip.sharedPerSm;
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
    return chip.sharedPerBlockOptin;
  case CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR:
    return chip.blocksPerSm;
  case CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK:
    return chip.sharedReserved;
  case CU_DEVICE_ATTRIBUTE_GPU_OVERLAP:
  case CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY:
  case CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS:
  case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING:
  case CU_DEVICE_ATTRIBUTE_STREAM_PRIORITIES_SUPPORTED:
  case CU_DEVICE_ATTRIBUTE_GLOBAL_L1_CACHE_SUPPORTED:
  case CU_DEVICE_ATTRIBUTE_LOCAL_L1_CACHE_SUPPORTED:
  case CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY:
  case CU_DEVICE_ATTRIBUTE_CONCURRENT_MANAGED_ACCESS:
  case CU_DEVICE_ATTRIBUTE_CAN_USE_HOST_POINTER_FOR_REGISTERED_MEM:
  case CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH:
  case CU_DEVICE_ATTRIBUTE_HOST_REGISTER_SUPPORTED:
  case CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED:
  case CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR_SUPPORTED:
  case CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED:
  case CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH:
  case CU_DEVICE_ATTRIBUTE_TENSOR_MAP_ACCESS_SUPPORTED:
    return 1;
  default:
    return std::nullopt;
  }
}

} // namespace

CUresult cuInit(unsigned flags) { return flags ? CUDA_ERROR_INVALID_VALUE : Driver::get().initialize(); }

CUresult cuDriverGetVersion(int *version) {
  if (!version)
    return CUDA_ERROR_INVALID_VALUE;
  *version = 13000;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice *device, int ordinal) {
  if (!device)
    return CUDA_ERROR_INVALID_VALUE;
  if (CUresult failed = checkDevice(ordinal))
    return failed;
  *device = ordinal;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int *count) {
  if (!Driver::get().isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  if (!count)
    return CUDA_ERROR_INVALID_VALUE;
  *count = Driver::get().deviceCount();
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetName(char *name, int length, CUdevice device) {
  if (CUresult failed = checkDevice(device))
    return failed;
  if (!name || length <= 0)
    return CUDA_ERROR_INVALID_VALUE;
  *fmt::format_to_n(name, length - 1, "{}", Driver::get().chip().deviceName).out = 0;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetUuid(CUuuid *uuid, CUdevice device) {
  if (CUresult failed = checkDevice(device))
    return failed;
  if (!uuid)
    return CUDA_ERROR_INVALID_VALUE;
  std::memcpy(uuid->bytes, "glm-ptx device ", 15);
  uuid->bytes[15] = static_cast<char>(device);
  return CUDA_SUCCESS;
}

CUresult cuDeviceTotalMem(size_t *bytes, CUdevice device) {
  if (CUresult failed = checkDevice(device))
    return failed;
  if (!bytes)
    return CUDA_ERROR_INVALID_VALUE;
  *bytes = Driver::get().chip().memoryBytes;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice device) {
  if (CUresult failed = checkDevice(device))
    return failed;
  // The documented range; what this chip lacks or nobody asked for yet is 0.
  constexpr int kLastAttribute = 147;
  if (!value || attribute < 1 || attribute > kLastAttribute)
    return CUDA_ERROR_INVALID_VALUE;
  *value = attributeOf(Driver::get().chip(), attribute, device).value_or(0);
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetPCIBusId(char *id, int length, CUdevice device) {
  if (CUresult failed = checkDevice(device))
    return failed;
  if (!id || length < 13)
    return CUDA_ERROR_INVALID_VALUE;
  *fmt::format_to_n(id, length - 1, "0000:{:02X}:00.0", device + kFirstBus).out = 0;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetByPCIBusId(CUdevice *device, const char *id) {
  if (!device || !id)
    return CUDA_ERROR_INVALID_VALUE;
  for (CUdevice candidate = 0; candidate < Driver::get().deviceCount(); ++candidate)
    if (fmt::format("0000:{:02X}:00.0", candidate + kFirstBus) == id) {
      *device = candidate;
      return CUDA_SUCCESS;
    }
  return CUDA_ERROR_INVALID_DEVICE;
}

CUresult cuDeviceCanAccessPeer(int *possible, CUdevice device, CUdevice peer) {
  if (CUresult failed = checkDevice(device))
    return failed;
  if (CUresult failed = checkDevice(peer))
    return failed;
  if (!possible)
    return CUDA_ERROR_INVALID_VALUE;
  *possible = device != peer;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetP2PAttribute(int *value, CUdevice_P2PAttribute attribute, CUdevice source, CUdevice destination) {
  if (CUresult failed = checkDevice(source))
    return failed;
  if (CUresult failed = checkDevice(destination))
    return failed;
  if (!value || source == destination)
    return CUDA_ERROR_INVALID_VALUE;
  *value = attribute == CU_DEVICE_P2P_ATTRIBUTE_ACCESS_SUPPORTED ||
           attribute == CU_DEVICE_P2P_ATTRIBUTE_NATIVE_ATOMIC_SUPPORTED;
  return CUDA_SUCCESS;
}

} // namespace glm::cuda
