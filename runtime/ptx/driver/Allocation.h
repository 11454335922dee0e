// What the memory calls share.
#pragma once

#include "runtime/ptx/driver/State.h"

#include <initializer_list>

namespace glm::ptx {

/// Memory of the context's device, or of the host; its address is written to `result` (a CUdeviceptr or a void *).
cuda::CUresult allocate(Context &context, void *result, size_t bytes, Region::Kind kind);

/// Whether an allocation of one of these kinds starts at `address`.
bool startsAt(uint64_t address, std::initializer_list<Region::Kind> kinds);

/// Give such an allocation back.
cuda::CUresult release(uint64_t address, std::initializer_list<Region::Kind> kinds);

} // namespace glm::ptx
