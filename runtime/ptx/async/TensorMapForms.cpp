// tensormap.replace, tensormap.cp_fenceproxy and prefetch.tensormap: PTX ISA, "tensormap.replace" and "Parallel
// Synchronization and Communication Instructions: tensormap.cp_fenceproxy".
#include "runtime/ptx/async/BulkCopies.h"
#include "runtime/ptx/async/Forms.h"
#include "runtime/ptx/async/TensorMap.h"
#include "runtime/ptx/machine/GuestMemory.h"

#include <fmt/format.h>

namespace glm::ptx {

namespace {

struct ReplaceOperands {
  AddressSlot map{};
  TensorField field = TensorField::GlobalAddress;
  uint32_t ordinal = 0;
  Slot value = kNoSlot;
  bool wide = false; ///< the value has 64 bits
};

/// The 128 bytes of the map at `address`, to be changed. Null after a fault.
std::byte *mapBytes(Warp &warp, const Op &op, int lane, Space space, uint64_t address, bool writes) {
  return touch(warp, op, lane, space, address, kTensorMapBytes, kTensorMapAlign, {.writes = writes});
}

Outcome runReplace(Warp &warp, const Op &op, LaneMask lanes) {
  const auto &operands = *static_cast<const ReplaceOperands *>(op.extra);
  LaneAddresses addresses = operands.map.read(warp);
  const auto *wide = warp.read<uint64_t>(operands.value);
  const auto *narrow = warp.read<uint32_t>(operands.value);
  auto space = static_cast<Space>(op.variant);
  bool fine = forEachLane(lanes, [&](int lane) {
    const std::byte *old = mapBytes(warp, op, lane, space, addresses[lane], false);
    std::byte *bytes = old ? mapBytes(warp, op, lane, space, addresses[lane], true) : nullptr;
    if (!bytes)
      return false;
    Result<void> replaced = replaceField(std::span<std::byte, kTensorMapBytes>(bytes, kTensorMapBytes), operands.field,
                                         operands.ordinal, operands.wide ? wide[lane] : narrow[lane]);
    return replaced ||
           refuse(warp, op, lane, fmt::format("tensor map at {:#x} {}", addresses[lane], replaced.error().message));
  });
  return fine ? Outcome::Next : Outcome::Fault;
}

struct CopyMapOperands {
  AddressSlot destination{}, source{};
};

// One copy for the whole warp, whose lanes all give the same addresses.
Outcome runCopyMap(Warp &warp, const Op &op, LaneMask lanes) {
  const auto &operands = *static_cast<const CopyMapOperands *>(op.extra);
  LaneAddresses destinations = operands.destination.read(warp), sources = operands.source.read(warp);
  int first = std::countr_zero(lanes);
  bool same = forEachLane(lanes, [&](int lane) {
    return (destinations[lane] == destinations[first] && sources[lane] == sources[first]) ||
           refuse(warp, op, lane,
                  fmt::format(
                      "tensormap.cp_fenceproxy must have the same addresses in all lanes, but found {:#x} and {:#x}",
                      destinations[first], destinations[lane]));
  });
  if (!same)
    return Outcome::Fault;
  const std::byte *source = mapBytes(warp, op, first, Space::Shared, sources[first], false);
  std::byte *destination = source ? mapBytes(warp, op, first, Space::Global, destinations[first], true) : nullptr;
  if (!destination)
    return Outcome::Fault;
  copyPlain(destination, source, kTensorMapBytes);
  return Outcome::Next;
}

Outcome runPrefetchMap(Warp &warp, const Op &op, LaneMask lanes) {
  const auto &map = *static_cast<const AddressSlot *>(op.extra);
  LaneAddresses addresses = map.read(warp);
  bool fine = forEachLane(
      lanes, [&](int lane) { return mapBytes(warp, op, lane, Space::Generic, addresses[lane], false) != nullptr; });
  return fine ? Outcome::Next : Outcome::Fault;
}

Space spaceNamed(std::string_view word) {
  return word.empty() ? Space::Generic : word == "global" ? Space::Global : Space::Shared;
}

Result<void> buildReplaceOf(Builder &builder, Op &op, std::string_view spaceWord, TensorField field, bool hasOrdinal,
                            bool wide, bool constantOnly) {
  size_t count = hasOrdinal ? 3 : 2;
  if (Result<void> counted = builder.expectOperands(count, count); !counted)
    return counted;
  ReplaceOperands operands{.field = field, .wide = wide};
  Space space = spaceNamed(spaceWord);
  Result<AddressSlot> map = addressSlot(builder, 0, space);
  if (!map)
    return map.error();
  operands.map = *map;
  if (hasOrdinal) {
    Result<int64_t> ordinal = builder.constant(1);
    if (!ordinal)
      return ordinal.error();
    bool isStride = field == TensorField::GlobalStride;
    if (*ordinal < 0 || *ordinal >= int64_t{kMaxTensorRank} - (isStride ? 1 : 0))
      return builder.error("names a dimension of at most five", std::to_string(*ordinal));
    operands.ordinal = static_cast<uint32_t>(*ordinal);
  }
  if (constantOnly) {
    Result<int64_t> value = builder.constant(count - 1);
    if (!value)
      return value.error();
    bool isPacked = field == TensorField::ElemType && *value > 12;
    if (isPacked && !builder.chip().has(Feature::NarrowConvert))
      return builder.error("has element types up to 12 on " + std::string(builder.chip().name), std::to_string(*value));
  }
  Result<Slot> value = builder.source(count - 1, wide ? Type::B64 : Type::B32);
  if (!value)
    return value.error();
  operands.value = *value;
  op.variant = static_cast<uint16_t>(space);
  op.run = runReplace;
  builder.setExtra(op, operands);
  return {};
}

// tensormap.replace.tile.global_address[.space].b1024.b64 [map], value
Result<void> buildReplaceAddress(Builder &builder, const Match &match, Op &op) {
  return buildReplaceOf(builder, op, match.words[0], TensorField::GlobalAddress, false, true, false);
}

// tensormap.replace.tile.rank[.space].b1024.b32 [map], value
Result<void> buildReplaceRank(Builder &builder, const Match &match, Op &op) {
  return buildReplaceOf(builder, op, match.words[0], TensorField::Rank, false, false, false);
}

// tensormap.replace.tile.(box_dim|global_dim|element_stride)[.space].b1024.b32 [map], ordinal, value
Result<void> buildReplaceDimension(Builder &builder, const Match &match, Op &op) {
  std::string_view word = match.words[0];
  TensorField field = word == "box_dim"      ? TensorField::BoxDim
                      : word == "global_dim" ? TensorField::GlobalDim
                                             : TensorField::ElementStride;
  return buildReplaceOf(builder, op, match.words[1], field, true, false, false);
}

// tensormap.replace.tile.global_stride[.space].b1024.b64 [map], ordinal, value
Result<void> buildReplaceStride(Builder &builder, const Match &match, Op &op) {
  return buildReplaceOf(builder, op, match.words[0], TensorField::GlobalStride, true, true, false);
}

// tensormap.replace.tile.(elemtype|interleave_layout|swizzle_mode|fill_mode)[.space].b1024.b32 [map], constant
Result<void> buildReplaceMode(Builder &builder, const Match &match, Op &op) {
  std::string_view word = match.words[0];
  TensorField field = word == "elemtype"            ? TensorField::ElemType
                      : word == "interleave_layout" ? TensorField::InterleaveLayout
                      : word == "swizzle_mode"      ? TensorField::SwizzleMode
                                                    : TensorField::FillMode;
  return buildReplaceOf(builder, op, match.words[1], field, false, false, true);
}

// tensormap.replace.tile.swizzle_atomicity[.space].b1024.b32 [map], constant
Result<void> buildReplaceAtomicity(Builder &builder, const Match &match, Op &op) {
  return buildReplaceOf(builder, op, match.words[0], TensorField::SwizzleAtomicity, false, false, true);
}

// tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.(scope).sync.aligned [dst], [src], 128
Result<void> buildCopyMap(Builder &builder, const Match &, Op &op) {
  if (Result<void> counted = builder.expectOperands(3, 3); !counted)
    return counted;
  Result<AddressSlot> destination = addressSlot(builder, 0, Space::Global);
  if (!destination)
    return destination.error();
  Result<AddressSlot> source = addressSlot(builder, 1, Space::Shared);
  if (!source)
    return source.error();
  Result<int64_t> size = builder.constant(2);
  if (!size)
    return size.error();
  if (*size != kTensorMapBytes)
    return builder.error("copies 128 bytes", std::to_string(*size));
  op.run = runCopyMap;
  builder.setExtra(op, CopyMapOperands{*destination, *source});
  return {};
}

// prefetch[.(const|param)].tensormap [map]
Result<void> buildPrefetchMap(Builder &builder, const Match &, Op &op) {
  if (Result<void> counted = builder.expectOperands(1, 1); !counted)
    return counted;
  Result<AddressSlot> map = addressSlot(builder, 0, Space::Generic);
  if (!map)
    return map.error();
  op.run = runPrefetchMap;
  builder.setExtra(op, *map);
  return {};
}

constexpr auto kOther = OpClass::Other;
#define SPACE "[.(global|shared::cta)].b1024"
constexpr Form kForms[] = {
    {"tensormap.replace.tile.global_address" SPACE ".b64", Feature::Setmaxnreg, 83, kOther, buildReplaceAddress},
    {"tensormap.replace.tile.rank" SPACE ".b32", Feature::Setmaxnreg, 83, kOther, buildReplaceRank},
    {"tensormap.replace.tile.(box_dim|global_dim|element_stride)" SPACE ".b32", Feature::Setmaxnreg, 83, kOther,
     buildReplaceDimension},
    {"tensormap.replace.tile.global_stride" SPACE ".b64", Feature::Setmaxnreg, 83, kOther, buildReplaceStride},
    {"tensormap.replace.tile.(elemtype|interleave_layout|swizzle_mode|fill_mode)" SPACE ".b32", Feature::Setmaxnreg, 83,
     kOther, buildReplaceMode},
    {"tensormap.replace.tile.swizzle_atomicity" SPACE ".b32", Feature::NarrowConvert, 86, kOther,
     buildReplaceAtomicity},
    {"tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.(cta|cluster|gpu|sys).sync.aligned",
     Feature::Base, 83, kOther, buildCopyMap},
    {"prefetch[.(const|param)].tensormap", Feature::Base, 80, kOther, buildPrefetchMap},
};
#undef SPACE

} // namespace

std::span<const Form> tensorMapForms() { return kForms; }

} // namespace glm::ptx
