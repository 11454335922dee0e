// A kernel around tcgen05 instructions: tensor memory is filled from global memory, shared memory from an image, one thread runs
// a body, a commit tells when it is over, and tensor memory goes back to global memory.
#pragma once

#include "test/runtime/ptx/harness/Harness.h"

#include <string>
#include <vector>

namespace glm::ptx::test {

/// 128 lanes of 512 columns, lane by lane.
struct TensorImage {
  std::vector<uint32_t> cells = std::vector<uint32_t>(128 * 512);
  uint32_t &at(uint32_t lane, uint32_t column) { return cells[lane * 512 + column]; }
  uint32_t at(uint32_t lane, uint32_t column) const { return cells[lane * 512 + column]; }
};

struct TensorRun {
  uint32_t blocks = 1;                      ///< in one cluster
  std::vector<std::vector<uint8_t>> shared; ///< a block's shared memory from %smem on
  std::vector<TensorImage> tensor;          ///< a block's tensor memory before
  uint32_t columns = 512;                   ///< how many are filled and read back
  std::string chip = "sm_100a";
  /// Run by thread 0 of the first block; %tm is the tensor address, %smem (32 bits) the image, %smem16 (64 bits) the image's
  /// address in a descriptor; %p0 is true, %p1 false.
  std::string body;
  /// Instead of the given lines: "proxy" (fence.proxy.async), "dealloc", "waitst", "waitld".
  std::string leftOut;
  std::string everyWarp; ///< run by all warps before the body; %lanes is the warp's quarter as an address

  std::string fault;
  std::vector<TensorImage> after;

  void run();
  std::string text() const;
};

} // namespace glm::ptx::test
