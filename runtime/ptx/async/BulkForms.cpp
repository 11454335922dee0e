// cp.async.bulk, cp.reduce.async.bulk, their prefetches and groups: PTX ISA, "Data Movement and Conversion Instructions:
// Bulk copy".
#include "runtime/ptx/async/BulkCopies.h"
#include "runtime/ptx/async/Forms.h"
#include "runtime/ptx/async/Reduction.h"
#include "runtime/ptx/machine/GuestMemory.h"

#include <cstring>
#include <fmt/format.h>
#include <limits>

namespace glm::ptx {

namespace {

constexpr uint32_t kBulkAlign = 16; ///< of addresses and sizes

struct ReduceOperands : BulkOperands {
  Reduce reduce = nullptr; ///< plain copies have none
};

const ReduceOperands &operandsOf(const Op &op) { return *static_cast<const ReduceOperands *>(op.extra); }

bool checkSize(Warp &warp, const Op &op, int lane, uint32_t bytes) {
  return bytes % kBulkAlign == 0 ||
         refuse(warp, op, lane,
                fmt::format("bulk copy must have a size in multiples of 16 bytes, but found {}", bytes));
}

/// Bytes of one thread's shared memory that are read later. Null after a fault.
struct SharedSource {
  const std::byte *bytes = nullptr;
  uint64_t flight = 0;
};
SharedSource launchSource(Warp &warp, const Op &op, int lane, uint32_t address, uint32_t bytes) {
  Block &block = *warp.block;
  std::optional<LaunchFault> fault;
  SharedSource source;
  if (address >> kRankShift != block.rank) {
    refuse(warp, op, lane, fmt::format("source must lie in the thread's own block, but found address {:#x}", address));
    return {};
  }
  source.bytes = touchAsync(block, warp.index, op, Space::Shared, address, bytes, kBulkAlign, {.async = true}, fault);
  if (source.bytes && warp.checks) {
    SharedRange range{address & kSharedOffsetMask, bytes};
    source.flight = inFlight(block, {&range, 1}, false, warp, op, fault);
  }
  if (!fault)
    return source;
  failWith(warp, std::move(fault));
  return {};
}

// [destination in shared memory], [source in global memory], size, [mbarrier]{, block mask}
Outcome runLoad(Warp &warp, const Op &op, LaneMask lanes) {
  const ReduceOperands &operands = operandsOf(op);
  LaneAddresses destinations = operands.destination.read(warp), sources = operands.source.read(warp),
                barriers = operands.barrier.read(warp);
  const auto *sizes = warp.read<uint32_t>(operands.bytes);
  const auto *masks = operands.blockMask == kNoSlot ? nullptr : warp.read<uint16_t>(operands.blockMask);
  bool fine = forEachLane(lanes, [&](int lane) {
    uint32_t bytes = sizes[lane];
    if (!checkSize(warp, op, lane, bytes))
      return false;
    auto copy = std::make_shared<IncomingCopy>();
    *copy = {warp.block, warp.index, &op, {}, bytes};
    copy->targets =
        copyTargets(warp, op, lane, static_cast<uint32_t>(destinations[lane]), static_cast<uint32_t>(barriers[lane]),
                    masks ? std::optional(masks[lane]) : std::nullopt, false, bytes, kBulkAlign);
    SharedRange range{0, bytes};
    if (copy->targets.empty() || !launchTargets(warp, op, copy->targets, {&range, 1}))
      return false;
    enqueue(warp, op, [copy, address = sources[lane], bytes]() -> std::optional<LaunchFault> {
      std::optional<LaunchFault> fault;
      const std::byte *source = touchAsync(*copy->issuer, copy->warp, *copy->op, Space::Global, address, bytes,
                                           kBulkAlign, {.async = true}, fault);
      if (!source)
        return fault;
      for (const CopyTarget &target : copy->targets)
        copyPlain(target.place.block->shared.data() + target.place.offset, source, bytes);
      return copy->finish();
    });
    return true;
  });
  return fine ? Outcome::Next : Outcome::Fault;
}

// [destination in shared memory of the cluster], [source in shared memory], size, [mbarrier]
Outcome runToBlock(Warp &warp, const Op &op, LaneMask lanes) {
  const ReduceOperands &operands = operandsOf(op);
  LaneAddresses destinations = operands.destination.read(warp), sources = operands.source.read(warp),
                barriers = operands.barrier.read(warp);
  const auto *sizes = warp.read<uint32_t>(operands.bytes);
  bool fine = forEachLane(lanes, [&](int lane) {
    uint32_t bytes = sizes[lane];
    if (!checkSize(warp, op, lane, bytes))
      return false;
    auto copy = std::make_shared<IncomingCopy>();
    *copy = {warp.block, warp.index, &op, {}, bytes};
    copy->targets = copyTargets(warp, op, lane, static_cast<uint32_t>(destinations[lane]),
                                static_cast<uint32_t>(barriers[lane]), std::nullopt, false, bytes, kBulkAlign);
    if (copy->targets.empty())
      return false;
    // Several reductions may be under way to the same bytes: they are not watched until they have landed.
    SharedRange range{0, bytes};
    if (!operands.reduce && !launchTargets(warp, op, copy->targets, {&range, 1}))
      return false;
    SharedSource source = launchSource(warp, op, lane, static_cast<uint32_t>(sources[lane]), bytes);
    if (!source.bytes)
      return false;
    enqueue(warp, op, [copy, source, bytes, reduce = operands.reduce] {
      const CopyTarget &target = copy->targets[0];
      std::byte *destination = target.place.block->shared.data() + target.place.offset;
      if (reduce)
        reduce(destination, source.bytes, bytes);
      else
        std::memcpy(destination, source.bytes, bytes);
      if (source.flight)
        landed(*copy->issuer, source.flight, barrierToken(*copy->issuer->cluster, target.barrier));
      return copy->finish();
    });
    return true;
  });
  return fine ? Outcome::Next : Outcome::Fault;
}

/// What a copy to global memory carries from its first step to its second.
struct Store {
  Block *block = nullptr;
  uint32_t warp = 0;
  const Op *op = nullptr;
  uint64_t address = 0;
  std::vector<std::byte> bytes;
  uint16_t byteMask = 0xffff;
  Reduce reduce = nullptr;

