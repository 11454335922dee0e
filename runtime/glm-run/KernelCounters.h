// What the PTX interpreter counted of each kernel (GLM_PTX_PROFILE=FILE.json, runtime/ptx/machine/README.md).
#pragma once

#include "runtime/artifact/Result.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace glm {

/// Sums over all launches of a kernel. Global memory, reads and writes together.
struct KernelCounters {
  int64_t launches = 0;
  uint64_t askedBytes = 0;  ///< by lanes
  uint64_t sectorBytes = 0; ///< 32 for each sector that a warp's access touches
  uint64_t uniqueBytes = 0; ///< each byte once a launch: the minimum
  uint64_t wavefronts = 0;  ///< of shared memory
  uint64_t leastWavefronts = 0;
};

/// By kernel name. An error if the file is no such profile.
Result<std::map<std::string, KernelCounters>> readKernelCounters(const std::filesystem::path &file);

/// "1.25": `found` in units of `least`; "-" where there is nothing.
std::string ratioText(uint64_t found, uint64_t least);

} // namespace glm
