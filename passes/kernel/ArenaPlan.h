// Where buffers go that are not all alive at once.
#pragma once

#include <cstdint>
#include <vector>

namespace glm {

/// Every offset and size in the arena is a multiple of this: a cache line, and the widest vector of the targets.
inline constexpr int64_t kArenaAlignment = 64;

/// `bytes` rounded up to the alignment.
int64_t alignToArena(int64_t bytes);

/// A buffer: alive from launch `first` to launch `last`, both included.
struct Lifetime {
  int64_t bytes = 0;
  int64_t first = 0;
  int64_t last = 0;

  bool overlaps(const Lifetime &other) const { return first <= other.last && other.first <= last; }
};

struct ArenaPlan {
  std::vector<int64_t> offsets; ///< of each buffer, in the order given
  int64_t bytes = 0;            ///< from 0 to the end of the last one
};

/// Greedy by size (Passes.td names the source). Follows from the arguments alone: of equal sizes the earlier one goes first.
/// Looks at all pairs; a step has a few thousand buffers.
ArenaPlan planArena(const std::vector<Lifetime> &lifetimes);

/// The most bytes that are alive at one launch: no plan needs less.
int64_t leastArenaBytes(const std::vector<Lifetime> &lifetimes);

} // namespace glm
