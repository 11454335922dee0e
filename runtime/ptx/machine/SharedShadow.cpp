#include "runtime/ptx/machine/SharedShadow.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

namespace glm::ptx {
namespace {

constexpr uint32_t kCellBytes = 4;

constexpr const char *kRace = "race", *kUninitialized = "uninitialized", *kUnfenced = "unfenced";

uint8_t maskOf(uint64_t cell, uint64_t begin, uint64_t end) {
  uint64_t low = std::max(begin, cell * kCellBytes) - cell * kCellBytes;
  uint64_t high = std::min(end, (cell + 1) * kCellBytes) - cell * kCellBytes;
  return static_cast<uint8_t>(((1u << high) - 1) & ~((1u << low) - 1));
}

uint32_t packLine(uint32_t line, uint32_t lane) { return line * kWarpSize + lane; }

} // namespace

void SharedShadow::reset(uint32_t bytes, uint32_t newAgents) {
  cells.assign((bytes + kCellBytes - 1) / kCellBytes, {});
  agents = newAgents;
  pool.clear();
  freeReaders.clear();
  flights.clear();
}

void SharedShadow::dropReaders(Cell &cell) {
  if (cell.readers)
    freeReaders.push_back(cell.readers);
  cell.readers = 0;
  cell.read = 0;
}

/// The reads of these bytes must all have happened before; null if they have.
const char *SharedShadow::checkReaders(Cell &cell, uint8_t mask, const Toucher &by) {
  if (!(cell.read & mask))
    return nullptr;
  if (!cell.readers) {
    if (cell.readAgent == by.agent || cell.readClock <= by.clock[cell.readAgent])
      return nullptr;
    otherAgent = cell.readAgent;
    otherLine = cell.readLine;
    otherWrote = false;
    return kRace;
  }
  const Reader *readers = &pool[size_t{cell.readers - 1} * agents];
  for (uint32_t agent = 0; agent < agents; ++agent)
    if (agent != by.agent && (readers[agent].bytes & mask) && readers[agent].clock > by.clock[agent]) {
      otherAgent = agent;
      otherLine = readers[agent].line;
      otherWrote = false;
      return kRace;
    }
  return nullptr;
}

void SharedShadow::addReader(Cell &cell, uint8_t mask, const Toucher &by) {
  if (!cell.readers) {
    // One reader is enough while the earlier one is ordered before.
    bool same = cell.read && cell.readAgent == by.agent;
    if (!cell.read || same || cell.readClock <= by.clock[cell.readAgent]) {
      cell.read = same && cell.readClock == by.now ? cell.read | mask : mask;
      cell.readAgent = static_cast<uint16_t>(by.agent);
      cell.readClock = by.now;
      cell.readLine = by.line;
      return;
    }
    if (freeReaders.empty()) {
      pool.resize(pool.size() + agents);
      cell.readers = static_cast<uint32_t>(pool.size() / agents);
    } else {
      cell.readers = freeReaders.back();
      freeReaders.pop_back();
      std::fill_n(&pool[size_t{cell.readers - 1} * agents], agents, Reader{});
    }
    pool[size_t{cell.readers - 1} * agents + cell.readAgent] = {cell.readClock, cell.readLine, cell.read};
  }
  Reader &own = pool[size_t{cell.readers - 1} * agents + by.agent];
  own.bytes = own.clock == by.now ? own.bytes | mask : mask;
  own.clock = by.now;
  own.line = by.line;
  cell.read |= mask;
}

const char *SharedShadow::read(Cell &cell, uint8_t mask, const Toucher &by, Touch how) {
  if ((cell.known & mask) != mask)
    return kUninitialized;
  if (how.sync)
    return nullptr;
  if ((cell.written & mask) && cell.writeAgent != by.agent && cell.writeClock > by.clock[cell.writeAgent]) {
    otherAgent = cell.writeAgent;
    otherLine = cell.writeLine;
    otherWrote = true;
    return kRace;
  }
  if (cell.readAgent == by.agent && cell.readClock == by.now && (cell.read & mask) == mask)
    return nullptr;
  addReader(cell, mask, by);
  return nullptr;
}

const char *SharedShadow::write(Cell &cell, uint8_t mask, const Toucher &by, Touch how) {
  cell.known |= mask;
  if (how.sync) {
    cell.written &= static_cast<uint8_t>(~mask);
    return nullptr;
  }
  bool bothAtomic = how.atomic && (cell.kind & kAtomic);
  if ((cell.written & mask) && !bothAtomic && cell.writeAgent != by.agent &&
      cell.writeClock > by.clock[cell.writeAgent]) {
    otherAgent = cell.writeAgent;
    otherLine = cell.writeLine;
    otherWrote = true;
    return kRace;
  }
  if (cell.read) {
    if (const char *race = checkReaders(cell, mask, by))
      return race;
    if (!(cell.read & ~mask))
      dropReaders(cell);
  }
  bool same = cell.written && cell.writeAgent == by.agent && cell.writeClock == by.now;
  // An atomic on what the warp itself has just written does not make that write one: others must still be ordered after it.
  bool staysPlain = how.atomic && same && !(cell.kind & kAtomic);
  cell.written = same ? cell.written | mask : mask;
  cell.writeAgent = static_cast<uint16_t>(by.agent);
  cell.writeClock = by.now;
  cell.writeLine = staysPlain ? cell.writeLine : by.line;
  cell.kind = how.atomic && !staysPlain ? kAtomic : 0;
  return nullptr;
}

std::string SharedShadow::describe(Block &block, uint32_t agent, uint32_t line) const {
  const Cluster &cluster = *block.cluster;
  auto warps = static_cast<uint32_t>(block.warps.size());
  auto blocks = static_cast<uint32_t>(cluster.blocks.size());
  if (agent >= warps * blocks)
    return fmt::format("the asynchronous copy of line {}", line / kWarpSize);
  std::string where = agent / warps == block.rank ? "" : fmt::format(" of block rank {}", agent / warps);
  return fmt::format("warp {}{}, lane {}, line {}", agent % warps, where, line % kWarpSize, line / kWarpSize);
}

std::string SharedShadow::explain(Block &block, const char *what, uint64_t offset, Touch how) const {
  if (what == kUninitialized)
    return fmt::format("shared memory at offset {} must be written before it is read, but found no write", offset);
  if (what == kUnfenced)
    return fmt::format(
        "shared memory at offset {} must be made visible by fence.proxy.async before an asynchronous operation "
        "reads it, but found a write by {} and no such fence since",
        offset, describe(block, otherAgent, otherLine));
  return fmt::format(
      "shared memory at offset {} must be {} after a barrier that orders it with the other {}, but found {} by "
      "{} without one",
      offset, how.writes ? "written" : "read", otherWrote ? "write" : "read", otherWrote ? "a write" : "a read",
      describe(block, otherAgent, otherLine));
}

const SharedShadow::Flight *SharedShadow::flightOver(uint64_t begin, uint64_t end, bool writes) const {
  for (const Flight &flight : flights)
    for (const SharedRange &range : flight.ranges)
      if ((flight.written || writes) && range.offset < end && begin < range.offset + range.bytes)
        return &flight;
  return nullptr;
}

bool SharedShadow::touch(Warp &warp, Block &block, const Op &op, LaneMask lanes, const uint64_t *offsets,
                         uint32_t bytes, Touch how) {
  const uint32_t now = warp.clock[warp.agent];
  for (uint64_t previous = ~uint64_t{0}; lanes; lanes &= lanes - 1) {
    int lane = std::countr_zero(lanes);
    uint64_t offset = offsets[lane];
    // Lanes that read the same address one after the other are one read.
    if (offset == previous && !how.writes)
      continue;
    previous = offset;
    Toucher by{warp.clock, warp.agent, now, packLine(op.line, static_cast<uint32_t>(lane))};
    for (uint64_t index = offset / kCellBytes; index * kCellBytes < offset + bytes; ++index) {
      uint8_t mask = bytes >= kCellBytes ? 0xf : maskOf(index, offset, offset + bytes);
      Cell &cell = cells[index];
      if (cell.flights && !how.sync)
        if (const Flight *flight = flightOver(offset, offset + bytes, how.writes)) {
          warp.fault(
              op, lane, LaunchFault::Kind::LaunchFailed,
              fmt::format("shared memory at offset {} must not be {} before the asynchronous copy of line {} was "
                          "waited for, but found it under way",
                          offset, how.writes ? "written" : "read", flight->op->line));
          return false;
        }
      const char *wrong = how.writes ? nullptr : read(cell, mask, by, how);
      if (how.writes) {
        // An atomic reads what it replaces.
        if (how.atomic && (cell.known & mask) != mask)
          wrong = kUninitialized;
        else
          wrong = write(cell, mask, by, how);
      }
      // Threads that all set the same flag are common, and harmless.
      if (const StoredValues *stored = warp.block->shadow->storing;
          stored && wrong == kRace && otherWrote && stored->isAt(lane, block.shared.data() + offset))
        wrong = nullptr;
      if (wrong) {
        warp.fault(op, lane, LaunchFault::Kind::LaunchFailed, explain(block, wrong, index * kCellBytes, how));
        return false;
      }
    }
  }
  return true;
}

bool SharedShadow::readAll(Warp &warp, Block &block, const Op &op, const uint32_t *offsets, uint32_t bytes) {
  const uint32_t now = warp.clock[warp.agent], agent = warp.agent;
  uint64_t wide[kWarpSize];
  // Cells of which only a part is read, and what may be wrong.
  auto readSlowly = [&](uint32_t lane) {
    wide[lane] = offsets[lane];
    return touch(warp, block, op, LaneMask{1} << lane, wide, bytes, {});
  };
  const uint32_t cellCount = bytes / kCellBytes;
  for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
    if (lane && offsets[lane] == offsets[lane - 1])
      continue;
    Cell *first = &cells[offsets[lane] / kCellBytes];
    bool slow = !cellCount;
    for (uint32_t index = 0; index < cellCount && !slow; ++index) {
      Cell &cell = first[index];
      slow = cell.flights || cell.known != 0xf ||
             (cell.written && cell.writeAgent != agent && cell.writeClock > warp.clock[cell.writeAgent]);
      if (slow)
        break;
      const uint32_t line = packLine(op.line, lane);
      if (cell.readers) {
        pool[size_t{cell.readers - 1} * agents + agent] = {now, line, 0xf};
        cell.read = 0xf;
      } else {
        addReader(cell, 0xf, {warp.clock, agent, now, line});
      }
    }
    if (slow && !readSlowly(lane))
      return false;
  }
  return true;
}

