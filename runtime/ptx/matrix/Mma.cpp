// mma.sync on dense matrices. PTX ISA, "Warp-level Matrix Instructions: mma".
#include "runtime/ptx/matrix/Mma.h"

#include "runtime/ptx/matrix/Fragment.h"
#include "runtime/ptx/matrix/Shape.h"
#include "runtime/ptx/number/Double.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace glm::ptx {

namespace {

/// More than any form has: m16n8k64 of 4-bit elements, m16n8k16 of f64.
constexpr size_t kMostElementsOfA = 16 * 64, kMostElementsOfB = 8 * 64, kMostElementsOfD = 16 * 8;

/// What a handler needs to know; the slots are d, a, b, c in Op::more.
struct MmaPlan {
  DecodeFloats floatsOfA = nullptr, floatsOfB = nullptr;
  DecodeInts intsOfA = nullptr, intsOfB = nullptr;
  int mBlocks = 0, kBlocks = 0, perRow = 0;
  Type accumulator = Type::F32;
  bool saturates = false; ///< .satfinite
  bool isXor = false;     ///< b1: .xor.popc, else .and.popc
  Rounding rounding = Rounding::Nearest; ///< f64
  uint16_t firstA = 0, firstB = 0, firstC = 0; ///< in Op::more
};

const MmaPlan &planOf(const Op &op) { return *static_cast<const MmaPlan *>(op.extra); }

template <Type accumulator>
Outcome runFloats(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  const MmaPlan &plan = planOf(op);
  alignas(64) float a[kMostElementsOfA], b[kMostElementsOfB], transposed[kMostElementsOfB], d[kMostElementsOfD];
  loadBlocks(warp, op.more + plan.firstA, plan.mBlocks, plan.kBlocks, plan.perRow, plan.floatsOfA, a);
  loadBlocks(warp, op.more + plan.firstB, 1, plan.kBlocks, plan.perRow, plan.floatsOfB, b);
  transposeBlocks(transposed, b, static_cast<size_t>(plan.kBlocks), plan.perRow);
  loadFloatAccumulator(warp, accumulator, op.more + plan.firstC, plan.mBlocks, 1, d);
  multiplyAdd(d, a, transposed, plan.mBlocks, 1, plan.kBlocks, plan.perRow);
  storeFloatAccumulator(warp, accumulator, op.more, plan.mBlocks, 1, d);
  return Outcome::Next;
}

/// multiplyAdd with every addition rounded as asked.
void multiplyAddRounded(const MmaPlan &plan, const double *a, const double *b, double *d) {
  for (int m = 0; m < plan.mBlocks; ++m)
    for (int k = 0; k < plan.kBlocks * plan.perRow; ++k) {
      int block = k / plan.perRow, within = k % plan.perRow;
      const double *left = a + (m * plan.kBlocks + block) * kCoreRows * plan.perRow + within;
      const double *right = b + (block * plan.perRow + within) * kCoreRows;
      for (int row = 0; row < kCoreRows; ++row)
        for (int column = 0; column < kCoreRows; ++column) {
          double &sum = d[m * 64 + row * 8 + column];
          sum = fusedMultiplyAddDouble(left[row * plan.perRow], right[column], sum, plan.rounding);
        }
    }
}

Outcome runDoubles(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  const MmaPlan &plan = planOf(op);
  alignas(64) double a[16 * 16], b[8 * 16], transposed[8 * 16], d[kMostElementsOfD];
  auto copy = [](const std::byte *source, size_t count, double *values) { std::memcpy(values, source, count * 8); };
  loadBlocks(warp, op.more + plan.firstA, plan.mBlocks, plan.kBlocks, plan.perRow, copy, a);
  loadBlocks(warp, op.more + plan.firstB, 1, plan.kBlocks, plan.perRow, copy, b);
  transposeBlocks(transposed, b, static_cast<size_t>(plan.kBlocks), plan.perRow);
  loadAccumulator(warp, op.more + plan.firstC, plan.mBlocks, 1, d);
  if (plan.rounding == Rounding::Nearest)
    multiplyAdd(d, a, transposed, plan.mBlocks, 1, plan.kBlocks, plan.perRow);
  else
    multiplyAddRounded(plan, a, transposed, d);
  storeAccumulator(warp, op.more, plan.mBlocks, 1, d);
  return Outcome::Next;
}

/// C + products, clamped if asked for; the sum of products of one instruction itself cannot overflow.
void addToAccumulator(const MmaPlan &plan, const int32_t *sums, int32_t *d) {
  for (int i = 0; i < plan.mBlocks * 64; ++i) {
    int64_t sum = static_cast<int64_t>(d[i]) + sums[i];
    if (plan.saturates)
      sum = std::clamp<int64_t>(sum, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
    d[i] = static_cast<int32_t>(sum);
  }
}

Outcome runInts(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  const MmaPlan &plan = planOf(op);
  alignas(64) int32_t a[kMostElementsOfA], b[kMostElementsOfB], transposed[kMostElementsOfB], d[kMostElementsOfD];
  alignas(64) int32_t sums[kMostElementsOfD] = {};
  loadBlocks(warp, op.more + plan.firstA, plan.mBlocks, plan.kBlocks, plan.perRow, plan.intsOfA, a);
  loadBlocks(warp, op.more + plan.firstB, 1, plan.kBlocks, plan.perRow, plan.intsOfB, b);
  transposeBlocks(transposed, b, static_cast<size_t>(plan.kBlocks), plan.perRow);
  loadAccumulator(warp, op.more + plan.firstC, plan.mBlocks, 1, d);
  multiplyAdd(sums, a, transposed, plan.mBlocks, 1, plan.kBlocks, plan.perRow);
  addToAccumulator(plan, sums, d);
  storeAccumulator(warp, op.more, plan.mBlocks, 1, d);
  return Outcome::Next;
}

Outcome runBits(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  const MmaPlan &plan = planOf(op);
  alignas(64) int32_t d[kMostElementsOfD], sums[kMostElementsOfD] = {};
  loadAccumulator(warp, op.more + plan.firstC, plan.mBlocks, 1, d);
  for (int m = 0; m < plan.mBlocks; ++m)
    for (int k = 0; k < plan.kBlocks; ++k) {
      const uint32_t *a = warp.read<uint32_t>(op.more[plan.firstA + k * plan.mBlocks + m]);
      const uint32_t *b = warp.read<uint32_t>(op.more[plan.firstB + k]);
      for (int row = 0; row < kCoreRows; ++row)
        for (int column = 0; column < kCoreRows; ++column)
          for (int word = 0; word < 4; ++word) {
            uint32_t left = a[4 * row + word], right = b[4 * column + word];
            sums[m * 64 + row * 8 + column] += std::popcount(plan.isXor ? left ^ right : left & right);
          }
    }
  addToAccumulator(plan, sums, d);
  storeAccumulator(warp, op.more, plan.mBlocks, 1, d);
  return Outcome::Next;
}

/// Operands d, a, b, c into Op::more, and what the shape and the types say.
Result<void> build(Builder &builder, std::string_view shapeWord, Element a, Element b, Type accumulator, MmaPlan plan,
                   Op &op) {
  if (Result<void> counted = builder.expectOperands(4, 4); !counted)
    return counted;
  MatrixShape shape = shapeOf(shapeWord);
  plan.mBlocks = shape.m / kCoreRows;
  plan.perRow = elementsPerRow(a);
  plan.kBlocks = shape.k / plan.perRow;
  plan.accumulator = accumulator;
  Type multiplicand = a == Element::F64 ? Type::F64 : Type::B32;
  Type held = accumulator == Type::F16 ? Type::B32 : accumulator;
  int accumulators = accumulatorRegisters(accumulator, plan.mBlocks, 1);
  std::vector<Slot> slots;
  if (Result<void> done = fragmentDestinations(builder, 0, held, accumulators, slots); !done)
    return done;
  plan.firstA = static_cast<uint16_t>(slots.size());
  if (Result<void> done = fragmentSources(builder, 1, multiplicand, plan.mBlocks * plan.kBlocks, slots); !done)
    return done;
  plan.firstB = static_cast<uint16_t>(slots.size());
  if (Result<void> done = fragmentSources(builder, 2, multiplicand, plan.kBlocks, slots); !done)
    return done;
  plan.firstC = static_cast<uint16_t>(slots.size());
  if (Result<void> done = fragmentSources(builder, 3, held, accumulators, slots); !done)
    return done;
  plan.floatsOfA = floatDecoder(a);
  plan.floatsOfB = floatDecoder(b);
  plan.intsOfA = intDecoder(a);
  plan.intsOfB = intDecoder(b);
  builder.setMore(op, slots);
  builder.setExtra(op, plan);
  return {};
}

// Places: shape, d, a, b, c.
Result<void> buildFloats(Builder &builder, const Match &match, Op &op) {
  op.run = match.type(1) == Type::F16 ? runFloats<Type::F16> : runFloats<Type::F32>;
  return build(builder, match.words[0], elementOf(match.type(2)), elementOf(match.type(3)), match.type(1), {}, op);
}

// Places: shape, satfinite, a, b.
Result<void> buildInts(Builder &builder, const Match &match, Op &op) {
  op.run = runInts;
  MmaPlan plan;
  plan.saturates = match.has(1);
  return build(builder, match.words[0], elementOf(match.type(2)), elementOf(match.type(3)), Type::S32, plan, op);
}

// Places: shape, operation.
Result<void> buildBits(Builder &builder, const Match &match, Op &op) {
  op.run = runBits;
  MmaPlan plan;
  plan.isXor = match.words[1] == "xor";
  return build(builder, match.words[0], Element::B1, Element::B1, Type::S32, plan, op);
}

// Places: shape, rounding.
Result<void> buildDoubles(Builder &builder, const Match &match, Op &op) {
  op.run = runDoubles;
  MmaPlan plan;
  plan.rounding = match.words[1] == "rz"   ? Rounding::Zero
                  : match.words[1] == "rm" ? Rounding::Down
                  : match.words[1] == "rp" ? Rounding::Up
                                           : Rounding::Nearest;
  return build(builder, match.words[0], Element::F64, Element::F64, Type::F64, plan, op);
}

constexpr Form kForms[] = {
    {"mma.sync.aligned.(m16n8k8|m16n8k16).row.col.(f16).(f16).(f16).(f16)", Feature::Base, 65, OpClass::Matrix,
     buildFloats},
    {"mma.sync.aligned.(m16n8k8|m16n8k16).row.col.(f32).(f16).(f16).(f32)", Feature::Base, 65, OpClass::Matrix,
     buildFloats},
    {"mma.sync.aligned.(m16n8k8|m16n8k16).row.col.(f32).(bf16).(bf16).(f32)", Feature::Base, 70, OpClass::Matrix,
     buildFloats},
    {"mma.sync.aligned.(m16n8k4|m16n8k8).row.col.(f32).(tf32).(tf32).(f32)", Feature::Base, 70, OpClass::Matrix,
     buildFloats},
    {"mma.sync.aligned.(m16n8k16|m16n8k32).row.col.(f16).(e4m3|e5m2).(e4m3|e5m2).(f16)", Feature::Base, 87,
     OpClass::Matrix, buildFloats},
    {"mma.sync.aligned.(m16n8k16|m16n8k32).row.col.(f32).(e4m3|e5m2).(e4m3|e5m2).(f32)", Feature::Base, 84,
     OpClass::Matrix, buildFloats},
    {"mma.sync.aligned.(m16n8k32).row.col.kind::f8f6f4.(f16).(e4m3|e5m2|e3m2|e2m3|e2m1).(e4m3|e5m2|e3m2|e2m3|e2m1).(f16)",
     Feature::BlockScale, 87, OpClass::Matrix, buildFloats},
    {"mma.sync.aligned.(m16n8k32).row.col.kind::f8f6f4.(f32).(e4m3|e5m2|e3m2|e2m3|e2m1).(e4m3|e5m2|e3m2|e2m3|e2m1).(f32)",
     Feature::BlockScale, 87, OpClass::Matrix, buildFloats},
    {"mma.sync.aligned.kind::f8f6f4.(m16n8k32).row.col.(f16).(e4m3|e5m2|e3m2|e2m3|e2m1).(e4m3|e5m2|e3m2|e2m3|e2m1).(f16)",
     Feature::BlockScale, 87, OpClass::Matrix, buildFloats},
    {"mma.sync.aligned.kind::f8f6f4.(m16n8k32).row.col.(f32).(e4m3|e5m2|e3m2|e2m3|e2m1).(e4m3|e5m2|e3m2|e2m3|e2m1).(f32)",
     Feature::BlockScale, 87, OpClass::Matrix, buildFloats},
    {"mma.sync.aligned.(m8n8k4|m16n8k4|m16n8k8|m16n8k16).row.col[.(rn|rz|rm|rp)].f64.f64.f64.f64", Feature::Base, 70,
     OpClass::Matrix, buildDoubles},
    {"mma.sync.aligned.(m8n8k16|m16n8k16|m16n8k32).row.col[.satfinite].s32.(u8|s8).(u8|s8).s32", Feature::Base, 65,
     OpClass::Matrix, buildInts},
    {"mma.sync.aligned.(m8n8k32|m16n8k32|m16n8k64).row.col[.satfinite].s32.(u4|s4).(u4|s4).s32", Feature::Base, 65,
     OpClass::Matrix, buildInts},
    {"mma.sync.aligned.(m8n8k128|m16n8k128|m16n8k256).row.col.s32.b1.b1.s32.(xor|and).popc", Feature::Base, 70,
     OpClass::Matrix, buildBits},
};

} // namespace

std::span<const Form> mmaForms() { return kForms; }

} // namespace glm::ptx
