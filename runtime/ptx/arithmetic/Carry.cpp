// Extended precision: additions that hand a carry on (PTX ISA, "Extended-Precision Integer Arithmetic Instructions"). The
// carry flag CC.CF of each lane lies in Warp::carry; subtraction borrows through the same flag.
#include "runtime/ptx/arithmetic/Lanes.h"
#include "runtime/ptx/arithmetic/Operands.h"
#include "runtime/ptx/arithmetic/Tables.h"

GLM_PTX_BEGIN_LANES
namespace {

constexpr Feature kBase = Feature::Base;

enum class Sum : uint8_t { Add, Subtract, MultiplyLow, MultiplyHigh };

/// `T` is signed for the upper half of a signed product.
template <Sum S, typename T>
struct Carry {
  using U = std::make_unsigned_t<T>;

  template <bool TakesCarry, bool GivesCarry>
  static Outcome run(Warp &warp, const Op &op, LaneMask lanes) {
    // Eight lanes: the flags leave as whole bytes.
    constexpr int kChunk = chunkLanes<T>() < 8 ? 8 : chunkLanes<T>();
    const U *a = warp.read<U>(op.slots[1]);
    const U *b = warp.read<U>(op.slots[2]);
    const U *c = S == Sum::Add || S == Sum::Subtract ? nullptr : warp.read<U>(op.slots[3]);
    U *to = warp.write<U>(op.slots[0]);
    LaneMask flags = 0;
    for (int lane = 0; lane < static_cast<int>(kWarpSize); lane += kChunk) {
      using V = Vector<U, kChunk>;
      V left = loadLanes<kChunk>(a + lane);
      V right = loadLanes<kChunk>(b + lane);
      if constexpr (S == Sum::MultiplyLow || S == Sum::MultiplyHigh) {
        left = product(left, right);
        right = loadLanes<kChunk>(c + lane);
      }
      const auto flag = laneMask<U, kChunk>(warp.carry >> lane);
      const V one = TakesCarry ? (flag ? V(1) : V(0)) : V(0);
      V sum;
      if constexpr (S == Sum::Subtract) {
        sum = left - right - one;
        flags |= bitsOfMask(left < right || (left == right && one != 0)) << lane;
      } else {
        const V first = left + right;
        sum = first + one;
        flags |= bitsOfMask(first < left || sum < first) << lane;
      }
      storeLanes<kChunk>(to + lane, laneMask<U, kChunk>(lanes >> lane) ? sum : loadLanes<kChunk>(to + lane));
    }
    if constexpr (GivesCarry)
      warp.carry = (warp.carry & ~lanes) | (flags & lanes);
    return Outcome::Next;
  }

private:
  template <typename V>
  static V product(V a, V b) {
    if constexpr (S == Sum::MultiplyLow) {
      return a * b;
    } else if constexpr (sizeof(T) == 4) {
      using Wide = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
      return convert<U>((convert<Wide>(bitsAs<T>(a)) * convert<Wide>(bitsAs<T>(b))) >> 32);
    } else {
      using Wide = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
      V high;
      for (int lane = 0; lane < kLanesOf<V>; ++lane)
        high[lane] = static_cast<U>(
            (static_cast<Wide>(static_cast<T>(a[lane])) * static_cast<Wide>(static_cast<T>(b[lane]))) >> 64);
      return high;
    }
  }
};

template <Sum S, typename T>
Handler handlerFor(bool takes, bool gives) {
  using C = Carry<S, T>;
  constexpr Handler kHandlers[2][2] = {{nullptr, &C::template run<false, true>},
                                       {&C::template run<true, false>, &C::template run<true, true>}};
  return kHandlers[takes ? 1 : 0][gives ? 1 : 0];
}

template <Sum S>
void choose(Type type, bool takes, bool gives, Op &op) {
  withInteger(type, [&]<typename T>(Tag<T>) {
    if constexpr (sizeof(T) >= 4)
      op.run = handlerFor<S, std::conditional_t<S == Sum::MultiplyHigh, T, std::make_unsigned_t<T>>>(takes, gives);
  });
}

/// add.cc, addc[.cc], sub.cc, subc[.cc]: `Takes` the carry; words are [cc] (if Takes) and the type.
template <Sum S, bool Takes>
Result<void> sum(Builder &builder, const Match &match, Op &op) {
  const Type type = match.type(Takes ? 1 : 0);
  choose<S>(type, Takes, !Takes || match.has(0), op);
  return takeOperands(builder, op, type, {type, type});
}
/// mad.cc, madc[.cc]: words are lo or hi, [cc] (if Takes), the type.
template <bool Takes>
Result<void> multiplyAdd(Builder &builder, const Match &match, Op &op) {
  const Type type = match.type(Takes ? 2 : 1);
  const bool gives = !Takes || match.has(1);
  if (match.words[0] == "lo")
    choose<Sum::MultiplyLow>(type, Takes, gives, op);
  else
    choose<Sum::MultiplyHigh>(type, Takes, gives, op);
  return takeOperands(builder, op, type, {type, type, type});
}

constexpr Form kForms[] = {
    {"add.cc.(u32|s32|u64|s64)", kBase, 12, OpClass::Integer, sum<Sum::Add, false>},
    {"addc[.cc].(u32|s32|u64|s64)", kBase, 12, OpClass::Integer, sum<Sum::Add, true>},
    {"sub.cc.(u32|s32|u64|s64)", kBase, 12, OpClass::Integer, sum<Sum::Subtract, false>},
    {"subc[.cc].(u32|s32|u64|s64)", kBase, 12, OpClass::Integer, sum<Sum::Subtract, true>},
    {"mad.(lo|hi).cc.(u32|s32|u64|s64)", kBase, 30, OpClass::Integer, multiplyAdd<false>},
    {"madc.(lo|hi)[.cc].(u32|s32|u64|s64)", kBase, 30, OpClass::Integer, multiplyAdd<true>},
};

} // namespace

std::span<const Form> carryForms() { return kForms; }

GLM_PTX_END_LANES
