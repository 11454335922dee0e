// What a program may find in NVIDIA's library and not here: an error, and the name once on stderr.
#include "runtime/cuda/Types.h"
#include "runtime/ptx/driver/State.h"

#include <mutex>
#include <set>
#include <string>

namespace glm::ptx {
namespace {

cuda::CUresult refuse(const char *name) {
  static std::mutex mutex;
  static auto *said = new std::set<std::string>;
  std::lock_guard lock(mutex);
  if (said->insert(name).second)
    report(name, "function must be one that this driver has, but found one that it does not support");
  return cuda::CUDA_ERROR_NOT_SUPPORTED;
}

} // namespace
} // namespace glm::ptx

// Arguments are not looked at: the calling convention lets a function ignore them.
#define UNSUPPORTED(name)                                                                                              \
  extern "C" __attribute__((visibility("default"))) glm::cuda::CUresult name() { return glm::ptx::refuse(#name); }
#include "runtime/ptx/driver/Unsupported.inc"
#undef UNSUPPORTED
