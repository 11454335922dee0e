// What is known of each byte of a block's shared memory: whether it was ever written, who wrote it last, who read it since.
//
// Races are found by happens-before, as in FastTrack (Flanagan and Freund, PLDI 2009): two touches of one byte, one of them a
// write, must be ordered by barriers, mbarriers or other releases and acquires, whatever the order in which they happen to run
// here. Agents are warps: what the lanes of one warp do is taken as ordered.
#pragma once

#include "runtime/ptx/machine/Access.h"

#include <cstring>
#include <string>
#include <vector>

namespace glm::ptx {

/// What a store is about to write: writing what is there already races with nobody.
struct StoredValues {
  uint32_t count = 0;         ///< of the vector
  uint32_t bytes = 0;         ///< of an element in memory
  uint32_t registerBytes = 0; ///< of one in its register
  const std::byte *registers[8] = {};

  bool isAt(int lane, const std::byte *memory) const {
    for (uint32_t index = 0; index < count; ++index)
      if (std::memcmp(registers[index] + size_t(lane) * registerBytes, memory + index * bytes, bytes) != 0)
        return false;
    return true;
  }
};

class SharedShadow {
public:
  /// Set in the shadow of the storing warp's own block while its store touches memory.
  const StoredValues *storing = nullptr;

  SharedShadow(uint32_t bytes, uint32_t agents) { reset(bytes, agents); }
  void reset(uint32_t bytes, uint32_t agents);

  /// Check and record that `lanes` of `warp` touch `bytes` bytes each at `offsets` of `block`'s shared memory, which is within
  /// bounds. False after a fault.
  bool touch(Warp &warp, Block &block, const Op &op, LaneMask lanes, const uint64_t *offsets, uint32_t bytes,
             Touch how);

  /// The same for plain reads of all 32 lanes.
  bool readAll(Warp &warp, Block &block, const Op &op, const uint32_t *offsets, uint32_t bytes);

  /// See inFlight and landed in Access.h.
  uint64_t launch(Block &block, std::span<const SharedRange> ranges, bool written, Warp &warp, const Op &op,
                  std::optional<LaunchFault> &fault);
  void land(Block &block, uint64_t id, uint64_t token);

private:
  /// Four bytes; masks have a bit for each.
  struct Cell {
    uint32_t writeClock = 0;
    uint32_t writeLine = 0; ///< line * 32 + lane
    uint32_t readClock = 0;
    uint32_t readLine = 0;
    uint32_t readers = 0; ///< several: index into `pool` plus 1
    uint16_t writeAgent = 0, readAgent = 0;
    uint8_t written = 0; ///< bytes that the last writer wrote; 0: nobody since
    uint8_t read = 0;    ///< bytes read since
    uint8_t known = 0;   ///< bytes that hold a value
    uint8_t kind = 0;    ///< of the last write: kAtomic, kAsync
    uint8_t flights = 0; ///< asynchronous work under way over it; saturates
  };
  struct Reader {
    uint32_t clock = 0, line = 0;
    uint8_t bytes = 0;
  };
  struct Flight {
    uint64_t id = 0;
    std::vector<SharedRange> ranges;
    bool written = false;
    const Op *op = nullptr;
  };
  static constexpr uint8_t kAtomic = 1, kAsync = 2;

  /// The one who touches.
  struct Toucher {
    const VectorClock &clock;
    uint32_t agent;
    uint32_t now;
    uint32_t line;
  };

  const char *read(Cell &cell, uint8_t mask, const Toucher &by, Touch how);
  const char *write(Cell &cell, uint8_t mask, const Toucher &by, Touch how);
  void addReader(Cell &cell, uint8_t mask, const Toucher &by);
  const char *checkReaders(Cell &cell, uint8_t mask, const Toucher &by);
  void dropReaders(Cell &cell);
  std::string describe(Block &block, uint32_t agent, uint32_t line) const;
  std::string explain(Block &block, const char *what, uint64_t offset, Touch how) const;
  const Flight *flightOver(uint64_t begin, uint64_t end, bool writes) const;
  const char *launchOver(Cell &cell, uint8_t mask, bool written, const Toucher &by, const Warp &warp);

  std::vector<Cell> cells;
  uint32_t agents = 0;
  std::vector<Reader> pool; ///< `agents` entries for each cell with several readers
  std::vector<uint32_t> freeReaders;
  std::vector<Flight> flights; ///< oldest first
  uint64_t nextFlight = 1;
  // Of the conflict that was found last.
  uint32_t otherAgent = 0, otherLine = 0;
  bool otherWrote = false;
};

} // namespace glm::ptx
