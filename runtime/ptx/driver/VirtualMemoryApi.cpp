// Virtual memory management: address ranges, physical memory, mappings. Physical memory is a memfd, so that one allocation can
// be mapped twice, and exported as a file descriptor.
#include "runtime/cuda/Driver.h"
#include "runtime/ptx/driver/State.h"

#include <fmt/format.h>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <mutex>

namespace glm::cuda {

using namespace glm::ptx;

namespace {

constexpr size_t kGranularity = size_t{2} << 20; ///< bytes, as on every recent chip

struct Physical {
  int file = -1;
  size_t bytes = 0;
  CUmemAllocationProp properties{};
  unsigned references = 1; ///< handles and mappings
};

struct Mapping {
  size_t bytes = 0;
  CUmemGenericAllocationHandle handle = 0;
};

struct VirtualMemory {
  std::mutex mutex;
  std::map<CUmemGenericAllocationHandle, Physical> physical;
  std::map<CUdeviceptr, size_t> reserved;
  std::map<CUdeviceptr, Mapping> mappings;
  CUmemGenericAllocationHandle next = 1;

  bool isReserved(CUdeviceptr address, size_t bytes) const {
    auto range = reserved.upper_bound(address);
    if (range == reserved.begin())
      return false;
    --range;
    return address - range->first <= range->second && bytes <= range->first + range->second - address;
  }

  /// The mapping that holds an address; null if none does.
  const Mapping *mappingOf(CUdeviceptr address) const {
    auto found = mappings.upper_bound(address);
    if (found == mappings.begin())
      return nullptr;
    --found;
    return address - found->first < found->second.bytes ? &found->second : nullptr;
  }