  std::optional<LaunchFault> write() const;
};

std::optional<LaunchFault> Store::write() const {
  std::optional<LaunchFault> fault;
  std::byte *destination = touchAsync(*block, warp, *op, Space::Global, address, bytes.size(), kBulkAlign,
                                      {.writes = true, .async = true}, fault);
  if (!destination)
    return fault;
  if (reduce) {
    reduce(destination, bytes.data(), bytes.size());
  } else if (byteMask == 0xffff) {
    copyPlain(destination, bytes.data(), bytes.size());
  } else {
    for (size_t i = 0; i < bytes.size(); ++i)
      if (byteMask >> (i % 16) & 1)
        storePlain(destination + i, bytes[i]);
  }
  return std::nullopt;
}

// [destination in global memory], [source in shared memory], size{, byte mask}
Outcome runStore(Warp &warp, const Op &op, LaneMask lanes) {
  const ReduceOperands &operands = operandsOf(op);
  LaneAddresses destinations = operands.destination.read(warp), sources = operands.source.read(warp);
  const auto *sizes = warp.read<uint32_t>(operands.bytes);
  const auto *masks = operands.byteMask == kNoSlot ? nullptr : warp.read<uint16_t>(operands.byteMask);
  bool fine = forEachLane(lanes, [&](int lane) {
    uint32_t bytes = sizes[lane];
    if (!checkSize(warp, op, lane, bytes))
      return false;
    SharedSource source = launchSource(warp, op, lane, static_cast<uint32_t>(sources[lane]), bytes);
    if (!source.bytes)
      return false;
    auto store = std::make_shared<Store>();
    *store = {warp.block,     warp.index, &op, destinations[lane], {}, masks ? masks[lane] : uint16_t{0xffff},
              operands.reduce};
    auto copy = std::make_shared<OutgoingCopy>();
    copy->read = [store, source, bytes]() -> std::optional<LaunchFault> {
      store->bytes.assign(source.bytes, source.bytes + bytes);
      if (source.flight)
        landed(*store->block, source.flight, bulkToken(*store->block, store->warp));
      return std::nullopt;
    };
    copy->write = [store] { return store->write(); };
    addToGroup(warp, op, lane, std::move(copy));
    return true;
  });
  return fine ? Outcome::Next : Outcome::Fault;
}

// [address], size: nothing but the checks, there is no cache to fill.
Outcome runPrefetch(Warp &warp, const Op &op, LaneMask lanes) {
  const ReduceOperands &operands = operandsOf(op);
  LaneAddresses addresses = operands.source.read(warp);
  const auto *sizes = warp.read<uint32_t>(operands.bytes);
  bool fine = forEachLane(lanes, [&](int lane) {
    if (!checkSize(warp, op, lane, sizes[lane]))
      return false;
    const GlobalMemory &memory = warp.block->grid->module->memory();
    uint64_t address = addresses[lane];
    if (address % kBulkAlign != 0) {
      warp.fault(op, lane, LaunchFault::Kind::MisalignedAddress,
                 fmt::format("address {:#x} must be a multiple of 16, but found remainder {}", address, address % 16));
      return false;
    }
    Region region = memory.find(address);
    return (region.bytes != 0 && region.address + region.bytes - address >= sizes[lane]) ||
           refuse(warp, op, lane,
                  fmt::format("prefetch of {} bytes at {:#x} must stay within one allocation, but found {}",
                              sizes[lane], address, memory.describe(address)));
  });
  return fine ? Outcome::Next : Outcome::Fault;
}

Outcome runCommit(Warp &warp, const Op &, LaneMask lanes) {
  WarpCopies &copies = copiesOf(*warp.block, warp.index);
  forEachLane(lanes, [&](int lane) {
    BulkGroups &groups = copies.bulk[lane];
    groups.committed.push_back(std::move(groups.open));
    groups.open.clear();
    return true;
  });
  return Outcome::Next;
}

/// Groups whose sources are free but whose results are still to be written; more would keep all output in memory.
constexpr size_t kMostUnwritten = 8;

std::optional<LaunchFault> advanceGroup(const std::vector<std::shared_ptr<OutgoingCopy>> &group, bool onlyRead) {
  for (const std::shared_ptr<OutgoingCopy> &copy : group)
    if (std::optional<LaunchFault> fault = copy->advance(onlyRead))
      return fault;
  return std::nullopt;
}

Outcome runWaitGroup(Warp &warp, const Op &op, LaneMask lanes) {
  WarpCopies &copies = copiesOf(*warp.block, warp.index);
  bool onlyRead = op.variant != 0;
  std::optional<LaunchFault> fault;
  forEachLane(lanes, [&](int lane) {
    auto &groups = copies.bulk[lane].committed;
    for (size_t i = 0; i + op.detail < groups.size() && !fault; ++i)
      fault = advanceGroup(groups[i], onlyRead);
    size_t kept = op.detail + (onlyRead ? kMostUnwritten : 0);
    while (groups.size() > kept && !fault) {
      fault = advanceGroup(groups.front(), false);
      groups.pop_front();
    }
    return !fault;
  });
  if (fault) {
    failWith(warp, std::move(fault));
    return Outcome::Fault;
  }
  acquire(warp, bulkToken(*warp.block, warp.index));
  return Outcome::Next;
}

/// [destination], [source], size{, [mbarrier]}{, mask}{, policy}, in the spaces that the form names.
struct Shape {
  Space destination, source;
  bool hasBarrier = false, hasBlockMask = false, hasByteMask = false, hasPolicy = false;
};

Result<void> buildOperands(Builder &builder, Op &op, Handler handler, const Shape &shape, Reduce reduce) {
  size_t count =
      3 + size_t{shape.hasBarrier} + size_t{shape.hasBlockMask} + size_t{shape.hasByteMask} + size_t{shape.hasPolicy};
  if (Result<void> counted = builder.expectOperands(count, count); !counted)
    return counted;
  ReduceOperands operands;
  operands.reduce = reduce;
  auto fill = [&](AddressSlot &slot, size_t index, Space space) -> Result<void> {
    Result<AddressSlot> address = addressSlot(builder, index, space);
    if (!address)
      return address.error();
    slot = *address;
    return {};
  };
  if (Result<void> filled = fill(operands.destination, 0, shape.destination); !filled)
    return filled;
  if (Result<void> filled = fill(operands.source, 1, shape.source); !filled)
    return filled;
  const Operand &size = builder.operand(2);
  if (size.kind == Operand::Kind::Integer && size.value % kBulkAlign != 0)
    return builder.error("has a size in multiples of 16 bytes", std::to_string(size.value));
  Result<Slot> bytes = builder.source(2, Type::B32);
  if (!bytes)
    return bytes.error();
  operands.bytes = *bytes;
  if (shape.hasBarrier)
    if (Result<void> filled = fill(operands.barrier, 3, Space::Shared); !filled)
      return filled;
  if (shape.hasBlockMask || shape.hasByteMask) {
    // A byte mask comes last, a block mask before the policy.
    Result<Slot> mask = builder.source(shape.hasByteMask ? count - 1 : 4, Type::B16);
    if (!mask)
      return mask.error();
    (shape.hasByteMask ? operands.byteMask : operands.blockMask) = *mask;
  }
  if (shape.hasPolicy) {
    Result<Slot> policy = builder.source(count - (shape.hasByteMask ? 2 : 1), Type::B64);
    if (!policy)
      return policy.error();
  }
  op.run = handler;
  builder.setExtra(op, operands);
  return {};
}

// cp.async.bulk.(shared::cta).global.mbarrier::complete_tx::bytes[.L2::cache_hint]
Result<void> buildLoad(Builder &builder, const Match &match, Op &op) {
  return buildOperands(
      builder, op, runLoad,
      {.destination = Space::Shared, .source = Space::Global, .hasBarrier = true, .hasPolicy = match.has(0)}, nullptr);
}

// cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes[.multicast::cluster][.L2::cache_hint]
Result<void> buildClusterLoad(Builder &builder, const Match &match, Op &op) {
  return buildOperands(builder, op, runLoad,
                       {.destination = Space::Shared,
                        .source = Space::Global,
                        .hasBarrier = true,
                        .hasBlockMask = match.has(0),
                        .hasPolicy = match.has(1)},
                       nullptr);
}

Result<void> buildToBlock(Builder &builder, const Match &, Op &op) {
  return buildOperands(builder, op, runToBlock,
                       {.destination = Space::Shared, .source = Space::Shared, .hasBarrier = true}, nullptr);
}

// cp.async.bulk.global.shared::cta.bulk_group[.L2::cache_hint]
Result<void> buildStore(Builder &builder, const Match &match, Op &op) {
  return buildOperands(builder, op, runStore,
                       {.destination = Space::Global, .source = Space::Shared, .hasPolicy = match.has(0)}, nullptr);
}

// cp.async.bulk.global.shared::cta.bulk_group[.L2::cache_hint].cp_mask
Result<void> buildMaskedStore(Builder &builder, const Match &match, Op &op) {
  return buildOperands(
      builder, op, runStore,
      {.destination = Space::Global, .source = Space::Shared, .hasByteMask = true, .hasPolicy = match.has(0)}, nullptr);
}

/// The words of a reduction, the last two places of the match.
Reduce reductionOf(const Match &match) {
  size_t places = match.words.size();
  return glm::ptx::reductionOf(*reductionNamed(match.words[places - 2]), *reductionTypeNamed(match.words[places - 1]));
}

Result<void> buildReduceToBlock(Builder &builder, const Match &match, Op &op) {
  return buildOperands(builder, op, runToBlock,
                       {.destination = Space::Shared, .source = Space::Shared, .hasBarrier = true}, reductionOf(match));
}

Result<void> buildReduceToGlobal(Builder &builder, const Match &match, Op &op) {
  // Reductions by several host threads would have to be atomic between them.
  op.ordered = true;
  return buildOperands(builder, op, runStore,
                       {.destination = Space::Global, .source = Space::Shared, .hasPolicy = match.has(0)},
                       reductionOf(match));
}

// cp.async.bulk.prefetch.L2.global[.L2::cache_hint] [address], size{, policy}
Result<void> buildPrefetch(Builder &builder, const Match &match, Op &op) {
  size_t count = match.has(0) ? 3 : 2;
  if (Result<void> counted = builder.expectOperands(count, count); !counted)
    return counted;
  ReduceOperands operands;
  Result<AddressSlot> address = addressSlot(builder, 0, Space::Global);
  if (!address)
    return address.error();
  const Operand &size = builder.operand(1);
  if (size.kind == Operand::Kind::Integer && size.value % kBulkAlign != 0)
    return builder.error("has a size in multiples of 16 bytes", std::to_string(size.value));
  Result<Slot> bytes = builder.source(1, Type::B32);
  if (!bytes)
    return bytes.error();
  operands.source = *address;
  operands.bytes = *bytes;
  op.run = runPrefetch;
  builder.setExtra(op, operands);
  return checkPolicy(builder, match.has(0));
}

Result<void> buildCommit(Builder &builder, const Match &, Op &op) {
  op.run = runCommit;
  return builder.expectOperands(0, 0);
}

// cp.async.bulk.wait_group[.read] N
Result<void> buildWaitGroup(Builder &builder, const Match &match, Op &op) {
  if (Result<void> counted = builder.expectOperands(1, 1); !counted)
    return counted;
  Result<int64_t> left = builder.constant(0);
  if (!left)
    return left.error();
  if (*left < 0 || *left > std::numeric_limits<int32_t>::max())
    return builder.error("waits for all but a number of groups from 0 on", std::to_string(*left));
  op.detail = static_cast<uint32_t>(*left);
  op.variant = match.has(0) ? 1 : 0;
  op.run = runWaitGroup;
  return {};
}

// Reductions that each pair of spaces has: PTX ISA, cp.reduce.async.bulk, as ptxas 13.0 takes them.
constexpr auto kAsync = OpClass::Async;
#define TO_BLOCK "cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes"
#define TO_GLOBAL "cp.reduce.async.bulk.global.shared::cta.bulk_group[.L2::cache_hint]"
constexpr Form kForms[] = {
    {"cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes[.L2::cache_hint]", Feature::Base, 86, kAsync,
     buildLoad},
    {"cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes[.multicast::cluster][.L2::cache_hint]",
     Feature::Base, 80, kAsync, buildClusterLoad},
    {"cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes", Feature::Base, 80, kAsync, buildToBlock},
    {"cp.async.bulk.global.shared::cta.bulk_group[.L2::cache_hint]", Feature::Base, 80, kAsync, buildStore},
    {"cp.async.bulk.global.shared::cta.bulk_group[.L2::cache_hint].cp_mask", Feature::Sm100, 86, kAsync,
     buildMaskedStore},
    {TO_BLOCK ".(and|or|xor).(b32)", Feature::Base, 80, kAsync, buildReduceToBlock},
    {TO_BLOCK ".(add).(u32|s32|u64)", Feature::Base, 80, kAsync, buildReduceToBlock},
    {TO_BLOCK ".(inc|dec).(u32)", Feature::Base, 80, kAsync, buildReduceToBlock},
    {TO_BLOCK ".(min|max).(u32|s32)", Feature::Base, 80, kAsync, buildReduceToBlock},
    {TO_GLOBAL ".(and|or|xor).(b32|b64)", Feature::Base, 80, kAsync, buildReduceToGlobal},
    {TO_GLOBAL ".(add).(u32|s32|u64|f32|f64)", Feature::Base, 80, kAsync, buildReduceToGlobal},
    {TO_GLOBAL ".(add).noftz.(f16|bf16)", Feature::Base, 80, kAsync, buildReduceToGlobal},
    {TO_GLOBAL ".(inc|dec).(u32)", Feature::Base, 80, kAsync, buildReduceToGlobal},
    {TO_GLOBAL ".(min|max).(u32|s32|u64|s64|f16|bf16)", Feature::Base, 80, kAsync, buildReduceToGlobal},
    {"cp.async.bulk.prefetch.L2.global[.L2::cache_hint]", Feature::Base, 80, kAsync, buildPrefetch},
    {"cp.async.bulk.commit_group", Feature::Base, 80, kAsync, buildCommit},
    {"cp.async.bulk.wait_group[.read]", Feature::Base, 80, OpClass::Barrier, buildWaitGroup},
};
#undef TO_BLOCK
#undef TO_GLOBAL

} // namespace

std::span<const Form> bulkForms() { return kForms; }

} // namespace glm::ptx
