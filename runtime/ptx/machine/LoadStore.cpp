// ld, ldu and st of every space, vector and type (PTX ISA, "Data Movement and Conversion Instructions").
//
// Cache operators, eviction priorities and prefetch sizes are accepted and change nothing: the memory here has no caches.
#include "runtime/ptx/machine/LoadStore.h"

#include "runtime/ptx/machine/Groups.h"
#include "runtime/ptx/machine/GuestMemory.h"
#include "runtime/ptx/machine/QuickAccess.h"

#include <bit>
#include <cstring>
#include <fmt/format.h>

namespace glm::ptx {

Space spaceNamed(std::string_view word) {
  word = word.substr(0, word.find(':'));
  if (word == "global")
    return Space::Global;
  if (word == "shared")
    return Space::Shared;
  if (word == "const")
    return Space::Const;
  if (word == "local")
    return Space::Local;
  return word == "param" ? Space::Param : Space::Generic;
}

Result<Space> setAddress(Builder &builder, size_t index, Op &op, MemoryVariant variant) {
  Result<AddressOperand> address = builder.address(index);
  if (!address)
    return address.error();
  // What .param means depends on whose parameter it is; without a name, on who asks.
  if (variant.space == Space::Param) {
    bool inBlock = address->space == Space::Param || (address->space == Space::Generic && builder.inKernel());
    if (!inBlock && address->space != Space::Local && address->space != Space::Generic)
      return builder.error("must name a parameter", "a variable of another space");
    variant.space = inBlock ? Space::Param : Space::Local;
  } else if (variant.space != Space::Generic && address->space != Space::Generic && address->space != variant.space) {
    return builder.error("must name a variable of the space of the access", "one of another space");
  } else if (variant.space == Space::Generic && address->space != Space::Generic) {
    // The address of a variable within its space is a generic one only in .global and .const.
    if (address->space != Space::Global && address->space != Space::Const)
      return builder.error("must say .shared, .local or .param to name such a variable", "a generic access");
    variant.space = address->space;
  }
  variant.wide = address->wide;
  op.slots[0] = address->base;
  op.immediate = address->offset;
  op.variant = variant.pack();
  return variant.space;
}

/// No address: a token that is there once anybody released one by a strong access.
static constexpr uint64_t kAnyAddressToken = 0;

/// An address of shared memory is the same token whether it is generic or not.
static uint64_t tokenOf(uint64_t address) {
  return (address & kWindowMask) == kSharedWindow ? address & ~kWindowMask : address;
}

void acquireLanes(Warp &warp, LaneMask lanes, const uint64_t *addresses) {
  if (!warp.checks || !warp.block->cluster->tokens.contains(kAnyAddressToken))
    return;
  for (; lanes; lanes &= lanes - 1)
    acquire(warp, tokenOf(addresses[std::countr_zero(lanes)]));
}

void releaseLanes(Warp &warp, LaneMask lanes, const uint64_t *addresses) {
  if (!warp.checks)
    return;
  warp.block->cluster->tokens[kAnyAddressToken];
  for (; lanes; lanes &= lanes - 1)
    release(warp, tokenOf(addresses[std::countr_zero(lanes)]));
}

namespace {

const Slot *values(const Op &op) { return op.moreCount ? op.more : &op.slots[1]; }
uint32_t valueCount(const Op &op) { return op.moreCount ? op.moreCount : 1; }

template <uint32_t memoryBytes, uint32_t registerBytes, bool isSigned, bool isStrong>
GLM_PTX_GUEST_ACCESS void put(Unsigned<registerBytes> &to, const std::byte *from) {
  using Memory = Unsigned<memoryBytes>;
  Memory value;
  if constexpr (isStrong)
    value = loadStrong<Memory>(from);
  else
    value = loadPlain<Memory>(from);
  if constexpr (isSigned && memoryBytes < registerBytes)
    to = static_cast<Unsigned<registerBytes>>(static_cast<std::make_signed_t<Memory>>(value));
  else
    to = value;
}

/// The low bytes of a register.
template <uint32_t memoryBytes, uint32_t registerBytes, bool isStrong>
GLM_PTX_GUEST_ACCESS void take(std::byte *to, const Unsigned<registerBytes> &from) {
  Unsigned<memoryBytes> value;
  std::memcpy(&value, &from, memoryBytes);
  if constexpr (isStrong)
    storeStrong(to, value);
  else
    storePlain(to, value);
}

/// All lanes, from `base` + offsets; where the offsets are addresses, `base` is 0, to which a pointer must not be added.
template <uint32_t memoryBytes, uint32_t registerBytes, bool isSigned, typename Offsets>
GLM_PTX_GUEST_ACCESS void loadAll(Warp &warp, const Op &op, uint32_t count, uint64_t base, const Offsets &offsets) {
  for (uint32_t index = 0; index < count; ++index) {
    Slot slot = values(op)[index];
    if (slot == kNoSlot)
      continue;
    auto *to = warp.write<Unsigned<registerBytes>>(slot);
    for (uint32_t lane = 0; lane < kWarpSize; ++lane)
      put<memoryBytes, registerBytes, isSigned, false>(
          to[lane], reinterpret_cast<const std::byte *>(base + offsets[lane] + index * memoryBytes));
  }
}

template <uint32_t memoryBytes, uint32_t registerBytes, typename Offsets>
GLM_PTX_GUEST_ACCESS void storeAll(Warp &warp, const Op &op, uint32_t count, uint64_t base, const Offsets &offsets) {
  for (uint32_t index = 0; index < count; ++index) {
    const auto *from = warp.read<Unsigned<registerBytes>>(values(op)[index]);
    for (uint32_t lane = 0; lane < kWarpSize; ++lane)
      take<memoryBytes, registerBytes, false>(reinterpret_cast<std::byte *>(base + offsets[lane] + index * memoryBytes),
                                              from[lane]);
  }
}

/// Some lanes, each from an address of its own. What is not atomic is quicker for all of them in one loop.
template <uint32_t memoryBytes, uint32_t registerBytes, bool isSigned, bool isStrong>
GLM_PTX_GUEST_ACCESS void loadLanes(Warp &warp, const Op &op, LaneMask lanes, const std::byte *const *host) {
  uint32_t count = valueCount(op);
  for (uint32_t index = 0; index < count; ++index) {
    Slot slot = values(op)[index];
    if (slot == kNoSlot)
      continue;
    auto *to = warp.write<Unsigned<registerBytes>>(slot);
    if (!isStrong && lanes == ~LaneMask{0}) {
      for (uint32_t lane = 0; lane < kWarpSize; ++lane)
        put<memoryBytes, registerBytes, isSigned, isStrong>(to[lane], host[lane] + index * memoryBytes);
    } else {
      for (LaneMask rest = lanes; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        put<memoryBytes, registerBytes, isSigned, isStrong>(to[lane], host[lane] + index * memoryBytes);
      }
    }
  }
}

template <uint32_t memoryBytes, uint32_t registerBytes, bool isStrong>
GLM_PTX_GUEST_ACCESS void storeLanes(Warp &warp, const Op &op, LaneMask lanes, std::byte *const *host) {
  uint32_t count = valueCount(op);
  for (uint32_t index = 0; index < count; ++index) {
    const auto *from = warp.read<Unsigned<registerBytes>>(values(op)[index]);
    if (!isStrong && lanes == ~LaneMask{0}) {
      for (uint32_t lane = 0; lane < kWarpSize; ++lane)
        take<memoryBytes, registerBytes, isStrong>(host[lane] + index * memoryBytes, from[lane]);
    } else {
      for (LaneMask rest = lanes; rest; rest &= rest - 1) {
        int lane = std::countr_zero(rest);
        take<memoryBytes, registerBytes, isStrong>(host[lane] + index * memoryBytes, from[lane]);
      }
    }
  }
}

bool isQuick(const Warp &warp, const MemoryVariant &variant, LaneMask lanes) {
  return lanes == ~LaneMask{0} && !variant.strong && !warp.counters;
}

/// Elements of `memoryBytes` into registers of `registerBytes`.
template <uint32_t memoryBytes, uint32_t registerBytes, bool isSigned>
Outcome load(Warp &warp, const Op &op, LaneMask lanes) {
  MemoryVariant variant = MemoryVariant::of(op);
  if (isQuick(warp, variant, lanes)) {
    uint32_t count = valueCount(op), bytes = memoryBytes * count;
    if (variant.space == Space::Shared && !variant.wide) {
      LaneOffsets offsets;
      if (ownSharedOffsets(warp, op, bytes, offsets)) {
        Block &block = *warp.block;
        if (block.shadow &&
            !block.shadow->readAll(warp, block, op, reinterpret_cast<const uint32_t *>(&offsets), bytes))
          return Outcome::Fault;
        loadAll<memoryBytes, registerBytes, isSigned>(warp, op, count, reinterpret_cast<uint64_t>(block.shared.data()),
                                                      offsets);
        return Outcome::Next;
      }
    } else if (variant.space == Space::Global && variant.wide) {
      LaneAddresses addresses;
      if (knownGlobalAddresses(warp, op, bytes, false, addresses)) {
        loadAll<memoryBytes, registerBytes, isSigned>(warp, op, count, 0, addresses);
        return Outcome::Next;
      }
    }
  }
  uint64_t addresses[kWarpSize];
  std::byte *host[kWarpSize];
  laneAddresses(warp, op.slots[0], variant.wide, op.immediate, addresses);
  uint32_t count = valueCount(op), bytes = memoryBytes * count;
  if (variant.strong) [[unlikely]]
    acquireLanes(warp, lanes, addresses);
  if (!touchLanes(warp, op, lanes, variant.space, addresses, bytes, bytes, {.sync = variant.strong}, host))
    return Outcome::Fault;
  if (variant.strong)
    loadLanes<memoryBytes, registerBytes, isSigned, true>(warp, op, lanes, host);
  else
    loadLanes<memoryBytes, registerBytes, isSigned, false>(warp, op, lanes, host);
  // Whoever reads like this may be polling.
  return variant.strong && isGlobalSpace(variant.space) ? Outcome::Yield : Outcome::Next;
}

template <uint32_t memoryBytes, uint32_t registerBytes>
Outcome store(Warp &warp, const Op &op, LaneMask lanes) {
  MemoryVariant variant = MemoryVariant::of(op);
  // Stores to shared memory take the short road only without checks, which compare values.
  if (isQuick(warp, variant, lanes)) {
    uint32_t count = valueCount(op), bytes = memoryBytes * count;
    Grid &grid = *warp.block->grid;
    if (variant.space == Space::Shared && !variant.wide && !warp.block->shadow) {
      LaneOffsets offsets;
      if (ownSharedOffsets(warp, op, bytes, offsets)) {
        storeAll<memoryBytes, registerBytes>(warp, op, count, reinterpret_cast<uint64_t>(warp.block->shared.data()),
                                             offsets);
        ++grid.progress;
        return Outcome::Next;
      }
    } else if (variant.space == Space::Global && variant.wide) {
      LaneAddresses addresses;
      if (knownGlobalAddresses(warp, op, bytes, true, addresses)) {
        storeAll<memoryBytes, registerBytes>(warp, op, count, 0, addresses);
        ++grid.progress;
        return Outcome::Next;
      }
    }
  }
  uint64_t addresses[kWarpSize];
  std::byte *host[kWarpSize];
  laneAddresses(warp, op.slots[0], variant.wide, op.immediate, addresses);
  uint32_t count = valueCount(op), bytes = memoryBytes * count;
  StoredValues stored{count, memoryBytes, registerBytes};
  SharedShadow *shadow = warp.block->shadow.get();
  if (shadow) {
    for (uint32_t index = 0; index < count; ++index)
      stored.registers[index] = warp.read<std::byte>(values(op)[index]);
    shadow->storing = &stored;
  }
  bool fine = touchLanes(warp, op, lanes, variant.space, addresses, bytes, bytes,
                         {.writes = true, .sync = variant.strong}, host);
  if (shadow)
    shadow->storing = nullptr;
  if (!fine)
    return Outcome::Fault;
  if (variant.strong && (variant.release || warp.fencedSince)) [[unlikely]]
    releaseLanes(warp, lanes, addresses);
  if (variant.strong)
    storeLanes<memoryBytes, registerBytes, true>(warp, op, lanes, host);
  else
    storeLanes<memoryBytes, registerBytes, false>(warp, op, lanes, host);
  return Outcome::Next;
}

Handler loadHandler(uint32_t memoryBytes, uint32_t registerBytes, bool isSigned) {
  switch (memoryBytes * 32 + registerBytes) {
  case 1 * 32 + 2:
    return isSigned ? load<1, 2, true> : load<1, 2, false>;
  case 1 * 32 + 4:
    return isSigned ? load<1, 4, true> : load<1, 4, false>;
  case 1 * 32 + 8:
    return isSigned ? load<1, 8, true> : load<1, 8, false>;
  case 2 * 32 + 2:
    return load<2, 2, false>;
  case 2 * 32 + 4:
    return isSigned ? load<2, 4, true> : load<2, 4, false>;
  case 2 * 32 + 8:
    return isSigned ? load<2, 8, true> : load<2, 8, false>;
  case 4 * 32 + 4:
    return load<4, 4, false>;
  case 4 * 32 + 8:
    return isSigned ? load<4, 8, true> : load<4, 8, false>;
  case 8 * 32 + 8:
    return load<8, 8, false>;
  case 16 * 32 + 16:
    return load<16, 16, false>;
  default:
    return nullptr;
  }
}

Handler storeHandler(uint32_t memoryBytes, uint32_t registerBytes) {
  switch (memoryBytes * 32 + registerBytes) {
  case 1 * 32 + 2:
    return store<1, 2>;
  case 1 * 32 + 4:
    return store<1, 4>;
  case 1 * 32 + 8:
    return store<1, 8>;
  case 2 * 32 + 2:
    return store<2, 2>;
  case 2 * 32 + 4:
    return store<2, 4>;
  case 2 * 32 + 8:
    return store<2, 8>;
  case 4 * 32 + 4:
    return store<4, 4>;
  case 4 * 32 + 8:
    return store<4, 8>;
  case 8 * 32 + 8:
    return store<8, 8>;
  case 16 * 32 + 16:
    return store<16, 16>;
  default:
    return nullptr;
  }
}

/// What the words of a load or store said, whatever the order of the pattern they came from.
struct Access {
  MemoryVariant variant;
  uint32_t count = 0; ///< of the vector; 0: scalar
  Type type = Type::B32;
};

Result<void> buildAccess(Builder &builder, const Access &access, bool isLoad, Op &op) {
  // A cache policy may follow.
  if (Result<void> count = builder.expectOperands(2, 3); !count)
    return count;
  if (builder.operandCount() == 3)
    if (Result<Slot> policy = builder.source(2, Type::B64); !policy)
      return policy.error();
  size_t addressIndex = isLoad ? 1 : 0, valueIndex = isLoad ? 0 : 1;
  Result<Space> space = setAddress(builder, addressIndex, op, access.variant);
  if (!space)
    return space.error();
  if (!isLoad && *space == Space::Const)
    return builder.error("must not write .const memory", "a store to it");
  op.ordered = access.variant.strong && isGlobalSpace(*space);
  const Operand &value = builder.operand(valueIndex);
  uint32_t memoryBytes = bitsOf(access.type) / 8;
  bool isVector = value.kind == Operand::Kind::Vector && access.type != Type::B128;
  if (isVector != (access.count != 0))
    return builder.error("must have as many values as its words say",
                         isVector ? "a vector without .v2, .v4 or .v8" : "a vector word without a vector");
  // All registers have the width of the first that is one.
  uint32_t registerBytes = std::max(memoryBytes, 2u);
  auto widthOf = [&](const Operand &operand) {
    Type type = builder.registerType(operand);
    return type == Type::None ? std::max(memoryBytes, 2u) : std::max(bitsOf(type), 16u) / 8;
  };
  std::vector<Slot> slots;
  if (isVector) {
    registerBytes = 0;
    for (const Operand &part : value.parts)
      if (part.kind != Operand::Kind::Sink && !registerBytes)
        registerBytes = widthOf(part);
    registerBytes = std::max(registerBytes, std::max(memoryBytes, 2u));
    for (const Operand &part : value.parts)
      if (part.kind != Operand::Kind::Sink && widthOf(part) != registerBytes)
        return builder.error("must have registers of one width", "a vector of several");
    Result<void> done = isLoad ? builder.destinations(value, access.type, access.count, slots, false)
                               : builder.sources(value, access.type, access.count, slots, false);
    if (!done)
      return done;
    builder.setMore(op, slots);
  } else {
    registerBytes = value.kind == Operand::Kind::Sink ? registerBytes : widthOf(value);
    Result<Slot> slot =
        isLoad ? builder.destination(value, access.type, false) : builder.source(value, access.type, false);
    if (!slot)
      return slot.error();
    op.slots[1] = *slot;
  }
  op.run = isLoad ? loadHandler(memoryBytes, registerBytes, isSigned(access.type))
                  : storeHandler(memoryBytes, registerBytes);
  if (!op.run)
    return builder.error(fmt::format("must have registers of at least {} bytes", memoryBytes),
                         fmt::format("{}", registerBytes));
  return {};
}

/// Finds the words by what they are: each pattern below has some of them.
Access accessOf(const Match &match) {
  Access access;
  for (std::string_view word : match.words) {
    if (std::optional<Type> type = typeNamed(word))
      access.type = *type;
    else if (word == "v2" || word == "v4" || word == "v8")
      access.count = static_cast<uint32_t>(word[1] - '0');
    else if (word == "relaxed")
      access.variant.strong = true;
    else if (word == "acquire")
      access.variant.strong = access.variant.acquire = true;
    else if (word == "release")
      access.variant.strong = access.variant.release = true;
    else if (Space space = spaceNamed(word); space != Space::Generic)
      access.variant.space = space;
  }
  return access;
}

template <bool isLoad>
Result<void> buildWeak(Builder &builder, const Match &match, Op &op) {
  return buildAccess(builder, accessOf(match), isLoad, op);
}

/// volatile, mmio and those with a scope.
template <bool isLoad>
Result<void> buildStrong(Builder &builder, const Match &match, Op &op) {
  Access access = accessOf(match);
  access.variant.strong = true;
  return buildAccess(builder, access, isLoad, op);
}

#define GLM_PTX_LOAD_SPACE "[.(const|global|local|param|param::entry|param::func|shared|shared::cta|shared::cluster)]"
#define GLM_PTX_STORE_SPACE "[.(global|local|param|param::func|shared|shared::cta|shared::cluster)]"
#define GLM_PTX_PRIORITY                                                                                               \
  "[.(L1::evict_normal|L1::evict_unchanged|L1::evict_first|L1::evict_last|L1::no_allocate)]"                           \
  "[.(L2::evict_normal|L2::evict_first|L2::evict_last)][.L2::cache_hint]"
#define GLM_PTX_PREFETCH "[.(L2::64B|L2::128B|L2::256B)]"
#define GLM_PTX_TYPE "(b8|b16|b32|b64|u8|u16|u32|u64|s8|s16|s32|s64|f32|f64)"
#define GLM_PTX_NARROW_TYPE "(b8|b16|b32|u8|u16|u32|s8|s16|s32|f32)"
#define GLM_PTX_WIDE_TYPE "(b64|u64|s64|f64)"
#define GLM_PTX_WORD_TYPE "(b32|u32|s32|f32)"
#define GLM_PTX_SCOPE "(cta|cluster|gpu|sys)"

constexpr auto kLoad = OpClass::Load;
constexpr auto kStore = OpClass::Store;

const Form kForms[] = {
    // 256 bits.
    {"ld[.weak].(global)[.(ca|cg|cs|lu|cv)][.nc]" GLM_PTX_PRIORITY GLM_PTX_PREFETCH ".(v8)." GLM_PTX_WORD_TYPE,
     Feature::Sm100, 88, kLoad, buildWeak<true>},
    {"ld[.weak].(global)[.(ca|cg|cs|lu|cv)][.nc]" GLM_PTX_PRIORITY GLM_PTX_PREFETCH ".(v4)." GLM_PTX_WIDE_TYPE,
     Feature::Sm100, 88, kLoad, buildWeak<true>},
    {"ld.(relaxed|acquire)." GLM_PTX_SCOPE ".(global)" GLM_PTX_PRIORITY GLM_PTX_PREFETCH ".(v8)." GLM_PTX_WORD_TYPE,
     Feature::Sm100, 88, kLoad, buildStrong<true>},
    {"ld.(relaxed|acquire)." GLM_PTX_SCOPE ".(global)" GLM_PTX_PRIORITY GLM_PTX_PREFETCH ".(v4)." GLM_PTX_WIDE_TYPE,
     Feature::Sm100, 88, kLoad, buildStrong<true>},
    {"st[.weak].(global)[.(wb|cg|cs|wt)]" GLM_PTX_PRIORITY ".(v8)." GLM_PTX_WORD_TYPE, Feature::Sm100, 88, kStore,
     buildWeak<false>},
    {"st[.weak].(global)[.(wb|cg|cs|wt)]" GLM_PTX_PRIORITY ".(v4)." GLM_PTX_WIDE_TYPE, Feature::Sm100, 88, kStore,
     buildWeak<false>},
    {"st.(relaxed|release)." GLM_PTX_SCOPE ".(global)" GLM_PTX_PRIORITY ".(v8)." GLM_PTX_WORD_TYPE, Feature::Sm100, 88,
     kStore, buildStrong<false>},
    {"st.(relaxed|release)." GLM_PTX_SCOPE ".(global)" GLM_PTX_PRIORITY ".(v4)." GLM_PTX_WIDE_TYPE, Feature::Sm100, 88,
     kStore, buildStrong<false>},
    // Up to 128 bits.
    {"ld[.weak].(global)[.(ca|cg|cs)].nc" GLM_PTX_PRIORITY GLM_PTX_PREFETCH "[.v2]." GLM_PTX_TYPE, Feature::Base, 31,
     kLoad, buildWeak<true>},
    {"ld[.weak].(global)[.(ca|cg|cs)].nc" GLM_PTX_PRIORITY GLM_PTX_PREFETCH ".(v4)." GLM_PTX_NARROW_TYPE, Feature::Base,
     31, kLoad, buildWeak<true>},
    {"ld[.weak].(global)[.(ca|cg|cs)].nc" GLM_PTX_PRIORITY GLM_PTX_PREFETCH ".(b128)", Feature::Base, 83, kLoad,
     buildWeak<true>},
    {"ld[.weak]" GLM_PTX_LOAD_SPACE "[.(ca|cg|cs|lu|cv)]" GLM_PTX_PRIORITY GLM_PTX_PREFETCH "[.v2]." GLM_PTX_TYPE,
     Feature::Base, 10, kLoad, buildWeak<true>},
    {"ld[.weak]" GLM_PTX_LOAD_SPACE "[.(ca|cg|cs|lu|cv)]" GLM_PTX_PRIORITY GLM_PTX_PREFETCH
     ".(v4)." GLM_PTX_NARROW_TYPE,
     Feature::Base, 10, kLoad, buildWeak<true>},
    {"ld[.weak]" GLM_PTX_LOAD_SPACE "[.(ca|cg|cs|lu|cv)]" GLM_PTX_PRIORITY GLM_PTX_PREFETCH ".(b128)", Feature::Base,
     83, kLoad, buildWeak<true>},
    {"ld.volatile" GLM_PTX_LOAD_SPACE GLM_PTX_PREFETCH "[.v2]." GLM_PTX_TYPE, Feature::Base, 10, kLoad,
     buildStrong<true>},
    {"ld.volatile" GLM_PTX_LOAD_SPACE GLM_PTX_PREFETCH ".(v4)." GLM_PTX_NARROW_TYPE, Feature::Base, 10, kLoad,
     buildStrong<true>},
    {"ld.volatile" GLM_PTX_LOAD_SPACE GLM_PTX_PREFETCH ".(b128)", Feature::Base, 83, kLoad, buildStrong<true>},
    {"ld.(relaxed|acquire)." GLM_PTX_SCOPE GLM_PTX_LOAD_SPACE GLM_PTX_PRIORITY GLM_PTX_PREFETCH "[.v2]." GLM_PTX_TYPE,
     Feature::Base, 60, kLoad, buildStrong<true>},
    {"ld.(relaxed|acquire)." GLM_PTX_SCOPE GLM_PTX_LOAD_SPACE GLM_PTX_PRIORITY GLM_PTX_PREFETCH
     ".(v4)." GLM_PTX_NARROW_TYPE,
     Feature::Base, 60, kLoad, buildStrong<true>},
    {"ld.(relaxed|acquire)." GLM_PTX_SCOPE GLM_PTX_LOAD_SPACE GLM_PTX_PRIORITY GLM_PTX_PREFETCH ".(b128)",
     Feature::Base, 83, kLoad, buildStrong<true>},
    {"ld.mmio.relaxed.sys[.global]." GLM_PTX_TYPE, Feature::Base, 82, kLoad, buildStrong<true>},
    {"ldu[.global][.(v2|v4)]." GLM_PTX_TYPE, Feature::Base, 20, kLoad, buildWeak<true>},
    {"st[.weak]" GLM_PTX_STORE_SPACE "[.(wb|cg|cs|wt)]" GLM_PTX_PRIORITY "[.v2]." GLM_PTX_TYPE, Feature::Base, 10,
     kStore, buildWeak<false>},
    {"st[.weak]" GLM_PTX_STORE_SPACE "[.(wb|cg|cs|wt)]" GLM_PTX_PRIORITY ".(v4)." GLM_PTX_NARROW_TYPE, Feature::Base,
     10, kStore, buildWeak<false>},
    {"st[.weak]" GLM_PTX_STORE_SPACE "[.(wb|cg|cs|wt)]" GLM_PTX_PRIORITY ".(b128)", Feature::Base, 83, kStore,
     buildWeak<false>},
    {"st.volatile" GLM_PTX_STORE_SPACE "[.v2]." GLM_PTX_TYPE, Feature::Base, 10, kStore, buildStrong<false>},
    {"st.volatile" GLM_PTX_STORE_SPACE ".(v4)." GLM_PTX_NARROW_TYPE, Feature::Base, 10, kStore, buildStrong<false>},
    {"st.volatile" GLM_PTX_STORE_SPACE ".(b128)", Feature::Base, 83, kStore, buildStrong<false>},
    {"st.(relaxed|release)." GLM_PTX_SCOPE GLM_PTX_STORE_SPACE GLM_PTX_PRIORITY "[.v2]." GLM_PTX_TYPE, Feature::Base,
     60, kStore, buildStrong<false>},
    {"st.(relaxed|release)." GLM_PTX_SCOPE GLM_PTX_STORE_SPACE GLM_PTX_PRIORITY ".(v4)." GLM_PTX_NARROW_TYPE,
     Feature::Base, 60, kStore, buildStrong<false>},
    {"st.(relaxed|release)." GLM_PTX_SCOPE GLM_PTX_STORE_SPACE GLM_PTX_PRIORITY ".(b128)", Feature::Base, 83, kStore,
     buildStrong<false>},
    {"st.mmio.relaxed.sys[.global]." GLM_PTX_TYPE, Feature::Base, 82, kStore, buildStrong<false>},
};

} // namespace

std::span<const Form> loadStoreForms() { return kForms; }

} // namespace glm::ptx
