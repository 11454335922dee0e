// What loads, stores and atomics have in common.
#pragma once

#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/machine/Access.h"

namespace glm::ptx {

/// How an op touches memory: Op::variant of loads, stores and atomics.
struct MemoryVariant {
  Space space = Space::Generic;
  bool wide = true;    ///< the address register has 64 bits
  bool strong = false; ///< volatile, relaxed, acquire, release: ordered with other strong accesses
  bool acquire = false;
  bool release = false;

  uint16_t pack() const {
    return static_cast<uint16_t>(static_cast<uint16_t>(space) | wide << 4 | strong << 5 | acquire << 6 | release << 7);
  }
  static MemoryVariant of(const Op &op) {
    uint16_t bits = op.variant;
    return {static_cast<Space>(bits & 15), (bits >> 4 & 1) != 0, (bits >> 5 & 1) != 0, (bits >> 6 & 1) != 0,
            (bits >> 7 & 1) != 0};
  }
};

/// The space that a word such as "shared::cta" or "param::entry" names; Generic for none.
Space spaceNamed(std::string_view word);

/// Put the address operand `index` into slots[0], the offset and `variant`; an address that names a variable must be of the
/// space that the words name. Returns the space of the access.
Result<Space> setAddress(Builder &builder, size_t index, Op &op, MemoryVariant variant);

/// Whether lanes of other blocks can see this access.
inline bool isGlobalSpace(Space space) { return space == Space::Global || space == Space::Generic; }

/// Order of strong accesses to `addresses`, for the race check of shared memory.
void acquireLanes(Warp &warp, LaneMask lanes, const uint64_t *addresses);
void releaseLanes(Warp &warp, LaneMask lanes, const uint64_t *addresses);

} // namespace glm::ptx
