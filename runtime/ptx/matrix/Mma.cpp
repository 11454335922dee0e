// mma.sync on dense matrices. PTX ISA, "Warp-level Matrix Instructions: mma".
#include "runtime/ptx/matrix/Mma.h"

#include "runtime/ptx/matrix/Accumulate.h"
#include "runtime/ptx/matrix/Fragment.h"
#include "runtime/ptx/matrix/Shape.h"
#include "runtime/ptx/number/Double.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace glm::ptx {

namespace {

/// More than any form has: m16n8k64 of 4-bit elements, wmma's m32n8k16 and m16n16k16.
constexpr size_t kMostElementsOfA = 16 * 64, kMostElementsOfB = 8 * 64, kMostElementsOfD = 16 * 16;

/// What a handler needs to know; the slots are d, a, b, c in Op::more.
struct MmaPlan {
  Element a = Element::F16;
  DecodeFloats floatsOfA = nullptr, floatsOfB = nullptr;
  DecodeInts intsOfA = nullptr, intsOfB = nullptr;
  int mBlocks = 0, nBlocks = 0, kBlocks = 0, perRow = 0;
  Type typeD = Type::F32, typeC = Type::F32;
  bool saturates = false, isXor = false;
  Rounding rounding = Rounding::Nearest;
  uint16_t firstA = 0, firstB = 0, firstC = 0; ///< in Op::more