/// What speaks against work that touches a cell; null if nothing does.
const char *SharedShadow::launchOver(Cell &cell, uint8_t mask, bool written, const Toucher &by, const Warp &warp) {
  if (!written && (cell.known & mask) != mask)
    return kUninitialized;
  if ((cell.written & mask) && cell.writeAgent != by.agent && cell.writeClock > by.clock[cell.writeAgent]) {
    otherAgent = cell.writeAgent;
    otherLine = cell.writeLine;
    otherWrote = true;
    return kRace;
  }
  if (written)
    return checkReaders(cell, mask, by);
  // The async proxy sees a generic write only through a proxy fence, of the writer or of somebody who came after it.
  if ((cell.written & mask) && !(cell.kind & kAsync) && cell.writeClock > warp.fenced[cell.writeAgent]) {
    otherAgent = cell.writeAgent;
    otherLine = cell.writeLine;
    return kUnfenced;
  }
  return nullptr;
}

uint64_t SharedShadow::launch(Block &block, std::span<const SharedRange> ranges, bool written, Warp &warp, const Op &op,
                              std::optional<LaunchFault> &fault) {
  auto refuse = [&](std::string message) {
    fault = LaunchFault{LaunchFault::Kind::LaunchFailed,
                        placeOf(*warp.block, warp.index, -1, op) + ": " + std::move(message)};
    return uint64_t{0};
  };
  Flight flight{nextFlight, {ranges.begin(), ranges.end()}, written, &op};
  Toucher by{warp.clock, warp.agent, warp.clock[warp.agent], packLine(op.line, 0)};
  for (SharedRange &range : flight.ranges) {
    range.offset &= kSharedOffsetMask;
    uint64_t end = uint64_t{range.offset} + range.bytes;
    // What is out of bounds is reported by touchAsync.
    if (end > cells.size() * kCellBytes)
      return 0;
    for (uint64_t index = range.offset / kCellBytes; index * kCellBytes < end; ++index) {
      Cell &cell = cells[index];
      uint8_t mask = maskOf(index, range.offset, end);
      if (cell.flights)
        if (const Flight *other = flightOver(range.offset, end, written))
          return refuse(
              fmt::format("shared memory at offset {} must not be {} by two asynchronous copies at once, but found "
                          "that of line {} under way",
                          range.offset, written ? "written" : "touched", other->op->line));
      if (const char *wrong = launchOver(cell, mask, written, by, warp))
        return refuse(explain(block, wrong, index * kCellBytes, {.writes = written, .async = true}));
    }
  }
  for (const SharedRange &range : flight.ranges)
    for (uint64_t index = range.offset / kCellBytes; index * kCellBytes < uint64_t{range.offset} + range.bytes; ++index)
      cells[index].flights += cells[index].flights < UINT8_MAX;
  flights.push_back(std::move(flight));
  return nextFlight++;
}

