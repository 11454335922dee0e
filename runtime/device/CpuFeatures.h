// Which instructions this machine has, asked in LLVM's spelling.
#pragma once

#include "runtime/artifact/Result.h"

#include <set>
#include <string>
#include <vector>

namespace glm {

/// The processor's flags, as the "flags" line of /proc/cpuinfo lists them. The kernel's list and not cpuid's: it leaves
/// out what the operating system does not save and restore.
std::set<std::string> cpuFlags();

/// The features of `wanted` (LLVM's spelling, such as avx512bf16, sse4.2, lzcnt; a leading '+' is allowed) that `flags` do not contain.
std::vector<std::string> missingFeatures(const std::vector<std::string> &wanted, const std::set<std::string> &flags);

} // namespace glm
