// The instruction forms of this room.
#pragma once

#include "runtime/ptx/isa/Form.h"

#include <cstdint>

namespace glm::ptx {

/// Which instructions of this machine the handlers use. Results are the same.
enum class LaneSet : uint8_t { Baseline, Avx2, Avx512 };

/// The best one that this processor has.
LaneSet bestLaneSet();

/// Forms whose handlers are compiled for `set`; the processor must have it.
std::span<const Form> arithmeticForms(LaneSet set);

inline std::span<const Form> arithmeticForms() { return arithmeticForms(bestLaneSet()); }

} // namespace glm::ptx
