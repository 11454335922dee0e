// How manifest.json spells the enumerations of Manifest.h; shared by its writer and its reader.
#pragma once

namespace glm {

inline constexpr const char *kManifestFile = "manifest.json";
inline constexpr const char *kForms[] = {"data", "table", "scalars", "constant"}; // WeightForm
inline constexpr const char *kSpaces[] = {"arena", "cache", "input", "output"};   // BufferSpace
inline constexpr const char *kRowCounts[] = {"step", "output"};                   // RowCount

} // namespace glm
