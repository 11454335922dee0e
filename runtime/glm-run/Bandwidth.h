// How fast this machine reads memory, measured now, with the threads that compute.
#pragma once

#include "runtime/device/ThreadPool.h"

namespace glm {

struct Bandwidth {
  double bytesPerSecond = 0;
  uint64_t bytes = 0; ///< of the memory that was read, or copied; beyond the caches
};

/// Sum memory several times larger than the last cache (at least 1 GiB, at most a quarter of what is free) on all
/// threads, each its own part, which it also touched first. The best of five passes: what the machine can do.
Bandwidth measureReadBandwidth(ThreadPool &pool);

} // namespace glm