  void drop(CUmemGenericAllocationHandle handle) {
    auto found = physical.find(handle);
    if (found != physical.end() && !--found->second.references) {
      close(found->second.file);
      physical.erase(found);
    }
  }
};

VirtualMemory &virtualMemory() {
  static auto *memory = new VirtualMemory;
  return *memory;
}

bool aligned(uint64_t value) { return value && value % kGranularity == 0; }

bool validProperties(const CUmemAllocationProp *properties) {
  return properties && properties->type == CU_MEM_ALLOCATION_TYPE_PINNED &&
         properties->location.type == CU_MEM_LOCATION_TYPE_DEVICE && properties->location.id >= 0 &&
         properties->location.id < Driver::get().deviceCount();
}

} // namespace

CUresult cuMemAddressReserve(CUdeviceptr *address, size_t bytes, size_t align, CUdeviceptr, unsigned long long flags) {
  return withContext([&](Context &) {
    if (!address || !aligned(bytes) || flags || (align & (align - 1)))
      return CUDA_ERROR_INVALID_VALUE;
    size_t step = std::max(align, kGranularity);
    // Room to cut an aligned range out of; the rest is given back.
    void *room = mmap(nullptr, bytes + step, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
      return CUDA_ERROR_OUT_OF_MEMORY;
    auto start = reinterpret_cast<uint64_t>(room);
    uint64_t first = (start + step - 1) / step * step;
    if (first > start)
      munmap(room, first - start);
    if (uint64_t rest = start + step - first)
      munmap(reinterpret_cast<void *>(first + bytes), rest);
    VirtualMemory &memory = virtualMemory();
    std::lock_guard lock(memory.mutex);
    memory.reserved[first] = bytes;
    *address = first;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemAddressFree(CUdeviceptr address, size_t bytes) {
  return withContext([&](Context &) {
    VirtualMemory &memory = virtualMemory();
    std::lock_guard lock(memory.mutex);
    auto found = memory.reserved.find(address);
    auto inside = memory.mappings.lower_bound(address);
    if (found == memory.reserved.end() || found->second != bytes ||
        (inside != memory.mappings.end() && inside->first < address + bytes))
      return CUDA_ERROR_INVALID_VALUE;
    munmap(reinterpret_cast<void *>(address), bytes);
    memory.reserved.erase(found);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemCreate(CUmemGenericAllocationHandle *handle, size_t bytes, const CUmemAllocationProp *properties,
                     unsigned long long flags) {
  return withContext([&](Context &) {
    if (!handle || !aligned(bytes) || flags || !validProperties(properties))
      return CUDA_ERROR_INVALID_VALUE;
    Physical physical;
    physical.file = memfd_create("glm-ptx", MFD_CLOEXEC);
    if (physical.file < 0 || ftruncate(physical.file, static_cast<off_t>(bytes))) {
      if (physical.file >= 0)
        close(physical.file);
      return CUDA_ERROR_OUT_OF_MEMORY;
    }
    physical.bytes = bytes;
    physical.properties = *properties;
    VirtualMemory &memory = virtualMemory();
    std::lock_guard lock(memory.mutex);
    *handle = memory.next++;
    memory.physical.emplace(*handle, physical);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemRelease(CUmemGenericAllocationHandle handle) {
  return withContext([&](Context &) {
    VirtualMemory &memory = virtualMemory();
    std::lock_guard lock(memory.mutex);
    if (!memory.physical.contains(handle))
      return CUDA_ERROR_INVALID_VALUE;
    memory.drop(handle);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemMap(CUdeviceptr address, size_t bytes, size_t offset, CUmemGenericAllocationHandle handle,
                  unsigned long long flags) {
  return withContext([&](Context &) {
    VirtualMemory &memory = virtualMemory();
    std::lock_guard lock(memory.mutex);
    auto physical = memory.physical.find(handle);
    bool inside = memory.isReserved(address, bytes);
    // The driver's own limit: an allocation is mapped whole.
    if (physical == memory.physical.end() || !inside || offset || flags || bytes != physical->second.bytes ||
        !aligned(address))
      return CUDA_ERROR_INVALID_VALUE;
    auto next = memory.mappings.lower_bound(address);
    bool taken = next != memory.mappings.end() && next->first < address + bytes;
    if (next != memory.mappings.begin()) {
      --next;
      taken |= next->first + next->second.bytes > address;
    }
    if (taken)
      return CUDA_ERROR_ALREADY_MAPPED;
    // Readable by the host's copies only after cuMemSetAccess, as on a chip.
    if (mmap(reinterpret_cast<void *>(address), bytes, PROT_NONE, MAP_SHARED | MAP_FIXED, physical->second.file, 0) ==
        MAP_FAILED)
      return CUDA_ERROR_MAP_FAILED;
    memory.mappings[address] = {bytes, handle};
    ++physical->second.references;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemUnmap(CUdeviceptr address, size_t bytes) {
  return withContext([&](Context &context) {
    if (CUresult failed = synchronize(context))
      return failed;
    VirtualMemory &memory = virtualMemory();
    std::lock_guard lock(memory.mutex);
    auto found = memory.mappings.find(address);
    if (found == memory.mappings.end() || found->second.bytes != bytes)
      return CUDA_ERROR_INVALID_VALUE;
    Driver::get().memory().removeRegion(address);
    // The range stays reserved.
    void *again = mmap(reinterpret_cast<void *>(address), bytes, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (again == MAP_FAILED)
      return CUDA_ERROR_UNMAP_FAILED;
    memory.drop(found->second.handle);
    memory.mappings.erase(found);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemSetAccess(CUdeviceptr address, size_t bytes, const CUmemAccessDesc *access, size_t count) {
  return withContext([&](Context &) {
    VirtualMemory &memory = virtualMemory();
    std::lock_guard lock(memory.mutex);
    auto found = memory.mappings.find(address);
    if (found == memory.mappings.end() || found->second.bytes != bytes || !access || !count)
      return CUDA_ERROR_INVALID_VALUE;
    Region region = Driver::get().memory().find(address);
    if (!region.bytes) {
      region.address = address;
      region.bytes = bytes;
      region.kind = Region::Kind::Mapped;
      region.device = memory.physical.at(found->second.handle).properties.location.id;
      region.name = fmt::format("mapped memory of {} bytes", bytes);
    }
    for (size_t i = 0; i < count; ++i) {
      if (access[i].location.type != CU_MEM_LOCATION_TYPE_DEVICE || access[i].location.id < 0 ||
          access[i].location.id >= Driver::get().deviceCount())
        return CUDA_ERROR_INVALID_VALUE;
      uint64_t bit = uint64_t{1} << access[i].location.id;
      region.deviceMask = access[i].flags ? region.deviceMask | bit : region.deviceMask & ~bit;
      region.writableMask = access[i].flags == CU_MEM_ACCESS_FLAGS_PROT_READWRITE ? region.writableMask | bit
                                                                                  : region.writableMask & ~bit;
    }
    if (mprotect(reinterpret_cast<void *>(address), bytes, PROT_READ | PROT_WRITE))
      return CUDA_ERROR_OUT_OF_MEMORY;
    Driver::get().memory().removeRegion(address);
    Driver::get().memory().addRegion(std::move(region));
    return CUDA_SUCCESS;
  });
}

CUresult cuMemGetAccess(unsigned long long *flags, const CUmemLocation *location, CUdeviceptr address) {
  return withContext([&](Context &) {
    Region region = Driver::get().memory().find(address);
    if (!flags || !location || location->type != CU_MEM_LOCATION_TYPE_DEVICE || location->id < 0 || location->id >= 64)
      return CUDA_ERROR_INVALID_VALUE;
    uint64_t bit = uint64_t{1} << location->id;
    bool reads = region.bytes && region.deviceMask & bit;
    *flags = !reads                      ? CU_MEM_ACCESS_FLAGS_PROT_NONE
             : region.writableMask & bit ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE
                                         : CU_MEM_ACCESS_FLAGS_PROT_READ;
    return CUDA_SUCCESS;
  });
}

CUresult cuMemGetAllocationGranularity(size_t *bytes, const CUmemAllocationProp *properties,
                                       CUmemAllocationGranularity_flags) {
  if (!bytes || !validProperties(properties))
    return CUDA_ERROR_INVALID_VALUE;
  *bytes = kGranularity;
  return CUDA_SUCCESS;
}

CUresult cuMemGetAllocationPropertiesFromHandle(CUmemAllocationProp *properties, CUmemGenericAllocationHandle handle) {
  VirtualMemory &memory = virtualMemory();
  std::lock_guard lock(memory.mutex);
  auto found = memory.physical.find(handle);
  if (!properties || found == memory.physical.end())
    return CUDA_ERROR_INVALID_VALUE;
  *properties = found->second.properties;
  return CUDA_SUCCESS;
}

CUresult cuMemRetainAllocationHandle(CUmemGenericAllocationHandle *handle, void *address) {
  VirtualMemory &memory = virtualMemory();
  std::lock_guard lock(memory.mutex);
  const Mapping *found = memory.mappingOf(reinterpret_cast<CUdeviceptr>(address));
  if (!handle || !found)
    return CUDA_ERROR_INVALID_VALUE;
  *handle = found->handle;
  ++memory.physical.at(*handle).references;
  return CUDA_SUCCESS;
}

CUresult cuMemExportToShareableHandle(void *shareable, CUmemGenericAllocationHandle handle,
                                      CUmemAllocationHandleType type, unsigned long long flags) {
  VirtualMemory &memory = virtualMemory();
  std::lock_guard lock(memory.mutex);
  auto found = memory.physical.find(handle);
  if (!shareable || flags || found == memory.physical.end() || type != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR ||
      found->second.properties.requestedHandleTypes != type)
    return CUDA_ERROR_INVALID_VALUE;
  int file = dup(found->second.file);
  if (file < 0)
    return CUDA_ERROR_OPERATING_SYSTEM;
  *static_cast<int *>(shareable) = file;
  return CUDA_SUCCESS;
}

CUresult cuMemImportFromShareableHandle(CUmemGenericAllocationHandle *handle, void *shareable,
                                        CUmemAllocationHandleType type) {
  return withContext([&](Context &context) {
    if (!handle || type != CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR)
      return CUDA_ERROR_INVALID_VALUE;
    int source = static_cast<int>(reinterpret_cast<intptr_t>(shareable));
    off_t bytes = lseek(source, 0, SEEK_END);
    if (bytes <= 0)
      return CUDA_ERROR_INVALID_VALUE;
    Physical physical;
    physical.file = dup(source);
    physical.bytes = static_cast<size_t>(bytes);
    physical.properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    physical.properties.requestedHandleTypes = type;
    physical.properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, context.device};
    VirtualMemory &memory = virtualMemory();
    std::lock_guard lock(memory.mutex);
    *handle = memory.next++;
    memory.physical.emplace(*handle, physical);
    return CUDA_SUCCESS;
  });
}

} // namespace glm::cuda
