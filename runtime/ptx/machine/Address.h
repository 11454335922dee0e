// How addresses of the state spaces are laid out.
//
// A generic address is 64 bits. Global memory is the host's own memory, so a device pointer is a host pointer; the other
// spaces lie in windows that no host pointer can fall into. An address within .shared is 32 bits: the rank of the block in
// its cluster in bits 24 and up, the byte offset below, so that an address of the own block is one of the cluster too
// (mapa changes the rank; CUTLASS clears bit 24 to name the first block of a pair).
#pragma once

#include <cstdint>

namespace glm::ptx {

inline constexpr uint64_t kWindowMask = 0xff00000000000000ull;
inline constexpr uint64_t kSharedWindow = 0x0100000000000000ull;
inline constexpr uint64_t kLocalWindow = 0x0200000000000000ull;
inline constexpr uint64_t kParamWindow = 0x0300000000000000ull; ///< kernel parameters

inline constexpr uint64_t kFunctionWindow = 0x0400000000000000ull; ///< what indirect calls jump to; not memory

inline constexpr uint32_t kRankShift = 24;
inline constexpr uint32_t kSharedOffsetMask = (1u << kRankShift) - 1;

/// Tensor memory (tcgen05): lane in bits 16 to 31, column in bits 0 to 15 (PTX ISA, "Tensor Memory Addressing").
inline constexpr uint32_t kTensorLanes = 128;
inline constexpr uint32_t kTensorColumns = 512; ///< 32-bit cells

} // namespace glm::ptx
