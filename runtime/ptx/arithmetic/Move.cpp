// mov (PTX ISA, "Data Movement: mov"): copies, special registers, addresses, vectors packed and unpacked, predicates.
#include "runtime/ptx/arithmetic/Lanes.h"
#include "runtime/ptx/arithmetic/Operands.h"
#include "runtime/ptx/arithmetic/Tables.h"

#include <cstring>

GLM_PTX_BEGIN_LANES
namespace {

constexpr Feature kBase = Feature::Base;

struct Copy {
  auto operator()(auto a) const { return a; }
};
Outcome copy128(Warp &warp, const Op &op, LaneMask lanes) {
  struct alignas(16) Value {
    uint64_t words[2];
  };
  const auto *from = warp.read<Value>(op.slots[1]);
  auto *to = warp.write<Value>(op.slots[0]);
  for (uint32_t lane = 0; lane < kWarpSize; ++lane)
    if ((lanes >> lane & 1) != 0)
      to[lane] = from[lane];
  return Outcome::Next;
}
Outcome copyPredicate(Warp &warp, const Op &op, LaneMask lanes) {
  warp.setPredicate(op.slots[0], lanes, warp.predicate(op.slots[1]));
  return Outcome::Next;
}

struct PackTwo {
  template <typename V>
  auto operator()(V low, V high) const {
    using W = UnsignedOf<2 * sizeof(ElementOf<V>)>;
    return convert<W>(low) | convert<W>(high) << (8 * sizeof(ElementOf<V>));
  }
};

/// What packing and unpacking need: bytes of the whole, of a part, and of the register that holds a part.
struct Parts {
  uint32_t whole, part, holder;
};
Parts partsOf(const Op &op) {
  const auto part = static_cast<uint32_t>(op.variant);
  return {op.detail, part, part == 1 ? 2 : part};
}

/// Any number of parts, any width; the parts are in `more`.
Outcome pack(Warp &warp, const Op &op, LaneMask lanes) {
  const Parts parts = partsOf(op);
  auto *to = warp.write<std::byte>(op.slots[0]);
  for (uint32_t i = 0; i < op.moreCount; ++i) {
    const auto *from = warp.read<std::byte>(op.more[i]);
    for (uint32_t lane = 0; lane < kWarpSize; ++lane)
      if ((lanes >> lane & 1) != 0)
        std::memcpy(to + parts.whole * lane + parts.part * i, from + parts.holder * lane, parts.part);
  }
  return Outcome::Next;
}
Outcome unpack(Warp &warp, const Op &op, LaneMask lanes) {
  const Parts parts = partsOf(op);
  const auto *from = warp.read<std::byte>(op.slots[1]);
  for (uint32_t i = 0; i < op.moreCount; ++i) {
    if (op.more[i] == kNoSlot)
      continue;
    auto *to = warp.write<std::byte>(op.more[i]);
    for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
      if ((lanes >> lane & 1) == 0)
        continue;
      std::memset(to + parts.holder * lane, 0, parts.holder);
      std::memcpy(to + parts.holder * lane, from + parts.whole * lane + parts.part * i, parts.part);
    }
  }
  return Outcome::Next;
}
template <typename W>
Outcome unpackTwo(Warp &warp, const Op &op, LaneMask lanes) {
  using P = UnsignedOf<sizeof(W) / 2>;
  constexpr int kChunk = chunkLanes<W>();
  const W *from = warp.read<W>(op.slots[1]);
  for (int lane = 0; lane < static_cast<int>(kWarpSize); lane += kChunk) {
    const auto whole = loadLanes<kChunk>(from + lane);
    const auto runs = laneMask<P, kChunk>(lanes >> lane);
    for (uint32_t i = 0; i < 2; ++i) {
      if (op.more[i] == kNoSlot)
        continue;
      P *to = warp.write<P>(op.more[i]) + lane;
      const auto part = convert<P>(i == 0 ? whole : whole >> (8 * sizeof(P)));
      storeLanes<kChunk>(to, runs ? part : loadLanes<kChunk>(to));
    }
  }
  return Outcome::Next;
}

/// The type of one of `count` parts of `whole`; None if they do not divide it.
Type partOf(Type whole, size_t count) {
  if (count != 2 && count != 4)
    return Type::None;
  switch (bitsOf(whole) / count) {
  case 8:
    return Type::B8;
  case 16:
    return Type::B16;
  case 32:
    return Type::B32;
  case 64:
    return Type::B64;
  default:
    return Type::None;
  }
}

Result<void> takeParts(Builder &builder, Op &op, Type whole, const Operand &vector, bool packing) {
  const Type part = partOf(whole, vector.parts.size());
  if (part == Type::None)
    return builder.error("needs 2 or 4 elements that fill its type", std::to_string(vector.parts.size()));
  std::vector<Slot> slots;
  Result<void> taken = packing ? builder.sources(vector, part, vector.parts.size(), slots)
                               : builder.destinations(vector, part, vector.parts.size(), slots);
  if (!taken)
    return taken;
  op.variant = static_cast<uint16_t>(bitsOf(part) / 8);
  op.detail = bitsOf(whole) / 8;
  const bool two = slots.size() == 2 && (part == Type::B16 || part == Type::B32);
  if (packing) {
    const Result<Slot> to = destinationRegister(builder, builder.operand(0), whole);
    if (!to)
      return to.error();
    op.slots[0] = *to;
    if (two) {
      op.slots[1] = slots[0];
      op.slots[2] = slots[1];
      op.run = part == Type::B16 ? kLanewise<PackTwo, uint32_t, uint16_t, uint16_t>
                                 : kLanewise<PackTwo, uint64_t, uint32_t, uint32_t>;
      return {};
    }
    op.run = pack;
  } else {
    const Result<Slot> from = builder.source(1, whole);
    if (!from)
      return from.error();
    op.slots[1] = *from;
    op.run = !two ? unpack : part == Type::B16 ? unpackTwo<uint32_t> : unpackTwo<uint64_t>;
  }
  builder.setMore(op, slots);
  return {};
}

Result<void> move(Builder &builder, const Match &match, Op &op) {
  const Type type = match.type(0);
  if (Result<void> fits = builder.expectOperands(2, 2); !fits)
    return fits;
  if (builder.operand(0).kind == Operand::Kind::Vector)
    return takeParts(builder, op, type, builder.operand(0), false);
  if (builder.operand(1).kind == Operand::Kind::Vector)
    return takeParts(builder, op, type, builder.operand(1), true);
  switch (bitsOf(type)) {
  case 1:
    op.run = copyPredicate;
    break;
  case 128:
    op.run = copy128;
    break;
  case 16:
    op.run = kLanewise<Copy, uint16_t, uint16_t>;
    break;
  case 32:
    op.run = kLanewise<Copy, uint32_t, uint32_t>;
    break;
  default:
    op.run = kLanewise<Copy, uint64_t, uint64_t>;
  }
  return takeOperands(builder, op, type, {type});
}

constexpr Form kForms[] = {
    {"mov.(b16|b32|b64|u16|u32|u64|s16|s32|s64|f32|f64)", kBase, 10, OpClass::Move, move},
    {"mov.(pred)", kBase, 10, OpClass::Move, move},
    {"mov.(b128)", kBase, 83, OpClass::Move, move},
};

} // namespace

std::span<const Form> moveForms() { return kForms; }

GLM_PTX_END_LANES
