// Handlers over 32 lanes: a functor over vectors becomes an Op's handler.
//
// A functor is made from the Op, if it wants to know modifiers, and called with a vector per source. Registers are worked through in
// chunks as wide as the feature set's vectors. Lanes that do not run keep their destination, and are computed all the
// same, so functors must be safe for any bits: they never divide integers without a guard and never trap.
#pragma once

#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/machine/Warp.h"
#include "runtime/ptx/number/Vector.h"

#include <tuple>
#include <utility>

GLM_PTX_BEGIN_LANES

template <class F>
F makeFunctor(const Op &op) {
  if constexpr (std::is_constructible_v<F, const Op &>)
    return F(op);
  else
    return F();
}

/// Lanes of a chunk: the widest of the types fills one vector.
template <typename... T>
constexpr int chunkLanes() {
  size_t widest = 1;
  ((widest = sizeof(T) > widest ? sizeof(T) : widest), ...);
  return static_cast<int>(GLM_PTX_VECTOR_BYTES / widest > kWarpSize ? kWarpSize : GLM_PTX_VECTOR_BYTES / widest);
}

/// The unsigned integer of a size in bytes.
template <size_t Bytes>
using UnsignedOf =
    std::conditional_t<Bytes == 1, uint8_t,
                       std::conditional_t<Bytes == 2, uint16_t, std::conditional_t<Bytes == 4, uint32_t, uint64_t>>>;

/// All bits set in lane i where bit i of `bits` is; as wide as T.
template <typename T, int N>
auto laneMask(uint32_t bits) {
  using U = UnsignedOf<sizeof(T)>;
  using V = Vector<U, N>;
  if constexpr (N <= static_cast<int>(8 * sizeof(T))) {
    V one;
    for (int lane = 0; lane < N; ++lane)
      one[lane] = static_cast<U>(U(1) << lane);
    return (V(static_cast<U>(bits)) & one) != 0;
  } else {
    using Bits = Vector<bool, N>;
    return __builtin_convertvector(__builtin_bit_cast(Bits, static_cast<UnsignedOf<N / 8>>(bits)), V) != 0;
  }
}

/// Bit i: lane i of a comparison. At least 8 lanes.
template <typename M>
uint32_t bitsOfMask(M mask) {
  constexpr int kLanes = kLanesOf<M>;
  static_assert(kLanes >= 8);
  return __builtin_bit_cast(UnsignedOf<kLanes / 8>, __builtin_convertvector(mask, Vector<bool, kLanes>));
}

template <int N, typename T>
Vector<T, N> loadLanes(const T *from) {
  return *reinterpret_cast<const Vector<T, N> *>(from);
}

template <int N, typename T>
void storeLanes(T *to, Vector<T, N> value) {
  *reinterpret_cast<Vector<T, N> *>(to) = value;
}

/// Slot of source `index`: three lie in the op, the rest beyond it.
inline Slot sourceSlot(const Op &op, size_t index) { return index < 3 ? op.slots[1 + index] : op.more[index - 3]; }

/// destination = F(sources).
template <class F, typename D, typename... S>
struct Lanewise {
  static Outcome run(Warp &warp, const Op &op, LaneMask lanes) {
    return slots(warp, op, lanes, std::index_sequence_for<S...>());
  }

  /// The same on registers that lie anywhere (aligned as registers are).
  static void apply(const Op &op, void *to, const void *const *from, LaneMask lanes) {
    registers(op, static_cast<D *>(to), from, lanes, std::index_sequence_for<S...>());
  }

private:
  template <size_t... I>
  static Outcome slots(Warp &warp, const Op &op, LaneMask lanes, std::index_sequence<I...> indices) {
    const void *from[] = {warp.read<S>(sourceSlot(op, I))...};
    registers(op, warp.write<D>(op.slots[0]), from, lanes, indices);
    return Outcome::Next;
  }

  template <size_t... I>
  __attribute__((always_inline)) static void registers(const Op &op, D *to, const void *const *from, LaneMask lanes,
                                                       std::index_sequence<I...>) {
    constexpr int kChunk = chunkLanes<D, S...>();
    const F f = makeFunctor<F>(op);
    if (lanes == ~LaneMask(0)) {
      for (int lane = 0; lane < static_cast<int>(kWarpSize); lane += kChunk)
        storeLanes<kChunk>(to + lane, f(loadLanes<kChunk>(static_cast<const S *>(from[I]) + lane)...));
      return;
    }
    for (int lane = 0; lane < static_cast<int>(kWarpSize); lane += kChunk) {
      const Vector<D, kChunk> value = f(loadLanes<kChunk>(static_cast<const S *>(from[I]) + lane)...);
      const Vector<D, kChunk> old = loadLanes<kChunk>(to + lane);
      storeLanes<kChunk>(to + lane, laneMask<D, kChunk>(lanes >> lane) ? value : old);
    }
  }
};

template <class F, typename D, typename... S>
inline constexpr Handler kLanewise = &Lanewise<F, D, S...>::run;

/// F over the halves of 32-bit (or 64-bit) registers: a vector of twice as many lanes of T.
template <class F, typename T>
struct Packed : F {
  using F::F;
  template <typename... V>
  auto operator()(V... sources) const {
    using First = std::tuple_element_t<0, std::tuple<V...>>;
    constexpr int kCount = kLanesOf<First> * static_cast<int>(sizeof(ElementOf<First>) / sizeof(T));
    return reshape<First>(F::operator()(reshape<Vector<T, kCount>>(sources)...));
  }
};

/// F on one lane after the other, for what vectors cannot do.
template <class F>
struct Scalar : F {
  using F::F;
  template <typename V, typename... W>
  auto operator()(V first, W... rest) const {
    using D = decltype(F::operator()(first[0], rest[0]...));
    Rebind<V, D> result;
    for (int lane = 0; lane < kLanesOf<V>; ++lane)
      result[lane] = F::operator()(static_cast<ElementOf<V>>(first[lane]), static_cast<ElementOf<W>>(rest[lane])...);
    return result;
  }
};

/// Calls `fn` with a tag of the C++ type of an integer PTX type; `.b` types are unsigned.
template <typename T>
struct Tag {
  using Type = T;
};
template <class Fn>
void withInteger(Type type, Fn fn) {
  switch (type) {
  case Type::B16:
  case Type::U16:
    return fn(Tag<uint16_t>());
  case Type::S16:
    return fn(Tag<int16_t>());
  case Type::B32:
  case Type::U32:
    return fn(Tag<uint32_t>());
  case Type::S32:
    return fn(Tag<int32_t>());
  case Type::B64:
  case Type::U64:
    return fn(Tag<uint64_t>());
  default:
    return fn(Tag<int64_t>());
  }
}

/// The same for what depends on the width only.
template <class Fn>
void withUnsigned(Type type, Fn fn) {
  withInteger(type, [&]<typename T>(Tag<T>) { fn(Tag<std::make_unsigned_t<T>>()); });
}

GLM_PTX_END_LANES