void SharedShadow::land(Block &block, uint64_t id, uint64_t token) {
  auto flight = std::ranges::find(flights, id, &Flight::id);
  if (flight == flights.end())
    return;
  // The copies of a block are one agent: whoever waited for a later one has waited for the earlier ones too.
  Cluster &cluster = *block.cluster;
  auto agent = static_cast<uint32_t>(cluster.blocks.size() * block.warps.size() + block.rank);
  ClockPair &own = cluster.asyncClocks[block.rank];
  uint32_t now = own.before[agent];
  Toucher by{own.before, agent, now, packLine(flight->op->line, 0)};
  for (const SharedRange &range : flight->ranges)
    for (uint64_t index = range.offset / kCellBytes; index * kCellBytes < uint64_t{range.offset} + range.bytes;
         ++index) {
      Cell &cell = cells[index];
      uint8_t mask = maskOf(index, range.offset, uint64_t{range.offset} + range.bytes);
      cell.flights -= cell.flights != 0;
      if (!flight->written) {
        addReader(cell, mask, by);
        continue;
      }
      cell.known |= mask;
      dropReaders(cell);
      cell.written = cell.written && cell.writeAgent == agent ? cell.written | mask : mask;
      cell.writeAgent = static_cast<uint16_t>(agent);
      cell.writeClock = now;
      cell.writeLine = by.line;
      cell.kind = kAsync;
    }
  flights.erase(flight);
  cluster.tokens[token].join(own);
  ++own.before[agent];
}

} // namespace glm::ptx
