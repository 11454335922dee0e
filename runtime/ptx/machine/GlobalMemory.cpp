#include "runtime/ptx/machine/GlobalMemory.h"

#include <atomic>
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <sys/mman.h>

namespace glm::ptx {
namespace {

/// Between allocations, so that what runs over the end of one is not found in another.
constexpr uint64_t kGuard = 4096;
/// What cuMemAlloc promises.
constexpr uint64_t kLeastAlign = 256;

uint64_t alignUp(uint64_t value, uint64_t align) { return (value + align - 1) / align * align; }

uint64_t maskOf(int32_t device) { return device < 0 ? ~uint64_t{0} : uint64_t{1} << device; }

} // namespace

struct GlobalMemory::State {
  struct Entry {
    Region region;
    void *mapping = nullptr; ///< of mmap; null if somebody else owns the memory
    uint64_t mappedBytes = 0;
  };

  mutable std::shared_mutex mutex;
  std::map<uint64_t, Entry> entries; ///< by address
  std::map<int32_t, uint64_t> inUse, capacity;
  std::map<int32_t, uint64_t> peers; ///< by owner: other devices that may touch its memory
  std::atomic<uint64_t> generation = 1;

  void setMasks(Region &region) const {
    bool shared = region.kind == Region::Kind::Managed || region.kind == Region::Kind::Host;
    uint64_t readers = maskOf(shared ? -1 : region.device);
    if (auto found = peers.find(region.device); found != peers.end())
      readers |= found->second;
    region.deviceMask = readers;
    if (region.writableMask)
      region.writableMask = readers;
  }

  const Entry *holding(uint64_t address) const {
    auto after = entries.upper_bound(address);
    if (after == entries.begin())
      return nullptr;
    const Entry &entry = std::prev(after)->second;
    return address - entry.region.address < entry.region.bytes ? &entry : nullptr;
  }

  void remove(std::map<uint64_t, Entry>::iterator entry) {
    if (entry->second.mapping) {
      munmap(entry->second.mapping, entry->second.mappedBytes);
      inUse[entry->second.region.device] -= entry->second.region.bytes;
    }
    entries.erase(entry);
    ++generation;
  }
};

GlobalMemory::GlobalMemory() : state(std::make_unique<State>()) {}

GlobalMemory::~GlobalMemory() {
  while (!state->entries.empty())
    state->remove(state->entries.begin());
}

Result<uint64_t> GlobalMemory::allocate(uint64_t bytes, uint64_t align, Region::Kind kind, int32_t device,
                                        std::string name) {
  std::unique_lock lock(state->mutex);
  uint64_t &used = state->inUse[device];
  auto limit = state->capacity.find(device);
  if (limit != state->capacity.end() && (bytes > limit->second || used > limit->second - bytes))
    return Error{fmt::format("device {}: memory must have {} bytes free for {}, but found {} of {} in use", device,
                             bytes, name, used, limit->second)};
  align = std::max(align, kLeastAlign);
  uint64_t mapped = alignUp(bytes, kGuard) + align + 2 * kGuard;
  void *mapping = mapped < bytes ? MAP_FAILED
                                 : mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED)
    return Error{
        fmt::format("device {}: this machine must have {} bytes for {}, but found no room", device, bytes, name)};
  State::Entry entry;
  entry.mapping = mapping;
  entry.mappedBytes = mapped;
  entry.region.address = alignUp(reinterpret_cast<uint64_t>(mapping) + kGuard, align);
  entry.region.bytes = bytes;
  entry.region.kind = kind;
  entry.region.device = device;
  entry.region.writableMask = 1;
  entry.region.name = std::move(name);
  state->setMasks(entry.region);
  used += bytes;
  uint64_t address = entry.region.address;
  state->entries.emplace(address, std::move(entry));
  ++state->generation;
  return address;
}

bool GlobalMemory::release(uint64_t address) {
  std::unique_lock lock(state->mutex);
  auto found = state->entries.find(address);
  if (found == state->entries.end() || !found->second.mapping)
    return false;
  state->remove(found);
  return true;
}

void GlobalMemory::addRegion(Region region) {
  std::unique_lock lock(state->mutex);
  uint64_t address = region.address;
  state->entries[address] = {.region = std::move(region)};
  ++state->generation;
}

bool GlobalMemory::removeRegion(uint64_t address) {
  std::unique_lock lock(state->mutex);
  auto found = state->entries.find(address);
  if (found == state->entries.end() || found->second.mapping)
    return false;
  state->remove(found);
  return true;
}

void GlobalMemory::setReadOnly(uint64_t address) {
  std::unique_lock lock(state->mutex);
  if (auto found = state->entries.find(address); found != state->entries.end()) {
    found->second.region.writableMask = 0;
    ++state->generation;
  }
}

Region GlobalMemory::find(uint64_t address) const {
  std::shared_lock lock(state->mutex);
  const State::Entry *entry = state->holding(address);
  return entry ? entry->region : Region{};
}

std::string GlobalMemory::describe(uint64_t address) const {
  std::shared_lock lock(state->mutex);
  auto above = state->entries.upper_bound(address);
  const Region *below = above == state->entries.begin() ? nullptr : &std::prev(above)->second.region;
  // What ends below is the likelier culprit: most overruns are past the end.
  if (below && (above == state->entries.end() || address - (below->address + below->bytes) <= above->first - address))
    return fmt::format("{} bytes past the end of {}", address - (below->address + below->bytes), below->name);
  if (above != state->entries.end())
    return fmt::format("{} bytes before {}", above->first - address, above->second.region.name);
  return "no memory at all";
}

void GlobalMemory::setPeer(int32_t device, int32_t peer, bool allowed) {
  std::unique_lock lock(state->mutex);
  uint64_t &mask = state->peers[device];
  mask = allowed ? mask | maskOf(peer) : mask & ~maskOf(peer);
  for (auto &[address, entry] : state->entries)
    if (entry.region.device == device && entry.region.kind != Region::Kind::Mapped)
      state->setMasks(entry.region);
  ++state->generation;
}

void GlobalMemory::setCapacity(int32_t device, uint64_t bytes) {
  std::unique_lock lock(state->mutex);
  state->capacity[device] = bytes;
}

uint64_t GlobalMemory::used(int32_t device) const {
  std::shared_lock lock(state->mutex);
  auto found = state->inUse.find(device);
  return found == state->inUse.end() ? 0 : found->second;
}

uint64_t GlobalMemory::generation() const { return state->generation.load(std::memory_order_relaxed); }

} // namespace glm::ptx
