#include "runtime/ptx/matrix/CoreMatrix.h"

#include "runtime/ptx/matrix/Clones.h"

#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>

namespace glm::ptx {

namespace {

// Eight values side by side, in whatever vectors the host has.
using Floats = float __attribute__((ext_vector_type(8), aligned(4)));
using Doubles = double __attribute__((ext_vector_type(8), aligned(8)));
using Ints = int32_t __attribute__((ext_vector_type(8), aligned(4)));
using Words = uint32_t __attribute__((ext_vector_type(8), aligned(4)));

template <typename T>
struct Vector8;
template <>
struct Vector8<float> {
  using Type = Floats;
};
template <>
struct Vector8<double> {
  using Type = Doubles;
};
template <>
struct Vector8<int32_t> {
  using Type = Ints;
};

// The products of 16-bit and narrower formats are exact in the accumulator, and so a fused and a separate addition give
// the same; the fused one keeps this true for bf16 and tf32 where the product leaves float's range.
template <typename T, int perRow>
[[gnu::always_inline]] inline void multiplyBlocks(T *d, const T *a, const T *b, int mBlocks, int nBlocks,
                                                  int kBlocks) {
  using V = typename Vector8<T>::Type;
  for (int m = 0; m < mBlocks; ++m)
    for (int n = 0; n < nBlocks; ++n) {
      T *out = d + (static_cast<size_t>(m) * nBlocks + n) * 64;
      V sums[kCoreRows];
      for (int row = 0; row < kCoreRows; ++row)
        sums[row] = *reinterpret_cast<const V *>(out + row * 8);
      for (int block = 0; block < kBlocks; ++block) {
        const T *left = a + (static_cast<size_t>(m) * kBlocks + block) * kCoreRows * perRow;
        const T *right = b + (static_cast<size_t>(n) * kBlocks + block) * kCoreRows * perRow;
        for (int k = 0; k < perRow; ++k) {
          V columns = *reinterpret_cast<const V *>(right + k * 8);
#pragma clang loop unroll(full)
          for (int row = 0; row < kCoreRows; ++row) {
            V scale = left[row * perRow + k];
            if constexpr (std::is_same_v<T, int32_t>)
              sums[row] = (Ints)((Words)sums[row] + (Words)scale * (Words)columns); // unsigned, so that it wraps
            else
              sums[row] = __builtin_elementwise_fma(scale, columns, sums[row]);
          }
        }
      }
      for (int row = 0; row < kCoreRows; ++row)
        *reinterpret_cast<V *>(out + row * 8) = sums[row];
    }
}

template <typename T>
[[gnu::always_inline]] inline void multiplyAny(T *d, const T *a, const T *b, int mBlocks, int nBlocks, int kBlocks,
                                               int perRow) {
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
[[gnu::always_inline]] inline void transposeSquare(T *to, const T *from, int stride) {
  using V = typename Vector8<T>::Type;
  V rows[8], pairs[8], quads[8];
  for (int row = 0; row < 8; ++row)
    rows[row] = *reinterpret_cast<const V *>(from + row * stride);
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
    *reinterpret_cast<V *>(to + k * 8) = __builtin_shufflevector(quads[k], quads[k + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    *reinterpret_cast<V *>(to + (k + 4) * 8) =
        __builtin_shufflevector(quads[k], quads[k + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

template <typename T, int perRow>
[[gnu::always_inline]] inline void transposeRows(T *to, const T *from, size_t blocks) {
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
[[gnu::always_inline]] inline void transposeAny(T *to, const T *from, size_t blocks, int perRow) {
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

GLM_PTX_CLONES void decodeF16(const std::byte *source, size_t count, float *values) {
  for (size_t i = 0; i < count; ++i) {
    _Float16 half;
    std::memcpy(&half, source + 2 * i, 2);
    values[i] = half;
  }
}

GLM_PTX_CLONES void decodeBF16(const std::byte *source, size_t count, float *values) {
  for (size_t i = 0; i < count; ++i) {
    uint16_t half;
    std::memcpy(&half, source + 2 * i, 2);
    uint32_t bits = static_cast<uint32_t>(half) << 16;
    std::memcpy(values + i, &bits, 4);
  }
}

GLM_PTX_CLONES void decodeTF32(const std::byte *source, size_t count, float *values) {
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, source + 4 * i, 4);
    bits &= 0xffffe000u;
    std::memcpy(values + i, &bits, 4);
  }
}

// Narrow floats are f16 with another bias: the code, moved to f16's fields, times a power of two. E4M3 alone has NaNs that
// this does not give (OCP 8-bit Floating Point Specification, section 5.1: all ones, and no infinities).
template <int exponentBits, int mantissaBits>
[[gnu::always_inline]] inline float narrowFloat(uint32_t code) {
  constexpr int kWidth = exponentBits + mantissaBits;
  constexpr int kBiasChange = 15 - ((1 << (exponentBits - 1)) - 1);
  uint16_t bits = static_cast<uint16_t>((code >> kWidth & 1) << 15 | (code & ((1u << kWidth) - 1)) << (10 - mantissaBits));
  float value = static_cast<float>(std::bit_cast<_Float16>(bits)) * static_cast<float>(1 << kBiasChange);
  if constexpr (exponentBits == 4)
    value = (code & 0x7f) == 0x7f ? std::numeric_limits<float>::quiet_NaN() : value;
  return value;
}

GLM_PTX_CLONES void decodeE4M3(const std::byte *source, size_t count, float *values) {
  for (size_t i = 0; i < count; ++i)
    values[i] = narrowFloat<4, 3>(static_cast<uint8_t>(source[i]));
}
GLM_PTX_CLONES void decodeE5M2(const std::byte *source, size_t count, float *values) {
  for (size_t i = 0; i < count; ++i)
    values[i] = narrowFloat<5, 2>(static_cast<uint8_t>(source[i]));
}
GLM_PTX_CLONES void decodeE3M2(const std::byte *source, size_t count, float *values) {
  for (size_t i = 0; i < count; ++i)
    values[i] = narrowFloat<3, 2>(static_cast<uint8_t>(source[i]));
}
GLM_PTX_CLONES void decodeE2M3(const std::byte *source, size_t count, float *values) {
  for (size_t i = 0; i < count; ++i)
    values[i] = narrowFloat<2, 3>(static_cast<uint8_t>(source[i]));
}
GLM_PTX_CLONES void decodeE2M1(const std::byte *source, size_t count, float *values) {
  for (size_t i = 0; i < count; ++i)
    values[i] = narrowFloat<2, 1>(static_cast<uint8_t>(source[i]) >> 2);
}
GLM_PTX_CLONES void decodeE2M1Packed(const std::byte *source, size_t count, float *values) {
  for (size_t i = 0; i < count / 2; ++i) {
    uint32_t pair = static_cast<uint8_t>(source[i]);
    values[2 * i] = narrowFloat<2, 1>(pair);
    values[2 * i + 1] = narrowFloat<2, 1>(pair >> 4);
  }
}

template <typename T>
void decodeIntBytes(const std::byte *source, size_t count, int32_t *values) {
  for (size_t i = 0; i < count; ++i)
    values[i] = static_cast<T>(source[i]);
}

template <bool isSigned>
void decodeNibbles(const std::byte *source, size_t count, int32_t *values) {
  for (size_t i = 0; i < count; ++i) {
    int32_t nibble = static_cast<uint8_t>(source[i / 2]) >> (i % 2 * 4) & 15;
    values[i] = isSigned ? (nibble ^ 8) - 8 : nibble;
  }
}

GLM_PTX_CLONES void multiplyFloats(float *d, const float *a, const float *b, int mBlocks, int nBlocks, int kBlocks,
                                   int perRow) {
  multiplyAny(d, a, b, mBlocks, nBlocks, kBlocks, perRow);
}
GLM_PTX_CLONES void multiplyDoubles(double *d, const double *a, const double *b, int mBlocks, int nBlocks, int kBlocks,
                                    int perRow) {
  multiplyAny(d, a, b, mBlocks, nBlocks, kBlocks, perRow);
}
GLM_PTX_CLONES void multiplyInts(int32_t *d, const int32_t *a, const int32_t *b, int mBlocks, int nBlocks, int kBlocks,
                                 int perRow) {
  multiplyAny(d, a, b, mBlocks, nBlocks, kBlocks, perRow);
}
GLM_PTX_CLONES void transposeFloats(float *to, const float *from, size_t blocks, int perRow) {
  transposeAny(to, from, blocks, perRow);
}
GLM_PTX_CLONES void fixNans(float *values, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, values + i, 4);
    bits = (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fffffffu : bits;
    std::memcpy(values + i, &bits, 4);
  }
}

} // namespace

uint32_t storageBits(Element element) {
  switch (element) {
  case Element::F16:
  case Element::BF16:
    return 16;
  case Element::TF32:
    return 32;
  case Element::E2M1Packed:
  case Element::S4:
  case Element::U4:
    return 4;
  case Element::B1:
    return 1;
  case Element::F64:
    return 64;
  default:
    return 8;
  }
}

Element elementOf(Type type) {
  switch (type) {
  case Type::F16:
    return Element::F16;
  case Type::BF16:
    return Element::BF16;
  case Type::TF32:
    return Element::TF32;
  case Type::E4M3:
    return Element::E4M3;
  case Type::E5M2:
    return Element::E5M2;
  case Type::E3M2:
    return Element::E3M2;
  case Type::E2M3:
    return Element::E2M3;
  case Type::E2M1:
    return Element::E2M1;
  case Type::S8:
    return Element::S8;
  case Type::U8:
    return Element::U8;
  case Type::S4:
    return Element::S4;
  case Type::U4:
    return Element::U4;
  case Type::B1:
    return Element::B1;
  default:
    return Element::F64;
  }
}

DecodeFloats floatDecoder(Element element) {
  switch (element) {
  case Element::F16:
    return decodeF16;
  case Element::BF16:
    return decodeBF16;
  case Element::TF32:
    return decodeTF32;
  case Element::E4M3:
    return decodeE4M3;
  case Element::E5M2:
    return decodeE5M2;
  case Element::E3M2:
    return decodeE3M2;
  case Element::E2M3:
    return decodeE2M3;
  case Element::E2M1:
    return decodeE2M1;
  case Element::E2M1Packed:
    return decodeE2M1Packed;
  default:
    return nullptr;
  }
}

DecodeInts intDecoder(Element element) {
  switch (element) {
  case Element::S8:
    return decodeIntBytes<int8_t>;
  case Element::U8:
    return decodeIntBytes<uint8_t>;
  case Element::S4:
    return decodeNibbles<true>;
  case Element::U4:
    return decodeNibbles<false>;
  default:
    return nullptr;
  }
}

void multiplyAdd(float *d, const float *a, const float *b, int mBlocks, int nBlocks, int kBlocks, int perRow) {
  multiplyFloats(d, a, b, mBlocks, nBlocks, kBlocks, perRow);
}
void multiplyAdd(double *d, const double *a, const double *b, int mBlocks, int nBlocks, int kBlocks, int perRow) {
  multiplyDoubles(d, a, b, mBlocks, nBlocks, kBlocks, perRow);
}
void multiplyAdd(int32_t *d, const int32_t *a, const int32_t *b, int mBlocks, int nBlocks, int kBlocks, int perRow) {
  multiplyInts(d, a, b, mBlocks, nBlocks, kBlocks, perRow);
}

void transposeBlocks(float *to, const float *from, size_t blocks, int perRow) {
  transposeFloats(to, from, blocks, perRow);
}
void transposeBlocks(double *to, const double *from, size_t blocks, int perRow) {
  transposeAny(to, from, blocks, perRow);
}
void transposeBlocks(int32_t *to, const int32_t *from, size_t blocks, int perRow) {
  transposeAny(to, from, blocks, perRow);
}

void canonicalizeNans(float *values, size_t count) { fixNans(values, count); }

} // namespace glm::ptx
