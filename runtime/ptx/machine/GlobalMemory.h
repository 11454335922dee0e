// The memory of all devices of this process, as one address space: device pointers are host pointers.
//
// Thread safe. Kernels look allocations up on every first touch of a block; the driver adds and removes them.
#pragma once

#include "runtime/artifact/Result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace glm::ptx {

/// A range that kernels may touch.
struct Region {
  enum class Kind : uint8_t { Device, Managed, Host, Module, Mapped };

  uint64_t address = 0;
  uint64_t bytes = 0;
  Kind kind = Kind::Device;
  int32_t device = 0;        ///< owner; -1 for host memory
  uint64_t deviceMask = 0;   ///< devices that may touch it (owner, peers with access, all for Host and Managed)
  uint64_t writableMask = 0; ///< devices that may write it
  std::string name;          ///< for messages: "allocation of 4096 bytes", "variable table"
};

class GlobalMemory {
public:
  GlobalMemory();
  ~GlobalMemory();
  GlobalMemory(const GlobalMemory &) = delete;
  GlobalMemory &operator=(const GlobalMemory &) = delete;

  /// New memory with guard space around it, aligned to at least 256 bytes (as cuMemAlloc does); untouched pages cost
  /// nothing. An error when the device's memory, or this machine's, is used up.
  Result<uint64_t> allocate(uint64_t bytes, uint64_t align, Region::Kind kind, int32_t device, std::string name);

  /// Give back what `allocate` gave; false if no allocation starts there.
  bool release(uint64_t address);

  /// Memory that somebody else owns (registered host memory, VMM mappings).
  void addRegion(Region region);
  bool removeRegion(uint64_t address);

  /// Kernels may read what is at `address`, and not write it (.const variables).
  void setReadOnly(uint64_t address);

  /// The region that holds `address`, as a copy; bytes 0 if there is none.
  Region find(uint64_t address) const;

  /// The region nearest below or above, for messages.
  std::string describe(uint64_t address) const;

  /// Devices that may touch what `device` owns (peer access): bit `peer` on or off, also for memory allocated later.
  void setPeer(int32_t device, int32_t peer, bool allowed);

  /// The most that `allocate` gives of a device; without this there is no limit but this machine's.
  void setCapacity(int32_t device, uint64_t bytes);

  /// Bytes of device memory in use.
  uint64_t used(int32_t device) const;

  /// Changes whenever a region is added or removed: what was found before is then stale.
  uint64_t generation() const;

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace glm::ptx
