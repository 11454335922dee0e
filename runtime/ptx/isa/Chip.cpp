#include "runtime/ptx/isa/Chip.h"

#include <algorithm>
#include <array>

namespace glm::ptx {
namespace {

constexpr uint32_t bit(Feature feature) { return 1u << static_cast<uint32_t>(feature); }

constexpr uint32_t kSm90a = bit(Feature::Wgmma) | bit(Feature::Setmaxnreg);
constexpr uint32_t kSm100 = bit(Feature::Sm100);
constexpr uint32_t kSuffixed = kSm100 | bit(Feature::NarrowConvert) | bit(Feature::Setmaxnreg);
constexpr uint32_t kSm100f = kSuffixed | bit(Feature::Tcgen05) | bit(Feature::ReduxF32);
constexpr uint32_t kSm100a =
    kSm100f | bit(Feature::Tcgen05Exact) | bit(Feature::Tcgen05Integer) | bit(Feature::StochasticRounding);
constexpr uint32_t kSm103f = kSm100f | bit(Feature::Tcgen05Reduce);
constexpr uint32_t kSm103a = kSm103f | bit(Feature::Tcgen05Exact) | bit(Feature::StochasticRounding);
constexpr uint32_t kSm110f = kSuffixed | bit(Feature::Tcgen05) | bit(Feature::Tcgen05Reduce);
constexpr uint32_t kSm110a = kSm110f | bit(Feature::Tcgen05Exact) | bit(Feature::Tcgen05Integer);
constexpr uint32_t kSm120a = kSuffixed | bit(Feature::BlockScale);

constexpr uint32_t kKib = 1024, kMib = 1024 * kKib;
constexpr uint64_t kGib = 1024ull * kMib;

// Sources: CUDA C++ Programming Guide, "Technical Specifications per Compute Capability" (shared memory, registers, threads,
// blocks, clusters); NVIDIA's data sheets of the boards (multiprocessors, memory, clocks, L2).
constexpr std::array kChips = {
    Chip{.name = "sm_90a",
         .deviceName = "NVIDIA H200 (interpreted)",
         .major = 9,
         .minor = 0,
         .features = kSm90a,
         .multiprocessors = 132,
         .sharedPerBlock = 48 * kKib,
         .sharedPerBlockOptin = 227 * kKib,
         .sharedPerSm = 228 * kKib,
         .sharedReserved = 1 * kKib,
         .registersPerSm = 65536,
         .threadsPerSm = 2048,
         .blocksPerSm = 32,
         .l2Bytes = 50 * kMib,
         .memoryBytes = 141 * kGib,
         .clockKhz = 1980000,
         .memoryClockKhz = 3201000,
         .memoryBusBits = 6144,
         .maxClusterBlocks = 16},
    Chip{.name = "sm_100a",
         .deviceName = "NVIDIA B200 (interpreted)",
         .major = 10,
         .minor = 0,
         .features = kSm100a,
         .multiprocessors = 148,
         .sharedPerBlock = 48 * kKib,
         .sharedPerBlockOptin = 227 * kKib,
         .sharedPerSm = 228 * kKib,
         .sharedReserved = 1 * kKib,
         .registersPerSm = 65536,
         .threadsPerSm = 2048,
         .blocksPerSm = 32,
         .l2Bytes = 126 * kMib,
         .memoryBytes = 180 * kGib,
         .clockKhz = 1965000,
         .memoryClockKhz = 3996000,
         .memoryBusBits = 8192,
         .maxClusterBlocks = 16},
    Chip{.name = "sm_103a",
         .deviceName = "NVIDIA B300 (interpreted)",
         .major = 10,
         .minor = 3,
         .features = kSm103a,
         .multiprocessors = 148,
         .sharedPerBlock = 48 * kKib,
         .sharedPerBlockOptin = 227 * kKib,
         .sharedPerSm = 228 * kKib,
         .sharedReserved = 1 * kKib,
         .registersPerSm = 65536,
         .threadsPerSm = 2048,
         .blocksPerSm = 32,
         .l2Bytes = 126 * kMib,
         .memoryBytes = 270 * kGib,
         .clockKhz = 2032000,
         .memoryClockKhz = 3996000,
         .memoryBusBits = 8192,
         .maxClusterBlocks = 16},
    Chip{.name = "sm_110a",
         .deviceName = "NVIDIA Thor (interpreted)",
         .major = 11,
         .minor = 0,
         .features = kSm110a,
         .multiprocessors = 20,
         .sharedPerBlock = 48 * kKib,
         .sharedPerBlockOptin = 227 * kKib,
         .sharedPerSm = 228 * kKib,
         .sharedReserved = 1 * kKib,
         .registersPerSm = 65536,
         .threadsPerSm = 1536,
         .blocksPerSm = 24,
         .l2Bytes = 32 * kMib,
         .memoryBytes = 122 * kGib,
         .clockKhz = 1575000,
         .memoryClockKhz = 4266000,
         .memoryBusBits = 256,
         .maxClusterBlocks = 16},
    Chip{.name = "sm_120a",
         .deviceName = "NVIDIA RTX PRO 6000 Blackwell (interpreted)",
         .major = 12,
         .minor = 0,
         .features = kSm120a,
         .multiprocessors = 188,
         .sharedPerBlock = 48 * kKib,
         .sharedPerBlockOptin = 99 * kKib,
         .sharedPerSm = 100 * kKib,
         .sharedReserved = 1 * kKib,
         .registersPerSm = 65536,
         .threadsPerSm = 1536,
         .blocksPerSm = 24,
         .l2Bytes = 128 * kMib,
         .memoryBytes = 95 * kGib,
         .clockKhz = 2617000,
         .memoryClockKhz = 14001000,
         .memoryBusBits = 512,
         .maxClusterBlocks = 8},
    Chip{.name = "sm_121a",
         .deviceName = "NVIDIA GB10 (interpreted)",
         .major = 12,
         .minor = 1,
         .features = kSm120a,
         .multiprocessors = 48,
         .sharedPerBlock = 48 * kKib,
         .sharedPerBlockOptin = 99 * kKib,
         .sharedPerSm = 100 * kKib,
         .sharedReserved = 1 * kKib,
         .registersPerSm = 65536,
         .threadsPerSm = 1536,
         .blocksPerSm = 24,
         .l2Bytes = 24 * kMib,
         .memoryBytes = 119 * kGib,
         .clockKhz = 2418000,
         .memoryClockKhz = 4266000,
         .memoryBusBits = 256,
         .maxClusterBlocks = 8},
};

// Versions: PTX ISA, "PTX Module Directives: .target", table of release notes. Features: what ptxas 13.0 accepts.
constexpr std::array kTargets = {
    Target{"sm_50", 5, 0, 0, 40, 0},
    Target{"sm_52", 5, 2, 0, 41, 0},
    Target{"sm_53", 5, 3, 0, 42, 0},
    Target{"sm_60", 6, 0, 0, 50, 0},
    Target{"sm_61", 6, 1, 0, 50, 0},
    Target{"sm_62", 6, 2, 0, 50, 0},
    Target{"sm_70", 7, 0, 0, 60, 0},
    Target{"sm_72", 7, 2, 0, 61, 0},
    Target{"sm_75", 7, 5, 0, 63, 0},
    Target{"sm_80", 8, 0, 0, 70, 0},
    Target{"sm_86", 8, 6, 0, 71, 0},
    Target{"sm_87", 8, 7, 0, 74, 0},
    Target{"sm_88", 8, 8, 0, 90, 0},
    Target{"sm_89", 8, 9, 0, 78, 0},
    Target{"sm_90", 9, 0, 0, 78, 0},
    Target{"sm_90a", 9, 0, 'a', 80, kSm90a},
    Target{"sm_100", 10, 0, 0, 86, kSm100},
    Target{"sm_100a", 10, 0, 'a', 86, kSm100a},
    Target{"sm_100f", 10, 0, 'f', 88, kSm100f},
    Target{"sm_103", 10, 3, 0, 88, kSm100},
    Target{"sm_103a", 10, 3, 'a', 88, kSm103a},
    Target{"sm_103f", 10, 3, 'f', 88, kSm103f},
    Target{"sm_110", 11, 0, 0, 90, kSm100},
    Target{"sm_110a", 11, 0, 'a', 90, kSm110a},
    Target{"sm_110f", 11, 0, 'f', 90, kSm110f},
    Target{"sm_120", 12, 0, 0, 87, kSm100},
    Target{"sm_120a", 12, 0, 'a', 87, kSm120a},
    Target{"sm_120f", 12, 0, 'f', 88, kSm120a},
    Target{"sm_121", 12, 1, 0, 88, kSm100},
    Target{"sm_121a", 12, 1, 'a', 88, kSm120a},
    Target{"sm_121f", 12, 1, 'f', 88, kSm120a},
};

} // namespace

std::string_view nameOf(Feature feature) {
  switch (feature) {
  case Feature::Base:
    return "the base";
  case Feature::Wgmma:
    return "wgmma";
  case Feature::Tcgen05:
    return "tcgen05";
  case Feature::Tcgen05Exact:
    return "tcgen05 and the suffix a";
  case Feature::Tcgen05Integer:
    return "tcgen05 on integers";
  case Feature::Tcgen05Reduce:
    return "tcgen05.ld.red";
  case Feature::BlockScale:
    return "block-scaled mma";
  case Feature::NarrowConvert:
    return "the suffix a or f, from 10.0 on";
  case Feature::Setmaxnreg:
    return "the suffix a or f";
  case Feature::Sm100:
    return "10.0 or later";
  case Feature::ReduxF32:
    return "redux on f32";
  case Feature::StochasticRounding:
    return "stochastic rounding";
  }
  return "";
}

std::span<const Chip> chips() { return kChips; }

const Chip *chipNamed(std::string_view name) {
  const auto *found = std::ranges::find(kChips, name, &Chip::name);
  return found == kChips.end() ? nullptr : found;
}

bool Target::runsOn(const Chip &chip) const {
  if (suffix == 'a')
    return major == chip.major && minor == chip.minor;
  if (suffix == 'f')
    return major == chip.major && minor <= chip.minor;
  return major < chip.major || (major == chip.major && minor <= chip.minor);
}

const Target *targetNamed(std::string_view name) {
  const auto *found = std::ranges::find(kTargets, name, &Target::name);
  return found == kTargets.end() ? nullptr : found;
}

} // namespace glm::ptx
