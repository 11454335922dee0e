// What a warp asked of tensor memory with tcgen05.ld and tcgen05.st and did not wait for.
#pragma once

#include "runtime/ptx/isa/Op.h"

#include <cstdint>
#include <vector>

namespace glm::ptx {

struct TensorTransfer {
  const Op *op = nullptr;
  uint64_t frame = 0; ///< byte offset of the frame in the warp's register file
  uint32_t address = 0;
  std::vector<uint32_t> values; ///< of a store: the registers, 32 lanes each
  uint64_t defined = 0;         ///< of a load: byte offset of which registers of the frame hold values
};

struct TensorQueue {
  std::vector<TensorTransfer> loads, stores; ///< oldest first
};

/// What the asynchronous tcgen05 operations of a block read of shared memory since its last commit.
struct TensorFlight {
  uint32_t rank = 0; ///< of the block that is read
  uint64_t id = 0;   ///< of the race check
};

} // namespace glm::ptx
