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
  // Generated code calls expf and its like by name. It names no libraries of its own, so libm must be in the global
  // scope, also in programs that were linked without it.
  if (!dlopen("libm.so.6", RTLD_NOW | RTLD_GLOBAL))
    return Error{fmt::format("{}: the math library must be loadable, but found {}", place, dlerror())};
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

void HostDevice::launch(int64_t kernel, std::span<void *const> arguments, int64_t rows) {
  const Function &function = functions[kernel];
  if (!function.parallel)
    return function.call(arguments.data(), rows, 0, 1);
  pool.run([&](int64_t thread, int64_t threads) { function.call(arguments.data(), rows, thread, threads); });
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

void HostDevice::release(void *address, uint64_t bytes) { munmap(address, bytes); }

} // namespace glm
