// What bulk copies and tensor copies have in common: where they go, and how they complete.
//
// Source: PTX ISA, "Asynchronous Copy", "Async Groups", "Completion Mechanisms for Asynchronous Copy Operations".
#pragma once

#include "runtime/ptx/async/Addressing.h"
#include "runtime/ptx/async/Barriers.h"
#include "runtime/ptx/async/BlockState.h"

namespace glm::ptx {

/// Operands that most of these instructions have; which of them, the form says.
struct BulkOperands {
  AddressSlot destination{}, source{}, barrier{};
  Slot bytes = kNoSlot;
  Slot blockMask = kNoSlot; ///< .multicast::cluster
  Slot byteMask = kNoSlot;  ///< .cp_mask
  bool pairs = false;       ///< .cta_group::2: the mbarrier may lie in the other block of a pair
};

/// A block that a copy writes: where, and which mbarrier hears of it.
struct CopyTarget {
  SharedPlace place;
  uint32_t barrier = 0; ///< shared address
  uint64_t flight = 0;
};

/// A copy into shared memory.
struct IncomingCopy {
  Block *issuer = nullptr;
  uint32_t warp = 0;
  const Op *op = nullptr;
  std::vector<CopyTarget> targets;
  uint32_t transactionBytes = 0; ///< that each mbarrier is told

  /// The data is there: makes it visible through the mbarriers and counts it.
  std::optional<LaunchFault> finish();
};

/// The blocks that a copy from `lane` to shared address `destination` writes: that of the address, or with `mask` every block
/// whose bit is set, at the same offset. `barrier` is moved to each of them, or to the block of its pair that has the
/// parity of the named one. Checks that `bytes` bytes lie within each block, at a multiple of `align`. Empty after a fault.
std::vector<CopyTarget> copyTargets(Warp &warp, const Op &op, int lane, uint32_t destination, uint32_t barrier,
                                    std::optional<uint16_t> mask, bool pairs, uint64_t bytes, uint32_t align);

/// Tells the race check that `ranges`, relative to each target's place, will be written. False after a fault.
bool launchTargets(Warp &warp, const Op &op, std::vector<CopyTarget> &targets, std::span<const SharedRange> ranges);

/// Ends the launch with a fault of asynchronous work. False.
bool failWith(Warp &warp, std::optional<LaunchFault> fault);

/// A rule of one lane's operands that is broken. False.
bool refuse(Warp &warp, const Op &op, int lane, const std::string &message);

/// Puts a copy out of shared memory into the open group of `lane`, to be done as late as possible.
void addToGroup(Warp &warp, const Op &op, int lane, std::shared_ptr<OutgoingCopy> copy);

/// {, cache-policy} as the last operand where .L2::cache_hint is given: must be a 64-bit value; it has no effect.
Result<void> checkPolicy(Builder &builder, bool isGiven);

} // namespace glm::ptx
