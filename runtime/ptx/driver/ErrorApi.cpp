// Names and words of errors, and entry points by name.
#include "runtime/cuda/Driver.h"
#include "runtime/ptx/driver/State.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <string>

namespace glm::cuda {

namespace {

struct ErrorWords {
  CUresult code;
  const char *name;
  const char *text;
};

#define WORDS(code, text)                                                                                              \
  ErrorWords { code, #code, text }
constexpr std::array kErrors = {
    WORDS(CUDA_SUCCESS, "no error"),
    WORDS(CUDA_ERROR_INVALID_VALUE, "invalid argument"),
    WORDS(CUDA_ERROR_OUT_OF_MEMORY, "out of memory"),
    WORDS(CUDA_ERROR_NOT_INITIALIZED, "initialization error"),
    WORDS(CUDA_ERROR_DEINITIALIZED, "driver shutting down"),
    WORDS(CUDA_ERROR_NO_DEVICE, "no CUDA-capable device is detected"),
    WORDS(CUDA_ERROR_INVALID_DEVICE, "invalid device ordinal"),
    WORDS(CUDA_ERROR_INVALID_IMAGE, "device kernel image is invalid"),
    WORDS(CUDA_ERROR_INVALID_CONTEXT, "invalid device context"),
    WORDS(CUDA_ERROR_MAP_FAILED, "mapping of buffer object failed"),
    WORDS(CUDA_ERROR_UNMAP_FAILED, "unmapping of buffer object failed"),
    WORDS(CUDA_ERROR_ALREADY_MAPPED, "resource already mapped"),
    WORDS(CUDA_ERROR_NO_BINARY_FOR_GPU, "no kernel image is available for execution on the device"),
    WORDS(CUDA_ERROR_NOT_MAPPED, "resource not mapped"),
    WORDS(CUDA_ERROR_UNSUPPORTED_LIMIT, "limit is not supported on this architecture"),
    WORDS(CUDA_ERROR_PEER_ACCESS_UNSUPPORTED, "peer access is not supported between these two devices"),
    WORDS(CUDA_ERROR_INVALID_PTX, "a PTX compilation failed"),
    WORDS(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, "the provided PTX was compiled with an unsupported toolchain"),
    WORDS(CUDA_ERROR_FILE_NOT_FOUND, "file not found"),
    WORDS(CUDA_ERROR_SHARED_OBJECT_SYMBOL_NOT_FOUND, "shared object symbol not found"),
    WORDS(CUDA_ERROR_OPERATING_SYSTEM, "OS call failed or operation not supported on this OS"),
    WORDS(CUDA_ERROR_INVALID_HANDLE, "invalid resource handle"),
    WORDS(CUDA_ERROR_ILLEGAL_STATE, "the operation cannot be performed in the present state"),
    WORDS(CUDA_ERROR_NOT_FOUND, "named symbol not found"),
    WORDS(CUDA_ERROR_NOT_READY, "device not ready"),
    WORDS(CUDA_ERROR_ILLEGAL_ADDRESS, "an illegal memory access was encountered"),
    WORDS(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "too many resources requested for launch"),
    WORDS(CUDA_ERROR_LAUNCH_TIMEOUT, "the launch timed out and was terminated"),
    WORDS(CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED, "peer access is already enabled"),
    WORDS(CUDA_ERROR_PEER_ACCESS_NOT_ENABLED, "peer access has not been enabled"),
    WORDS(CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE, "cannot set while device is active in this process"),
    WORDS(CUDA_ERROR_CONTEXT_IS_DESTROYED, "context is destroyed"),
    WORDS(CUDA_ERROR_ASSERT, "device-side assert triggered"),
    WORDS(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, "part or all of the requested memory range is already mapped"),
    WORDS(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, "pointer does not correspond to a registered memory region"),
    WORDS(CUDA_ERROR_HARDWARE_STACK_ERROR, "hardware stack error"),
    WORDS(CUDA_ERROR_ILLEGAL_INSTRUCTION, "an illegal instruction was encountered"),
    WORDS(CUDA_ERROR_MISALIGNED_ADDRESS, "misaligned address"),
    WORDS(CUDA_ERROR_INVALID_ADDRESS_SPACE, "operation not supported on global/shared address space"),
    WORDS(CUDA_ERROR_INVALID_PC, "invalid program counter"),
    WORDS(CUDA_ERROR_LAUNCH_FAILED, "unspecified launch failure"),
    WORDS(CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE, "too many blocks in cooperative launch"),
    WORDS(CUDA_ERROR_NOT_PERMITTED, "operation not permitted"),
    WORDS(CUDA_ERROR_NOT_SUPPORTED, "operation not supported"),
    WORDS(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "operation not permitted when stream is capturing"),
    WORDS(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "operation failed due to a previous error during capture"),
    WORDS(CUDA_ERROR_STREAM_CAPTURE_MERGE, "operation would result in a merge of separate capture sequences"),
    WORDS(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "capture was not ended in the same stream as it began"),
    WORDS(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "capturing stream has unjoined work"),
    WORDS(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, "dependency created on uncaptured work in another stream"),
    WORDS(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT,
          "operation would make the legacy stream depend on a capturing blocking stream"),
    WORDS(CUDA_ERROR_CAPTURED_EVENT, "operation not permitted on an event last recorded in a capturing stream"),
    WORDS(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD,
          "attempt to terminate a thread-local capture sequence from another thread"),
    WORDS(CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE,
          "the graph update was not performed because it included changes which violated constraints"),
    WORDS(CUDA_ERROR_INVALID_CLUSTER_SIZE, "misconfigured cluster size"),
    WORDS(CUDA_ERROR_UNKNOWN, "unknown error"),
};
#undef WORDS

const ErrorWords *wordsOf(CUresult error) {
  const auto *found = std::ranges::find(kErrors, error, &ErrorWords::code);
  return found == kErrors.end() ? nullptr : found;
}

/// Names of cuGetProcAddress that stand for another symbol from a version of CUDA on, newest first.
struct Renamed {
  std::string_view name;
  int since; ///< 1000 * major + 10 * minor
  const char *symbol;
};
constexpr Renamed kRenamed[] = {
    {"cuCtxCreate", 12050, "cuCtxCreate_v4"},
    {"cuCtxCreate", 3020, "cuCtxCreate_v2"},
    {"cuGraphInstantiate", 11040, "cuGraphInstantiateWithFlags"},
    {"cuGetProcAddress", 12000, "cuGetProcAddress_v2"},
};
constexpr int kNewestSuffix = 4;

/// This library, whatever other libraries define.
void *self() {
  static void *const library = [] {
    Dl_info info{};
    // Any symbol of ours will do.
    if (!dladdr(reinterpret_cast<void *>(&cuInit), &info))
      return static_cast<void *>(nullptr);
    return dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  }();
  return library;
}

} // namespace

CUresult cuGetErrorName(CUresult error, const char **text) {
  const ErrorWords *words = wordsOf(error);
  if (!text)
    return CUDA_ERROR_INVALID_VALUE;
  *text = words ? words->name : nullptr;
  return words ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuGetErrorString(CUresult error, const char **text) {
  const ErrorWords *words = wordsOf(error);
  if (!text)
    return CUDA_ERROR_INVALID_VALUE;
  *text = words ? words->text : nullptr;
  return words ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuGetProcAddress(const char *symbol, void **function, int cudaVersion, uint64_t,
                          CUdriverProcAddressQueryResult *status) {
  if (!symbol || !function)
    return CUDA_ERROR_INVALID_VALUE;
  *function = nullptr;
  for (const Renamed &row : kRenamed)
    if (!*function && row.name == symbol && cudaVersion >= row.since)
      *function = dlsym(self(), row.symbol);
  for (int suffix = kNewestSuffix; suffix > 1 && !*function; --suffix)
    *function = dlsym(self(), (std::string(symbol) + "_v" + std::to_string(suffix)).c_str());
  if (!*function)
    *function = dlsym(self(), symbol);
  if (status)
    *status = *function ? CU_GET_PROC_ADDRESS_SUCCESS : CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
  return *function ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

} // namespace glm::cuda
