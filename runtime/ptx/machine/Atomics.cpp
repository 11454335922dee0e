// atom and red of every operation, type and space (PTX ISA, "Parallel Synchronization and Communication Instructions: atom").
//
// Lanes of one instruction go one after the other, lane 0 first. What is done to global memory is atomic on the host too:
// several kernels, or several devices, may run at once.
#include "runtime/ptx/machine/Groups.h"
#include "runtime/ptx/machine/GuestMemory.h"
#include "runtime/ptx/machine/LoadStore.h"
#include "runtime/ptx/number/Scalar.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace glm::ptx {
namespace {

/// What an atomic does: the new value from the old one and the operands, all as bits. `global` tells f32 additions apart,
/// which flush subnormals in global memory only (PTX ISA, "atom").
template <typename T>
using Apply = T (*)(T old, T a, T b, bool global);

template <typename T>
T opAnd(T old, T a, T, bool) {
  return old & a;
}
template <typename T>
T opOr(T old, T a, T, bool) {
  return old | a;
}
template <typename T>
T opXor(T old, T a, T, bool) {
  return old ^ a;
}
template <typename T>
T opExch(T, T a, T, bool) {
  return a;
}
template <typename T>
T opCas(T old, T a, T b, bool) {
  return old == a ? b : old;
}
template <typename T>
T opAdd(T old, T a, T, bool) {
  return old + a;
}
template <typename T>
T opInc(T old, T a, T, bool) {
  return old >= a ? 0 : old + 1;
}
template <typename T>
T opDec(T old, T a, T, bool) {
  return old == 0 || old > a ? a : old - 1;
}
template <typename T, typename S>
T opMin(T old, T a, T, bool) {
  return static_cast<S>(a) < static_cast<S>(old) ? a : old;
}
template <typename T, typename S>
T opMax(T old, T a, T, bool) {
  return static_cast<S>(a) > static_cast<S>(old) ? a : old;
}

uint32_t flushed(uint32_t bits) { return (bits & 0x7f800000u) ? bits : bits & 0x80000000u; }

/// PTX's NaN: the results of the operations below are canonical where the operation says so.
constexpr uint32_t kNan32 = 0x7fffffffu;

uint32_t addF32(uint32_t old, uint32_t a, uint32_t, bool global) {
  if (global) {
    old = flushed(old);
    a = flushed(a);
  }
  float sum = std::bit_cast<float>(old) + std::bit_cast<float>(a);
  uint32_t bits = std::isnan(sum) ? kNan32 : std::bit_cast<uint32_t>(sum);
  return global ? flushed(bits) : bits;
}

uint64_t addF64(uint64_t old, uint64_t a, uint64_t, bool) {
  double sum = std::bit_cast<double>(old) + std::bit_cast<double>(a);
  return std::isnan(sum) ? 0x7fffffffffffffffull : std::bit_cast<uint64_t>(sum);
}

/// Sums of two halves are rounded once in float and again to half, which is the same as once: float has more than twice the
/// digits of either format plus two.
template <FloatFormat F>
uint16_t addHalf(uint16_t old, uint16_t a, uint16_t, bool) {
  return static_cast<uint16_t>(narrowOne<F>(widenOne<F>(old) + widenOne<F>(a)));
}

/// min and max of the half types: a NaN loses against a number, -0 is below +0 (PTX ISA, "min", "max").
template <FloatFormat F, bool isMax>
uint16_t extremeHalf(uint16_t old, uint16_t a, uint16_t, bool) {
  float x = widenOne<F>(old), y = widenOne<F>(a);
  if (std::isnan(x) && std::isnan(y))
    return 0x7fff;
  if (std::isnan(x) || std::isnan(y))
    return std::isnan(x) ? a : old;
  if (x == y)
    return std::signbit(x) == isMax ? a : old;
  return (x < y) == isMax ? a : old;
}

/// Both halves of a packed pair.
template <Apply<uint16_t> apply>
uint32_t onPairs(uint32_t old, uint32_t a, uint32_t b, bool global) {
  auto half = [&](uint32_t shift) {
    return uint32_t{apply(static_cast<uint16_t>(old >> shift), static_cast<uint16_t>(a >> shift),
                          static_cast<uint16_t>(b >> shift), global)}
           << shift;
  };
  return half(0) | half(16);
}

/// slots[0]: address; more: results (if `hasResult`), a, b, `detail` of each.
template <typename T, Apply<T> apply>
Outcome atomic(Warp &warp, const Op &op, LaneMask lanes) {
  MemoryVariant variant = MemoryVariant::of(op);
  uint64_t addresses[kWarpSize];
  std::byte *host[kWarpSize];
  laneAddresses(warp, op.slots[0], variant.wide, op.immediate, addresses);
  uint32_t count = op.detail, bytes = sizeof(T) * count;
  acquireLanes(warp, lanes, addresses);
  if (!touchLanes(warp, op, lanes, variant.space, addresses, bytes, bytes, {.writes = true, .atomic = true}, host))
    return Outcome::Fault;
  const Slot *results = op.more, *first = results + count, *second = first + count;
  bool compares = op.moreCount == 3 * count;
  for (LaneMask rest = lanes; rest; rest &= rest - 1) {
    int lane = std::countr_zero(rest);
    bool global = isGlobalSpace(variant.space) && (addresses[lane] & kWindowMask) != kSharedWindow;
    for (uint32_t index = 0; index < count; ++index) {
      std::byte *at = host[lane] + index * sizeof(T);
      T a = warp.read<T>(first[index])[lane], b = compares ? warp.read<T>(second[index])[lane] : T{};
      T old;
      if (global) {
        old = updateStrong<T>(at, [&](T now) { return apply(now, a, b, true); });
      } else {
        std::memcpy(&old, at, sizeof(T));
        T next = apply(old, a, b, false);
        std::memcpy(at, &next, sizeof(T));
      }
      if (results[index] != kNoSlot)
        warp.write<T>(results[index])[lane] = old;
    }
  }
  if (variant.release || warp.fencedSince)
    releaseLanes(warp, lanes, addresses);
  return Outcome::Next;
}

struct Row {
  std::string_view operation;
  Type type;
  Handler run;
};

template <Apply<uint16_t> apply>
constexpr Handler onHalf = atomic<uint16_t, apply>;
template <Apply<uint16_t> apply>
constexpr Handler onPair = atomic<uint32_t, onPairs<apply>>;

using U32 = uint32_t;
using U64 = uint64_t;
using S32 = int32_t;
using S64 = int64_t;

constexpr Row kRows[] = {
    {"and", Type::B32, atomic<U32, opAnd<U32>>},
    {"and", Type::B64, atomic<U64, opAnd<U64>>},
    {"or", Type::B32, atomic<U32, opOr<U32>>},
    {"or", Type::B64, atomic<U64, opOr<U64>>},
    {"xor", Type::B32, atomic<U32, opXor<U32>>},
    {"xor", Type::B64, atomic<U64, opXor<U64>>},
    {"exch", Type::B32, atomic<U32, opExch<U32>>},
    {"exch", Type::B64, atomic<U64, opExch<U64>>},
    {"exch", Type::B128, atomic<Wide, opExch<Wide>>},
    {"cas", Type::B16, atomic<uint16_t, opCas<uint16_t>>},
    {"cas", Type::B32, atomic<U32, opCas<U32>>},
    {"cas", Type::B64, atomic<U64, opCas<U64>>},
    {"cas", Type::B128, atomic<Wide, opCas<Wide>>},
    {"add", Type::U32, atomic<U32, opAdd<U32>>},
    {"add", Type::S32, atomic<U32, opAdd<U32>>},
    {"add", Type::U64, atomic<U64, opAdd<U64>>},
    {"add", Type::S64, atomic<U64, opAdd<U64>>},
    {"add", Type::F32, atomic<U32, addF32>},
    {"add", Type::F64, atomic<U64, addF64>},
    {"add", Type::F16, onHalf<addHalf<kF16>>},
    {"add", Type::BF16, onHalf<addHalf<kBF16>>},
    {"add", Type::F16x2, onPair<addHalf<kF16>>},
    {"add", Type::BF16x2, onPair<addHalf<kBF16>>},
    {"inc", Type::U32, atomic<U32, opInc<U32>>},
    {"dec", Type::U32, atomic<U32, opDec<U32>>},
    {"min", Type::U32, atomic<U32, opMin<U32, U32>>},
    {"min", Type::S32, atomic<U32, opMin<U32, S32>>},
    {"min", Type::U64, atomic<U64, opMin<U64, U64>>},
    {"min", Type::S64, atomic<U64, opMin<U64, S64>>},
    {"min", Type::F16, onHalf<extremeHalf<kF16, false>>},
    {"min", Type::BF16, onHalf<extremeHalf<kBF16, false>>},
    {"min", Type::F16x2, onPair<extremeHalf<kF16, false>>},
    {"min", Type::BF16x2, onPair<extremeHalf<kBF16, false>>},
    {"max", Type::U32, atomic<U32, opMax<U32, U32>>},
    {"max", Type::S32, atomic<U32, opMax<U32, S32>>},
    {"max", Type::U64, atomic<U64, opMax<U64, U64>>},
    {"max", Type::S64, atomic<U64, opMax<U64, S64>>},
    {"max", Type::F16, onHalf<extremeHalf<kF16, true>>},
    {"max", Type::BF16, onHalf<extremeHalf<kBF16, true>>},
    {"max", Type::F16x2, onPair<extremeHalf<kF16, true>>},
    {"max", Type::BF16x2, onPair<extremeHalf<kBF16, true>>},
};

/// Of integers, the operations whose result does not depend on the order of blocks.
bool commutes(std::string_view operation, Type type) {
  return !isFloat(type) && operation != "exch" && operation != "cas" && operation != "inc" && operation != "dec";
}

struct Words {
  std::string_view operation;
  Type type = Type::None;
  uint32_t count = 1;
  MemoryVariant variant;
};

Words wordsOf(const Match &match) {
  Words words;
  for (std::string_view word : match.words) {
    if (std::ranges::find(kRows, word, &Row::operation) != std::end(kRows))
      words.operation = word;
    else if (std::optional<Type> type = typeNamed(word))
      words.type = *type;
    else if (word == "v2" || word == "v4" || word == "v8")
      words.count = static_cast<uint32_t>(word[1] - '0');
    else if (word == "acquire")
      words.variant.acquire = true;
    else if (word == "release")
      words.variant.release = true;
    else if (word == "acq_rel")
      words.variant.acquire = words.variant.release = true;
    else if (Space space = spaceNamed(word); space != Space::Generic)
      words.variant.space = space;
  }
  words.variant.strong = true;
  return words;
}

template <bool hasResult>
Result<void> buildAtomic(Builder &builder, const Match &match, Op &op) {
  Words words = wordsOf(match);
  const auto *row = std::ranges::find_if(
      kRows, [&](const Row &row) { return row.operation == words.operation && row.type == words.type; });
  if (row == std::end(kRows))
    return builder.error("must have an operation that its type has", words.operation);
  bool compares = words.operation == "cas";
  size_t operands = 2 + hasResult + compares;
  // A cache policy may follow.
  if (Result<void> count = builder.expectOperands(operands, operands + 1); !count)
    return count;
  if (builder.operandCount() > operands)
    if (Result<Slot> policy = builder.source(operands, Type::B64); !policy)
      return policy.error();
  Result<Space> space = setAddress(builder, hasResult, op, words.variant);
  if (!space)
    return space.error();
  std::vector<Slot> slots;
  if constexpr (hasResult) {
    if (builder.operand(0).kind == Operand::Kind::Sink)
      slots.assign(words.count, kNoSlot);
    else if (Result<void> done = builder.destinations(builder.operand(0), words.type, words.count, slots); !done)
      return done;
  } else {
    slots.assign(words.count, kNoSlot);
  }
  bool unused = std::ranges::count(slots, kNoSlot) == std::ssize(slots);
  for (size_t index = 1; index <= 1 + size_t{compares}; ++index)
    if (Result<void> done = builder.sources(builder.operand(index + hasResult), words.type, words.count, slots); !done)
      return done;
  builder.setMore(op, slots);
  op.detail = words.count;
  op.run = row->run;
  op.ordered = isGlobalSpace(*space) && !(unused && commutes(words.operation, words.type));
  return {};
}

#define GLM_PTX_SEM_SCOPE "[.(relaxed|acquire|release|acq_rel)][.(cta|cluster|gpu|sys)]"
#define GLM_PTX_RED_SEM_SCOPE "[.(relaxed|release)][.(cta|cluster|gpu|sys)]"
/// ptxas also takes them after the operation, where cooperative_groups writes them.
#define GLM_PTX_SPACE "[.(global|shared|shared::cta|shared::cluster)]"
#define GLM_PTX_HINT "[.L2::cache_hint]"

constexpr auto kAtomic = OpClass::Atomic;

const Form kForms[] = {
    {"atom" GLM_PTX_SEM_SCOPE GLM_PTX_SPACE ".(and|or|xor)" GLM_PTX_SEM_SCOPE GLM_PTX_HINT ".(b32|b64)", Feature::Base,
     11, kAtomic, buildAtomic<true>},
    {"atom" GLM_PTX_SEM_SCOPE GLM_PTX_SPACE ".(exch)" GLM_PTX_SEM_SCOPE GLM_PTX_HINT ".(b32|b64)", Feature::Base, 11,
     kAtomic, buildAtomic<true>},
    {"atom" GLM_PTX_SEM_SCOPE GLM_PTX_SPACE ".(cas)" GLM_PTX_SEM_SCOPE GLM_PTX_HINT ".(b16|b32|b64)", Feature::Base, 11,
     kAtomic, buildAtomic<true>},
    {"atom" GLM_PTX_SEM_SCOPE GLM_PTX_SPACE ".(exch|cas)" GLM_PTX_SEM_SCOPE GLM_PTX_HINT ".(b128)", Feature::Base, 83,
     kAtomic, buildAtomic<true>},
    {"atom" GLM_PTX_SEM_SCOPE GLM_PTX_SPACE ".(add)" GLM_PTX_SEM_SCOPE GLM_PTX_HINT ".(u32|s32|u64|s64|f32|f64)",
     Feature::Base, 11, kAtomic, buildAtomic<true>},
    {"atom" GLM_PTX_SEM_SCOPE GLM_PTX_SPACE ".(inc|dec)" GLM_PTX_SEM_SCOPE GLM_PTX_HINT ".(u32)", Feature::Base, 11,
     kAtomic, buildAtomic<true>},
    {"atom" GLM_PTX_SEM_SCOPE GLM_PTX_SPACE ".(min|max)" GLM_PTX_SEM_SCOPE GLM_PTX_HINT ".(u32|s32|u64|s64)",
     Feature::Base, 11, kAtomic, buildAtomic<true>},
    {"atom" GLM_PTX_SEM_SCOPE GLM_PTX_SPACE ".(add).noftz" GLM_PTX_HINT ".(f16|f16x2|bf16|bf16x2)", Feature::Base, 62,
     kAtomic, buildAtomic<true>},
    {"atom" GLM_PTX_SEM_SCOPE "[.global].(add)" GLM_PTX_HINT ".(v2|v4).(f32)", Feature::Base, 81, kAtomic,
     buildAtomic<true>},
    {"atom" GLM_PTX_SEM_SCOPE "[.global].(add|min|max).noftz" GLM_PTX_HINT ".(v2|v4|v8).(f16|bf16)", Feature::Base, 81,
     kAtomic, buildAtomic<true>},
    {"atom" GLM_PTX_SEM_SCOPE "[.global].(add|min|max).noftz" GLM_PTX_HINT ".(v2|v4).(f16x2|bf16x2)", Feature::Base, 81,
     kAtomic, buildAtomic<true>},
    {"red" GLM_PTX_RED_SEM_SCOPE GLM_PTX_SPACE ".(and|or|xor)" GLM_PTX_RED_SEM_SCOPE GLM_PTX_HINT ".(b32|b64)",
     Feature::Base, 12, kAtomic, buildAtomic<false>},
    {"red" GLM_PTX_RED_SEM_SCOPE GLM_PTX_SPACE ".(add)" GLM_PTX_RED_SEM_SCOPE GLM_PTX_HINT ".(u32|s32|u64|s64|f32|f64)",
     Feature::Base, 12, kAtomic, buildAtomic<false>},
    {"red" GLM_PTX_RED_SEM_SCOPE GLM_PTX_SPACE ".(inc|dec)" GLM_PTX_RED_SEM_SCOPE GLM_PTX_HINT ".(u32)", Feature::Base,
     12, kAtomic, buildAtomic<false>},
    {"red" GLM_PTX_RED_SEM_SCOPE GLM_PTX_SPACE ".(min|max)" GLM_PTX_RED_SEM_SCOPE GLM_PTX_HINT ".(u32|s32|u64|s64)",
     Feature::Base, 12, kAtomic, buildAtomic<false>},
    {"red" GLM_PTX_RED_SEM_SCOPE GLM_PTX_SPACE ".(add).noftz" GLM_PTX_HINT ".(f16|f16x2|bf16|bf16x2)", Feature::Base,
     62, kAtomic, buildAtomic<false>},
    {"red" GLM_PTX_RED_SEM_SCOPE "[.global].(add)" GLM_PTX_HINT ".(v2|v4).(f32)", Feature::Base, 81, kAtomic,
     buildAtomic<false>},
    {"red" GLM_PTX_RED_SEM_SCOPE "[.global].(add|min|max).noftz" GLM_PTX_HINT ".(v2|v4|v8).(f16|bf16)", Feature::Base,
     81, kAtomic, buildAtomic<false>},
    {"red" GLM_PTX_RED_SEM_SCOPE "[.global].(add|min|max).noftz" GLM_PTX_HINT ".(v2|v4).(f16x2|bf16x2)", Feature::Base,
     81, kAtomic, buildAtomic<false>},
};

} // namespace

std::span<const Form> atomicForms() { return kForms; }

} // namespace glm::ptx
