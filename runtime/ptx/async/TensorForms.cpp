// cp.async.bulk.tensor, cp.reduce.async.bulk.tensor and cp.async.bulk.prefetch.tensor: PTX ISA, "Data Movement and
// Conversion Instructions: Tensor copy".
//
// The map is read when the instruction is issued, the data when the copy is done.
#include "runtime/ptx/async/BulkCopies.h"
#include "runtime/ptx/async/Forms.h"
#include "runtime/ptx/async/Reduction.h"
#include "runtime/ptx/async/TensorBox.h"
#include "runtime/ptx/machine/GuestMemory.h"

#include <cstring>
#include <fmt/format.h>

namespace glm::ptx {

namespace {

constexpr uint32_t kBoxAlign = 128; ///< of a box in shared memory

struct TensorOperands {
  AddressSlot box{}, map{}, barrier{};
  std::array<Slot, kMaxTensorRank> coordinates{};
  uint32_t coordinateCount = 0;
  uint32_t rank = 0;
  BoxMode mode = BoxMode::Tile;
  Slot blockMask = kNoSlot;
  bool pairs = false;
  std::optional<ReductionOp> reduction{};
};

const TensorOperands &operandsOf(const Op &op) { return *static_cast<const TensorOperands *>(op.extra); }

/// A map and the place of the copy in it, checked.
struct Selection {
  TensorMap map;
  BoxMode mode = BoxMode::Tile;
  BoxCoordinates coordinates{};

  uint32_t rows() const { return rowCount(map, mode); }
  BoxRow row(uint32_t index) const { return boxRow(map, mode, coordinates, index); }
};

std::nullopt_t refuseMap(Warp &warp, const Op &op, int lane, uint64_t address, const std::string &problem,
                         LaunchFault::Kind kind = LaunchFault::Kind::LaunchFailed) {
  warp.fault(op, lane, kind, fmt::format("tensor map at {:#x} {}", address, problem));
  return std::nullopt;
}

std::optional<Selection> select(Warp &warp, const Op &op, int lane, uint64_t address, BoxDirection direction) {
  const TensorOperands &operands = operandsOf(op);
  if ((address & kWindowMask) == kSharedWindow)
    return refuseMap(warp, op, lane, address,
                     "must lie in global memory, constants or parameters, but found shared memory");
  const std::byte *bytes = touch(warp, op, lane, Space::Generic, address, kTensorMapBytes, kTensorMapAlign, {});
  if (!bytes)
    return std::nullopt;
  Result<TensorMap> map = decodeTensorMap(std::span<const std::byte, kTensorMapBytes>(bytes, kTensorMapBytes));
  if (!map)
    return refuseMap(warp, op, lane, address, map.error().message);
  Selection selection{*map, operands.mode};
  for (uint32_t i = 0; i < operands.coordinateCount; ++i)
    selection.coordinates[i] = warp.read<int32_t>(operands.coordinates[i])[lane];
  if (auto checked = checkBox(*map, operands.mode, direction, operands.rank, selection.coordinates); !checked)
    return refuseMap(warp, op, lane, address, checked.error().message, LaunchFault::Kind::IllegalInstruction);
  return selection;
}

/// The pieces of a box that starts at `address` of its block's shared memory, relative to it: neighbours are joined.
std::vector<SharedRange> rangesOf(const Selection &selection, uint32_t address) {
  const TensorMap &map = selection.map;
  if (map.sharedPitch() == map.sharedRowBytes())
    return {{0, static_cast<uint32_t>(sharedBytes(map, selection.mode))}};
  std::vector<SharedRange> ranges;
  for (uint32_t index = 0; index < selection.rows(); ++index)
    forEachPiece(map.swizzle, address + index * map.sharedPitch(), map.sharedRowBytes(),
                 [&](uint32_t place, uint32_t, uint32_t bytes) {
                   uint32_t offset = place - address;
                   if (!ranges.empty() && ranges.back().offset + ranges.back().bytes == offset)
                     ranges.back().bytes += bytes;
                   else
                     ranges.push_back({offset, bytes});
                 });
  return ranges;
}

/// Bytes of one row's elements that lie within the tensor. Null without a fault if there are none.
std::byte *touchRow(Block &block, uint32_t warp, const Op &op, const Selection &selection, const BoxRow &row,
                    bool writes, std::optional<LaunchFault> &fault) {
  uint64_t bytes = globalBytes(selection.map, row);
  if (bytes == 0)
    return nullptr;
  return touchAsync(block, warp, op, Space::Global, row.address, bytes, 1, {.writes = writes, .async = true}, fault);
}

struct TensorLoad {
  IncomingCopy copy;
  Selection selection;

