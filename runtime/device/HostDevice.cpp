#include "runtime/device/HostDevice.h"

#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/mman.h>

namespace glm {

// Memory smaller than this is not worth a huge page of its own.
static constexpr uint64_t kHugePage = 2 << 20;

HostDevice::~HostDevice() {
  if (library)
    dlclose(library);
}

std::string HostDevice::description() const {
  return fmt::format("host, {} thread{}", pool.threads(), pool.threads() == 1 ? "" : "s");
}

Result<void> HostDevice::loadKernels(const std::filesystem::path &path, const std::vector<Kernel> &kernels) {
  std::string place = path.filename().string();
  library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return Error{fmt::format("{}: the library must be loadable, but found {}", place, dlerror())};
  functions.clear();
  for (const Kernel &kernel : kernels) {
    void *symbol = dlsym(library, kernel.name.c_str());
    if (!symbol)
      return Error{fmt::format("{}: kernel {} must be a symbol of the library, but found none", place, kernel.name)};
    functions.push_back({reinterpret_cast<HostKernel>(symbol), kernel.parallel});
  }
  return {};
}

void HostDevice::launch(const Call &call) {
  const Function &function = functions[call.kernel];
  int64_t rows = live.of(call.rows);
  if (rows == 0)
    return; // a prefill step in the middle of a prompt wants no logits
  if (!function.parallel)
    return function.call(call.arguments.data(), rows, 0, 1);
  pool.run([&](int64_t thread, int64_t threads) { function.call(call.arguments.data(), rows, thread, threads); });
}

void HostDevice::replay(int64_t, std::span<const Call> calls) {
  for (const Call &call : calls)
    launch(call);
}

Result<Allocation> HostDevice::allocate(uint64_t bytes) {
  if (bytes == 0)
    return Allocation();
  // Untouched pages cost nothing, so a cache for the longest context may be reserved whole.
  void *address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED)
    return Error{
        fmt::format("host memory: a reserve of {} bytes must be possible, but found {}", bytes, std::strerror(errno))};
  // Advice only: without huge pages everything works, with more TLB misses.
  if (bytes >= kHugePage)
    madvise(address, bytes, MADV_HUGEPAGE);
  return Allocation(*this, address, bytes);
}

void HostDevice::upload(void *to, const void *from, uint64_t bytes) { std::memcpy(to, from, bytes); }

namespace {
class HostReadback final : public Readback {
public:
  explicit HostReadback(uint64_t bytes) : memory(bytes) {}
  void start(const void *from, uint64_t bytes) override { std::memcpy(memory.data(), from, bytes); }
  Result<const void *> wait() override { return static_cast<const void *>(memory.data()); }

private:
  std::vector<uint8_t> memory;
};
} // namespace

Result<std::unique_ptr<Readback>> HostDevice::makeReadback(uint64_t bytes) {
  return std::unique_ptr<Readback>(std::make_unique<HostReadback>(bytes));
}

void HostDevice::release(void *address, uint64_t bytes) { munmap(address, bytes); }

} // namespace glm
