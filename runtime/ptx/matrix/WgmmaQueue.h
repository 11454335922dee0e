// wgmma operations of one warp that were issued and not waited for. They run when the warp waits for them, as late as the
// program allows, so that a missing wait shows.
#pragma once

#include "runtime/ptx/isa/Op.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace glm::ptx {

/// The accumulator of operations in flight, out of its registers: these hold kPoison until the last of them is done.
struct WgmmaAccumulator {
  const Slot *slots = nullptr; ///< of the first operation; later ones on the same registers join it
  size_t slotCount = 0;
  uint64_t frame = 0; ///< byte offset of the frame in the warp's register file
  std::vector<float> floats;
  std::vector<int32_t> ints;
  uint32_t pending = 0;
};

struct WgmmaOperation {
  const Op *op = nullptr;
  uint64_t frame = 0, defined = 0; ///< byte offsets of the frame's registers, and of which hold values
  uint64_t descriptorA = 0, descriptorB = 0;
  bool adds = false; ///< scale-d
  std::shared_ptr<WgmmaAccumulator> accumulator;
  std::vector<uint32_t> registersA; ///< A as it was when issued
  std::vector<uint64_t> flights;    ///< of the race check
};

struct WgmmaQueue {
  std::deque<WgmmaOperation> operations; ///< oldest first
  std::deque<size_t> groups;             ///< sizes of the committed groups, oldest first
  size_t uncommitted = 0;
  bool fenced = false; ///< a wgmma.fence came since the first operation's registers could be written
  /// Accumulators that were given back to their registers since the last fence.
  std::vector<std::shared_ptr<WgmmaAccumulator>> returned;
};

} // namespace glm::ptx
