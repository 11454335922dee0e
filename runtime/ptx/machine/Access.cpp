#include "runtime/ptx/machine/Access.h"

#include "runtime/ptx/machine/Counters.h"
#include "runtime/ptx/machine/Scheduler.h"
#include "runtime/ptx/machine/SharedShadow.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

namespace glm::ptx {
namespace {

using Kind = LaunchFault::Kind;

constexpr const char *verb(Touch how) { return how.writes ? "written" : "read"; }

bool misaligned(Warp &warp, const Op &op, int lane, uint64_t address, uint32_t align) {
  warp.fault(
      op, lane, Kind::MisalignedAddress,
      fmt::format("address {:#x} must be a multiple of {}, but found remainder {}", address, align, address % align));
  return false;
}

/// Look the region of `address` up and remember it. Null after a fault.
const Warp::CachedRegion *findRegion(Warp &warp, const Op &op, int lane, uint64_t address, uint32_t bytes, Touch how) {
  const LoadedModule &module = *warp.block->grid->module;
  uint64_t generation = module.memory().generation();
  for (const Warp::CachedRegion &region : warp.regions)
    if (address >= region.begin && address < region.end && region.generation == generation) {
      if (region.end - address < bytes || (how.writes && !region.writable))
        break;
      return &region;
    }
  Region found = module.memory().find(address);
  uint64_t device = uint64_t{1} << module.device();
  std::string message;
  if (!found.bytes)
    message = fmt::format("global memory at {:#x} must be allocated to be {}, but found {}", address, verb(how),
                          module.memory().describe(address));
  else if (found.address + found.bytes - address < bytes)
    message = fmt::format("global memory at {:#x} must hold {} bytes to be {}, but found the end of {} after {}",
                          address, bytes, verb(how), found.name, found.address + found.bytes - address);
  else if (!(found.deviceMask & device))
    message = fmt::format("global memory at {:#x} must be accessible from device {}, but found {} of device {}",
                          address, module.device(), found.name, found.device);
  else if (how.writes && !(found.writableMask & device))
    message = fmt::format("global memory at {:#x} must be writable, but found {}", address, found.name);
  if (!message.empty()) {
    warp.fault(op, lane, Kind::IllegalAddress, message);
    return nullptr;
  }
  Warp::CachedRegion &slot = warp.regions[warp.nextRegion++ % warp.regions.size()];
  slot = {found.address, found.address + found.bytes, generation, (found.writableMask & device) != 0};
  return &slot;
}

bool touchGlobal(Warp &warp, const Op &op, LaneMask lanes, const uint64_t *addresses, uint32_t bytes, uint32_t align,
                 Touch how, std::byte **host) {
  const Warp::CachedRegion *region = nullptr;
  uint64_t bits = 0;
  uint64_t begin = 1, length = 0;
  for (LaneMask rest = lanes; rest; rest &= rest - 1) {
    int lane = std::countr_zero(rest);
    uint64_t address = addresses[lane];
    bits |= address;
    if (address - begin >= length) {
      if (address & (align - 1))
        return misaligned(warp, op, lane, address, align);
      region = findRegion(warp, op, lane, address, bytes, how);
      if (!region)
        return false;
      begin = region->begin;
      length = region->end - region->begin < bytes ? 0 : region->end - region->begin - bytes + 1;
    }
    host[lane] = reinterpret_cast<std::byte *>(address);
  }
  if (bits & (align - 1))
    for (LaneMask rest = lanes; rest; rest &= rest - 1)
      if (int lane = std::countr_zero(rest); addresses[lane] & (align - 1))
        return misaligned(warp, op, lane, addresses[lane], align);
  if (warp.counters)
    warp.counters->countGlobal(warp.lines[&op - warp.ops], lanes, addresses, bytes, how.writes);
  return true;
}

bool sharedOutOfBounds(Warp &warp, const Op &op, int lane, const Block &block, uint64_t offset, uint32_t bytes,
                       Touch how) {
  uint32_t reserved = block.grid->module->program().chip->sharedReserved;
  if (offset < reserved)
    warp.fault(op, lane, Kind::IllegalAddress,
               fmt::format("shared memory must be {} from offset {} on, but found offset {}, which is the system's",
                           verb(how), reserved, offset));
  else
    warp.fault(op, lane, Kind::IllegalAddress,
               fmt::format("shared memory must be {} within {} bytes, but found {} bytes at offset {}", verb(how),
                           block.shared.size(), bytes, offset));
  return false;
}

bool touchShared(Warp &warp, const Op &op, LaneMask lanes, const uint64_t *addresses, uint32_t bytes, uint32_t align,
                 Touch how, std::byte **host) {
  Block *own = warp.block;
  LaneMask left = lanes;
  while (left) {
    // The lanes that go to one block: nearly always all.
    int first = std::countr_zero(left);
    auto rank = static_cast<uint32_t>(addresses[first]) >> kRankShift;
    Block *block = rank == own->rank ? own : blockOf(*own->cluster, static_cast<uint32_t>(addresses[first]));
    if (!block || addresses[first] >> 32) {
      warp.fault(op, first, Kind::IllegalAddress,
                 fmt::format("shared address {:#x} must name a block of the cluster of {}, but found rank {}",
                             addresses[first], own->cluster->blocks.size(), rank));
      return false;
    }
    uint64_t size = block->shared.size();
    std::byte *data = block->shared.data();
    uint64_t base = uint64_t{rank} << kRankShift;
    uint64_t lowest = own->grid->module->program().chip->sharedReserved;
    LaneMask here = 0;
    uint64_t offsets[kWarpSize];
    uint64_t bits = 0;
    for (LaneMask rest = left; rest; rest &= rest - 1) {
      int lane = std::countr_zero(rest);
      uint64_t offset = addresses[lane] - base;
      if (offset > kSharedOffsetMask)
        continue;
      bits |= offset;
      if (offset < lowest || offset + bytes > size)
        return sharedOutOfBounds(warp, op, lane, *block, offset, bytes, how);
      offsets[lane] = offset;
      host[lane] = data + offset;
      here |= LaneMask{1} << lane;
    }
    if (bits & (align - 1))
      for (LaneMask rest = here; rest; rest &= rest - 1)
        if (int lane = std::countr_zero(rest); offsets[lane] & (align - 1))
          return misaligned(warp, op, lane, offsets[lane], align);
    if (block->shadow && !block->shadow->touch(warp, *block, op, here, offsets, bytes, how))
      return false;
    if (warp.counters)
      warp.counters->countShared(warp.lines[&op - warp.ops], here, offsets, bytes);
    left &= ~here;
  }
  return true;
}

bool touchLocal(Warp &warp, const Op &op, LaneMask lanes, const uint64_t *addresses, uint32_t bytes, uint32_t align,
                std::byte **host) {
  for (LaneMask rest = lanes; rest; rest &= rest - 1) {
    int lane = std::countr_zero(rest);
    uint64_t offset = addresses[lane];
    if (offset & (align - 1))
      return misaligned(warp, op, lane, offset, align);
    if (offset + bytes > warp.stackTop || offset + bytes < bytes) {
      warp.fault(op, lane, Kind::IllegalAddress,
                 fmt::format("local memory must be touched within {} bytes, but found {} bytes at offset {}",
                             warp.stackTop, bytes, offset));
      return false;
    }
    host[lane] = warp.stackBase + size_t(lane) * warp.stackStride + offset;
  }
  return true;
}

bool touchParameters(Warp &warp, const Op &op, LaneMask lanes, const uint64_t *addresses, uint32_t bytes,
                     uint32_t align, Touch how, std::byte **host) {
  const std::vector<std::byte> &parameters = warp.block->grid->config->parameters;
  for (LaneMask rest = lanes; rest; rest &= rest - 1) {
    int lane = std::countr_zero(rest);
    uint64_t offset = addresses[lane] & ~kWindowMask;
    if (offset & (align - 1))
      return misaligned(warp, op, lane, offset, align);
    if (how.writes || offset + bytes > parameters.size()) {
      warp.fault(op, lane, Kind::IllegalAddress,
                 fmt::format("kernel parameters must be read within {} bytes, but found {} bytes at offset {} {}",
                             parameters.size(), bytes, offset, verb(how)));
      return false;
    }
    host[lane] = const_cast<std::byte *>(parameters.data()) + offset;
  }
  return true;
}

bool touchGeneric(Warp &warp, const Op &op, LaneMask lanes, const uint64_t *addresses, uint32_t bytes, uint32_t align,
                  Touch how, std::byte **host) {
  while (lanes) {
    uint64_t window = addresses[std::countr_zero(lanes)] & kWindowMask;
    LaneMask here = 0;
    uint64_t offsets[kWarpSize];
    for (LaneMask rest = lanes; rest; rest &= rest - 1) {
      int lane = std::countr_zero(rest);
      if ((addresses[lane] & kWindowMask) != window)
        continue;
      here |= LaneMask{1} << lane;
      offsets[lane] = addresses[lane] & ~kWindowMask;
    }
    bool fine = false;
    if (window == kSharedWindow)
      fine = touchShared(warp, op, here, offsets, bytes, align, how, host);
    else if (window == kLocalWindow)
      fine = touchLocal(warp, op, here, offsets, bytes, align, host);
    else if (window == kParamWindow)
      fine = touchParameters(warp, op, here, addresses, bytes, align, how, host);
    else
      fine = touchGlobal(warp, op, here, addresses, bytes, align, how, host);
    if (!fine)
      return false;
    lanes &= ~here;
  }
  return true;
}

} // namespace

std::string placeOf(const Block &block, uint32_t warp, int lane, const Op &op) {
  const Grid &grid = *block.grid;
  const Program &program = grid.module->program();
  std::string place = fmt::format("kernel {}, block ({},{},{}), warp {}", grid.code->function->name, block.index[0],
                                  block.index[1], block.index[2], warp);
  if (lane >= 0)
    place += fmt::format(", lane {}", lane);
  place += fmt::format(", {}:{}", program.place, op.line);
  for (const Code &code : program.code)
    if (!code.ops.empty() && &op >= code.ops.data() && &op < code.ops.data() + code.ops.size()) {
      const Instruction &instruction = code.function->instructions[op.instruction];
      if (instruction.sourceFile)
        place +=
            fmt::format(" (source {}:{})", program.module.files[instruction.sourceFile - 1], instruction.sourceLine);
    }
  return place;
}

Outcome Warp::fault(const Op &op, int lane, LaunchFault::Kind kind, const std::string &message) {
  if (!block->grid->fault)
    block->grid->fault = LaunchFault{kind, placeOf(*block, index, lane, op) + ": " + message};
  return Outcome::Fault;
}

bool touchLanes(Warp &warp, const Op &op, LaneMask lanes, Space space, const uint64_t *addresses, uint32_t bytes,
                uint32_t align, Touch how, std::byte **host) {
  warp.block->grid->progress += how.writes;
  switch (space) {
  case Space::Global:
  case Space::Const:
    return touchGlobal(warp, op, lanes, addresses, bytes, align, how, host);
  case Space::Shared:
    return touchShared(warp, op, lanes, addresses, bytes, align, how, host);
  case Space::Local:
    return touchLocal(warp, op, lanes, addresses, bytes, align, host);
  case Space::Param:
    return touchParameters(warp, op, lanes, addresses, bytes, align, how, host);
  default:
    return touchGeneric(warp, op, lanes, addresses, bytes, align, how, host);
  }
}

std::byte *touch(Warp &warp, const Op &op, int lane, Space space, uint64_t address, uint32_t bytes, uint32_t align,
                 Touch how) {
  uint64_t addresses[kWarpSize];
  std::byte *host[kWarpSize];
  addresses[lane] = address;
  return touchLanes(warp, op, LaneMask{1} << lane, space, addresses, bytes, align, how, host) ? host[lane] : nullptr;
}

void laneAddresses(const Warp &warp, Slot base, bool wide, int64_t offset, uint64_t *addresses) {
  if (wide) {
    const auto *values = warp.read<uint64_t>(base);
    for (uint32_t lane = 0; lane < kWarpSize; ++lane)
      addresses[lane] = values[lane] + static_cast<uint64_t>(offset);
  } else {
    const auto *values = warp.read<uint32_t>(base);
    for (uint32_t lane = 0; lane < kWarpSize; ++lane)
      addresses[lane] = static_cast<uint32_t>(values[lane] + static_cast<uint64_t>(offset));
  }
}

Block *blockOf(Cluster &cluster, uint32_t sharedAddress) {
  uint32_t rank = sharedAddress >> kRankShift;
  return rank < cluster.blocks.size() ? &cluster.blocks[rank] : nullptr;
}

std::byte *touchAsync(Block &block, uint32_t warp, const Op &issuer, Space space, uint64_t address, uint64_t bytes,
                      uint32_t align, Touch how, std::optional<LaunchFault> &fault) {
  auto refuse = [&](Kind kind, const std::string &message) -> std::byte * {
    fault = LaunchFault{kind, placeOf(block, warp, -1, issuer) + ": " + message};
    return nullptr;
  };
  if (address & (align - 1))
    return refuse(Kind::MisalignedAddress, fmt::format("address {:#x} must be a multiple of {}, but found remainder {}",
                                                       address, align, address % align));
  block.grid->progress += how.writes;
  if (space == Space::Generic) {
    space = (address & kWindowMask) == kSharedWindow ? Space::Shared : Space::Global;
    if (space == Space::Shared)
      address &= ~kWindowMask;
  }
  if (space == Space::Shared) {
    Block *target = blockOf(*block.cluster, static_cast<uint32_t>(address));
    uint64_t offset = address & kSharedOffsetMask;
    if (!target || address >> 32 || offset + bytes > target->shared.size())
      return refuse(Kind::IllegalAddress,
                    fmt::format("shared memory must be {} within {} bytes, but found {} bytes at address {:#x}",
                                verb(how), block.shared.size(), bytes, address));
    return target->shared.data() + offset;
  }
  const LoadedModule &module = *block.grid->module;
  Region found = module.memory().find(address);
  uint64_t device = uint64_t{1} << module.device();
  if (!found.bytes)
    return refuse(Kind::IllegalAddress, fmt::format("global memory at {:#x} must be allocated to be {}, but found {}",
                                                    address, verb(how), module.memory().describe(address)));
  if (found.address + found.bytes - address < bytes)
    return refuse(Kind::IllegalAddress,
                  fmt::format("global memory at {:#x} must hold {} bytes to be {}, but found the end of {} after {}",
                              address, bytes, verb(how), found.name, found.address + found.bytes - address));
  if (!((how.writes ? found.writableMask : found.deviceMask) & device))
    return refuse(Kind::IllegalAddress,
                  fmt::format("global memory at {:#x} must be accessible from device {} to be {}, but "
                              "found {} of device {}",
                              address, module.device(), verb(how), found.name, found.device));
  if (LaunchCounters *counters = block.grid->counters)
    counters->countBulk(issuer, address, bytes, how.writes);
  return reinterpret_cast<std::byte *>(address);
}

void release(Warp &warp, uint64_t token) {
  ++warp.block->grid->progress;
  if (!warp.checks)
    return;
  ClockPair &shared = warp.block->cluster->tokens[token];
  shared.before.join(warp.clock);
  shared.fenced.join(warp.fenced);
  ++warp.clock[warp.agent];
}

void acquire(Warp &warp, uint64_t token) {
  if (!warp.checks)
    return;
  auto found = warp.block->cluster->tokens.find(token);
  if (found == warp.block->cluster->tokens.end())
    return;
  warp.clock.join(found->second.before);
  warp.fenced.join(found->second.fenced);
}

void proxyFence(Warp &warp) {
  if (!warp.checks)
    return;
  warp.fenced.join(warp.clock);
  // What is written from now on is not fenced.
  ++warp.clock[warp.agent];
}

ClockPair snapshot(Warp &warp) {
  if (!warp.checks)
    return {};
  ClockPair clocks{warp.clock, warp.fenced};
  ++warp.clock[warp.agent];
  return clocks;
}

void releaseTo(Cluster &cluster, uint64_t token, const ClockPair &clocks) {
  ++cluster.grid->progress;
  if (!clocks.before.empty())
    cluster.tokens[token].join(clocks);
}

uint64_t inFlight(Block &destination, std::span<const SharedRange> ranges, bool written, Warp &warp, const Op &op,
                  std::optional<LaunchFault> &fault) {
  return destination.shadow ? destination.shadow->launch(destination, ranges, written, warp, op, fault) : 0;
}

uint64_t inFlight(Block &destination, uint64_t sharedAddress, uint64_t bytes, bool written, Warp &warp, const Op &op,
                  std::optional<LaunchFault> &fault) {
  SharedRange range{static_cast<uint32_t>(sharedAddress), static_cast<uint32_t>(bytes)};
  return inFlight(destination, std::span(&range, 1), written, warp, op, fault);
}

void landed(Block &destination, uint64_t id, uint64_t token) {
  if (destination.shadow && id)
    destination.shadow->land(destination, id, token);
}

void enqueue(Warp &warp, const Op &, std::function<std::optional<LaunchFault>()> work) {
  ++warp.block->grid->progress;
  warp.block->cluster->pending.push_back({std::move(work), warp.index, warp.block});
}

bool drainOne(Cluster &cluster) {
  if (cluster.pending.empty())
    return false;
  PendingWork work = std::move(cluster.pending.front());
  cluster.pending.pop_front();
  ++cluster.grid->progress;
  if (std::optional<LaunchFault> fault = work.run())
    cluster.grid->fault = std::move(fault);
  return true;
}

bool drainOne(Warp &warp) { return drainOne(*warp.block->cluster); }

Outcome drainAll(Warp &warp, const Op &) {
  while (drainOne(warp))
    if (warp.block->grid->fault)
      return Outcome::Fault;
  return Outcome::Next;
}

Outcome deadlock(Warp &warp, const Op &op) {
  return warp.fault(op, -1, Kind::LaunchTimeout,
                    fmt::format("warps must be able to go on, but found all of them waiting:\n{}",
                                describeWarps(*warp.block->cluster)));
}

} // namespace glm::ptx