  int elementsOfD() const { return mBlocks * nBlocks * 64; }
};

const MmaPlan &planOf(const Op &op) { return *static_cast<const MmaPlan *>(op.extra); }

/// A and B decoded, B transposed.
template <typename T, typename DecodeA, typename DecodeB>
void loadOperands(const Warp &warp, const Op &op, const MmaPlan &plan, DecodeA decodeA, DecodeB decodeB, T *a, T *b) {
  alignas(64) T plain[kMostElementsOfB];
  loadBlocks(warp, op.more + plan.firstA, plan.mBlocks, plan.kBlocks, plan.perRow, decodeA, a);
  loadBlocks(warp, op.more + plan.firstB, plan.nBlocks, plan.kBlocks, plan.perRow, decodeB, plain);
  transposeBlocks(b, plain, static_cast<size_t>(plan.nBlocks) * plan.kBlocks, plan.perRow);
}

/// m16n8k32 of 8-bit floats as on an H100, which has no such instruction: the bytes become halves, of each four neighbours along k the
/// first two are summed from zero and the other two added to them, and the accumulator is added to the sum as a float.
void accumulateBytes(const MmaPlan &plan, const float *a, const float *b, float *d) {
  constexpr int kHalfRow = 8, kLeastExponentOfHalves = -14;
  alignas(64) float left[kMostElementsOfA / 2], right[kMostElementsOfB / 2], sums[kMostElementsOfD] = {};
  auto place = [](int k, int pair) { return k / 2 * 4 + pair * 2 + k % 2; };
  for (int pair = 0; pair < 2; ++pair) {
    for (int row = 0; row < plan.mBlocks * plan.kBlocks * kCoreRows; ++row)
      for (int k = 0; k < kHalfRow; ++k)
        left[row * kHalfRow + k] = a[row * plan.perRow + place(k, pair)];
    for (int block = 0; block < plan.nBlocks * plan.kBlocks; ++block)
      for (int k = 0; k < kHalfRow; ++k)
        std::copy_n(b + (block * plan.perRow + place(k, pair)) * kCoreRows, kCoreRows,
                    right + (block * kHalfRow + k) * kCoreRows);
    multiplyAddAligned(sums, left, right, plan.mBlocks, plan.nBlocks, plan.kBlocks, kHalfRow, kLeastExponentOfHalves);
  }
  for (int i = 0; i < plan.elementsOfD(); ++i)
    d[i] += sums[i];
}

/// Whether accumulateBytes was measured for this form.
bool sumsBytes(const MmaPlan &plan) {
  return (plan.a == Element::E4M3 || plan.a == Element::E5M2) && plan.perRow * plan.kBlocks == 32 &&
         plan.typeD == Type::F32;
}

template <Type typeD, Type typeC>
Outcome runFloats(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  const MmaPlan &plan = planOf(op);
  alignas(64) float a[kMostElementsOfA], b[kMostElementsOfB], d[kMostElementsOfD];
  loadOperands(warp, op, plan, plan.floatsOfA, plan.floatsOfB, a, b);
  loadFloatAccumulator(warp, typeC, op.more + plan.firstC, plan.mBlocks, plan.nBlocks, d);
  const Grid &grid = *warp.block->grid;
  if (grid.options->alignedSums && sumsBytes(plan))
    accumulateBytes(plan, a, b, d);
  else
    accumulate(grid, plan.a, d, a, b, plan.mBlocks, plan.nBlocks, plan.kBlocks, plan.perRow);
  storeFloatAccumulator(warp, typeD, op.more, plan.mBlocks, plan.nBlocks, d);
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
  alignas(64) double a[kMostElementsOfA], b[kMostElementsOfB], d[kMostElementsOfD];
  auto copy = [](const std::byte *source, size_t count, double *values) { std::memcpy(values, source, count * 8); };
  loadOperands(warp, op, plan, copy, copy, a, b);
  loadAccumulator(warp, op.more + plan.firstC, plan.mBlocks, plan.nBlocks, d);
  if (plan.rounding == Rounding::Nearest)
    multiplyAdd(d, a, b, plan.mBlocks, plan.nBlocks, plan.kBlocks, plan.perRow);
  else
    multiplyAddRounded(plan, a, b, d);
  storeAccumulator(warp, op.more, plan.mBlocks, plan.nBlocks, d);
  return Outcome::Next;
}

/// C + products, clamped if asked for; the sum of products of one instruction itself cannot overflow.
void addToAccumulator(const MmaPlan &plan, const int32_t *sums, int32_t *d) {
  for (int i = 0; i < plan.elementsOfD(); ++i) {
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
  alignas(64) int32_t a[kMostElementsOfA], b[kMostElementsOfB], d[kMostElementsOfD], sums[kMostElementsOfD] = {};
  loadOperands(warp, op, plan, plan.intsOfA, plan.intsOfB, a, b);
  loadAccumulator(warp, op.more + plan.firstC, plan.mBlocks, plan.nBlocks, d);
  multiplyAdd(sums, a, b, plan.mBlocks, plan.nBlocks, plan.kBlocks, plan.perRow);
  addToAccumulator(plan, sums, d);
  storeAccumulator(warp, op.more, plan.mBlocks, plan.nBlocks, d);
  return Outcome::Next;
}

Outcome runBits(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  const MmaPlan &plan = planOf(op);
  alignas(64) int32_t d[kMostElementsOfD], sums[kMostElementsOfD] = {};
  loadAccumulator(warp, op.more + plan.firstC, plan.mBlocks, plan.nBlocks, d);
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
  storeAccumulator(warp, op.more, plan.mBlocks, plan.nBlocks, d);
  return Outcome::Next;
}

Handler handlerOf(const MmaSpec &spec) {
  if (spec.a == Element::F64)
    return runDoubles;
  if (spec.a == Element::B1)
    return runBits;
  if (spec.typeD == Type::S32)
    return runInts;
  if (spec.typeD == Type::F16)
    return spec.typeC == Type::F16 ? runFloats<Type::F16, Type::F16> : runFloats<Type::F16, Type::F32>;
  return spec.typeC == Type::F16 ? runFloats<Type::F32, Type::F16> : runFloats<Type::F32, Type::F32>;
}

/// The type of the registers that hold an accumulator.
Type registerOf(Type accumulator) { return accumulator == Type::F16 ? Type::B32 : accumulator; }

// Places: shape, d, a, b, c.
Result<void> buildFloats(Builder &builder, const Match &match, Op &op) {
  return buildMma(builder,
                  {.shape = shapeOf(match.words[0]),
                   .a = elementOf(match.type(2)),
                   .b = elementOf(match.type(3)),
                   .typeD = match.type(1),
                   .typeC = match.type(4)},
                  op);
}

// Places: shape, satfinite, a, b.
Result<void> buildInts(Builder &builder, const Match &match, Op &op) {
  return buildMma(builder,
                  {.shape = shapeOf(match.words[0]),
                   .a = elementOf(match.type(2)),
                   .b = elementOf(match.type(3)),
                   .typeD = Type::S32,
                   .typeC = Type::S32,
                   .saturates = match.has(1)},
                  op);
}

// Places: shape, operation.
Result<void> buildBits(Builder &builder, const Match &match, Op &op) {
  return buildMma(builder,
                  {.shape = shapeOf(match.words[0]),
                   .a = Element::B1,
                   .b = Element::B1,
                   .typeD = Type::S32,
                   .typeC = Type::S32,
                   .isXor = match.words[1] == "xor"},
                  op);
}

// Places: shape, rounding.
Result<void> buildDoubles(Builder &builder, const Match &match, Op &op) {
  return buildMma(builder,
                  {.shape = shapeOf(match.words[0]),
                   .a = Element::F64,
                   .b = Element::F64,
                   .typeD = Type::F64,
                   .typeC = Type::F64,
                   .rounding = roundingOf(match.words[1])},
                  op);
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
    {"mma.sync.aligned.(m16n8k32).row.col.kind::f8f6f4.(f16).(e4m3|e5m2|e3m2|e2m3|e2m1).(e4m3|e5m2|e3m2|e2m3|e2m1).("
     "f16)",
     Feature::BlockScale, 87, OpClass::Matrix, buildFloats},
    {"mma.sync.aligned.(m16n8k32).row.col.kind::f8f6f4.(f32).(e4m3|e5m2|e3m2|e2m3|e2m1).(e4m3|e5m2|e3m2|e2m3|e2m1).("
     "f32)",
     Feature::BlockScale, 87, OpClass::Matrix, buildFloats},
    {"mma.sync.aligned.kind::f8f6f4.(m16n8k32).row.col.(f16).(e4m3|e5m2|e3m2|e2m3|e2m1).(e4m3|e5m2|e3m2|e2m3|e2m1).("
     "f16)",
     Feature::BlockScale, 87, OpClass::Matrix, buildFloats},
    {"mma.sync.aligned.kind::f8f6f4.(m16n8k32).row.col.(f32).(e4m3|e5m2|e3m2|e2m3|e2m1).(e4m3|e5m2|e3m2|e2m3|e2m1).("
     "f32)",
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

Rounding roundingOf(std::string_view word) {
  return word == "rz"   ? Rounding::Zero
         : word == "rm" ? Rounding::Down
         : word == "rp" ? Rounding::Up
                        : Rounding::Nearest;
}

Result<void> buildMma(Builder &builder, const MmaSpec &spec, Op &op) {
  if (Result<void> counted = builder.expectOperands(4, 4); !counted)
    return counted;
  MmaPlan plan;
  plan.mBlocks = spec.shape.m / kCoreRows;
  plan.nBlocks = spec.shape.n / kCoreRows;
  plan.perRow = elementsPerRow(spec.a);
  plan.kBlocks = spec.shape.k / plan.perRow;
  plan.typeD = spec.typeD;
  plan.typeC = spec.typeC;
  plan.saturates = spec.saturates;
  plan.isXor = spec.isXor;
  plan.rounding = spec.rounding;
  plan.a = spec.a;
  plan.floatsOfA = floatDecoder(spec.a);
  plan.floatsOfB = floatDecoder(spec.b);
  plan.intsOfA = intDecoder(spec.a);
  plan.intsOfB = intDecoder(spec.b);

  Type multiplicand = spec.a == Element::F64 ? Type::F64 : Type::B32;
  int registersD = accumulatorRegisters(spec.typeD, plan.mBlocks, plan.nBlocks);
  int registersA = spec.registersA ? spec.registersA : plan.mBlocks * plan.kBlocks;
  int registersB = spec.registersB ? spec.registersB : plan.nBlocks * plan.kBlocks;
  int registersC = accumulatorRegisters(spec.typeC, plan.mBlocks, plan.nBlocks);
  std::vector<Slot> slots;
  if (Result<void> done = fragmentDestinations(builder, 0, registerOf(spec.typeD), registersD, slots); !done)
    return done;
  plan.firstA = static_cast<uint16_t>(slots.size());
  if (Result<void> done = fragmentSources(builder, 1, multiplicand, registersA, slots); !done)
    return done;
  plan.firstB = static_cast<uint16_t>(slots.size());
  if (Result<void> done = fragmentSources(builder, 2, multiplicand, registersB, slots); !done)
    return done;
  plan.firstC = static_cast<uint16_t>(slots.size());
  if (Result<void> done = fragmentSources(builder, 3, registerOf(spec.typeC), registersC, slots); !done)
    return done;
  op.run = handlerOf(spec);
  builder.setMore(op, slots);
  builder.setExtra(op, plan);
  return {};
}

} // namespace glm::ptx
