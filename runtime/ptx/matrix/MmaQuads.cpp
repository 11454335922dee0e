// PTX ISA, "Matrix Fragments for mma.m8n8k4 with .f16 floating point type". Product q belongs to the lanes 4q to 4q + 3
// and 16 + 4q to 19 + 4q, here members 0 to 7.
#include "runtime/ptx/matrix/MmaQuads.h"

#include "runtime/ptx/matrix/Fragment.h"

namespace glm::ptx {

namespace {

struct QuadPlan {
  bool columnsA = false, columnsB = false; ///< .col
  Type typeC = Type::F16, typeD = Type::F16;
  uint16_t firstA = 0, firstB = 0, firstC = 0; ///< in Op::more
};

constexpr int kProducts = 4, kSize = 8, kDepth = 4;

int laneOf(int product, int member) { return (member < 4 ? 0 : 16) + 4 * product + member % 4; }

struct Place {
  int row, column;
};

/// Where accumulator `i` of a member lies.
Place placeOf(Type type, int member, int i) {
  if (type == Type::F16)
    return {member, i};
  return {(member & 1) + (i & 2) + (member & 4), (i & 4) + (member & 2) + (i & 1)};
}

/// Half `i` of a member's multiplicand.
float halfOf(const float (&values)[2][2 * kWarpSize], int lane, int i) { return values[i / 2][2 * lane + i % 2]; }

Outcome run(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  const QuadPlan &plan = *static_cast<const QuadPlan *>(op.extra);
  DecodeFloats decode = floatDecoder(Element::F16);
  alignas(64) float a[2][2 * kWarpSize], b[2][2 * kWarpSize], halves[4][2 * kWarpSize];
  for (int r = 0; r < 2; ++r) {
    decode(registerBytes(warp, op.more[plan.firstA + r]), 2 * kWarpSize, a[r]);
    decode(registerBytes(warp, op.more[plan.firstB + r]), 2 * kWarpSize, b[r]);
  }
  if (plan.typeC == Type::F16)
    for (int r = 0; r < 4; ++r)
      decode(registerBytes(warp, op.more[plan.firstC + r]), 2 * kWarpSize, halves[r]);

  float d[kProducts][kSize][kSize];
  for (int product = 0; product < kProducts; ++product)
    for (int member = 0; member < kSize; ++member)
      for (int i = 0; i < kSize; ++i) {
        int lane = laneOf(product, member);
        Place place = placeOf(plan.typeC, member, i);
        d[product][place.row][place.column] = plan.typeC == Type::F16
                                                  ? halves[i / 2][2 * lane + i % 2]
                                                  : warp.read<float>(op.more[plan.firstC + i])[lane];
      }

  for (int product = 0; product < kProducts; ++product)
    for (int k = 0; k < kDepth; ++k)
      for (int row = 0; row < kSize; ++row) {
        float left =
            plan.columnsA ? halfOf(a, laneOf(product, k + (row & 4)), row & 3) : halfOf(a, laneOf(product, row), k);
        for (int column = 0; column < kSize; ++column) {
          float right = plan.columnsB ? halfOf(b, laneOf(product, column), k)
                                      : halfOf(b, laneOf(product, k + (column & 4)), column & 3);
          // The product of two halves is exact.
          d[product][row][column] += left * right;
        }
      }
  coreLanes().canonicalizeNans(&d[0][0][0], sizeof d / sizeof(float));

  alignas(64) float results[kSize][kWarpSize];
  for (int product = 0; product < kProducts; ++product)
    for (int member = 0; member < kSize; ++member)
      for (int i = 0; i < kSize; ++i) {
        Place place = placeOf(plan.typeD, member, i);
        float value = d[product][place.row][place.column];
        int lane = laneOf(product, member);
        if (plan.typeD == Type::F16)
          halves[i / 2][2 * lane + i % 2] = value;
        else
          results[i][lane] = value;
      }
  for (int i = 0; i < (plan.typeD == Type::F16 ? 4 : kSize); ++i) {
    if (op.more[i] == kNoSlot)
      continue;
    if (plan.typeD == Type::F16)
      coreLanes().roundToHalves(halves[i], 2 * kWarpSize, warp.write<std::byte>(op.more[i]));
    else
      std::memcpy(warp.write<float>(op.more[i]), results[i], sizeof results[i]);
  }
  return Outcome::Next;
}

// Places: layout of A, of B, then the types of D and C.
Result<void> build(Builder &builder, const Match &match, Op &op) {
  if (Result<void> counted = builder.expectOperands(4, 4); !counted)
    return counted;
  QuadPlan plan;
  plan.columnsA = match.words[0] == "col";
  plan.columnsB = match.words[1] == "col";
  plan.typeD = match.type(2);
  plan.typeC = match.type(3);
  auto held = [](Type type) { return type == Type::F16 ? Type::B32 : Type::F32; };
  auto registers = [](Type type) { return type == Type::F16 ? 4 : 8; };
  std::vector<Slot> slots;
  if (Result<void> done = fragmentDestinations(builder, 0, held(plan.typeD), registers(plan.typeD), slots); !done)
    return done;
  plan.firstA = static_cast<uint16_t>(slots.size());
  if (Result<void> done = fragmentSources(builder, 1, Type::B32, 2, slots); !done)
    return done;
  plan.firstB = static_cast<uint16_t>(slots.size());
  if (Result<void> done = fragmentSources(builder, 2, Type::B32, 2, slots); !done)
    return done;
  plan.firstC = static_cast<uint16_t>(slots.size());
  if (Result<void> done = fragmentSources(builder, 3, held(plan.typeC), registers(plan.typeC), slots); !done)
    return done;
  builder.setMore(op, slots);
  builder.setExtra(op, plan);
  op.run = run;
  return {};
}

constexpr Form kForms[] = {
    {"mma.sync.aligned.m8n8k4.(row|col).(row|col).(f16).f16.f16.(f16)", Feature::Base, 64, OpClass::Matrix, build},
    {"mma.sync.aligned.m8n8k4.(row|col).(row|col).(f32).f16.f16.(f16|f32)", Feature::Base, 64, OpClass::Matrix, build},
};

} // namespace

std::span<const Form> mmaQuadForms() { return kForms; }

} // namespace glm::ptx
