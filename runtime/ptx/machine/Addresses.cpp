// Addresses: conversions between spaces, questions about them, hints for caches.
#include "runtime/ptx/machine/Access.h"
#include "runtime/ptx/machine/Groups.h"
#include "runtime/ptx/machine/LoadStore.h"

#include <bit>

namespace glm::ptx {
namespace {

uint64_t windowOf(Space space) {
  switch (space) {
  case Space::Shared:
    return kSharedWindow;
  case Space::Local:
    return kLocalWindow;
  case Space::Param:
    return kParamWindow;
  default:
    return 0;
  }
}

/// Global and .const memory have no window: everything that is in no other space is theirs.
bool isIn(uint64_t address, uint64_t window) {
  uint64_t own = address & kWindowMask;
  if (window)
    return own == window;
  return own != kSharedWindow && own != kLocalWindow && own != kParamWindow;
}

template <typename F>
void forLanes(LaneMask lanes, F function) {
  for (; lanes; lanes &= lanes - 1)
    function(std::countr_zero(lanes));
}

/// slots: destination, source; immediate: the window; detail: 1 for cvta.to.
Outcome convertAddress(Warp &warp, const Op &op, LaneMask lanes) {
  auto *to = warp.write<uint64_t>(op.slots[0]);
  const auto *from = warp.read<uint64_t>(op.slots[1]);
  auto window = static_cast<uint64_t>(op.immediate);
  forLanes(lanes, [&](int lane) { to[lane] = op.detail ? from[lane] & ~window : from[lane] | window; });
  return Outcome::Next;
}

template <bool isTo>
Result<void> buildCvta(Builder &builder, const Match &match, Op &op) {
  if (Result<void> count = builder.expectOperands(2, 2); !count)
    return count;
  Result<Slot> to = builder.destination(0, Type::U64);
  if (!to)
    return to.error();
  Result<Slot> from = builder.source(1, Type::U64);
  if (!from)
    return from.error();
  Space space = spaceNamed(match.words[0]);
  if (space == Space::Param && !builder.inKernel())
    space = Space::Local;
  op.slots[0] = *to;
  op.slots[1] = *from;
  op.immediate = static_cast<int64_t>(windowOf(space));
  op.detail = isTo;
  op.run = convertAddress;
  return {};
}

/// detail: 1 if a shared address must be of the own block.
Outcome askSpace(Warp &warp, const Op &op, LaneMask lanes) {
  const auto *address = warp.read<uint64_t>(op.slots[1]);
  auto window = static_cast<uint64_t>(op.immediate);
  LaneMask answer = 0;
  forLanes(lanes, [&](int lane) {
    bool inside = isIn(address[lane], window);
    if (op.detail)
      inside = inside && (address[lane] & ~kWindowMask) >> kRankShift == warp.block->rank;
    answer |= LaneMask{inside} << lane;
  });
  warp.setPredicate(op.slots[0], lanes, answer);
  return Outcome::Next;
}

/// Constant memory is told from global memory by what was allocated.
Outcome askConstant(Warp &warp, const Op &op, LaneMask lanes) {
  const auto *address = warp.read<uint64_t>(op.slots[1]);
  const GlobalMemory &memory = warp.block->grid->module->memory();
  LaneMask answer = 0;
  forLanes(lanes, [&](int lane) {
    Region region = memory.find(address[lane]);
    answer |= LaneMask{region.kind == Region::Kind::Module && region.bytes && !region.writableMask} << lane;
  });
  warp.setPredicate(op.slots[0], lanes, answer);
  return Outcome::Next;
}

Result<void> buildIsspacep(Builder &builder, const Match &match, Op &op) {
  if (Result<void> count = builder.expectOperands(2, 2); !count)
    return count;
  Result<Slot> to = builder.destination(0, Type::Pred);
  if (!to)
    return to.error();
  Result<Slot> from = builder.source(1, Type::U64);
  if (!from)
    return from.error();
  std::string_view word = match.words[0];
  op.slots[0] = *to;
  op.slots[1] = *from;
  op.immediate = static_cast<int64_t>(windowOf(spaceNamed(word)));
  op.detail = word == "shared" || word == "shared::cta";
  op.run = word == "const" ? askConstant : askSpace;
  return {};
}

/// mapa: the same offset in the block of another rank. slots: destination, address, rank.
template <typename T>
Outcome mapAddress(Warp &warp, const Op &op, LaneMask lanes) {
  auto *to = warp.write<T>(op.slots[0]);
  const auto *from = warp.read<T>(op.slots[1]);
  const auto *rank = warp.read<uint32_t>(op.slots[2]);
  forLanes(lanes, [&](int lane) {
    T window = sizeof(T) == 8 ? static_cast<T>(from[lane] & static_cast<T>(kWindowMask)) : T{0};
    to[lane] = window | static_cast<T>(rank[lane]) << kRankShift | (from[lane] & kSharedOffsetMask);
  });
  return Outcome::Next;
}

template <typename T>
Outcome rankOf(Warp &warp, const Op &op, LaneMask lanes) {
  auto *to = warp.write<uint32_t>(op.slots[0]);
  const auto *from = warp.read<T>(op.slots[1]);
  forLanes(lanes, [&](int lane) { to[lane] = static_cast<uint32_t>(from[lane]) >> kRankShift; });
  return Outcome::Next;
}

Result<void> buildMapa(Builder &builder, const Match &match, Op &op) {
  if (Result<void> count = builder.expectOperands(3, 3); !count)
    return count;
  Type type = match.type(1);
  Result<Slot> to = builder.destination(0, type);
  if (!to)
    return to.error();
  Result<Slot> from = builder.source(1, type);
  if (!from)
    return from.error();
  Result<Slot> rank = builder.source(2, Type::U32);
  if (!rank)
    return rank.error();
  op.slots[0] = *to;
  op.slots[1] = *from;
  op.slots[2] = *rank;
  op.run = type == Type::U64 ? mapAddress<uint64_t> : mapAddress<uint32_t>;
  return {};
}

Result<void> buildGetctarank(Builder &builder, const Match &match, Op &op) {
  if (Result<void> count = builder.expectOperands(2, 2); !count)
    return count;
  Type type = match.type(1);
  Result<Slot> to = builder.destination(0, Type::U32);
  if (!to)
    return to.error();
  Result<Slot> from = builder.source(1, type);
  if (!from)
    return from.error();
  op.slots[0] = *to;
  op.slots[1] = *from;
  op.run = type == Type::U64 ? rankOf<uint64_t> : rankOf<uint32_t>;
  return {};
}

/// There are no caches to fill.
Outcome prefetch(Warp &, const Op &, LaneMask) { return Outcome::Next; }

Result<void> buildPrefetch(Builder &builder, const Match &, Op &op) {
  if (Result<void> count = builder.expectOperands(1, 1); !count)
    return count;
  if (Result<AddressOperand> address = builder.address(0); !address)
    return address.error();
  op.run = prefetch;
  return {};
}

const Form kForms[] = {
    {"cvta.to.(const|global|local|shared|shared::cta|shared::cluster|param|param::entry).u64", Feature::Base, 20,
     OpClass::Integer, buildCvta<true>},
    {"cvta.(const|global|local|shared|shared::cta|shared::cluster|param|param::entry).u64", Feature::Base, 20,
     OpClass::Integer, buildCvta<false>},
    {"isspacep.(const|global|local|shared|shared::cta|shared::cluster|param|param::entry)", Feature::Base, 20,
     OpClass::Integer, buildIsspacep},
    {"mapa[.shared::cluster].(u32|u64)", Feature::Base, 78, OpClass::Integer, buildMapa},
    {"getctarank[.shared::cluster].(u32|u64)", Feature::Base, 78, OpClass::Integer, buildGetctarank},
    {"prefetch[.(global|local)].(L1|L2)", Feature::Base, 20, OpClass::Other, buildPrefetch},
    {"prefetch.global.(L2::evict_last|L2::evict_normal)", Feature::Base, 74, OpClass::Other, buildPrefetch},
    {"prefetchu.L1", Feature::Base, 20, OpClass::Other, buildPrefetch},
};

} // namespace

std::span<const Form> addressForms() { return kForms; }

} // namespace glm::ptx
