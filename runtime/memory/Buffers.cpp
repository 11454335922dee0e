#include "runtime/memory/Buffers.h"

#include <fmt/format.h>

namespace glm {

Result<Buffers> Buffers::allocate(const Manifest &manifest, Device &device) {
  Buffers buffers;
  Result<Allocation> arena = device.allocate(manifest.arenaBytes);
  if (!arena)
    return arena.error();
  buffers.arena = std::move(*arena);
  for (const Buffer &buffer : manifest.buffers) {
    if (buffer.space != BufferSpace::Cache) {
      buffers.addresses.push_back(static_cast<char *>(buffers.arena.address()) + buffer.offset);
      continue;
    }
    Result<Allocation> cache = device.allocate(buffer.bytes);
    if (!cache)
      return Error{fmt::format("cache {}: {}", buffer.name, cache.error().message)};
    buffers.addresses.push_back(cache->address());
    buffers.caches.push_back(std::move(*cache));
  }
  return buffers;
}

uint64_t cacheBytes(const Manifest &manifest) {
  uint64_t bytes = 0;
  for (const Buffer &buffer : manifest.buffers)
    if (buffer.space == BufferSpace::Cache)
      bytes += buffer.bytes;
  return bytes;
}

} // namespace glm
