// PTX ISA, "Warp-level Matrix Instructions: wmma". How elements are spread over the registers is left open there; here a
// fragment is core matrices as in mma.sync, k blocks outermost, whatever the layout in memory. Where an operand has more
// registers than the matrix fills (f16, which some chips hold twice), the rest are copies.
#include "runtime/ptx/matrix/Wmma.h"

#include "runtime/ptx/machine/Access.h"
#include "runtime/ptx/machine/GuestMemory.h"
#include "runtime/ptx/matrix/Fragment.h"
#include "runtime/ptx/matrix/LaneAddress.h"
#include "runtime/ptx/matrix/Mma.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

namespace glm::ptx {

namespace {

// Slots of loads and stores: 0 the address, 1 the stride (or none), registers in more.

/// A matrix in memory: `runs` runs of contiguous elements.
struct Memory {
  Space space = Space::Generic;
  bool isColumns = false; ///< a run is a column
  int rows = 0, columns = 0;
  int bits = 0; ///< of an element

  int runs() const { return isColumns ? columns : rows; }
  int runLength() const { return isColumns ? rows : columns; }
  uint32_t runBytes() const { return static_cast<uint32_t>(runLength() * bits / 8); }
};

struct FragmentPlan {
  Memory memory;
  Type type = Type::F32;
  bool isAccumulator = false;
  bool isB = false; ///< the fragment holds columns of B as rows
};

/// What all lanes of a warp must agree on.
std::optional<uint64_t> uniformAddress(Warp &warp, const Op &op) {
  uint64_t first = laneAddress(warp, op, 0);
  for (int lane = 1; lane < static_cast<int>(kWarpSize); ++lane)
    if (uint64_t other = laneAddress(warp, op, lane); other != first) {
      warp.fault(
          op, lane, LaunchFault::Kind::LaunchFailed,
          fmt::format("the matrix's address must be the same in all lanes, but found {:#x} and {:#x}", first, other));
      return std::nullopt;
    }
  return first;
}

/// Bytes from one run to the next.
uint64_t strideBytes(const Warp &warp, const Op &op, const Memory &memory) {
  uint64_t elements =
      op.slots[1] == kNoSlot ? static_cast<uint64_t>(memory.runLength()) : warp.read<uint32_t>(op.slots[1])[0];
  return elements * static_cast<uint64_t>(memory.bits) / 8;
}

/// Visit every run's bytes: visit(run, host address).
template <typename Visit>
bool forEachRun(Warp &warp, const Op &op, const Memory &memory, Touch how, Visit visit) {
  std::optional<uint64_t> address = uniformAddress(warp, op);
  if (!address)
    return false;
  uint64_t stride = strideBytes(warp, op, memory);
  uint32_t align = std::max(1, memory.bits / 8);
  for (int run = 0; run < memory.runs(); ++run) {
    std::byte *bytes = touch(warp, op, run % static_cast<int>(kWarpSize), memory.space,
                             *address + static_cast<uint64_t>(run) * stride, memory.runBytes(), align, how);
    if (!bytes)
      return false;
    visit(run, bytes);
  }
  return true;
}

/// Where the element of (row, k) lies in the register of its core matrix: the register and the byte.
struct FragmentPlace {
  int slot, byte;
};

FragmentPlace multiplicandPlace(const FragmentPlan &plan, int row, int k) {
  int perRow = plan.memory.bits == 64 ? 4 : 128 / plan.memory.bits;
  int rowBlocks = (plan.isB ? plan.memory.columns : plan.memory.rows) / kCoreRows;
  return {k / perRow * rowBlocks + row / kCoreRows, (row % kCoreRows * perRow + k % perRow) * plan.memory.bits / 8};
}

FragmentPlace accumulatorPlace(const FragmentPlan &plan, int row, int column) {
  int mBlocks = plan.memory.rows / kCoreRows;
  int block = column / kCoreRows * mBlocks + row / kCoreRows;
  int lane = row % kCoreRows * 4 + column % kCoreRows / 2;
  int bytes = plan.memory.bits / 8;
  if (plan.type == Type::F16)
    return {block, lane * 4 + column % 2 * 2};
  return {2 * block + column % 2, lane * bytes};
}

FragmentPlace placeOf(const FragmentPlan &plan, int row, int column) {
  if (plan.isAccumulator)
    return accumulatorPlace(plan, row, column);
  return plan.isB ? multiplicandPlace(plan, column, row) : multiplicandPlace(plan, row, column);
}

/// A register as bytes: 32 lanes of 4, or of 8 for f64.
using RegisterBytes = std::array<std::byte, 256>;

/// Elements of less than a byte only come with k along the runs: so many bytes are moved at once.
int elementsPerMove(const Memory &memory) { return memory.bits < 8 ? 128 / memory.bits : 1; }

Outcome runLoad(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  const FragmentPlan &plan = *static_cast<const FragmentPlan *>(op.extra);
  const Memory &memory = plan.memory;
  std::array<RegisterBytes, 8> registers;
  int step = elementsPerMove(memory), used = 0;
  size_t moved = static_cast<size_t>(step * memory.bits / 8);
  bool loaded = forEachRun(warp, op, memory, {}, [&](int run, const std::byte *bytes) {
    for (int i = 0; i < memory.runLength(); i += step) {
      FragmentPlace place = memory.isColumns ? placeOf(plan, i, run) : placeOf(plan, run, i);
      copyPlain(registers[static_cast<size_t>(place.slot)].data() + place.byte,
                bytes + static_cast<size_t>(i / step) * moved, moved);
      used = std::max(used, place.slot + 1);
    }
  });
  if (!loaded)
    return Outcome::Fault;
  size_t bytes = kWarpSize * (memory.bits == 64 ? 8 : 4);
  for (int i = 0; i < op.moreCount; ++i)
    if (op.more[i] != kNoSlot)
      std::memcpy(warp.write<std::byte>(op.more[i]), registers[static_cast<size_t>(i % used)].data(), bytes);
  return Outcome::Next;
}

Outcome runStore(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  const FragmentPlan &plan = *static_cast<const FragmentPlan *>(op.extra);
  const Memory &memory = plan.memory;
  size_t element = static_cast<size_t>(memory.bits) / 8;
  bool stored = forEachRun(warp, op, memory, {.writes = true}, [&](int run, std::byte *bytes) {
    for (int i = 0; i < memory.runLength(); ++i) {
      FragmentPlace place = memory.isColumns ? placeOf(plan, i, run) : placeOf(plan, run, i);
      copyPlain(bytes + static_cast<size_t>(i) * element, registerBytes(warp, op.more[place.slot]) + place.byte,
                element);
    }
  });
  return stored ? Outcome::Next : Outcome::Fault;
}

Space spaceOf(std::string_view word) {
  if (word.starts_with("shared"))
    return Space::Shared;
  return word == "global" ? Space::Global : Space::Generic;
}

// Registers of an operand: f16 always has eight.
int multiplicandRegisters(Element element, int rows, int k) {
  return element == Element::F16 ? 8 : rows / kCoreRows * (k / elementsPerRow(element));
}

/// Places: a, b, c or d; layout; shape; layout if it was not before; space; type.
Result<void> buildTransfer(Builder &builder, const Match &match, Op &op, bool isLoad) {
  if (Result<void> counted = builder.expectOperands(2, 3); !counted)
    return counted;
  if (match.has(1) == match.has(3))
    return builder.error("must have one layout, .row or .col", match.has(1) ? "two" : "none");
  std::string_view layout = match.has(1) ? match.words[1] : match.words[3];
  std::string_view which = match.words[0];
  MatrixShape shape = shapeOf(match.words[2]);
  FragmentPlan plan;
  plan.type = match.type(5);
  plan.isAccumulator = which == "c" || which == "d";
  plan.isB = which == "b";
  Memory &memory = plan.memory;
  memory.space = spaceOf(match.words[4]);
  memory.isColumns = layout == "col";
  memory.rows = plan.isB ? shape.k : shape.m;
  memory.columns = which == "a" ? shape.k : shape.n;
  memory.bits = plan.isAccumulator ? static_cast<int>(bitsOf(plan.type)) : storageBits(elementOf(plan.type));
  if (memory.bits < 8 && memory.isColumns != plan.isB)
    return builder.error("must have k along its lines, .row for a and .col for b", layout);

  int registers = plan.isAccumulator
                      ? accumulatorRegisters(plan.type, shape.m / kCoreRows, shape.n / kCoreRows)
                      : multiplicandRegisters(elementOf(plan.type), plan.isB ? shape.n : shape.m, shape.k);
  Type held = plan.type == Type::F64 || (plan.isAccumulator && plan.type != Type::F16) ? plan.type : Type::B32;
  std::vector<Slot> slots;
  Result<void> fragment = isLoad ? fragmentDestinations(builder, 0, held, registers, slots)
                                 : fragmentSources(builder, 1, held, registers, slots);
  if (!fragment)
    return fragment;
  if (Result<void> done = setLaneAddress(builder, isLoad ? 1 : 0, memory.space == Space::Shared, op); !done)
    return done;
  if (builder.operandCount() == 3) {
    Result<Slot> stride = builder.source(2, Type::B32);
    if (!stride)
      return stride.error();
    op.slots[1] = *stride;
  }
  builder.setMore(op, slots);
  builder.setExtra(op, plan);
  op.run = isLoad ? runLoad : runStore;
  return {};
}

Result<void> buildLoad(Builder &builder, const Match &match, Op &op) { return buildTransfer(builder, match, op, true); }
Result<void> buildStore(Builder &builder, const Match &match, Op &op) {
  return buildTransfer(builder, match, op, false);
}

MmaSpec specOf(std::string_view shapeWord, Type multiplicand) {
  MmaSpec spec;
  spec.shape = shapeOf(shapeWord);
  spec.a = spec.b = elementOf(multiplicand);
  spec.registersA = multiplicandRegisters(spec.a, spec.shape.m, spec.shape.k);
  spec.registersB = multiplicandRegisters(spec.b, spec.shape.n, spec.shape.k);
  return spec;
}

// Places: layout of A, of B, shape, then as each says.

/// D, C.
Result<void> buildHalves(Builder &builder, const Match &match, Op &op) {
  MmaSpec spec = specOf(match.words[2], Type::F16);
  spec.typeD = match.type(3);
  spec.typeC = match.type(4);
  return buildMma(builder, spec, op);
}

/// Multiplicand.
Result<void> buildFloats(Builder &builder, const Match &match, Op &op) {
  return buildMma(builder, specOf(match.words[2], match.type(3)), op);
}

/// Rounding.
Result<void> buildDoubles(Builder &builder, const Match &match, Op &op) {
  MmaSpec spec = specOf(match.words[2], Type::F64);
  spec.typeD = spec.typeC = Type::F64;
  spec.rounding = roundingOf(match.words[3]);
  return buildMma(builder, spec, op);
}

/// A, B, satfinite.
Result<void> buildInts(Builder &builder, const Match &match, Op &op) {
  if (match.words[3] != match.words[4])
    return builder.error("must have the same type for a and b", match.words[4]);
  MmaSpec spec = specOf(match.words[2], match.type(3));
  spec.typeD = spec.typeC = Type::S32;
  spec.saturates = match.has(5);
  return buildMma(builder, spec, op);
}

/// Operation only.
Result<void> buildBits(Builder &builder, const Match &match, Op &op) {
  MmaSpec spec = specOf("m8n8k128", Type::B1);
  spec.typeD = spec.typeC = Type::S32;
  spec.isXor = match.words[0] == "xor";
  return buildMma(builder, spec, op);
}

#define GLM_WMMA_SPACE "[.(global|shared|shared::cta)]"
constexpr Form kForms[] = {
    {"wmma.load.(a|b).sync.aligned[.(row|col)].(m16n16k16|m32n8k16|m8n32k16)[.(row|col)]" GLM_WMMA_SPACE
     ".(f16|bf16|u8|s8)",
     Feature::Base, 60, OpClass::Load, buildLoad},
    {"wmma.load.(a|b).sync.aligned[.(row|col)].(m16n16k8)[.(row|col)]" GLM_WMMA_SPACE ".(tf32)", Feature::Base, 70,
     OpClass::Load, buildLoad},
    {"wmma.load.(a|b).sync.aligned[.(row|col)].(m8n8k4)[.(row|col)]" GLM_WMMA_SPACE ".(f64)", Feature::Base, 70,
     OpClass::Load, buildLoad},
    {"wmma.load.(a|b).sync.aligned[.(row|col)].(m8n8k32)[.(row|col)]" GLM_WMMA_SPACE ".(u4|s4)", Feature::Base, 63,
     OpClass::Load, buildLoad},
    {"wmma.load.(a|b).sync.aligned[.(row|col)].(m8n8k128)[.(row|col)]" GLM_WMMA_SPACE ".(b1)", Feature::Base, 63,
     OpClass::Load, buildLoad},
    {"wmma.load.(c).sync.aligned[.(row|col)].(m16n16k16|m32n8k16|m8n32k16)[.(row|col)]" GLM_WMMA_SPACE ".(f16|f32|s32)",
     Feature::Base, 60, OpClass::Load, buildLoad},
    {"wmma.load.(c).sync.aligned[.(row|col)].(m16n16k8)[.(row|col)]" GLM_WMMA_SPACE ".(f32)", Feature::Base, 70,
     OpClass::Load, buildLoad},
    {"wmma.load.(c).sync.aligned[.(row|col)].(m8n8k4)[.(row|col)]" GLM_WMMA_SPACE ".(f64)", Feature::Base, 70,
     OpClass::Load, buildLoad},
    {"wmma.load.(c).sync.aligned[.(row|col)].(m8n8k32|m8n8k128)[.(row|col)]" GLM_WMMA_SPACE ".(s32)", Feature::Base, 63,
     OpClass::Load, buildLoad},
    {"wmma.store.(d).sync.aligned[.(row|col)].(m16n16k16|m32n8k16|m8n32k16)[.(row|col)]" GLM_WMMA_SPACE
     ".(f16|f32|s32)",
     Feature::Base, 60, OpClass::Store, buildStore},
    {"wmma.store.(d).sync.aligned[.(row|col)].(m16n16k8)[.(row|col)]" GLM_WMMA_SPACE ".(f32)", Feature::Base, 70,
     OpClass::Store, buildStore},
    {"wmma.store.(d).sync.aligned[.(row|col)].(m8n8k4)[.(row|col)]" GLM_WMMA_SPACE ".(f64)", Feature::Base, 70,
     OpClass::Store, buildStore},
    {"wmma.store.(d).sync.aligned[.(row|col)].(m8n8k32|m8n8k128)[.(row|col)]" GLM_WMMA_SPACE ".(s32)", Feature::Base,
     63, OpClass::Store, buildStore},
    {"wmma.mma.sync.aligned.(row|col).(row|col).(m16n16k16|m32n8k16|m8n32k16).(f16|f32).(f16|f32)", Feature::Base, 60,
     OpClass::Matrix, buildHalves},
    {"wmma.mma.sync.aligned.(row|col).(row|col).(m16n16k16|m32n8k16|m8n32k16).f32.(bf16).bf16.f32", Feature::Base, 70,
     OpClass::Matrix, buildFloats},
    {"wmma.mma.sync.aligned.(row|col).(row|col).(m16n16k8).f32.(tf32).tf32.f32", Feature::Base, 70, OpClass::Matrix,
     buildFloats},
    {"wmma.mma.sync.aligned.(row|col).(row|col).(m8n8k4)[.(rn|rz|rm|rp)].f64.f64.f64.f64", Feature::Base, 70,
     OpClass::Matrix, buildDoubles},
    {"wmma.mma.sync.aligned.(row|col).(row|col).(m16n16k16|m32n8k16|m8n32k16).s32.(u8|s8).(u8|s8).s32[.satfinite]",
     Feature::Base, 63, OpClass::Matrix, buildInts},
    {"wmma.mma.sync.aligned.(row).(col).(m8n8k32).s32.(u4|s4).(u4|s4).s32[.satfinite]", Feature::Base, 63,
     OpClass::Matrix, buildInts},
    {"wmma.mma.(xor|and).popc.sync.aligned.row.col.m8n8k128.s32.b1.b1.s32", Feature::Base, 63, OpClass::Matrix,
     buildBits},
};
#undef GLM_WMMA_SPACE

} // namespace

std::span<const Form> wmmaForms() { return kForms; }

} // namespace glm::ptx
