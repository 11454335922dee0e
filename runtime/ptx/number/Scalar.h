// One value at a time, for code that is not about lanes.
#pragma once

#include "runtime/ptx/number/Narrow.h"

GLM_PTX_BEGIN_LANES

/// The value of a code of format F; NaN becomes 0x7fffffff.
template <FloatFormat F>
float widenOne(uint32_t code) {
  return widen<F>(Vector<uint32_t, 1>(code))[0];
}

/// `value` rounded into format F, as a code in the low bits.
template <FloatFormat F, Narrowing N = Narrowing{}>
uint32_t narrowOne(float value) {
  return narrow<F, N>(Vector<float, 1>(value))[0];
}

inline float widenUe8m0One(uint32_t code) { return widenUe8m0(Vector<uint32_t, 1>(code))[0]; }

GLM_PTX_END_LANES
