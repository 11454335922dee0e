// The memory that a manifest plans: one arena for everything that lives within a step, and the caches.
#pragma once

#include "runtime/device/Device.h"

namespace glm {

class Buffers {
public:
  /// Reserve the arena and one zeroed piece per cache. Nothing is touched yet.
  static Result<Buffers> allocate(const Manifest &manifest, Device &device);

  /// First byte of a buffer of the manifest, by index.
  void *address(int64_t buffer) const { return addresses[buffer]; }

private:
  Allocation arena;
  std::vector<Allocation> caches;
  std::vector<void *> addresses;
};

/// Bytes of all caches together.
uint64_t cacheBytes(const Manifest &manifest);

} // namespace glm
