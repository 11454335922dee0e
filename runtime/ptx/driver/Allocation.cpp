#include "runtime/ptx/driver/Allocation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace glm::ptx {

using namespace cuda;

CUresult allocate(Context &context, void *result, size_t bytes, Region::Kind kind) {
  if (!result || !bytes)
    return CUDA_ERROR_INVALID_VALUE;
  bool host = kind == Region::Kind::Host;
  Driver &driver = Driver::get();
  uint64_t room = driver.chip().memoryBytes - std::min(driver.chip().memoryBytes, driver.memory().used(context.device));
  if (!host && bytes > room) {
    report("allocation", fmt::format("device {} must have {} bytes left, but found {}", context.device, bytes, room));
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  auto address = driver.memory().allocate(bytes, 256, kind, host ? -1 : context.device,
                                          fmt::format("{} allocation of {} bytes",
                                                      host                           ? "host"
                                                      : kind == Region::Kind::Device ? "device"
                                                                                     : "managed",
                                                      bytes));
  if (!address) {
    report("allocation", address.error().message);
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  std::memcpy(result, &*address, sizeof *address);
  return CUDA_SUCCESS;
}

/// The allocation that starts at `address` and is of one of these kinds.
bool startsAt(uint64_t address, std::initializer_list<Region::Kind> kinds) {
  Region region = Driver::get().memory().find(address);
  return region.bytes && region.address == address && std::ranges::find(kinds, region.kind) != kinds.end();
}

CUresult release(uint64_t address, std::initializer_list<Region::Kind> kinds) {
  if (!startsAt(address, kinds))
    return CUDA_ERROR_INVALID_VALUE;
  return Driver::get().memory().release(address) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

} // namespace glm::ptx
