// A GPU through its driver: kernels are entries of kernels.cubin or kernels.ptx, a program is a graph that is recorded once.
//
// All calls come from one thread. Work goes to one stream, so that it is ordered as Device.h promises. What is copied to it goes through two
// pinned buffers: one is filled while the other is on its way.
#pragma once

#include "runtime/device/CudaDriver.h"
#include "runtime/device/Device.h"

#include <map>
#include <optional>

namespace glm {

class CudaDevice final : public Device {
public:
  /// The first GPU of a driver library: "libcuda.so.1", or the path of runtime/ptx's.
  static Result<std::unique_ptr<CudaDevice>> open(const std::filesystem::path &library);
  ~CudaDevice() override;
  CudaDevice(const CudaDevice &) = delete;
  CudaDevice &operator=(const CudaDevice &) = delete;

  std::string description() const override { return name; }
  Result<void> loadKernels(const std::filesystem::path &code, const std::vector<Kernel> &kernels) override;
  void setRows(LiveRows rows) override;
  void launch(const Call &call) override;
  void replay(int64_t program, std::span<const Call> calls) override;
  Result<void> synchronize() override;
  Result<Allocation> allocate(uint64_t bytes) override;
  void upload(void *to, const void *from, uint64_t bytes) override;
  Result<std::unique_ptr<Readback>> makeReadback(uint64_t bytes) override;
  const void *view(const void *from, uint64_t bytes, std::vector<uint8_t> &scratch) override;
  Result<void *> makeResident(const void *bytes, uint64_t size) override;

  /// Bytes per second that a copy within the GPU's memory reads and writes together, the best of five of `bytes`.
  Result<double> copyBandwidth(uint64_t bytes);

private:
  friend class CudaReadback;
  explicit CudaDevice(const CudaDriver &driver) : driver(driver) {}
  Result<void> start();
  Result<cuda::CUdeviceptr> reserve(uint64_t bytes);
  /// A place for constants of `bytes`, aligned for any kernel.
  Result<cuda::CUdeviceptr> place(uint64_t bytes);
  /// Copy through pinned memory.
  Result<void> stage(cuda::CUdeviceptr to, const char *from, uint64_t bytes);
  /// Go on with the other pinned buffer, once its copies are done.
  Result<void> turnStaging();
  Result<cuda::CUgraphExec> record(std::span<const Call> calls);
  /// Keep the first thing that went wrong until somebody waits.
  void keep(const Result<void> &result);
  /// That thing, once.
  Result<void> takeFailure();
  void release(void *address, uint64_t bytes) override;
  /// Milliseconds that one copy takes.
  Result<float> timeCopy(cuda::CUdeviceptr to, cuda::CUdeviceptr from, uint64_t bytes);

  struct Function {
    cuda::CUfunction function;
    unsigned threads, sharedBytes;
    std::string name;
  };
  struct Staging {
    void *memory = nullptr;
    cuda::CUevent free = nullptr; ///< recorded behind its last copy
    uint64_t used = 0;
  };

  CudaDriver driver;
  std::string name;
  cuda::CUdevice device = 0;
  cuda::CUcontext context = nullptr;
  cuda::CUstream stream = nullptr;
  cuda::CUmodule module = nullptr;
  std::vector<Function> functions; ///< one per kernel of the manifest
  std::map<int64_t, cuda::CUgraphExec> graphs;
  cuda::CUevent timers[2] = {}; ///< before and after what is timed
  cuda::CUdeviceptr rows = 0;   ///< int32: of the step, of the output
  std::vector<cuda::CUdeviceptr> slabs;
  cuda::CUdeviceptr slabNext = 0, slabEnd = 0; ///< free part of the last slab
  Staging staging[2];
  unsigned current = 0; ///< the pinned buffer that is being filled
  std::optional<Error> failure;
};

} // namespace glm
