// Where an element of a wgmma or tcgen05 operand lies in shared memory, by CUTLASS's canonical layouts
// (mma_traits_sm90_gmma.hpp, mma_traits_sm100.hpp): the strides of the modes ((T, W, m), (8, k)) or ((8, m), (T, 2)) added up,
// then Swizzle<B, M, S> on the whole address.
#pragma once

#include <cstdint>

namespace glm::ptx::test {

struct Canonical {
  enum Swizzle { None, Bytes32, Bytes64, Bytes128, Bytes128In32 } swizzle = None;
  bool isMnMajor = false;
  uint32_t elementBytes = 2;
  uint32_t start = 0, leading = 0, stride = 0; ///< bytes

  uint32_t width() const { return swizzle == None ? 1 : swizzle == Bytes32 ? 2 : swizzle == Bytes64 ? 4 : 8; }

  /// The byte of element (mn, k).
  uint32_t at(uint32_t mn, uint32_t k) const {
    uint32_t t = 16 / elementBytes, offset = 0, w = width(), lines = swizzle == Bytes128In32 ? 4 : 8;
    bool plain = swizzle == None;
    if (isMnMajor)
      // None: ((T,1,m),(8,k)):((1,T,SBO),(1T,LBO)). Swizzled: ((T,W,m),(8,k)):((1,T,LBO),(WT,SBO)).
      offset = mn % t * elementBytes + mn / t % w * 16 + mn / t / w * (plain ? stride : leading) + k % lines * w * 16 +
               k / lines * (plain ? leading : stride);
    else
      // None: ((8,m),(T,2)):((1T,SBO),(1,LBO)). Swizzled: ((8,m),(T,2)):((WT,SBO),(1,T)).
      offset = mn % 8 * w * 16 + mn / 8 * stride + k % t * elementBytes + k / t * (plain ? leading : 16);
    uint32_t address = start + offset;
    // Swizzle<B,M,S>: bits M to M + B - 1 are combined by exclusive or with those S higher.
    uint32_t bits = swizzle == Bytes128                             ? 3
                    : swizzle == Bytes64 || swizzle == Bytes128In32 ? 2
                    : swizzle == Bytes32                            ? 1
                                                                    : 0;
    uint32_t base = swizzle == Bytes128In32 ? 5 : 4, distance = swizzle == Bytes128In32 ? 2 : 3;
    return address ^ (address >> distance & ((1u << bits) - 1) << base);
  }

  /// Descriptor bits of the offsets, without start address, version and swizzle.
  uint64_t offsetFields() const {
    return static_cast<uint64_t>(leading >> 4) << 16 | static_cast<uint64_t>(stride >> 4) << 32;
  }
  /// Bits 62 and 63 of a wgmma descriptor.
  uint64_t wgmmaFields() const {
    constexpr uint64_t kCodes[] = {0, 3, 2, 1};
    return offsetFields() | kCodes[swizzle] << 62;
  }
  /// Version and bits 61 to 63 of a tcgen05 descriptor.
  uint64_t tcgen05Fields() const {
    constexpr uint64_t kCodes[] = {0, 6, 4, 2, 1};
    return offsetFields() | uint64_t{1} << 46 | kCodes[swizzle] << 61;
  }
};

/// An operand of mn x k elements, packed as tightly as the layout allows, from `start` on.
inline Canonical tightLayout(Canonical::Swizzle swizzle, bool isMnMajor, uint32_t elementBytes, uint32_t mn,
                             uint32_t start) {
  Canonical layout{swizzle, isMnMajor, elementBytes, start, 0, 0};
  uint32_t row = layout.width() * 16;
  if (swizzle == Canonical::None) {
    // Core matrices of 128 bytes: k-major along k first, mn-major along mn first.
    layout.leading = isMnMajor ? mn * elementBytes / 16 * 128 : 128;
    layout.stride = isMnMajor ? 128 : 256;
  } else {
    uint32_t lines = swizzle == Canonical::Bytes128In32 ? 4 : 8;
    layout.stride = row * lines;
    uint32_t k = 32 / elementBytes;
    layout.leading = row * k; // tiles along mn after all of k
  }
  return layout;
}

} // namespace glm::ptx::test
