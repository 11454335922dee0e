// cp.async: copies of 4 to 16 bytes per lane from global to shared memory, in groups or watched by an mbarrier.
//
// Source: PTX ISA, "Data Movement and Conversion Instructions: Non-bulk copy". They belong to the generic proxy. A copy is
// done when its thread waits for its group, or when somebody waits for the mbarrier that watches it: not before.
#include "runtime/ptx/async/Addressing.h"
#include "runtime/ptx/async/Barriers.h"
#include "runtime/ptx/async/BlockState.h"
#include "runtime/ptx/async/Forms.h"
#include "runtime/ptx/machine/GuestMemory.h"

#include <cstring>
#include <fmt/format.h>
#include <limits>

namespace glm::ptx {

namespace {

struct CopyOperands {
  AddressSlot destination{}, source{};
  Slot sourceBytes = kNoSlot; ///< all, unless given
  Slot ignoreSource = kNoSlot;
};

/// Does what `due` lanes of a batch have asked for; the batch keeps the others.
void copyLanes(Block &block, CopyBatch &batch, LaneMask due) {
  forEachLane(due, [&](int lane) {
    std::byte *destination = block.shared.data() + batch.destination[lane];
    if (batch.sourceBytes[lane] != 0)
      copyPlain(destination, batch.source[lane], batch.sourceBytes[lane]);
    std::memset(destination + batch.sourceBytes[lane], 0, batch.bytes - batch.sourceBytes[lane]);
    return true;
  });
  batch.lanes &= ~due;
  ++block.grid->progress;
}

std::vector<SharedRange> rangesOf(const CopyBatch &batch, LaneMask lanes) {
  std::vector<SharedRange> ranges;
  forEachLane(lanes, [&](int lane) {
    uint32_t begin = batch.destination[lane];
    if (!ranges.empty() && ranges.back().offset + ranges.back().bytes == begin)
      ranges.back().bytes += batch.bytes;
    else
      ranges.push_back({begin, batch.bytes});
    return true;
  });
  return ranges;
}

/// Lets the race check know what is under way: all lanes of a new batch, those that a partial wait left behind of an old one.
std::optional<LaunchFault> relaunch(Warp &warp, CopyBatch &batch) {
  std::optional<LaunchFault> fault;
  if (batch.lanes)
    batch.flight = inFlight(*warp.block, rangesOf(batch, batch.lanes), true, warp, *batch.op, fault);
  return fault;
}

bool keepFault(Warp &warp, std::optional<LaunchFault> fault) {
  if (!fault)
    return true;
  warp.block->grid->fault = std::move(fault);
  return false;
}

/// The copies of `due` lanes become writes of the warp that waits for them.
bool completeForWarp(Warp &warp, CopyBatch &batch, LaneMask due) {
  Block &block = *warp.block;
  copyLanes(block, batch, due);
  if (!warp.checks)
    return true;
  uint64_t token = copyToken(block, warp.index);
  landed(block, batch.flight, token);
  acquire(warp, token);
  LaneAddresses addresses;
  std::byte *host[kWarpSize];
  for (uint32_t lane = 0; lane < kWarpSize; ++lane)
    addresses[lane] = SharedPlace{&block, batch.destination[lane]}.address();
  if (!touchLanes(warp, *batch.op, due, Space::Shared, addresses.data(), batch.bytes, 1, {.writes = true}, host))
    return false;
  return keepFault(warp, relaunch(warp, batch));
}

void dropFinished(WarpCopies &copies) {
  while (!copies.batches.empty() && !copies.batches.front().lanes)
    copies.batches.pop_front();
}

/// Complete all but the `left` youngest groups of each lane.
Outcome waitForGroups(Warp &warp, LaneMask lanes, uint32_t left) {
  WarpCopies &copies = copiesOf(*warp.block, warp.index);
  for (uint64_t token : copies.landedTokens)
    acquire(warp, token);
  copies.landedTokens.clear();
  for (CopyBatch &batch : copies.batches) {
    LaneMask due = 0;
    forEachLane(batch.lanes & lanes, [&](int lane) {
      bool isDue = uint64_t{batch.group[lane]} + left < copies.committed[lane];
      due |= isDue ? LaneMask{1} << lane : 0;
      return true;
    });
    if (due && !completeForWarp(warp, batch, due))
      return Outcome::Fault;
  }
  dropFinished(copies);
  return Outcome::Next;
}

void commit(Warp &warp, LaneMask lanes) {
  WarpCopies &copies = copiesOf(*warp.block, warp.index);
  forEachLane(lanes, [&](int lane) {
    ++copies.committed[lane];
    return true;
  });
}

/// Bytes that each lane reads: checks src-size, and that what is read is there.
bool findSources(Warp &warp, const Op &op, LaneMask lanes, CopyBatch &batch) {
  const auto &operands = *static_cast<const CopyOperands *>(op.extra);
  LaneAddresses addresses = operands.source.read(warp);
  const auto *sizes = operands.sourceBytes == kNoSlot ? nullptr : warp.read<uint32_t>(operands.sourceBytes);
  LaneMask ignored = operands.ignoreSource == kNoSlot ? 0 : warp.predicate(operands.ignoreSource);
  LaneMask whole = 0;
  bool fine = forEachLane(lanes, [&](int lane) {
    uint32_t size = ignored >> lane & 1 ? 0 : sizes ? sizes[lane] : batch.bytes;
    if (size > batch.bytes) {
      warp.fault(
          op, lane, LaunchFault::Kind::LaunchFailed,
          fmt::format("cp.async must read at most the {} bytes that it writes, but found {}", batch.bytes, size));
      return false;
    }
    batch.sourceBytes[lane] = static_cast<uint8_t>(size);
    if (size == batch.bytes) {
      whole |= LaneMask{1} << lane;
      return true;
    }
    if (size == 0)
      return true;
    batch.source[lane] = touch(warp, op, lane, Space::Global, addresses[lane], size, 1, {});
    return batch.source[lane] != nullptr;
  });
  if (!fine)
    return false;
  std::byte *host[kWarpSize];
  if (whole && !touchLanes(warp, op, whole, Space::Global, addresses.data(), batch.bytes, batch.bytes, {}, host))
    return false;
  return forEachLane(whole, [&](int lane) {
    batch.source[lane] = host[lane];
    return true;
  });
}

bool findDestinations(Warp &warp, const Op &op, LaneMask lanes, CopyBatch &batch) {
  const auto &operands = *static_cast<const CopyOperands *>(op.extra);
  LaneAddresses addresses = operands.destination.read(warp);
  Block &block = *warp.block;
  return forEachLane(lanes, [&](int lane) {
    std::optional<LaunchFault> fault;
    const std::byte *bytes = touchAsync(block, warp.index, op, Space::Shared, addresses[lane], batch.bytes, batch.bytes,
                                        {.writes = true}, fault);
    if (bytes && blockOf(*block.cluster, static_cast<uint32_t>(addresses[lane])) != &block) {
      warp.fault(
          op, lane, LaunchFault::Kind::IllegalAddress,
          fmt::format("cp.async must write shared memory of its own block, but found address {:#x}", addresses[lane]));
      return false;
    }
    batch.destination[lane] = static_cast<uint32_t>(addresses[lane]) & kSharedOffsetMask;
    return keepFault(warp, std::move(fault));
  });
}

Outcome runCopy(Warp &warp, const Op &op, LaneMask lanes) {
  WarpCopies &copies = copiesOf(*warp.block, warp.index);
  CopyBatch batch;
  batch.op = &op;
  batch.number = copies.issued++;
  batch.lanes = lanes;
  batch.bytes = op.detail;
  batch.group = copies.committed;
  if (!findSources(warp, op, lanes, batch) || !findDestinations(warp, op, lanes, batch))
    return Outcome::Fault;
  if (warp.checks && !keepFault(warp, relaunch(warp, batch)))
    return Outcome::Fault;
  copies.batches.push_back(batch);
  return Outcome::Next;
}

Outcome runCommit(Warp &warp, const Op &, LaneMask lanes) {
  commit(warp, lanes);
  return Outcome::Next;
}

Outcome runWaitGroup(Warp &warp, const Op &op, LaneMask lanes) { return waitForGroups(warp, lanes, op.detail); }

Outcome runWaitAll(Warp &warp, const Op &, LaneMask lanes) {
  commit(warp, lanes);
  return waitForGroups(warp, lanes, 0);
}

/// One arrival of each lane on its mbarrier, once the copies that it issued before are done.
struct WatchedCopies {
  Block *block;
  uint32_t warp;
  const Op *op;
  LaneMask lanes;
  std::array<uint32_t, kWarpSize> barriers; ///< shared addresses
  uint64_t before;                          ///< batches with lower numbers are watched
  ClockPair clocks;

