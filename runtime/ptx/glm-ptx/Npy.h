// Arrays in NumPy's .npy files (numpy.lib.format, versions 1.0 to 3.0), as bytes with a type and a shape.
#pragma once

#include "runtime/artifact/Result.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace glm::ptx {

/// An element type by our name, and as NumPy writes it in a header.
struct NpyType {
  std::string_view name;  ///< "f32"
  std::string_view descr; ///< "<f4"
  uint32_t bytes;
};

/// By our name; null if there is none.
const NpyType *npyTypeNamed(std::string_view name);
std::string npyTypeNames(); ///< "f64, f32, ...", for messages

struct Array {
  const NpyType *type = nullptr;
  std::vector<uint64_t> shape;
  std::vector<std::byte> data; ///< row-major, little-endian
};

/// Bytes of an array; nothing if they do not fit 64 bits.
Result<uint64_t> bytesOf(const NpyType &type, const std::vector<uint64_t> &shape);

/// Row-major little-endian arrays of a known type; anything else is refused by name.
Result<Array> readNpy(const std::filesystem::path &file);

/// Through a temporary name, then renamed.
Result<void> writeNpy(const std::filesystem::path &file, const Array &array);

} // namespace glm::ptx