  std::optional<LaunchFault> operator()();
};

std::optional<LaunchFault> TensorLoad::operator()() {
  const TensorMap &map = selection.map;
  std::vector<std::byte> expanded(map.sharedRowBytes());
  for (uint32_t index = 0; index < selection.rows(); ++index) {
    BoxRow row = selection.row(index);
    std::optional<LaunchFault> fault;
    const std::byte *global = touchRow(*copy.issuer, copy.warp, *copy.op, selection, row, false, fault);
    if (fault)
      return fault;
    expandRow(map, row, global, expanded.data());
    for (const CopyTarget &target : copy.targets) {
      std::byte *shared = target.place.block->shared.data();
      forEachPiece(map.swizzle, target.place.offset + row.shared, map.sharedRowBytes(),
                   [&](uint32_t place, uint32_t offset, uint32_t bytes) {
                     std::memcpy(shared + place, expanded.data() + offset, bytes);
                   });
    }
  }
  return copy.finish();
}

// [box in shared memory], [map, {coordinates}], [mbarrier]{, block mask}{, policy}
Outcome runLoad(Warp &warp, const Op &op, LaneMask lanes) {
  const TensorOperands &operands = operandsOf(op);
  LaneAddresses boxes = operands.box.read(warp), maps = operands.map.read(warp), barriers = operands.barrier.read(warp);
  const auto *masks = operands.blockMask == kNoSlot ? nullptr : warp.read<uint16_t>(operands.blockMask);
  bool fine = forEachLane(lanes, [&](int lane) {
    std::optional<Selection> selection = select(warp, op, lane, maps[lane], BoxDirection::Load);
    if (!selection)
      return false;
    auto load = std::make_shared<TensorLoad>();
    load->selection = *selection;
    load->copy = {
        warp.block, warp.index, &op, {}, static_cast<uint32_t>(transactionBytes(selection->map, selection->mode))};
    load->copy.targets =
        copyTargets(warp, op, lane, static_cast<uint32_t>(boxes[lane]), static_cast<uint32_t>(barriers[lane]),
                    masks ? std::optional(masks[lane]) : std::nullopt, operands.pairs,
                    sharedBytes(selection->map, selection->mode), kBoxAlign);
    if (load->copy.targets.empty())
      return false;
    uint32_t offset = load->copy.targets[0].place.offset;
    if (!launchTargets(warp, op, load->copy.targets, rangesOf(*selection, offset)))
      return false;
    enqueue(warp, op, [load] { return (*load)(); });
    return true;
  });
  return fine ? Outcome::Next : Outcome::Fault;
}

struct TensorStore {
  Block *block = nullptr;
  uint32_t warp = 0;
  const Op *op = nullptr;
  Selection selection;
  uint32_t address = 0; ///< offset of the box within the block's shared memory
  uint64_t flight = 0;
  Reduce reduce = nullptr;
  std::vector<std::byte> rows; ///< of sharedRowBytes() each, without swizzle

