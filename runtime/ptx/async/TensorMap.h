// Tensor maps: what cuTensorMapEncodeTiled makes, tensormap.replace changes and the tensor copies read.
//
// NVIDIA's 128 bytes are opaque; these are ours (TensorMap.cpp draws them). Rules and names: cuda.h,
// cuTensorMapEncodeTiled; PTX ISA, "Tensors" and "tensormap.replace".
#pragma once

#include "runtime/artifact/Result.h"
#include "runtime/ptx/async/Swizzle.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace glm::ptx {

inline constexpr uint32_t kTensorMapBytes = 128;
inline constexpr uint32_t kTensorMapAlign = 64;
inline constexpr uint32_t kMaxTensorRank = 5;

/// The values of CUtensorMapDataType.
enum class TensorType : uint8_t {
  U8,
  U16,
  U32,
  S32,
  U64,
  S64,
  F16,
  F32,
  F64,
  BF16,
  F32Ftz,    ///< subnormals are flushed on the way
  TF32,      ///< rounded to tf32 on the way
  TF32Ftz,   ///< both
  U4Align8,  ///< 16U4_ALIGN8B: two per byte everywhere
  U4Align16, ///< 16U4_ALIGN16B: 16 take 8 bytes in global memory, 8 and a gap of 8 in shared memory
  U6Align16, ///< 16U6_ALIGN16B: 16 take 12 bytes in global memory, 12 and a gap of 4 in shared memory
};

/// A tensor in global memory and the box of it that one copy moves. Dimension 0 is the innermost.
struct TensorMap {
  uint64_t globalAddress = 0;
  TensorType type = TensorType::U8;
  uint32_t rank = 1;
  std::array<uint64_t, kMaxTensorRank> dims{};           ///< elements
  std::array<uint64_t, kMaxTensorRank - 1> strides{};    ///< bytes from one index of dimension i + 1 to the next
  std::array<uint32_t, kMaxTensorRank> box{};            ///< elements
  std::array<uint32_t, kMaxTensorRank> elementStrides{}; ///< every how many elements of the box one is taken
  Swizzle swizzle = Swizzle::None;
  uint32_t l2Promotion = 0; ///< a hint, kept
  bool fillNan = false;     ///< what lies outside the tensor reads as NaN, else as zero

  /// Elements that a copy takes of dimension `dim`: ceil(box / element stride); the stride of dimension 0 is ignored.
  uint32_t count(uint32_t dim) const {
    return dim == 0 ? box[0] : (box[dim] + elementStrides[dim] - 1) / elementStrides[dim];
  }
  uint64_t globalRowBytes() const; ///< of the box's inner dimension in global memory
  uint32_t sharedRowBytes() const; ///< in shared memory, gaps of the padded types included
  /// From one row of a box to the next in shared memory: a row narrower than its swizzle's span is padded to it.
  uint32_t sharedPitch() const;
};

/// The arguments of cuTensorMapEncodeTiled; enumerations as the numbers that were passed. Null pointers are refused.
struct TiledArguments {
  uint32_t type = 0, rank = 0;
  uint64_t globalAddress = 0;
  const uint64_t *globalDim = nullptr;      ///< [rank] elements
  const uint64_t *globalStrides = nullptr;  ///< [rank - 1] bytes; may be null for rank 1
  const uint32_t *boxDim = nullptr;         ///< [rank] elements
  const uint32_t *elementStrides = nullptr; ///< [rank]
  uint32_t interleave = 0, swizzle = 0, l2Promotion = 0, oobFill = 0;
};

/// Fill the 128 bytes of a CUtensorMap. An error is CUDA_ERROR_INVALID_VALUE; it names the argument:
/// "cuTensorMapEncodeTiled: boxDim[0] <rule>, but <found>".
Result<void> encodeTiled(const TiledArguments &arguments, std::span<std::byte, kTensorMapBytes> map);

/// Another tensor of the same shape: cuTensorMapReplaceAddress.
Result<void> replaceAddress(std::span<std::byte, kTensorMapBytes> map, uint64_t globalAddress);

/// What a map says. An error is "<rule>, but <found>": the caller knows where the map lies.
Result<TensorMap> decodeTensorMap(std::span<const std::byte, kTensorMapBytes> map);

/// Fields of tensormap.replace, in the order of the PTX ISA.
enum class TensorField : uint8_t {
  GlobalAddress,
  Rank, ///< one less than the rank
  BoxDim,
  GlobalDim,
  GlobalStride, ///< bytes
  ElementStride,
  ElemType,
  InterleaveLayout,
  SwizzleMode,
  SwizzleAtomicity,
  FillMode,
};

/// tensormap.replace: `ordinal` counts dimensions (strides: from dimension 1 on). The map may be inconsistent between two
/// replacements; it is checked when it is used. An error is "<rule>, but <found>".
Result<void> replaceField(std::span<std::byte, kTensorMapBytes> map, TensorField field, uint32_t ordinal,
                          uint64_t value);

/// Bits of an element in global memory.
uint32_t bitsOf(TensorType type);

/// Sixteen elements take as many bytes of shared memory, however few they take of global memory.
constexpr bool isPadded(TensorType type) { return type == TensorType::U4Align16 || type == TensorType::U6Align16; }

/// CUDA's name without its prefix, "16U4_ALIGN8B".
std::string_view nameOf(TensorType type);

} // namespace glm::ptx
