// The chips that the driver can be: what ptxas accepts for them and what cuDeviceGetAttribute says of them; and the names
// that .target may give.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace glm::ptx {

/// What an instruction form needs of its target, beyond the base of sm_90. One name per set of targets that ptxas 13.0
/// accepts some form for.
enum class Feature : uint8_t {
  Base,           ///< every chip from sm_90 on
  Wgmma,          ///< wgmma: sm_90a
  Tcgen05,        ///< tcgen05.*, scatter4 and cta_group of tensor copies: sm_100, sm_103, sm_110, each with a or f
  Tcgen05Exact,   ///< tcgen05.shift, .scale_vec::NX of tcgen05.mma: sm_100a, sm_103a, sm_110a
  Tcgen05Integer, ///< kind::i8 of tcgen05.mma: sm_100a, sm_110a
  Tcgen05Reduce,  ///< tcgen05.ld.red: sm_103, sm_110, each with a or f
  BlockScale,     ///< mma block_scale and kind::f8f6f4: sm_120, sm_121, each with a or f
  NarrowConvert, ///< cvt to and from e2m1, e2m3, e3m2, ue8m0; ldmatrix and stmatrix of b8 shapes; clusterlaunchcontrol to a
                 ///< whole cluster: a and f from sm_100 on
  Setmaxnreg, ///< setmaxnreg, tensormap.replace: every a and f
  Sm100, ///< f32x2 arithmetic, 256-bit loads, 3-input min and max, clusterlaunchcontrol, gather4, st.bulk: from sm_100 on
  ReduxF32,           ///< redux.sync on f32: sm_100, sm_103, each with a or f
  StochasticRounding, ///< cvt.rs: sm_100a, sm_103a
};

/// What a .target must have for it, in messages.
std::string_view nameOf(Feature feature);

/// Sets of features: a bit per Feature.
constexpr bool hasFeature(uint32_t set, Feature feature) {
  return feature == Feature::Base || (set >> static_cast<uint32_t>(feature) & 1);
}

struct Chip {
  std::string_view name;       ///< "sm_120a", as in .target and --target
  std::string_view deviceName; ///< what cuDeviceGetName says
  uint32_t major, minor;       ///< compute capability
  uint32_t features;           ///< bit per Feature
  uint32_t multiprocessors;
  uint32_t sharedPerBlock;      ///< bytes without opting in
  uint32_t sharedPerBlockOptin; ///< bytes, the most that a block can have
  uint32_t sharedPerSm;         ///< bytes
  uint32_t sharedReserved;      ///< bytes at the start of a block's shared memory that belong to the system
  uint32_t registersPerSm;      ///< 32-bit
  uint32_t threadsPerSm;
  uint32_t blocksPerSm;
  uint32_t l2Bytes;
  uint64_t memoryBytes;
  uint32_t clockKhz, memoryClockKhz, memoryBusBits;
  uint32_t maxClusterBlocks; ///< with the non-portable attribute

  bool has(Feature feature) const { return hasFeature(features, feature); }
};

/// Every chip that can be asked for.
std::span<const Chip> chips();

/// By name; null if there is none.
const Chip *chipNamed(std::string_view name);

/// A name that .target may give. Text for sm_XY runs on that chip and every later one; for sm_XYa on exactly that chip;
/// for sm_XYf on the chips of the same major number from XY on (PTX ISA, "PTX Module Directives: .target").
struct Target {
  std::string_view name;
  uint32_t major, minor;
  char suffix;         ///< 'a', 'f', or 0
  uint32_t ptxVersion; ///< first version of PTX that has it, as 10 * major + minor
  uint32_t features;   ///< what ptxas accepts in text for it

  bool runsOn(const Chip &chip) const;
};

/// By name; null if there is none.
const Target *targetNamed(std::string_view name);

} // namespace glm::ptx