  void read();
  std::optional<LaunchFault> write();
};

void TensorStore::read() {
  const TensorMap &map = selection.map;
  const std::byte *shared = block->shared.data();
  uint32_t rowBytes = map.sharedRowBytes();
  rows.resize(size_t{rowBytes} * selection.rows());
  for (uint32_t index = 0; index < selection.rows(); ++index)
    forEachPiece(map.swizzle, address + index * map.sharedPitch(), rowBytes,
                 [&](uint32_t place, uint32_t offset, uint32_t bytes) {
                   std::memcpy(rows.data() + size_t{rowBytes} * index + offset, shared + place, bytes);
                 });
  if (flight)
    landed(*block, flight, bulkToken(*block, warp));
}

std::optional<LaunchFault> TensorStore::write() {
  const TensorMap &map = selection.map;
  std::vector<std::byte> compressed(map.globalRowBytes());
  for (uint32_t index = 0; index < selection.rows(); ++index) {
    BoxRow row = storedRow(map, selection.row(index));
    std::optional<LaunchFault> fault;
    std::byte *global = touchRow(*block, warp, *op, selection, row, true, fault);
    if (fault)
      return fault;
    if (!global)
      continue;
    compressRow(map, row, rows.data() + size_t{map.sharedRowBytes()} * index, compressed.data());
    if (reduce)
      reduce(global, compressed.data(), globalBytes(map, row));
    else
      copyPlain(global, compressed.data(), globalBytes(map, row));
  }
  return std::nullopt;
}

std::optional<ReductionType> reductionTypeOf(TensorType type) {
  switch (type) {
  case TensorType::U32:
    return ReductionType::U32;
  case TensorType::S32:
    return ReductionType::S32;
  case TensorType::U64:
    return ReductionType::U64;
  case TensorType::S64:
    return ReductionType::S64;
  case TensorType::F16:
    return ReductionType::F16;
  case TensorType::BF16:
    return ReductionType::BF16;
  case TensorType::F32:
    return ReductionType::F32;
  case TensorType::F32Ftz:
    return ReductionType::F32Ftz;
  case TensorType::F64:
    return ReductionType::F64;
  default:
    return std::nullopt;
  }
}

/// The reduction of the instruction on the map's elements. False after a fault; plain copies keep null.
bool findReduction(Warp &warp, const Op &op, int lane, TensorType type, Reduce &reduce) {
  std::optional<ReductionOp> wanted = operandsOf(op).reduction;
  if (!wanted)
    return true;
  std::optional<ReductionType> reductionType = reductionTypeOf(type);
  reduce = reductionType ? reductionOf(*wanted, *reductionType) : nullptr;
  return reduce || refuse(warp, op, lane,
                          fmt::format("tensor must have elements that .{} is defined for, but found {}",
                                      nameOf(*wanted), nameOf(type)));
}

bool checkStore(Warp &warp, const Op &op, int lane, const TensorMap &map) {
  // cuda.h, cuTensorMapEncodeTiled: 16U4_ALIGN16B can only be loaded.
  return map.type != TensorType::U4Align16 ||
         refuse(warp, op, lane, "tensor must have a type that can be stored, but found 16U4_ALIGN16B");
}

// [map, {coordinates}], [box in shared memory]{, policy}
Outcome runStore(Warp &warp, const Op &op, LaneMask lanes) {
  const TensorOperands &operands = operandsOf(op);
  LaneAddresses boxes = operands.box.read(warp), maps = operands.map.read(warp);
  Block &block = *warp.block;
  bool fine = forEachLane(lanes, [&](int lane) {
    std::optional<Selection> selection = select(warp, op, lane, maps[lane], BoxDirection::Store);
    if (!selection || !checkStore(warp, op, lane, selection->map))
      return false;
    auto store = std::make_shared<TensorStore>();
    if (!findReduction(warp, op, lane, selection->map.type, store->reduce))
      return false;
    auto address = static_cast<uint32_t>(boxes[lane]);
    if (address >> kRankShift != block.rank)
      return refuse(warp, op, lane,
                    fmt::format("source must lie in the thread's own block, but found address {:#x}", address));
    std::optional<LaunchFault> fault;
    if (!touchAsync(block, warp.index, op, Space::Shared, address, sharedBytes(selection->map, selection->mode),
                    kBoxAlign, {.async = true}, fault))
      return failWith(warp, std::move(fault));
    store->block = &block;
    store->warp = warp.index;
    store->op = &op;
    store->selection = *selection;
    store->address = address & kSharedOffsetMask;
    if (warp.checks) {
      std::vector<SharedRange> ranges = rangesOf(*selection, store->address);
      for (SharedRange &range : ranges)
        range.offset += store->address;
      store->flight = inFlight(block, ranges, false, warp, op, fault);
      if (fault)
        return failWith(warp, std::move(fault));
    }
    auto copy = std::make_shared<OutgoingCopy>();
    copy->read = [store]() -> std::optional<LaunchFault> {
      store->read();
      return std::nullopt;
    };
    copy->write = [store] { return store->write(); };
    addToGroup(warp, op, lane, std::move(copy));
    return true;
  });
  return fine ? Outcome::Next : Outcome::Fault;
}

// [map, {coordinates}]{, policy}: the checks of a load, without its effect.
Outcome runPrefetch(Warp &warp, const Op &op, LaneMask lanes) {
  LaneAddresses maps = operandsOf(op).map.read(warp);
  bool fine =
      forEachLane(lanes, [&](int lane) { return select(warp, op, lane, maps[lane], BoxDirection::Load).has_value(); });
  return fine ? Outcome::Next : Outcome::Fault;
}

/// "3d" is 3.
uint32_t rankOf(std::string_view word) { return static_cast<uint32_t>(word[0] - '0'); }

/// [map, {coordinates}] at operand `index`: as many coordinates as dimensions, or five for four rows.
Result<void> fillMap(Builder &builder, size_t index, TensorOperands &operands) {
  Result<AddressOperand> address = builder.address(index);
  if (!address)
    return address.error();
  if (address->space == Space::Shared || address->space == Space::Local)
    return builder.error("takes a tensor map in global memory, constants or parameters", "another state space");
  size_t wanted = operands.mode == BoxMode::Rows4 ? 5 : operands.rank;
  if (address->coordinates.size() != wanted)
    return builder.error("takes " + std::to_string(wanted) + " coordinates",
                         std::to_string(address->coordinates.size()));
  // Parameters are named by their place in the parameter block.
  uint64_t window = address->space == Space::Param ? kParamWindow : 0;
  operands.map = {address->base, address->wide, true, static_cast<int64_t>(address->offset + window)};
  std::copy(address->coordinates.begin(), address->coordinates.end(), operands.coordinates.begin());
  operands.coordinateCount = static_cast<uint32_t>(wanted);
  return {};
}

Result<void> buildLoadWith(Builder &builder, Op &op, TensorOperands operands, bool hasMask, bool hasPolicy) {
  size_t count = 3 + size_t{hasMask} + size_t{hasPolicy};
  if (Result<void> counted = builder.expectOperands(count, count); !counted)
    return counted;
  Result<AddressSlot> box = addressSlot(builder, 0, Space::Shared);
  if (!box)
    return box.error();
  operands.box = *box;
  if (Result<void> filled = fillMap(builder, 1, operands); !filled)
    return filled;
  Result<AddressSlot> barrier = addressSlot(builder, 2, Space::Shared);
  if (!barrier)
    return barrier.error();
  operands.barrier = *barrier;
  if (hasMask) {
    Result<Slot> mask = builder.source(3, Type::B16);
    if (!mask)
      return mask.error();
    operands.blockMask = *mask;
  }
  op.run = runLoad;
  builder.setExtra(op, operands);
  return checkPolicy(builder, hasPolicy);
}

// cp.async.bulk.tensor.(Nd).shared::cta.global[.tile].mbarrier::complete_tx::bytes[.L2::cache_hint]
Result<void> buildLoad(Builder &builder, const Match &match, Op &op) {
  return buildLoadWith(builder, op, {.rank = rankOf(match.words[0])}, false, match.has(2));
}

// ... [.(cta_group::1|cta_group::2)][.L2::cache_hint]
Result<void> buildGroupLoad(Builder &builder, const Match &match, Op &op) {
  return buildLoadWith(builder, op, {.rank = rankOf(match.words[0]), .pairs = match.words[2] == "cta_group::2"}, false,
                       match.has(3));
}

// cp.async.bulk.tensor.(Nd).shared::cluster.global[.tile].mbarrier::complete_tx::bytes[.multicast::cluster][.L2::cache_hint]
Result<void> buildClusterLoad(Builder &builder, const Match &match, Op &op) {
  return buildLoadWith(builder, op, {.rank = rankOf(match.words[0])}, match.has(2), match.has(3));
}

// ... [.multicast::cluster].(cta_group::1|cta_group::2)[.L2::cache_hint]
Result<void> buildClusterGroupLoad(Builder &builder, const Match &match, Op &op) {
  return buildLoadWith(builder, op, {.rank = rankOf(match.words[0]), .pairs = match.words[3] == "cta_group::2"},
                       match.has(2), match.has(4));
}

// cp.async.bulk.tensor.(Nd).(cta_group).(space).global[.tile]...[.multicast::cluster][.L2::cache_hint]: the group first,
// as CUTLASS writes it
Result<void> buildGroupFirstLoad(Builder &builder, const Match &match, Op &op) {
  return buildLoadWith(builder, op, {.rank = rankOf(match.words[0]), .pairs = match.words[1] == "cta_group::2"},
                       match.has(4), match.has(5));
}

TensorOperands gather(std::string_view group = {}) {
  return {.rank = 2, .mode = BoxMode::Rows4, .pairs = group == "cta_group::2"};
}

// cp.async.bulk.tensor.2d.shared::cta.global.tile::gather4.mbarrier::complete_tx::bytes[.L2::cache_hint]
Result<void> buildGather(Builder &builder, const Match &match, Op &op) {
  return buildLoadWith(builder, op, gather(), false, match.has(0));
}

// ... .(cta_group)[.L2::cache_hint]
Result<void> buildGroupGather(Builder &builder, const Match &match, Op &op) {
  return buildLoadWith(builder, op, gather(match.words[0]), false, match.has(1));
}

// cp.async.bulk.tensor.2d.shared::cluster.global.tile::gather4...[.multicast::cluster][.(cta_group)][.L2::cache_hint]
Result<void> buildClusterGather(Builder &builder, const Match &match, Op &op) {
  return buildLoadWith(builder, op, gather(match.words[1]), match.has(0), match.has(2));
}

// cp.async.bulk.tensor.2d.(cta_group).(space).global.tile::gather4...[.multicast::cluster][.L2::cache_hint]
Result<void> buildGroupFirstGather(Builder &builder, const Match &match, Op &op) {
  return buildLoadWith(builder, op, gather(match.words[0]), match.has(2), match.has(3));
}

Result<void> buildStoreWith(Builder &builder, Op &op, TensorOperands operands, bool hasPolicy) {
  size_t count = 2 + size_t{hasPolicy};
  if (Result<void> counted = builder.expectOperands(count, count); !counted)
    return counted;
  if (Result<void> filled = fillMap(builder, 0, operands); !filled)
    return filled;
  Result<AddressSlot> box = addressSlot(builder, 1, Space::Shared);
  if (!box)
    return box.error();
  operands.box = *box;
  op.run = runStore;
  builder.setExtra(op, operands);
  return checkPolicy(builder, hasPolicy);
}

// cp.async.bulk.tensor.(Nd).global.shared::cta[.tile].bulk_group[.L2::cache_hint]
Result<void> buildStore(Builder &builder, const Match &match, Op &op) {
  return buildStoreWith(builder, op, {.rank = rankOf(match.words[0])}, match.has(2));
}

// cp.async.bulk.tensor.2d.global.shared::cta.tile::scatter4.bulk_group[.L2::cache_hint]
Result<void> buildScatter(Builder &builder, const Match &match, Op &op) {
  return buildStoreWith(builder, op, gather(), match.has(0));
}

// cp.reduce.async.bulk.tensor.(Nd).global.shared::cta.(op)[.tile].bulk_group[.L2::cache_hint]
Result<void> buildReduce(Builder &builder, const Match &match, Op &op) {
  op.ordered = true; // as other reductions to global memory: BulkForms.cpp
  return buildStoreWith(builder, op, {.rank = rankOf(match.words[0]), .reduction = reductionNamed(match.words[1])},
                        match.has(3));
}

Result<void> buildPrefetchWith(Builder &builder, Op &op, TensorOperands operands, bool hasPolicy) {
  size_t count = 1 + size_t{hasPolicy};
  if (Result<void> counted = builder.expectOperands(count, count); !counted)
    return counted;
  if (Result<void> filled = fillMap(builder, 0, operands); !filled)
    return filled;
  op.run = runPrefetch;
  builder.setExtra(op, operands);
  return checkPolicy(builder, hasPolicy);
}

// cp.async.bulk.prefetch.tensor.(Nd).L2.global[.tile][.L2::cache_hint]
Result<void> buildPrefetch(Builder &builder, const Match &match, Op &op) {
  return buildPrefetchWith(builder, op, {.rank = rankOf(match.words[0])}, match.has(2));
}

// cp.async.bulk.prefetch.tensor.2d.L2.global.tile::gather4[.L2::cache_hint]
Result<void> buildPrefetchGather(Builder &builder, const Match &match, Op &op) {
  return buildPrefetchWith(builder, op, gather(), match.has(0));
}

constexpr auto kAsync = OpClass::Async;
#define RANKS ".(1d|2d|3d|4d|5d)"
#define BARRIER ".mbarrier::complete_tx::bytes"
#define GROUPS ".(cta_group::1|cta_group::2)"
constexpr Form kForms[] = {
    {"cp.async.bulk.tensor" RANKS ".shared::cta.global[.tile]" BARRIER "[.L2::cache_hint]", Feature::Base, 86, kAsync,
     buildLoad},
    {"cp.async.bulk.tensor" RANKS ".shared::cta.global[.tile]" BARRIER GROUPS "[.L2::cache_hint]", Feature::Tcgen05, 86,
     kAsync, buildGroupLoad},
    {"cp.async.bulk.tensor" RANKS ".shared::cluster.global[.tile]" BARRIER "[.multicast::cluster][.L2::cache_hint]",
     Feature::Base, 80, kAsync, buildClusterLoad},
    {"cp.async.bulk.tensor" RANKS ".shared::cluster.global[.tile]" BARRIER "[.multicast::cluster]" GROUPS
     "[.L2::cache_hint]",
     Feature::Tcgen05, 86, kAsync, buildClusterGroupLoad},
    {"cp.async.bulk.tensor" RANKS GROUPS ".(shared::cta|shared::cluster).global[.tile]" BARRIER
     "[.multicast::cluster][.L2::cache_hint]",
     Feature::Tcgen05, 86, kAsync, buildGroupFirstLoad},
    {"cp.async.bulk.tensor.2d.shared::cta.global.tile::gather4" BARRIER "[.L2::cache_hint]", Feature::Sm100, 86, kAsync,
     buildGather},
    {"cp.async.bulk.tensor.2d.shared::cta.global.tile::gather4" BARRIER GROUPS "[.L2::cache_hint]", Feature::Tcgen05,
     86, kAsync, buildGroupGather},
    {"cp.async.bulk.tensor.2d.shared::cluster.global.tile::gather4" BARRIER
     "[.multicast::cluster][.(cta_group::1|cta_group::2)][.L2::cache_hint]",
     Feature::Tcgen05, 86, kAsync, buildClusterGather},
    {"cp.async.bulk.tensor.2d" GROUPS ".(shared::cta|shared::cluster).global.tile::gather4" BARRIER
     "[.multicast::cluster][.L2::cache_hint]",
     Feature::Tcgen05, 86, kAsync, buildGroupFirstGather},
    {"cp.async.bulk.tensor" RANKS ".global.shared::cta[.tile].bulk_group[.L2::cache_hint]", Feature::Base, 80, kAsync,
     buildStore},
    {"cp.async.bulk.tensor.2d.global.shared::cta.tile::scatter4.bulk_group[.L2::cache_hint]", Feature::Tcgen05, 86,
     kAsync, buildScatter},
    {"cp.reduce.async.bulk.tensor" RANKS
     ".global.shared::cta.(add|min|max|inc|dec|and|or|xor)[.tile].bulk_group[.L2::cache_hint]",
     Feature::Base, 80, kAsync, buildReduce},
    {"cp.async.bulk.prefetch.tensor" RANKS ".L2.global[.tile][.L2::cache_hint]", Feature::Base, 80, kAsync,
     buildPrefetch},
    {"cp.async.bulk.prefetch.tensor.2d.L2.global.tile::gather4[.L2::cache_hint]", Feature::Tcgen05, 86, kAsync,
     buildPrefetchGather},
};
#undef RANKS
#undef BARRIER
#undef GROUPS

} // namespace

std::span<const Form> tensorForms() { return kForms; }

} // namespace glm::ptx
