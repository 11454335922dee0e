// PTX ISA, "tcgen05: allocation and management instructions", "tensorcore 5th generation specialized synchronization operations",
// "tcgen05.commit".
#include "runtime/ptx/matrix/TensorAllocate.h"

#include "runtime/ptx/async/Barriers.h"
#include "runtime/ptx/matrix/Fragment.h"
#include "runtime/ptx/matrix/LaneAddress.h"
#include "runtime/ptx/matrix/TensorPair.h"

#include <bit>

#include <fmt/format.h>

namespace glm::ptx {

namespace {

// Op::variant: 1 or 2 blocks. Slots: 0 the address (or tensor address), 1 the number of columns or the multicast mask.

std::string describeAllocation(Block &block, uint64_t detail) {
  return fmt::format("tcgen05.alloc of {} columns: {} of {} are in use", detail, matrixState(block).tensor.used(),
                     kTensorColumns);
}

std::optional<uint32_t> columnsOf(Warp &warp, const Op &op) {
  uint32_t columns = warp.read<uint32_t>(op.slots[1])[0];
  if (columns >= TensorMemory::kUnit && columns <= kTensorColumns && std::has_single_bit(columns))
    return columns;
  fail(warp, op, fmt::format("the number of columns must be a power of two from 32 to 512, but found {}", columns));
  return std::nullopt;
}

std::optional<LaunchFault> checkAllGivenBack(Block &block) {
  MatrixState &state = matrixState(block);
  std::optional<uint32_t> column = state.tensor.kept();
  if (!column)
    return std::nullopt;
  const TensorOwner &owner = state.owners[*column / TensorMemory::kUnit];
  return LaunchFault{LaunchFault::Kind::LaunchFailed,
                     fmt::format("{}: tensor memory must be given back by tcgen05.dealloc before its block ends, but "
                                 "found {} columns in use, the first {}",
                                 placeOf(block, owner.warp, -1, *owner.op), state.tensor.used(), *column)};
}

Outcome runAllocate(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  std::optional<uint32_t> columns = columnsOf(warp, op);
  if (!columns)
    return Outcome::Fault;
  std::optional<std::string> problem;
  if (tensorBlocks(*warp.block, op.variant, problem).empty())
    return fail(warp, op, *problem);
  TensorMemory &tensor = matrixState(*warp.block).tensor;
  if (!tensor.mayAllocate())
    return fail(warp, op, "tcgen05.alloc must not follow tcgen05.relinquish_alloc_permit, but found it given up");
  std::optional<uint32_t> column = tensor.allocate(*columns);
  if (!column) {
    warp.fragment().waitingFor = describeAllocation;
    warp.fragment().waitingDetail = *columns;
    return Outcome::Retry;
  }
  // Not before there is something to write: a write that is tried again and again looks like progress.
  std::byte *to = touch(warp, op, 0, laneSpace(op), laneAddress(warp, op, 0), 4, 4, {.writes = true});
  if (!to)
    return Outcome::Fault;
  std::memcpy(to, &*column, 4);
  matrixState(*warp.block).owners[*column / TensorMemory::kUnit] = {warp.index, &op};
  warp.block->checkEnd = checkAllGivenBack;
  ++warp.block->grid->progress;
  return Outcome::Next;
}

Outcome runRelease(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  std::optional<uint32_t> columns = columnsOf(warp, op);
  if (!columns)
    return Outcome::Fault;
  TensorAddress at = TensorAddress::of(warp.read<uint32_t>(op.slots[0])[0]);
  if (at.lane != 0 || !matrixState(*warp.block).tensor.release(at.column, *columns))
    return fail(warp, op,
                fmt::format("tcgen05.dealloc must give back what tcgen05.alloc gave, but found {} columns from {}",
                            *columns, at.describe()));
  ++warp.block->grid->progress;
  return Outcome::Next;
}

Outcome runRelinquish(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  matrixState(*warp.block).tensor.relinquish();
  return Outcome::Next;
}

// What the fences order is in order here: operations of a block run as they were issued.
Outcome runFence(Warp &, const Op &, LaneMask) { return Outcome::Next; }

/// The barriers that a commit arrives at.
std::optional<std::vector<uint32_t>> commitTargets(Warp &warp, const Op &op, int lane) {
  std::optional<uint32_t> address =
      sharedAddress(warp, op, lane, laneSpace(op) == Space::Generic, laneAddress(warp, op, lane));
  if (!address)
    return std::nullopt;
  if (op.slots[1] == kNoSlot)
    return std::vector<uint32_t>{*address};
  uint32_t mask = warp.read<uint16_t>(op.slots[1])[lane];
  uint32_t blocks = static_cast<uint32_t>(warp.block->cluster->blocks.size());
  if (mask >> blocks != 0) {
    warp.fault(op, lane, LaunchFault::Kind::LaunchFailed,
               fmt::format("the mask of blocks must name blocks of the cluster of {}, but found {:#x}", blocks, mask));
    return std::nullopt;
  }
  std::vector<uint32_t> targets;
  for (uint32_t rank = 0; rank < blocks; ++rank)
    if (mask >> rank & 1)
      targets.push_back(rank << kRankShift | (*address & kSharedOffsetMask));
  return targets;
}

Outcome runCommit(Warp &warp, const Op &op, LaneMask lanes) {
  for (; lanes; lanes &= lanes - 1) {
    std::optional<std::vector<uint32_t>> targets = commitTargets(warp, op, std::countr_zero(lanes));
    if (!targets)
      return Outcome::Fault;
    std::vector<TensorFlight> flights = std::exchange(matrixState(*warp.block).flights, {});
    Block &block = *warp.block;
    enqueue(warp, op,
            [&block, index = warp.index, &op, targets = std::move(*targets), flights = std::move(flights),
             clocks = snapshot(warp)]() -> std::optional<LaunchFault> {
              for (uint32_t target : targets) {
                uint64_t token = barrierToken(*block.cluster, target);
                for (const TensorFlight &flight : flights)
                  landed(block.cluster->blocks[flight.rank], flight.id, token);
                releaseTo(*block.cluster, token, clocks);
                if (std::optional<LaunchFault> fault = arriveAt(block, index, op, target, 1))
                  return fault;
              }
              return std::nullopt;
            });
  }
  return Outcome::Next;
}

// Places: cta_group, space.
Result<void> buildAllocate(Builder &builder, const Match &match, Op &op) {
  if (Result<void> counted = builder.expectOperands(2, 2); !counted)
    return counted;
  op.run = runAllocate;
  op.variant = match.words[0].back() - '0';
  if (Result<void> done = setLaneAddress(builder, 0, match.has(1), op); !done)
    return done;
  Result<Slot> columns = builder.source(1, Type::U32);
  if (!columns)
    return columns.error();
  op.slots[1] = *columns;
  return {};
}

Result<void> buildRelease(Builder &builder, const Match &match, Op &op) {
  if (Result<void> counted = builder.expectOperands(2, 2); !counted)
    return counted;
  op.run = runRelease;
  op.variant = match.words[0].back() - '0';
  for (size_t i = 0; i < 2; ++i) {
    Result<Slot> slot = builder.source(i, Type::B32);
    if (!slot)
      return slot.error();
    op.slots[i] = *slot;
  }
  return {};
}

Result<void> buildRelinquish(Builder &builder, const Match &, Op &op) {
  op.run = runRelinquish;
  return builder.expectOperands(0, 0);
}

Result<void> buildFence(Builder &builder, const Match &, Op &op) {
  op.run = runFence;
  return builder.expectOperands(0, 0);
}

// Places: cta_group, space, multicast.
Result<void> buildCommit(Builder &builder, const Match &match, Op &op) {
  size_t operands = match.has(2) ? 2 : 1;
  if (Result<void> counted = builder.expectOperands(operands, operands); !counted)
    return counted;
  op.run = runCommit;
  op.variant = match.words[0].back() - '0';
  if (Result<void> done = setLaneAddress(builder, 0, match.has(1), op); !done)
    return done;
  if (match.has(2)) {
    Result<Slot> mask = builder.source(1, Type::B16);
    if (!mask)
      return mask.error();
    op.slots[1] = *mask;
  }
  return {};
}

constexpr Form kForms[] = {
    {"tcgen05.alloc.(cta_group::1|cta_group::2).sync.aligned[.(shared::cta)].b32", Feature::Tcgen05, 86, OpClass::Other,
     buildAllocate},
    {"tcgen05.dealloc.(cta_group::1|cta_group::2).sync.aligned.b32", Feature::Tcgen05, 86, OpClass::Other,
     buildRelease},
    {"tcgen05.relinquish_alloc_permit.(cta_group::1|cta_group::2).sync.aligned", Feature::Tcgen05, 86, OpClass::Other,
     buildRelinquish},
    {"tcgen05.(fence::before_thread_sync|fence::after_thread_sync)", Feature::Tcgen05, 86, OpClass::Barrier,
     buildFence},
    {"tcgen05.commit.(cta_group::1|cta_group::2).mbarrier::arrive::one[.shared::cluster][.multicast::cluster].b64",
     Feature::Tcgen05, 86, OpClass::Async, buildCommit},
};

} // namespace

std::span<const Form> tensorAllocateForms() { return kForms; }

} // namespace glm::ptx
