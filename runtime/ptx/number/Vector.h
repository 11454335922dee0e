// Vectors of lanes, and one source for several feature sets.
//
// Code between GLM_PTX_BEGIN_LANES and GLM_PTX_END_LANES lies in an inline namespace of its own per feature set and is
// compiled for that set. Includes stay outside: an inline function of the standard library that was compiled for AVX-512
// could be the copy that the linker keeps for everybody. A source that wants another set than the baseline is compiled
// with GLM_PTX_AVX2 or GLM_PTX_AVX512 defined (arithmetic/CMakeLists.txt); results never depend on the set.
//
// Every function here takes and returns vectors by value and works for any lane count, one included: scalar functions
// are the vector ones with one lane.
#pragma once

#include <cstdint>
#include <type_traits>

#if defined(GLM_PTX_AVX512)
#define GLM_PTX_SET avx512
#define GLM_PTX_TARGET "avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,f16c,bmi,bmi2,lzcnt,popcnt"
#define GLM_PTX_VECTOR_BYTES 64
#elif defined(GLM_PTX_AVX2)
#define GLM_PTX_SET avx2
#define GLM_PTX_TARGET "avx2,fma,f16c,bmi,bmi2,lzcnt,popcnt"
#define GLM_PTX_VECTOR_BYTES 32
#else
#define GLM_PTX_SET baseline
#define GLM_PTX_TARGET "sse2"
#define GLM_PTX_VECTOR_BYTES 16
#endif

#define GLM_PTX_PRAGMA(text) _Pragma(#text)
#define GLM_PTX_PUSH(set) GLM_PTX_PRAGMA(clang attribute push(__attribute__((target(set))), apply_to = function))
#define GLM_PTX_BEGIN_LANES                                                                                            \
  namespace glm::ptx {                                                                                                 \
  inline namespace GLM_PTX_SET {                                                                                       \
  GLM_PTX_PUSH(GLM_PTX_TARGET)
#define GLM_PTX_END_LANES                                                                                              \
  _Pragma("clang attribute pop")                                                                                       \
  }                                                                                                                    \
  }

GLM_PTX_BEGIN_LANES

/// N lanes side by side.
template <typename T, int N>
using Vector = T __attribute__((ext_vector_type(N)));

template <typename V>
struct VectorTraits;
template <typename T, int N>
struct VectorTraits<T __attribute__((ext_vector_type(N)))> {
  using Element = T;
  static constexpr int kLanes = N;
};

template <typename V>
using ElementOf = typename VectorTraits<V>::Element;
template <typename V>
inline constexpr int kLanesOf = VectorTraits<V>::kLanes;

/// As many lanes as V has, of another element.
template <typename V, typename T>
using Rebind = Vector<T, kLanesOf<V>>;

/// Each lane's value as another type, as static_cast would.
template <typename T, typename V>
Rebind<V, T> convert(V value) {
  return __builtin_convertvector(value, Rebind<V, T>);
}

/// Each lane's bits as another type of the same size.
template <typename T, typename V>
Rebind<V, T> bitsAs(V value) {
  return __builtin_bit_cast(Rebind<V, T>, value);
}

/// The whole vector as one of other lanes.
template <typename To, typename V>
To reshape(V value) {
  return __builtin_bit_cast(To, value);
}

/// Lanes that are not NaN: only a NaN differs from itself.
template <typename V>
auto isNumber(V value) {
  const V same = value;
  return value == same;
}

/// The vector type that holds a bit of each lane: what a comparison of V gives.
template <typename V>
using MaskOf = decltype(V{} < V{});

GLM_PTX_END_LANES
