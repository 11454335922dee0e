// See CoreLanes.h. Compiled once per feature set.
#include "runtime/ptx/matrix/CoreLanes.h"

#include "runtime/ptx/matrix/CoreMatrix.h"
#include "runtime/ptx/number/Exact.h"
#include "runtime/ptx/number/Narrow.h"

#include <cstring>
#include <type_traits>

GLM_PTX_BEGIN_LANES
namespace {

template <typename V>
V loadVector(const void *from) {
  V value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename V>
void storeVector(void *to, V value) {
  std::memcpy(to, &value, sizeof value);
}

// The products of 16-bit and narrower formats are exact in the accumulator, and so a fused and a separate addition give
// the same; the fused one keeps this true for bf16 and tf32 where the product leaves float's range.
template <typename T, int perRow>
void multiplyBlocks(T *d, const T *a, const T *b, int mBlocks, int nBlocks, int kBlocks) {
  using V = Vector<T, 8>;
  for (int m = 0; m < mBlocks; ++m)
    for (int n = 0; n < nBlocks; ++n) {
      T *out = d + (static_cast<size_t>(m) * nBlocks + n) * 64;
      V sums[kCoreRows];
      for (int row = 0; row < kCoreRows; ++row)
        sums[row] = loadVector<V>(out + row * 8);
      for (int block = 0; block < kBlocks; ++block) {
        const T *left = a + (static_cast<size_t>(m) * kBlocks + block) * kCoreRows * perRow;
        const T *right = b + (static_cast<size_t>(n) * kBlocks + block) * kCoreRows * perRow;
        for (int k = 0; k < perRow; ++k) {
          V columns = loadVector<V>(right + k * 8);
#pragma clang loop unroll(full)
          for (int row = 0; row < kCoreRows; ++row) {
            V scale = left[row * perRow + k];
            if constexpr (std::is_same_v<T, int32_t>) // unsigned, so that it wraps
              sums[row] =
                  bitsAs<int32_t>(bitsAs<uint32_t>(sums[row]) + bitsAs<uint32_t>(scale) * bitsAs<uint32_t>(columns));
            else
              sums[row] = __builtin_elementwise_fma(scale, columns, sums[row]);
          }
        }
      }
      for (int row = 0; row < kCoreRows; ++row)
        storeVector(out + row * 8, sums[row]);
    }
}

template <typename T>
void multiplyAny(T *d, const T *a, const T *b, int mBlocks, int nBlocks, int kBlocks, int perRow) {
  switch (perRow) {
  case 4:
    return multiplyBlocks<T, 4>(d, a, b, mBlocks, nBlocks, kBlocks);
  case 8:
    return multiplyBlocks<T, 8>(d, a, b, mBlocks, nBlocks, kBlocks);
  case 16:
    return multiplyBlocks<T, 16>(d, a, b, mBlocks, nBlocks, kBlocks);
  default:
    return multiplyBlocks<T, 32>(d, a, b, mBlocks, nBlocks, kBlocks);
  }
}

/// 8 x 8 values, rows `stride` apart.
template <typename T>
void transposeSquare(T *to, const T *from, int stride) {
  using V = Vector<T, 8>;
  V rows[8], pairs[8], quads[8];
  for (int row = 0; row < 8; ++row)
    rows[row] = loadVector<V>(from + row * stride);
  for (int row = 0; row < 8; row += 2) {
    pairs[row] = __builtin_shufflevector(rows[row], rows[row + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    pairs[row + 1] = __builtin_shufflevector(rows[row], rows[row + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int row = 0; row < 8; row += 4)
    for (int half = 0; half < 2; ++half) {
      quads[row + 2 * half] =
          __builtin_shufflevector(pairs[row + half], pairs[row + half + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      quads[row + 2 * half + 1] =
          __builtin_shufflevector(pairs[row + half], pairs[row + half + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int k = 0; k < 4; ++k) {
    storeVector(to + k * 8, __builtin_shufflevector(quads[k], quads[k + 4], 0, 1, 2, 3, 8, 9, 10, 11));
    storeVector(to + (k + 4) * 8, __builtin_shufflevector(quads[k], quads[k + 4], 4, 5, 6, 7, 12, 13, 14, 15));
  }
}

template <typename T, int perRow>
void transposeRows(T *to, const T *from, size_t blocks) {
  for (size_t block = 0; block < blocks; ++block, to += kCoreRows * perRow, from += kCoreRows * perRow)
    if constexpr (perRow % 8 == 0)
      for (int k = 0; k < perRow; k += 8)
        transposeSquare(to + k * kCoreRows, from + k, perRow);
    else
      for (int k = 0; k < perRow; ++k)
        for (int row = 0; row < kCoreRows; ++row)
          to[k * kCoreRows + row] = from[row * perRow + k];
}

template <typename T>
void transposeAny(T *to, const T *from, size_t blocks, int perRow) {
  switch (perRow) {
  case 4:
    return transposeRows<T, 4>(to, from, blocks);
  case 8:
    return transposeRows<T, 8>(to, from, blocks);
  case 16:
    return transposeRows<T, 16>(to, from, blocks);
  default:
    return transposeRows<T, 32>(to, from, blocks);
  }
}

template <FloatFormat format>
void decodeBytes(const std::byte *source, size_t count, float *values) {
  for (size_t i = 0; i < count; i += 16)
    storeVector(values + i, widen<format>(loadVector<Vector<uint8_t, 16>>(source + i)));
}

void decodeE2M1(const std::byte *source, size_t count, float *values) {
  for (size_t i = 0; i < count; i += 16)
    storeVector(values + i, widen<kE2M1>(loadVector<Vector<uint8_t, 16>>(source + i) >> 2));
}

void decodeE2M1Packed(const std::byte *source, size_t count, float *values) {
  for (size_t i = 0; i < count; i += 16) {
    Vector<uint8_t, 8> pairs = loadVector<Vector<uint8_t, 8>>(source + i / 2);
    Vector<uint8_t, 8> high = pairs >> 4;
    Vector<uint8_t, 16> codes =
        __builtin_shufflevector(pairs, high, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
    storeVector(values + i, widen<kE2M1>(codes));
  }
}

void decodeF16(const std::byte *source, size_t count, float *values) {
  for (size_t i = 0; i < count; i += 8)
#if GLM_PTX_VECTOR_BYTES > 16
    storeVector(values + i, convert<float>(loadVector<Vector<_Float16, 8>>(source + 2 * i)));
#else
    storeVector(values + i, widen<kF16>(loadVector<Vector<uint16_t, 8>>(source + 2 * i)));
#endif
}

void decodeBF16(const std::byte *source, size_t count, float *values) {
  for (size_t i = 0; i < count; i += 8)
    storeVector(values + i, convert<uint32_t>(loadVector<Vector<uint16_t, 8>>(source + 2 * i)) << 16);
}

void decodeTF32(const std::byte *source, size_t count, float *values) {
  for (size_t i = 0; i < count; i += 8)
    storeVector(values + i, loadVector<Vector<uint32_t, 8>>(source + 4 * i) & 0xffffe000u);
}

void canonicalizeNans(float *values, size_t count) {
  for (size_t i = 0; i < count; i += 8) {
    auto bits = loadVector<Vector<uint32_t, 8>>(values + i);
    storeVector(values + i, (bits & 0x7fffffffu) > kInfinityF32 ? Vector<uint32_t, 8>(kNanF32) : bits);
  }
}

void roundToHalves(const float *values, size_t count, std::byte *halves) {
  for (size_t i = 0; i < count; i += 8)
    storeVector(halves + 2 * i, convert<uint16_t>(narrow<kF16, Narrowing{}>(loadVector<Vector<float, 8>>(values + i))));
}

void multiplyFloats(float *d, const float *a, const float *b, int mBlocks, int nBlocks, int kBlocks, int perRow) {
  multiplyAny(d, a, b, mBlocks, nBlocks, kBlocks, perRow);
}
/// Exponents of finite floats, as the hardware sees them: zeros and subnormals have the least of their format.
template <typename V>
Rebind<V, int32_t> exponentsOf(V values, int least) {
  const auto exponents = bitsAs<int32_t>(bitsAs<uint32_t>(values) >> 23 & 0xffu) - 127;
  return __builtin_elementwise_max(exponents, Rebind<V, int32_t>(least));
}

/// 2^exponent.
template <typename I>
Rebind<I, double> powerOfTwo(I exponents) {
  return bitsAs<double>(convert<int64_t>(exponents + 1023) << 52);
}

/// A float cut to fewer bits; beyond the largest one infinity.
template <typename V>
Rebind<V, float> cutToFloat(V value) {
  constexpr double kBeyond = 0x1p128;
  const auto cut = roundToFloat<Rounding::Zero>(value);
  const auto infinity = __builtin_elementwise_copysign(Rebind<V, float>(__builtin_inff()), cut);
  return __builtin_convertvector(__builtin_elementwise_abs(value) >= kBeyond, MaskOf<Rebind<V, float>>) ? infinity
                                                                                                        : cut;
}

constexpr int kAlignedBits = 25, kLeastFloatExponent = -126;

/// One row of D: `left` is a row of A, `right` the columns of B, `depth` long; the row's elements lie as `leftPlace` says.
template <typename LeftPlace>
void multiplyRowAligned(float *d, const float *left, const float *right, int depth, int leastExponent,
                        LeftPlace leftPlace) {
  using V = Vector<float, 8>;
  using D = Rebind<V, double>;
  const V before = loadVector<V>(d);
  V fused = before;
  auto largest = exponentsOf(before, kLeastFloatExponent);
  for (int k = 0; k < depth; ++k) {
    const V a = left[leftPlace(k)], b = loadVector<V>(right + k * 8);
    fused = __builtin_elementwise_fma(a, b, fused);
    largest = __builtin_elementwise_max(largest, exponentsOf(a, leastExponent) + exponentsOf(b, leastExponent));
  }
  const D scale = powerOfTwo(kAlignedBits - largest);
  D sum = __builtin_elementwise_trunc(convert<double>(before) * scale);
  for (int k = 0; k < depth; ++k) {
    const D a = convert<double>(V(left[leftPlace(k)])), b = convert<double>(loadVector<V>(right + k * 8));
    sum += __builtin_elementwise_trunc(a * b * scale);
  }
  const V aligned = cutToFloat(sum * powerOfTwo(largest - kAlignedBits));
  // An infinity runs through both sums alike; where one meets another, or a zero, the fused sum is the NaN to give.
  storeVector(d, isNumber(aligned) ? aligned : fused);
}

void multiplyAligned(float *d, const float *a, const float *b, int mBlocks, int nBlocks, int kBlocks, int perRow,
                     int leastExponent) {
  const int blockElements = kCoreRows * perRow;
  for (int m = 0; m < mBlocks; ++m)
    for (int n = 0; n < nBlocks; ++n)
      for (int row = 0; row < kCoreRows; ++row)
        multiplyRowAligned(d + (static_cast<size_t>(m) * nBlocks + n) * 64 + row * 8,
                           a + static_cast<size_t>(m) * kBlocks * blockElements + row * perRow,
                           b + static_cast<size_t>(n) * kBlocks * blockElements, kBlocks * perRow, leastExponent,
                           [&](int k) { return k / perRow * blockElements + k % perRow; });
}

void multiplyDoubles(double *d, const double *a, const double *b, int mBlocks, int nBlocks, int kBlocks, int perRow) {
  multiplyAny(d, a, b, mBlocks, nBlocks, kBlocks, perRow);
}
void multiplyInts(int32_t *d, const int32_t *a, const int32_t *b, int mBlocks, int nBlocks, int kBlocks, int perRow) {
  multiplyAny(d, a, b, mBlocks, nBlocks, kBlocks, perRow);
}
void transposeFloats(float *to, const float *from, size_t blocks, int perRow) {
  transposeAny(to, from, blocks, perRow);
}

} // namespace
GLM_PTX_END_LANES

namespace glm::ptx {

#if defined(GLM_PTX_AVX512)
const CoreLanes kCoreLanesAvx512
#elif defined(GLM_PTX_AVX2)
const CoreLanes kCoreLanesAvx2
#else
const CoreLanes kCoreLanesBaseline
#endif
    = {{decodeF16, decodeBF16, decodeTF32, decodeBytes<kE4M3>, decodeBytes<kE5M2>, decodeBytes<kE3M2>,
        decodeBytes<kE2M3>, decodeE2M1, decodeE2M1Packed},
       multiplyFloats,
       multiplyAligned,
       multiplyDoubles,
       multiplyInts,
       transposeFloats,
       canonicalizeNans,
       roundToHalves};

} // namespace glm::ptx
