// PTX ISA, "tcgen05: Tensor Memory and register load/store instructions", "data movement instructions".
#include "runtime/ptx/matrix/TensorTransfer.h"

#include "runtime/ptx/matrix/Fragment.h"
#include "runtime/ptx/matrix/LaneAddress.h"
#include "runtime/ptx/matrix/SharedMatrix.h"
#include "runtime/ptx/matrix/TensorPair.h"
#include "runtime/ptx/matrix/Unpack.h"

#include <bit>
#include <charconv>

#include <fmt/format.h>

namespace glm::ptx {

namespace {

enum class Shape : uint8_t { L32x32b, L16x64b, L16x128b, L16x256b, L16x32bx2 };

struct Place {
  uint32_t row, column;
};

/// The cell of register `r` of a lane, relative to the address; `split` is what the second half of .16x32bx2 adds to the
/// column. PTX ISA, "Matrix fragments for shape ...".
Place placeOf(Shape shape, uint32_t lane, uint32_t r, uint32_t split) {
  switch (shape) {
  case Shape::L32x32b:
    return {lane, r};
  case Shape::L16x64b:
    return {lane / 4 + 8 * (lane % 2), lane / 2 % 2 + 2 * r};
  case Shape::L16x128b:
    return {lane / 4 + 8 * (r % 2), lane % 4 + 4 * (r / 2)};
  case Shape::L16x256b:
    return {lane / 4 + 8 * (r / 2 % 2), r % 2 + 2 * (lane % 4) + 8 * (r / 4)};
  case Shape::L16x32bx2:
    return {lane % 16, r + (lane < 16 ? 0 : split)};
  }
  return {0, 0};
}

/// Slots: 0 the tensor address; registers in more.
struct TransferPlan {
  Shape shape = Shape::L32x32b;
  bool packs = false; ///< two columns of 16 bits to a register
  uint32_t registers = 0;
  uint32_t split = 0;
  // Of the whole transfer, in cells.
  uint32_t rows = 32, columns = 0;
};

const TransferPlan &planOf(const Op &op) { return *static_cast<const TransferPlan *>(op.extra); }

TensorQueue &queueOf(Warp &warp) { return matrixState(*warp.block).tensors[warp.index]; }

/// Visit the cells of a transfer: visit(register, lane, cell's lane, cell's column).
template <typename Visit>
void forEachCell(const TransferPlan &plan, TensorAddress at, Visit visit) {
  for (uint32_t r = 0; r < plan.registers; ++r)
    for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
      Place place = placeOf(plan.shape, lane, r, plan.split);
      visit(r, lane, at.lane + place.row, at.column + place.column * (plan.packs ? 2 : 1));
    }
}

/// The address, which all lanes share, checked.
std::optional<uint32_t> addressOf(Warp &warp, const Op &op) {
  const TransferPlan &plan = planOf(op);
  const uint32_t *lanes = warp.read<uint32_t>(op.slots[0]);
  for (uint32_t lane = 1; lane < kWarpSize; ++lane)
    if (lanes[lane] != lanes[0]) {
      warp.fault(op, static_cast<int>(lane), LaunchFault::Kind::LaunchFailed,
                 fmt::format("the tensor address must be the same in all lanes, but found {:#x} and {:#x}", lanes[0],
                             lanes[lane]));
      return std::nullopt;
    }
  TensorAddress at = TensorAddress::of(lanes[0]);
  uint32_t first = warp.index % 4 * 32;
  if (at.lane < first || at.lane + plan.rows > first + 32) {
    fail(warp, op,
         fmt::format("warp {} must touch lanes {} to {} of tensor memory, but found {} lanes from {}", warp.index,
                     first, first + 31, plan.rows, at.lane));
    return std::nullopt;
  }
  if (std::optional<std::string> problem = matrixState(*warp.block).tensor.check(at, plan.rows, plan.columns)) {
    fail(warp, op, "the transfer " + *problem);
    return std::nullopt;
  }
  return lanes[0];
}

Outcome runLoad(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  const TransferPlan &plan = planOf(op);
  std::optional<uint32_t> address = addressOf(warp, op);
  if (!address)
    return Outcome::Fault;
  if (warp.checks) {
    TensorMemory &tensor = matrixState(*warp.block).tensor;
    std::optional<TensorAddress> unknown;
    forEachCell(plan, TensorAddress::of(*address), [&](uint32_t, uint32_t, uint32_t lane, uint32_t column) {
      if (!unknown && tensor.unknown(lane, column, 1))
        unknown = TensorAddress{lane, column};
    });
    if (unknown)
      return fail(warp, op,
                  "tcgen05.ld must read what was written, but found " + unknown->describe() + " never written");
  }
  for (uint32_t r = 0; r < plan.registers; ++r)
    if (op.more[r] != kNoSlot)
      std::fill_n(warp.write<uint32_t>(op.more[r]), kWarpSize, kPoison);
  queueOf(warp).loads.push_back({&op, frameOffset(warp), *address, {}, definedOffset(warp)});
  return Outcome::Next;
}

Outcome runStore(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  const TransferPlan &plan = planOf(op);
  std::optional<uint32_t> address = addressOf(warp, op);
  if (!address)
    return Outcome::Fault;
  TensorTransfer transfer{&op, frameOffset(warp), *address, {}, 0};
  transfer.values.resize(static_cast<size_t>(plan.registers) * kWarpSize);
  for (uint32_t r = 0; r < plan.registers; ++r)
    std::memcpy(transfer.values.data() + r * kWarpSize, warp.read<uint32_t>(op.more[r]), kCoreBytes);
  queueOf(warp).stores.push_back(std::move(transfer));
  return Outcome::Next;
}

bool finishLoad(Warp &warp, const TensorTransfer &transfer) {
  const Op &op = *transfer.op;
  const TransferPlan &plan = planOf(op);
  FrameScope scope(warp, transfer.frame);
  for (uint32_t r = 0; r < plan.registers; ++r)
    for (uint32_t lane = 0; op.more[r] != kNoSlot && lane < kWarpSize; ++lane)
      if (warp.read<uint32_t>(op.more[r])[lane] != kPoison) {
        warp.fault(op, static_cast<int>(lane), LaunchFault::Kind::LaunchFailed,
                   fmt::format("register {} of tcgen05.ld must not be touched before tcgen05.wait::ld, but found it "
                               "written",
                               r));
        return false;
      }
  TensorMemory &tensor = matrixState(*warp.block).tensor;
  forEachCell(plan, TensorAddress::of(transfer.address), [&](uint32_t r, uint32_t lane, uint32_t row, uint32_t column) {
    if (op.more[r] == kNoSlot)
      return;
    uint32_t value = *tensor.cell(row, column);
    if (plan.packs)
      value = (value & 0xffff) | *tensor.cell(row, column + 1) << 16;
    warp.write<uint32_t>(op.more[r])[lane] = value;
  });
  defineLate(warp, op, transfer.defined);
  return true;
}

void finishStore(Warp &warp, const TensorTransfer &transfer) {
  const TransferPlan &plan = planOf(*transfer.op);
  TensorMemory &tensor = matrixState(*warp.block).tensor;
  forEachCell(plan, TensorAddress::of(transfer.address), [&](uint32_t r, uint32_t lane, uint32_t row, uint32_t column) {
    uint32_t value = transfer.values[r * kWarpSize + lane];
    *tensor.cell(row, column) = plan.packs ? value & 0xffff : value;
    if (plan.packs)
      *tensor.cell(row, column + 1) = value >> 16;
    tensor.setKnown(row, column, plan.packs ? 2 : 1);
  });
}

Outcome runWaitLoad(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  for (const TensorTransfer &transfer : std::exchange(queueOf(warp).loads, {}))
    if (!finishLoad(warp, transfer))
      return Outcome::Fault;
  return Outcome::Next;
}

Outcome runWaitStore(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  for (const TensorTransfer &transfer : std::exchange(queueOf(warp).stores, {}))
    finishStore(warp, transfer);
  return Outcome::Next;
}

/// .cp: rows of shared memory to lanes.
struct CopyPlan {
  uint32_t rows = 0, chunks = 0; ///< of 16 bytes
  Packing packing = Packing::None;
  int ctaGroup = 1;
  /// The lanes of a row: the first, and how many copies how far apart.
  uint32_t (*laneOf)(uint32_t row) = nullptr;
  uint32_t copies = 1, apart = 0;
};

uint32_t sameLane(uint32_t row) { return row; }
uint32_t quarterLane(uint32_t row) { return row * 32; }              ///< .4x256b
uint32_t halfLane(uint32_t row) { return row / 32 * 64 + row % 32; } ///< .warpx2::01_23

std::optional<LaunchFault> runCopyWork(Block &block, Block &issuer, uint32_t warp, const Op &op, TensorAddress at,
                                       const SharedMatrix &matrix) {
  const CopyPlan &plan = *static_cast<const CopyPlan *>(op.extra);
  TensorMemory &tensor = matrixState(block).tensor;
  uint32_t lanes = plan.laneOf(plan.rows - 1) + 1 + (plan.copies - 1) * plan.apart;
  if (std::optional<std::string> problem = tensor.check(at, lanes, plan.chunks * 4))
    return tensorFault(issuer, warp, op, LaunchFault::Kind::LaunchFailed, "tcgen05.cp " + *problem);
  for (uint32_t row = 0; row < plan.rows; ++row)
    for (uint32_t chunk = 0; chunk < plan.chunks; ++chunk) {
      uint32_t address = matrix.kMajor(row, chunk);
      if (address + 16 > block.shared.size())
        return tensorFault(issuer, warp, op, LaunchFault::Kind::IllegalAddress,
                           fmt::format("tcgen05.cp must read shared memory of {} bytes, but its descriptor leads to {}",
                                       block.shared.size(), address));
      std::byte bytes[16];
      unpackRow(plan.packing, 2, block.shared.data() + address, bytes);
      for (uint32_t copy = 0; copy < plan.copies; ++copy) {
        uint32_t lane = at.lane + plan.laneOf(row) + copy * plan.apart;
        std::memcpy(tensor.cell(lane, at.column + chunk * 4), bytes, 16);
        tensor.setKnown(lane, at.column + chunk * 4, 4);
      }
    }
  return std::nullopt;
}

Outcome runCopy(Warp &warp, const Op &op, LaneMask lanes) {
  const CopyPlan &plan = *static_cast<const CopyPlan *>(op.extra);
  std::optional<std::string> problem;
  std::vector<Block *> blocks = tensorBlocks(*warp.block, plan.ctaGroup, problem);
  if (problem)
    return fail(warp, op, *problem);
  for (; lanes; lanes &= lanes - 1) {
    int lane = std::countr_zero(lanes);
    TensorAddress at = TensorAddress::of(warp.read<uint32_t>(op.slots[0])[lane]);
    SharedMatrix matrix;
    problem = decodeTcgen05Descriptor(warp.read<uint64_t>(op.slots[1])[lane], matrix);
    if (problem)
      return fail(warp, op, *problem);
    std::vector<SharedRange> ranges =
        rangesOf(matrix, {.rowBlocks = (plan.rows + kCoreRows - 1) / kCoreRows, .kBlocks = plan.chunks});
    for (Block *block : blocks) {
      if (!startTensorReading(warp, op, *block, ranges))
        return Outcome::Fault;
      Block &issuer = *warp.block;
      enqueue(warp, op, [block, &issuer, index = warp.index, &op, at, matrix] {
        return runCopyWork(*block, issuer, index, op, at, matrix);
      });
    }
  }
  return Outcome::Next;
}

/// .shift.down: of 32 lanes and 8 columns, each row but the last moves to the next lane.
Outcome runShift(Warp &warp, const Op &op, LaneMask lanes) {
  std::optional<std::string> problem;
  std::vector<Block *> blocks = tensorBlocks(*warp.block, op.variant, problem);
  if (problem)
    return fail(warp, op, *problem);
  for (; lanes; lanes &= lanes - 1) {
    TensorAddress at = TensorAddress::of(warp.read<uint32_t>(op.slots[0])[std::countr_zero(lanes)]);
    if (at.lane % 32 != 0)
      return fail(warp, op, fmt::format("the lane of tcgen05.shift must be a multiple of 32, but found {}", at.lane));
    for (Block *block : blocks) {
      Block &issuer = *warp.block;
      enqueue(warp, op, [block, &issuer, index = warp.index, &op, at]() -> std::optional<LaunchFault> {
        TensorMemory &tensor = matrixState(*block).tensor;
        if (std::optional<std::string> wrong = tensor.check(at, 32, 8))
          return tensorFault(issuer, index, op, LaunchFault::Kind::LaunchFailed, "tcgen05.shift " + *wrong);
        for (uint32_t row = 31; row > 0; --row) {
          std::memcpy(tensor.cell(at.lane + row, at.column), tensor.cell(at.lane + row - 1, at.column), 32);
          tensor.setKnown(at.lane + row, at.column, 8);
        }
        return std::nullopt;
      });
    }
  }
  return Outcome::Next;
}

uint32_t numberOf(std::string_view word) {
  uint32_t number = 0;
  std::from_chars(word.data() + 1, word.data() + word.size(), number);
  return number;
}

Result<void> buildTransfer(Builder &builder, Shape shape, uint32_t repeats, bool packs, bool isLoad, Op &op) {
  size_t operands = shape == Shape::L16x32bx2 ? 3 : 2;
  if (Result<void> counted = builder.expectOperands(operands, operands); !counted)
    return counted;
  TransferPlan plan;
  plan.shape = shape;
  plan.packs = packs;
  uint32_t each = shape == Shape::L16x128b ? 2 : shape == Shape::L16x256b ? 4 : 1;
  plan.registers = repeats * each;
  plan.rows = shape == Shape::L32x32b ? 32 : 16;
  uint32_t width = shape == Shape::L16x64b ? 2 : shape == Shape::L16x128b ? 4 : shape == Shape::L16x256b ? 8 : 1;
  if (shape == Shape::L16x32bx2) {
    Result<int64_t> split = builder.constant(isLoad ? 2 : 1);
    if (!split)
      return split.error();
    if (*split < 0 || *split >= kTensorColumns)
      return builder.error("the split must be 0 to 511 columns", fmt::format("{}", *split));
    plan.split = static_cast<uint32_t>(*split);
  }
  plan.columns = (width * repeats + plan.split) * (packs ? 2 : 1);
  std::vector<Slot> slots;
  size_t vector = isLoad ? 0 : operands - 1;
  Result<void> fragment =
      isLoad ? fragmentDestinations(builder, vector, Type::B32, static_cast<int>(plan.registers), slots)
             : fragmentSources(builder, vector, Type::B32, static_cast<int>(plan.registers), slots);
  if (!fragment)
    return fragment;
  if (Result<void> done = setTensorAddress(builder, isLoad ? 1 : 0, op, 0); !done)
    return done;
  op.run = isLoad ? runLoad : runStore;
  op.late = isLoad;
  builder.setMore(op, slots);
  builder.setExtra(op, plan);
  return {};
}

Shape shapeNamed(std::string_view word) {
  return word == "32x32b"    ? Shape::L32x32b
         : word == "16x64b"  ? Shape::L16x64b
         : word == "16x128b" ? Shape::L16x128b
         : word == "16x256b" ? Shape::L16x256b
                             : Shape::L16x32bx2;
}

// Places: shape, count, pack.
Result<void> buildLoad(Builder &builder, const Match &match, Op &op) {
  return buildTransfer(builder, shapeNamed(match.words[0]), numberOf(match.words[1]), match.has(2), true, op);
}
Result<void> buildStore(Builder &builder, const Match &match, Op &op) {
  return buildTransfer(builder, shapeNamed(match.words[0]), numberOf(match.words[1]), match.has(2), false, op);
}

Result<void> buildWait(Builder &builder, const Match &match, Op &op) {
  op.run = match.words[0] == "wait::ld" ? runWaitLoad : runWaitStore;
  return builder.expectOperands(0, 0);
}

Result<void> buildCopy(Builder &builder, std::string_view group, std::string_view shape, std::string_view multicast,
                       std::string_view format, Op &op) {
  if (Result<void> counted = builder.expectOperands(2, 2); !counted)
    return counted;
  CopyPlan plan;
  plan.ctaGroup = group.back() - '0';
  plan.chunks = shape.ends_with("256b") ? 2 : 1;
  std::from_chars(shape.data(), shape.data() + shape.size(), plan.rows);
  plan.laneOf = shape == "4x256b" ? quarterLane : multicast == "warpx2::01_23" ? halfLane : sameLane;
  if (multicast == "warpx4") {
    plan.copies = 4;
    plan.apart = 32;
  } else if (!multicast.empty()) {
    plan.copies = 2;
    plan.apart = multicast == "warpx2::01_23" ? 32 : 64;
  }
  plan.packing = packingOf(format);
  if (Result<void> done = setTensorAddress(builder, 0, op, 0); !done)
    return done;
  Result<Slot> descriptor = builder.source(1, Type::B64);
  if (!descriptor)
    return descriptor.error();
  op.slots[1] = *descriptor;
  op.run = runCopy;
  builder.setExtra(op, plan);
  return {};
}

// Places: cta_group, shape, then multicast and source format as the row has them.
Result<void> buildCopyPlain(Builder &builder, const Match &match, Op &op) {
  return buildCopy(builder, match.words[0], match.words[1], "", "", op);
}
Result<void> buildCopyUnpacked(Builder &builder, const Match &match, Op &op) {
  return buildCopy(builder, match.words[0], match.words[1], "", match.words[2], op);
}
Result<void> buildCopyMulticast(Builder &builder, const Match &match, Op &op) {
  return buildCopy(builder, match.words[0], match.words[1], match.words[2], "", op);
}
Result<void> buildCopyMulticastUnpacked(Builder &builder, const Match &match, Op &op) {
  return buildCopy(builder, match.words[0], match.words[1], match.words[2], match.words[3], op);
}

Result<void> buildShift(Builder &builder, const Match &match, Op &op) {
  if (Result<void> counted = builder.expectOperands(1, 1); !counted)
    return counted;
  op.run = runShift;
  op.variant = match.words[0].back() - '0';
  return setTensorAddress(builder, 0, op, 0);
}

#define GLM_CTA_GROUP "(cta_group::1|cta_group::2)"
#define GLM_FORMATS ".b8x16.(b6x16_p32|b4x16_p64)"
constexpr Form kForms[] = {
    {"tcgen05.ld.sync.aligned.(32x32b|16x64b|16x32bx2).(x1|x2|x4|x8|x16|x32|x64|x128)[.pack::16b].b32",
     Feature::Tcgen05, 86, OpClass::Load, buildLoad},
    {"tcgen05.ld.sync.aligned.(16x128b).(x1|x2|x4|x8|x16|x32|x64)[.pack::16b].b32", Feature::Tcgen05, 86, OpClass::Load,
     buildLoad},
    {"tcgen05.ld.sync.aligned.(16x256b).(x1|x2|x4|x8|x16|x32)[.pack::16b].b32", Feature::Tcgen05, 86, OpClass::Load,
     buildLoad},
    {"tcgen05.st.sync.aligned.(32x32b|16x64b|16x32bx2).(x1|x2|x4|x8|x16|x32|x64|x128)[.unpack::16b].b32",
     Feature::Tcgen05, 86, OpClass::Store, buildStore},
    {"tcgen05.st.sync.aligned.(16x128b).(x1|x2|x4|x8|x16|x32|x64)[.unpack::16b].b32", Feature::Tcgen05, 86,
     OpClass::Store, buildStore},
    {"tcgen05.st.sync.aligned.(16x256b).(x1|x2|x4|x8|x16|x32)[.unpack::16b].b32", Feature::Tcgen05, 86, OpClass::Store,
     buildStore},
    {"tcgen05.(wait::ld|wait::st).sync.aligned", Feature::Tcgen05, 86, OpClass::Barrier, buildWait},
    {"tcgen05.cp." GLM_CTA_GROUP ".(128x256b|4x256b|128x128b)", Feature::Tcgen05, 86, OpClass::Async, buildCopyPlain},
    {"tcgen05.cp." GLM_CTA_GROUP ".(64x128b).(warpx2::02_13|warpx2::01_23)", Feature::Tcgen05, 86, OpClass::Async,
     buildCopyMulticast},
    {"tcgen05.cp." GLM_CTA_GROUP ".(32x128b).(warpx4)", Feature::Tcgen05, 86, OpClass::Async, buildCopyMulticast},
    {"tcgen05.cp." GLM_CTA_GROUP ".(128x256b|4x256b|128x128b)" GLM_FORMATS, Feature::Tcgen05, 86, OpClass::Async,
     buildCopyUnpacked},
    {"tcgen05.cp." GLM_CTA_GROUP ".(64x128b).(warpx2::02_13|warpx2::01_23)" GLM_FORMATS, Feature::Tcgen05, 86,
     OpClass::Async, buildCopyMulticastUnpacked},
    {"tcgen05.cp." GLM_CTA_GROUP ".(32x128b).(warpx4)" GLM_FORMATS, Feature::Tcgen05, 86, OpClass::Async,
     buildCopyMulticastUnpacked},
    {"tcgen05.shift." GLM_CTA_GROUP ".down", Feature::Tcgen05Exact, 86, OpClass::Async, buildShift},
};
#undef GLM_CTA_GROUP
#undef GLM_FORMATS

} // namespace

std::span<const Form> tensorTransferForms() { return kForms; }

} // namespace glm::ptx
