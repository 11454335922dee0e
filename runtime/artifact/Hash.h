// The checksum of everything here: it notices accidents, not attackers.
#pragma once

#include <cstdint>
#include <string_view>

namespace glm {

inline constexpr uint64_t kFnvBasis = 0xcbf29ce484222325;

/// FNV-1a, 64 bits (RFC 9923), of `text` behind what `hash` stands for.
constexpr uint64_t fnv1a64(std::string_view text, uint64_t hash = kFnvBasis) {
  for (char byte : text)
    hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3;
  return hash;
}

} // namespace glm
