#include "runtime/ptx/machine/SharedShadow.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

namespace glm::ptx {
namespace {

constexpr uint32_t kCellBytes = 4;

constexpr const char *kRace = "race", *kUninitialized = "uninitialized";

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
  cell.written = same ? cell.written | mask : mask;
  cell.writeAgent = static_cast<uint16_t>(by.agent);
  cell.writeClock = by.now;
  cell.writeLine = by.line;
  cell.kind = how.atomic ? kAtomic : 0;
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

std::string SharedShadow::explain(Warp &, Block &block, const Op &, const char *what, uint64_t offset, Touch how) const {
  if (what == kUninitialized)
    return fmt::format("shared memory at offset {} must be written before it is read, but found no write", offset);
  return fmt::format("shared memory at offset {} must be {} after a barrier that orders it with the other {}, but found {} by "
                     "{} without one",
                     offset, how.writes ? "written" : "read", otherWrote ? "write" : "read",
                     otherWrote ? "a write" : "a read", describe(block, otherAgent, otherLine));
}

const SharedShadow::Flight *SharedShadow::flightOver(uint64_t begin, uint64_t end, bool writes) const {
  for (const Flight &flight : flights)
    if (flight.begin < end && begin < flight.end && (flight.written || writes))
      return &flight;
  return nullptr;
}

bool SharedShadow::touch(Warp &warp, Block &block, const Op &op, LaneMask lanes, const uint64_t *offsets, uint32_t bytes,
                         Touch how) {
  const uint32_t now = warp.clock[warp.agent];
  for (uint64_t previous = ~uint64_t{0}; lanes; lanes &= lanes - 1) {
    int lane = std::countr_zero(lanes);
    uint64_t offset = offsets[lane];
    // Lanes that read the same address one after the other are one read.
    if (offset == previous && !how.writes)
      continue;
    previous = offset;
    Toucher by{warp.clock, warp.agent, now, packLine(op.line, static_cast<uint32_t>(lane))};
    if (!flights.empty() && !how.sync)
      if (const Flight *flight = flightOver(offset, offset + bytes, how.writes)) {
        warp.fault(op, lane, LaunchFault::Kind::LaunchFailed,
                   fmt::format("shared memory at offset {} must not be {} before the asynchronous copy of line {} was waited "
                               "for, but found it under way",
                               offset, how.writes ? "written" : "read", flight->op->line));
        return false;
      }
    for (uint64_t index = offset / kCellBytes; index * kCellBytes < offset + bytes; ++index) {
      uint8_t mask = bytes >= kCellBytes ? 0xf : maskOf(index, offset, offset + bytes);
      Cell &cell = cells[index];
      const char *wrong = how.writes ? nullptr : read(cell, mask, by, how);
      if (how.writes) {
        // An atomic reads what it replaces.
        if (how.atomic && (cell.known & mask) != mask)
          wrong = kUninitialized;
        else
          wrong = write(cell, mask, by, how);
      }
      if (wrong) {
        warp.fault(op, lane, LaunchFault::Kind::LaunchFailed, explain(warp, block, op, wrong, index * kCellBytes, how));
        return false;
      }
    }
  }
  return true;
}

uint64_t SharedShadow::launch(Block &block, uint32_t offset, uint32_t bytes, bool written, Warp &warp, const Op &op,
                              std::optional<LaunchFault> &fault) {
  auto refuse = [&](std::string message) {
    fault = LaunchFault{LaunchFault::Kind::LaunchFailed,
                        placeOf(*warp.block, warp.index, -1, op) + ": " + std::move(message)};
    return uint64_t{0};
  };
  uint32_t end = offset + bytes;
  if (const Flight *flight = flightOver(offset, end, written))
    return refuse(fmt::format("shared memory at offset {} must not be {} by two asynchronous copies at once, but found that of "
                              "line {} under way",
                              offset, written ? "written" : "read", flight->op->line));
  Toucher by{warp.clock, warp.agent, warp.clock[warp.agent], packLine(op.line, 0)};
  for (uint64_t index = offset / kCellBytes; index * kCellBytes < end; ++index) {
    Cell &cell = cells[index];
    uint8_t mask = maskOf(index, offset, end);
    Touch how{.writes = written, .async = true};
    const char *wrong = nullptr;
    if (!written && (cell.known & mask) != mask)
      wrong = kUninitialized;
    else if ((cell.written & mask) && cell.writeAgent != by.agent && cell.writeClock > by.clock[cell.writeAgent]) {
      otherAgent = cell.writeAgent;
      otherLine = cell.writeLine;
      otherWrote = true;
      wrong = kRace;
    } else if (written)
      wrong = checkReaders(cell, mask, by);
    if (wrong)
      return refuse(explain(warp, block, op, wrong, index * kCellBytes, how));
    // The async proxy sees a generic write only through a proxy fence, of the writer or of somebody who came after it.
    if ((cell.written & mask) && !written && !(cell.kind & kAsync) && cell.writeClock > warp.fenced[cell.writeAgent])
      return refuse(fmt::format("shared memory at offset {} must be made visible by fence.proxy.async before an asynchronous "
                                "copy reads it, but found a write by {} and no such fence since",
                                index * kCellBytes, describe(block, cell.writeAgent, cell.writeLine)));
  }
  flights.push_back({nextFlight, offset, end, written, warp.agent, &op});
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
  for (uint64_t index = flight->begin / kCellBytes; index * kCellBytes < flight->end; ++index) {
    Cell &cell = cells[index];
    uint8_t mask = maskOf(index, flight->begin, flight->end);
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
  ClockPair &shared = cluster.tokens[token];
  shared.join(own);
  ++own.before[agent];
}

} // namespace glm::ptx
