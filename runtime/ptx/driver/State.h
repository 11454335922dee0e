// The driver's own state: devices, contexts, and which context a thread uses.
#pragma once

#include "runtime/cuda/Types.h"
#include "runtime/ptx/driver/Stream.h"
#include "runtime/ptx/isa/Chip.h"
#include "runtime/ptx/machine/GlobalMemory.h"
#include "runtime/ptx/machine/Launch.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace glm::ptx {

/// What is not different between chips (CUDA C++ programming guide, "Technical Specifications per Compute Capability").
inline constexpr uint32_t kMaxThreadsPerBlock = 1024;
inline constexpr Dim3 kMaxBlock{1024, 1024, 64};
inline constexpr Dim3 kMaxGrid{0x7fffffff, 65535, 65535};

struct Context {
  Context(int32_t device, bool primary, unsigned flags);

  const int32_t device;
  const bool primary;
  unsigned flags;
  const uint64_t id;
  unsigned references = 1; ///< of a primary context
  size_t limits[3];        ///< by CUlimit: stack, printf, heap
  cuda::CUfunc_cache cacheConfig = cuda::CU_FUNC_CACHE_PREFER_NONE;
  /// The first fault of any kernel. From then on every call gives it, until the context is gone.
  std::atomic<cuda::CUresult> sticky{cuda::CUDA_SUCCESS};

  std::mutex mutex;                             ///< of the lists below
  std::shared_ptr<Stream> legacy;               ///< the default stream: waits for all blocking streams, and they for it
  std::vector<std::shared_ptr<Stream>> streams; ///< without `legacy`, with the per-thread ones
  std::unordered_map<const void *, std::shared_ptr<Stream>> perThread;
  std::unordered_set<int32_t> peers; ///< devices that this context may reach
};

/// Memory of stream-ordered allocations; ours come from the device's memory directly, so that a pool is its settings.
struct MemoryPool {
  int32_t device = 0;
  uint64_t releaseThreshold = 0;
  int reuse[4] = {0, 1, 1, 1}; ///< by CU_MEMPOOL_ATTR_REUSE_*
  std::atomic<uint64_t> used{0}, usedHigh{0};
};

struct Device {
  std::shared_ptr<Context> primary;
  unsigned primaryFlags = 0;
  std::unique_ptr<MemoryPool> defaultPool;
  MemoryPool *pool = nullptr;
};

/// Which kind of thing a handle stands for: a handle that is not alive is refused instead of followed.
enum class ObjectKind : uint8_t { Context, Stream, Event, Module, Function, Graph, GraphNode, GraphExec, Pool };

class Profile;

class Driver {
public:
  static Driver &get();

  /// Reads GLM_PTX_CHIP (default the first RTX PRO 6000, sm_120a), GLM_PTX_DEVICES (default 1) and the machine's options.
  cuda::CUresult initialize();
  bool isInitialized() const { return initialized; }

  const Chip &chip() const { return *model; }
  int32_t deviceCount() const { return static_cast<int32_t>(devices.size()); }
  Device &device(int32_t ordinal) { return devices[ordinal]; }
  const Options &options() const { return machineOptions; }
  /// Where a launch counts; null if nobody asked for it.
  Profile *profile() {
    profileStale = true;
    return counters.get();
  }
  /// Rewrite the file that GLM_PTX_PROFILE names, if something ran since: whenever a context is waited for, and when the
  /// process ends.
  void writeProfile();
  GlobalMemory &memory() { return globals; }

  void add(ObjectKind kind, const void *object);
  void remove(const void *object);
  bool alive(ObjectKind kind, const void *object);

  std::mutex mutex; ///< of devices and contexts

private:
  Driver() = default;
  bool initialized = false;
  const Chip *model = nullptr;
  Options machineOptions;
  std::shared_ptr<Profile> counters;
  std::atomic<bool> profileStale{false};
  GlobalMemory globals;
  std::vector<Device> devices;
  std::mutex objectMutex;
  std::unordered_map<const void *, ObjectKind> objects;
};

/// One line on stderr: what a CUresult cannot say. A message that names its place itself needs no function.
void report(std::string_view function, std::string_view message);
void report(std::string_view message);

/// The context of this thread; an error if the driver is not initialized, no context is current, or it has failed.
cuda::CUresult currentContext(Context *&context);

/// The contexts that this thread pushed, last one current.
std::vector<std::shared_ptr<Context>> &contextStack();

/// Contexts by handle.
std::shared_ptr<Context> contextOf(cuda::CUcontext handle);
inline cuda::CUcontext handleOf(const Context *context) {
  return reinterpret_cast<cuda::CUcontext>(const_cast<Context *>(context));
}

/// Make, and wait for and take apart, a context.
std::shared_ptr<Context> makeContext(int32_t device, bool primary, unsigned flags);
void destroyContext(const std::shared_ptr<Context> &context);

/// Wait for all work of a context; gives its sticky error.
cuda::CUresult synchronize(Context &context);

/// Calls `body(context)` unless there is no usable context.
template <typename Body>
cuda::CUresult withContext(Body &&body) {
  Context *context = nullptr;
  if (cuda::CUresult failed = currentContext(context))
    return failed;
  return body(*context);
}

} // namespace glm::ptx
