// The loop over instructions of one warp.
#pragma once

#include "runtime/ptx/machine/Warp.h"

namespace glm::ptx {

/// How a warp's turn ended.
enum class Turn : uint8_t {
  Ran,     ///< its turn was over
  Yielded, ///< it polled something: others are to run first
  Waits,   ///< nothing could go on: every fragment waits
  Ended,   ///< all lanes exited
  Faulted, ///< Grid::fault was filled
};

/// Let `warp` run until it waits, yields, ends or has run about `limit` instructions.
Turn runTurn(Warp &warp, uint64_t limit);

} // namespace glm::ptx
