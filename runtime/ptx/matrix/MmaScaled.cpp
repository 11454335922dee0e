// PTX ISA, "Warp-level Matrix Instructions: mma", block scaling and "Selecting the scale matrix".
#include "runtime/ptx/matrix/MmaScaled.h"

#include "runtime/ptx/matrix/Fragment.h"
#include "runtime/ptx/matrix/Shape.h"
#include "runtime/ptx/number/Scalar.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace glm::ptx {

namespace {

/// Slots in Op::more: d, a, b, c, then scale-a, byte-id-a, thread-id-a, scale-b, byte-id-b, thread-id-b.
struct ScaledPlan {
  DecodeFloats decodeA = nullptr, decodeB = nullptr;
  int perRow = 0;     ///< elements in a core matrix's row
  int scaleCount = 0; ///< 1, 2 or 4: scales along K
  int perScale = 0;   ///< elements that one scale is for
  ScaleFormat format = ScaleFormat::UE8M0;
};

constexpr int kMBlocks = 2, kKBlocks = 2;
constexpr int kFirstA = 4, kFirstB = 8, kFirstC = 10, kFirstScale = 14;
constexpr size_t kMostK = 64;

// Which selectors there are, as a bit per value: bytes by how many scales one operand takes from a word.
constexpr uint32_t byteIds(int scaleCount) { return scaleCount == 1 ? 0b1111 : scaleCount == 2 ? 0b101 : 0b1; }
constexpr uint32_t kThreadIdsA = 0b11, kThreadIdsB = 0b1111;

std::string selectorRule(uint32_t allowed) {
  switch (allowed) {
  case 0b1:
    return "0";
  case 0b11:
    return "0 or 1";
  case 0b101:
    return "0 or 2";
  default:
    return "0 to 3";
  }
}

/// A selector, which all lanes must agree on.
std::optional<uint32_t> selectorOf(Warp &warp, const Op &op, int index, uint32_t allowed, std::string_view name) {
  const uint16_t *lanes = warp.read<uint16_t>(op.more[kFirstScale + index]);
  for (uint32_t lane = 1; lane < kWarpSize; ++lane)
    if (lanes[lane] != lanes[0]) {
      warp.fault(op, static_cast<int>(lane), LaunchFault::Kind::LaunchFailed,
                 fmt::format("{} must be the same in all lanes, but found {} and {}", name, lanes[0], lanes[lane]));
      return std::nullopt;
    }
  if (lanes[0] > 31 || !(allowed >> lanes[0] & 1)) {
    warp.fault(op, 0, LaunchFault::Kind::LaunchFailed,
               fmt::format("{} must be {}, but found {}", name, selectorRule(allowed), lanes[0]));
    return std::nullopt;
  }
  return lanes[0];
}

Outcome run(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  const ScaledPlan &plan = *static_cast<const ScaledPlan *>(op.extra);
  std::optional<uint32_t> byteA = selectorOf(warp, op, 1, byteIds(plan.scaleCount), "byte-id-a");
  std::optional<uint32_t> threadA = byteA ? selectorOf(warp, op, 2, kThreadIdsA, "thread-id-a") : std::nullopt;
  std::optional<uint32_t> byteB =
      threadA ? selectorOf(warp, op, 4, byteIds(plan.scaleCount), "byte-id-b") : std::nullopt;
  std::optional<uint32_t> threadB = byteB ? selectorOf(warp, op, 5, kThreadIdsB, "thread-id-b") : std::nullopt;
  if (!threadB)
    return Outcome::Fault;

  // Of each group of four lanes, lanes 2 * thread-id-a and the next give the scales of rows g and g + 8 of A, lane
  // thread-id-b those of column g of B.
  double scalesA[16 * 4], scalesB[8 * 4];
  const uint32_t *wordsA = warp.read<uint32_t>(op.more[kFirstScale]);
  const uint32_t *wordsB = warp.read<uint32_t>(op.more[kFirstScale + 3]);
  for (int group = 0; group < 8; ++group)
    for (int scale = 0; scale < plan.scaleCount; ++scale) {
      for (int half = 0; half < 2; ++half)
        scalesA[(group + 8 * half) * plan.scaleCount + scale] =
            scaleOf(plan.format, wordsA[4 * group + 2 * *threadA + half] >> 8 * (*byteA + scale));
      scalesB[group * plan.scaleCount + scale] =
          scaleOf(plan.format, wordsB[4 * group + *threadB] >> 8 * (*byteB + scale));
    }

  alignas(64) float a[16 * kMostK], b[8 * kMostK], splitA[16 * kMostK], splitB[8 * kMostK], d[16 * 8];
  loadBlocks(warp, op.more + kFirstA, kMBlocks, kKBlocks, plan.perRow, plan.decodeA, a);
  loadBlocks(warp, op.more + kFirstB, 1, kKBlocks, plan.perRow, plan.decodeB, b);
  splitByScale(a, kMBlocks, kKBlocks, plan.perRow, plan.perScale, splitA);
  splitByScale(b, 1, kKBlocks, plan.perRow, plan.perScale, splitB);
  transposeBlocks(b, splitB, static_cast<size_t>(plan.scaleCount), plan.perScale);
  loadAccumulator(warp, op.more + kFirstC, kMBlocks, 1, d);
  multiplyAddScaled(d, splitA, b, scalesA, scalesB, kMBlocks, 1, plan.scaleCount, plan.perScale);
  storeFloatAccumulator(warp, Type::F32, op.more, kMBlocks, 1, d);
  return Outcome::Next;
}

/// A selector operand; a constant is checked now.
Result<void> addSelector(Builder &builder, const Operand &operand, uint32_t allowed, std::string_view name,
                         std::vector<Slot> &slots) {
  if (operand.kind == Operand::Kind::Integer &&
      (operand.value < 0 || operand.value > 31 || !(allowed >> operand.value & 1)))
    return builder.error(fmt::format("{} must be {}", name, selectorRule(allowed)), fmt::format("{}", operand.value));
  Result<Slot> slot = builder.source(operand, Type::U16);
  if (!slot)
    return slot.error();
  slots.push_back(*slot);
  return {};
}

Result<void> addScale(Builder &builder, size_t index, int scaleCount, uint32_t threadIds, std::string_view side,
                      std::vector<Slot> &slots) {
  Result<Slot> data = Slot{};
  const Operand &word = builder.operand(index);
  data = word.kind == Operand::Kind::Vector && word.parts.size() == 1 ? builder.source(word.parts[0], Type::B32)
                                                                      : builder.source(index, Type::B32);
  if (!data)
    return data.error();
  slots.push_back(*data);
  const Operand &selectors = builder.operand(index + 1);
  if (selectors.kind != Operand::Kind::Vector || selectors.parts.size() != 2)
    return builder.error(fmt::format("operand {} must be {{byte-id, thread-id}}", index + 2), "something else");
  if (Result<void> done =
          addSelector(builder, selectors.parts[0], byteIds(scaleCount), fmt::format("byte-id-{}", side), slots);
      !done)
    return done;
  return addSelector(builder, selectors.parts[1], threadIds, fmt::format("thread-id-{}", side), slots);
}

Result<void> build(Builder &builder, Element a, Element b, int scaleCount, ScaleFormat format, Op &op) {
  if (Result<void> counted = builder.expectOperands(8, 8); !counted)
    return counted;
  ScaledPlan plan;
  plan.decodeA = floatDecoder(a);
  plan.decodeB = floatDecoder(b);
  plan.perRow = elementsPerRow(a);
  plan.scaleCount = scaleCount;
  plan.perScale = kKBlocks * plan.perRow / scaleCount;
  plan.format = format;
  std::vector<Slot> slots;
  if (Result<void> done = fragmentDestinations(builder, 0, Type::F32, 4, slots); !done)
    return done;
  if (Result<void> done = fragmentSources(builder, 1, Type::B32, 4, slots); !done)
    return done;
  if (Result<void> done = fragmentSources(builder, 2, Type::B32, 2, slots); !done)
    return done;
  if (Result<void> done = fragmentSources(builder, 3, Type::F32, 4, slots); !done)
    return done;
  if (Result<void> done = addScale(builder, 4, scaleCount, kThreadIdsA, "a", slots); !done)
    return done;
  if (Result<void> done = addScale(builder, 6, scaleCount, kThreadIdsB, "b", slots); !done)
    return done;
  builder.setMore(op, slots);
  builder.setExtra(op, plan);
  op.run = run;
  return {};
}

// Places: scale_vec::1X if given, a, b.
Result<void> buildBytes(Builder &builder, const Match &match, Op &op) {
  return build(builder, elementOf(match.type(1)), elementOf(match.type(2)), 1, ScaleFormat::UE8M0, op);
}

Result<void> buildTwo(Builder &builder, const Match &, Op &op) {
  return build(builder, Element::E2M1Packed, Element::E2M1Packed, 2, ScaleFormat::UE8M0, op);
}

Result<void> buildFour(Builder &builder, const Match &, Op &op) {
  return build(builder, Element::E2M1Packed, Element::E2M1Packed, 4, ScaleFormat::UE4M3, op);
}

constexpr Form kForms[] = {
    {"mma.sync.aligned.m16n8k32.row.col.kind::mxf8f6f4.block_scale[.scale_vec::1X].f32.(e4m3|e5m2|e3m2|e2m3|e2m1)."
     "(e4m3|e5m2|e3m2|e2m3|e2m1).f32.ue8m0",
     Feature::BlockScale, 87, OpClass::Matrix, buildBytes},
    {"mma.sync.aligned.kind::mxf8f6f4.block_scale[.scale_vec::1X].m16n8k32.row.col.f32.(e4m3|e5m2|e3m2|e2m3|e2m1)."
     "(e4m3|e5m2|e3m2|e2m3|e2m1).f32.ue8m0",
     Feature::BlockScale, 87, OpClass::Matrix, buildBytes},
    {"mma.sync.aligned.m16n8k64.row.col.kind::mxf4.block_scale[.scale_vec::2X].f32.e2m1.e2m1.f32.ue8m0",
     Feature::BlockScale, 87, OpClass::Matrix, buildTwo},
    {"mma.sync.aligned.kind::mxf4.block_scale[.scale_vec::2X].m16n8k64.row.col.f32.e2m1.e2m1.f32.ue8m0",
     Feature::BlockScale, 87, OpClass::Matrix, buildTwo},
    {"mma.sync.aligned.m16n8k64.row.col.kind::mxf4nvf4.block_scale.scale_vec::2X.f32.e2m1.e2m1.f32.ue8m0",
     Feature::BlockScale, 87, OpClass::Matrix, buildTwo},
    {"mma.sync.aligned.kind::mxf4nvf4.block_scale.scale_vec::2X.m16n8k64.row.col.f32.e2m1.e2m1.f32.ue8m0",
     Feature::BlockScale, 87, OpClass::Matrix, buildTwo},
    {"mma.sync.aligned.m16n8k64.row.col.kind::mxf4nvf4.block_scale.scale_vec::4X.f32.e2m1.e2m1.f32.ue4m3",
     Feature::BlockScale, 87, OpClass::Matrix, buildFour},
    {"mma.sync.aligned.kind::mxf4nvf4.block_scale.scale_vec::4X.m16n8k64.row.col.f32.e2m1.e2m1.f32.ue4m3",
     Feature::BlockScale, 87, OpClass::Matrix, buildFour},
};

} // namespace