  std::optional<LaunchFault> operator()();
};

std::optional<LaunchFault> WatchedCopies::operator()() {
  WarpCopies &copies = copiesOf(*block, warp);
  uint64_t token = barrierToken(*block->cluster, barriers[std::countr_zero(lanes)]);
  Warp &issuer = block->warps[warp];
  for (CopyBatch &batch : copies.batches) {
    LaneMask due = batch.number < before ? batch.lanes & lanes : 0;
    if (!due)
      continue;
    copyLanes(*block, batch, due);
    if (!issuer.checks)
      continue;
    landed(*block, batch.flight, token);
    if (std::optional<LaunchFault> fault = relaunch(issuer, batch))
      return fault;
  }
  copies.landedTokens.push_back(token);
  dropFinished(copies);
  std::optional<LaunchFault> fault;
  forEachLane(lanes, [&](int lane) {
    releaseTo(*block->cluster, barrierToken(*block->cluster, barriers[lane]), clocks);
    fault = arriveAt(*block, warp, *op, barriers[lane], 1);
    return !fault;
  });
  return fault;
}

Outcome runWatch(Warp &warp, const Op &op, LaneMask lanes) {
  const auto &address = *static_cast<const AddressSlot *>(op.extra);
  LaneAddresses addresses = address.read(warp);
  WarpCopies &copies = copiesOf(*warp.block, warp.index);
  WatchedCopies watched{warp.block, warp.index, &op, lanes, {}, copies.issued, snapshot(warp)};
  bool addsPending = op.variant != 0;
  bool fine = forEachLane(lanes, [&](int lane) {
    std::optional<uint32_t> barrier = sharedAddress(warp, op, lane, address.generic, addresses[lane]);
    if (!barrier)
      return false;
    watched.barriers[lane] = *barrier;
    return changeBarrier(warp, op, lane, *barrier, [&](Mbarrier &state) -> Mbarrier::Problem {
      return addsPending ? state.addPending() : std::nullopt;
    });
  });
  if (!fine)
    return Outcome::Fault;
  enqueue(warp, op, watched);
  return Outcome::Next;
}

// cp.async.(ca|cg).(shared|shared::cta).global[.L2::cache_hint][.L2::64B|128B|256B]
//   [dst], [src], cp-size{, src-size | ignore-src}{, cache-policy}
Result<void> buildCopy(Builder &builder, const Match &match, Op &op) {
  bool hasPolicy = match.has(2);
  size_t least = 3 + (hasPolicy ? 1 : 0);
  if (Result<void> counted = builder.expectOperands(least, least + 1); !counted)
    return counted;
  CopyOperands operands;
  Result<AddressSlot> destination = addressSlot(builder, 0, Space::Shared);
  if (!destination)
    return destination.error();
  Result<AddressSlot> source = addressSlot(builder, 1, Space::Global);
  if (!source)
    return source.error();
  Result<int64_t> size = builder.constant(2);
  if (!size)
    return size.error();
  bool isWhole = match.words[0] == "cg";
  if (isWhole ? *size != 16 : *size != 4 && *size != 8 && *size != 16)
    return builder.error(isWhole ? "copies 16 bytes" : "copies 4, 8 or 16 bytes", std::to_string(*size));
  if (builder.operandCount() > least) {
    const Operand &fourth = builder.operand(3);
    bool isPredicate = fourth.kind == Operand::Kind::Register && builder.registerType(fourth) == Type::Pred;
    Result<Slot> slot = builder.source(3, isPredicate ? Type::Pred : Type::B32);
    if (!slot)
      return slot.error();
    (isPredicate ? operands.ignoreSource : operands.sourceBytes) = *slot;
  }
  if (hasPolicy)
    if (Result<Slot> policy = builder.source(builder.operandCount() - 1, Type::B64); !policy)
      return policy.error();
  operands.destination = *destination;
  operands.source = *source;
  op.detail = static_cast<uint32_t>(*size);
  op.run = runCopy;
  builder.setExtra(op, operands);
  return {};
}

Result<void> buildCommit(Builder &builder, const Match &, Op &op) {
  op.run = runCommit;
  return builder.expectOperands(0, 0);
}

Result<void> buildWaitGroup(Builder &builder, const Match &, Op &op) {
  if (Result<void> counted = builder.expectOperands(1, 1); !counted)
    return counted;
  Result<int64_t> left = builder.constant(0);
  if (!left)
    return left.error();
  if (*left < 0 || *left > std::numeric_limits<int32_t>::max())
    return builder.error("waits for all but a number of groups from 0 on", std::to_string(*left));
  op.detail = static_cast<uint32_t>(*left);
  op.run = runWaitGroup;
  return {};
}

Result<void> buildWaitAll(Builder &builder, const Match &, Op &op) {
  op.run = runWaitAll;
  return builder.expectOperands(0, 0);
}

// cp.async.mbarrier.arrive[.noinc][.space].b64 [addr]
Result<void> buildWatch(Builder &builder, const Match &match, Op &op) {
  if (Result<void> counted = builder.expectOperands(1, 1); !counted)
    return counted;
  Result<AddressSlot> address = addressSlot(builder, 0, sharedOr(match.words[1]));
  if (!address)
    return address.error();
  op.variant = match.has(0) ? 0 : 1;
  op.run = runWatch;
  builder.setExtra(op, *address);
  return {};
}

constexpr Form kForms[] = {
    {"cp.async.(ca|cg).(shared|shared::cta).global[.L2::cache_hint][.(L2::64B|L2::128B|L2::256B)]", Feature::Base, 70,
     OpClass::Async, buildCopy},
    {"cp.async.commit_group", Feature::Base, 70, OpClass::Async, buildCommit},
    {"cp.async.wait_group", Feature::Base, 70, OpClass::Barrier, buildWaitGroup},
    {"cp.async.wait_all", Feature::Base, 70, OpClass::Barrier, buildWaitAll},
    {"cp.async.mbarrier.arrive[.noinc][.(shared|shared::cta)].b64", Feature::Base, 70, OpClass::Async, buildWatch},
};

} // namespace

std::span<const Form> copyForms() { return kForms; }

} // namespace glm::ptx
