// Where kernels run and memory lies. One implementation per kind of machine: the host (HostDevice.h), a GPU (CudaDevice.h).
//
// Addresses are the device's own: only `upload`, `view` and kernels look behind them. Work is ordered: a launch sees
// everything that was uploaded or launched before it. `synchronize` waits until all of it is done.
#pragma once

#include "runtime/artifact/Manifest.h"
#include "runtime/artifact/Result.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace glm {

class Device;

/// Memory of a device, given back when this object dies.
class Allocation {
public:
  Allocation() = default;
  Allocation(Device &device, void *address, uint64_t bytes) : device(&device), first(address), size(bytes) {}
  Allocation(Allocation &&other) noexcept { swap(other); }
  Allocation &operator=(Allocation &&other) noexcept {
    swap(other);
    return *this;
  }
  ~Allocation();

  /// First byte; null if nothing is held.
  void *address() const { return first; }
  uint64_t bytes() const { return size; }

private:
  void swap(Allocation &other) noexcept {
    std::swap(device, other.device);
    std::swap(first, other.first);
    std::swap(size, other.size);
  }

  Device *device = nullptr;
  void *first = nullptr;
  uint64_t size = 0;
};

/// One launch of a program, with its arguments looked up (KernelAbi.h).
struct Call {
  int64_t kernel = 0; ///< index in the manifest
  int64_t blocks = 0;
  RowCount rows = RowCount::Step;
  std::vector<void *> arguments;
};

/// How many rows of a step are live, by what a launch counts.
struct LiveRows {
  int64_t step = 0;
  int64_t output = 0;
  int64_t of(RowCount count) const { return count == RowCount::Step ? step : output; }
};

/// Bytes on their way from a device to the host: one copy at a time.
class Readback {
public:
  virtual ~Readback() = default;

  /// Enqueue a copy of device bytes, at most as many as it was made for.
  virtual void start(const void *from, uint64_t bytes) = 0;

  /// Wait for the copy and all that was enqueued before it, not for what came behind. The bytes stay until the next start. Reports what went
  /// wrong since the last call of this or of `synchronize`.
  virtual Result<const void *> wait() = 0;
};

class Device {
public:
  virtual ~Device() = default;

  /// For people: "host, 8 threads".
  virtual std::string description() const = 0;

  /// Load the artifact's code and look every kernel up; launches then name a kernel by its index in the manifest.
  virtual Result<void> loadKernels(const std::filesystem::path &code, const std::vector<Kernel> &kernels) = 0;

  /// The rows of the launches that follow.
  virtual void setRows(LiveRows rows) = 0;

  /// Enqueue one kernel. `call` is read before this returns.
  virtual void launch(const Call &call) = 0;

  /// Enqueue the launches of a program. The calls of a program are always the same and stay alive: a GPU records them once.
  virtual void replay(int64_t program, std::span<const Call> calls) = 0;

  /// Wait for everything enqueued; reports what went wrong since the last call.
  virtual Result<void> synchronize() = 0;

  /// Zeroed memory, aligned to at least 64 bytes. A large reserve costs nothing until it is touched, where the machine allows it.
  virtual Result<Allocation> allocate(uint64_t bytes) = 0;

  /// Enqueue a copy of host bytes to the device. They are read before this returns, and nothing that runs is waited for.
  virtual void upload(void *to, const void *from, uint64_t bytes) = 0;

  /// A way back for at most so many bytes. The device must outlive it.
  virtual Result<std::unique_ptr<Readback>> makeReadback(uint64_t bytes) = 0;

  /// Bytes of the device for the host to read: where they lie if the host can see them, else copied into `scratch`.
  /// Everything enqueued must be done (`synchronize`).
  virtual const void *view(const void *from, uint64_t bytes, std::vector<uint8_t> &scratch) = 0;

  /// Make constant host bytes readable by kernels, and say where they are then: in place on the host. The bytes must
  /// stay alive and unchanged as long as the device.
  virtual Result<void *> makeResident(const void *bytes, uint64_t size) = 0;

private:
  friend class Allocation;
  virtual void release(void *address, uint64_t bytes) = 0;
};

inline Allocation::~Allocation() {
  if (first)
    device->release(first, size);
}

} // namespace glm