std::span<const Form> mmaScaledForms() { return kForms; }

double scaleOf(ScaleFormat format, uint8_t code) {
  return format == ScaleFormat::UE8M0 ? widenUe8m0One(code) : widenOne<kE4M3>(code & 0x7fu);
}

void splitByScale(const float *blocks, int rowBlocks, int kBlocks, int perRow, int perScale, float *split) {
  int scales = kBlocks * perRow / perScale, piece = std::min(perScale, perRow);
  for (int row = 0; row < rowBlocks * kCoreRows; ++row)
    for (int k = 0; k < kBlocks * perRow; k += piece) {
      const float *from = blocks + ((row / 8 * kBlocks + k / perRow) * kCoreRows + row % 8) * perRow + k % perRow;
      float *to = split + ((row / 8 * scales + k / perScale) * kCoreRows + row % 8) * perScale + k % perScale;
      std::memcpy(to, from, sizeof(float) * static_cast<size_t>(piece));
    }
}

void multiplyAddScaled(float *d, const float *a, const float *b, const double *scalesA, const double *scalesB,
                       int mBlocks, int nBlocks, int kBlocks, int perScale) {
  for (int m = 0; m < mBlocks; ++m)
    for (int n = 0; n < nBlocks; ++n)
      for (int k = 0; k < kBlocks; ++k) {
        alignas(64) float sums[64] = {};
        multiplyAdd(sums, a + (m * kBlocks + k) * kCoreRows * perScale, b + (n * kBlocks + k) * kCoreRows * perScale, 1,
                    1, 1, perScale);
        float *out = d + (m * nBlocks + n) * 64;
        for (int row = 0; row < kCoreRows; ++row) {
          double left = scalesA[(m * kCoreRows + row) * kBlocks + k];
          for (int column = 0; column < kCoreRows; ++column) {
            double right = scalesB[(n * kCoreRows + column) * kBlocks + k];
            out[row * 8 + column] += static_cast<float>(sums[row * 8 + column] * (left * right));
          }
        }
      }
}

} // namespace glm::ptx
