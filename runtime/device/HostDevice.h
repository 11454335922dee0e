// The machine we run on: kernels are functions of host.so, called on a thread pool.
#pragma once

#include "runtime/artifact/KernelAbi.h"
#include "runtime/device/Device.h"
#include "runtime/device/ThreadPool.h"

namespace glm {

class HostDevice : public Device {
public:
  explicit HostDevice(int64_t threads) : pool(threads) {}
  ~HostDevice() override;

  std::string description() const override;
  Result<void> loadKernels(const std::filesystem::path &library, const std::vector<Kernel> &kernels) override;
  void setRows(LiveRows rows) override { live = rows; }
  void launch(const Call &call) override;
  void replay(int64_t program, std::span<const Call> calls) override;
  Result<void> synchronize() override { return {}; }
  Result<Allocation> allocate(uint64_t bytes) override;
  void upload(void *to, const void *from, uint64_t bytes) override;
  Result<std::unique_ptr<Readback>> makeReadback(uint64_t bytes) override;
  const void *view(const void *from, uint64_t, std::vector<uint8_t> &) override { return from; }
  Result<void *> makeResident(const void *bytes, uint64_t) override { return const_cast<void *>(bytes); }

  /// For other work that wants the same threads, such as reading the weights once.
  ThreadPool &threadPool() { return pool; }

private:
  void release(void *address, uint64_t bytes) override;

  struct Function {
    HostKernel call;
    bool parallel;
  };

  ThreadPool pool;
  LiveRows live;
  void *library = nullptr;
  std::vector<Function> functions; ///< one per kernel of the manifest
};

} // namespace glm
