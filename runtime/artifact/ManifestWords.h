// How manifest.json spells the enumerations of Manifest.h; shared by its writer and its reader.
#pragma once

#include "runtime/artifact/Manifest.h"

namespace glm {

inline constexpr const char *kManifestFile = "manifest.json";
inline constexpr const char *kSealKey = "seal";
inline constexpr const char *kForms[] = {"data", "table", "scalars"};           // WeightForm
inline constexpr const char *kSpaces[] = {"arena", "cache", "input", "output"}; // BufferSpace
inline constexpr const char *kRowCounts[] = {"step", "output"};                 // RowCount

/// 16 hexadecimal digits over everything but the place of the checkpoint.
std::string manifestSeal(const Manifest &manifest);

} // namespace glm
