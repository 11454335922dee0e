#include "runtime/ptx/driver/State.h"

#include "runtime/ptx/isa/KnownChips.h"
#include "runtime/ptx/machine/Profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace glm::ptx {

using namespace cuda;

namespace {

constexpr int32_t kMaxDevices = 64; ///< the masks of Region have a bit each

uint64_t nextContextId() {
  static std::atomic<uint64_t> next{1};
  return next++;
}

/// The device count in GLM_PTX_DEVICES; 0 if it is none.
int32_t deviceCountFromEnvironment() {
  const char *text = std::getenv("GLM_PTX_DEVICES");
  if (!text)
    return 1;
  std::string_view digits = text;
  int32_t count = 0;
  auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  return failed == std::errc() && end == digits.data() + digits.size() && count >= 1 && count <= kMaxDevices ? count
                                                                                                             : 0;
}

} // namespace

Context::Context(int32_t device, bool primary, unsigned flags)
    : device(device), primary(primary), flags(flags), id(nextContextId()),
      limits{1024, size_t{1} << 20, size_t{8} << 20} {}

Driver &Driver::get() {
  // Never destroyed: streams of other threads may outlive main.
  static Driver *driver = new Driver;
  return *driver;
}

CUresult Driver::initialize() {
  std::lock_guard lock(mutex);
  if (initialized)
    return CUDA_SUCCESS;
  const char *name = std::getenv("GLM_PTX_CHIP");
  model = chipNamed(name ? name : kDefaultChip);
  if (!model) {
    report("cuInit", fmt::format("GLM_PTX_CHIP must be one of {}, but found {}", chipNames(), name));
    return CUDA_ERROR_NO_DEVICE;
  }
  int32_t count = deviceCountFromEnvironment();
  if (!count) {
    report("cuInit", fmt::format("GLM_PTX_DEVICES must be a number from 1 to {}, but found {}", kMaxDevices,
                                 std::getenv("GLM_PTX_DEVICES")));
    return CUDA_ERROR_NO_DEVICE;
  }
  auto read = optionsFromEnvironment();
  if (!read) {
    report("cuInit", read.error().message);
    return CUDA_ERROR_NO_DEVICE;
  }
  machineOptions = *read;
  if (!machineOptions.profilePath.empty()) {
    counters = std::make_shared<Profile>();
    std::atexit([] { Driver::get().writeProfile(); });
  }
  devices.resize(count);
  for (int32_t ordinal = 0; ordinal < count; ++ordinal) {
    devices[ordinal].defaultPool = std::make_unique<MemoryPool>();
    devices[ordinal].defaultPool->device = ordinal;
    devices[ordinal].pool = devices[ordinal].defaultPool.get();
    add(ObjectKind::Pool, devices[ordinal].pool);
  }
  initialized = true;
  return CUDA_SUCCESS;
}

void Driver::writeProfile() {
  if (!counters || !profileStale.exchange(false))
    return;
  if (auto written = counters->write(machineOptions.profilePath); !written)
    report("GLM_PTX_PROFILE", written.error().message);
}

void Driver::add(ObjectKind kind, const void *object) {
  std::lock_guard lock(objectMutex);
  objects[object] = kind;
}

void Driver::remove(const void *object) {
  std::lock_guard lock(objectMutex);
  objects.erase(object);
}

bool Driver::alive(ObjectKind kind, const void *object) {
  std::lock_guard lock(objectMutex);
  auto found = objects.find(object);
  return found != objects.end() && found->second == kind;
}

void report(std::string_view message) {
  std::string line = fmt::format("glm-ptx: {}\n", message);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void report(std::string_view function, std::string_view message) { report(fmt::format("{}: {}", function, message)); }

std::vector<std::shared_ptr<Context>> &contextStack() {
  thread_local std::vector<std::shared_ptr<Context>> stack;
  return stack;
}

CUresult currentContext(Context *&context) {
  if (!Driver::get().isInitialized())
    return CUDA_ERROR_NOT_INITIALIZED;
  auto &stack = contextStack();
  if (stack.empty() || !stack.back())
    return CUDA_ERROR_INVALID_CONTEXT;
  context = stack.back().get();
  if (!Driver::get().alive(ObjectKind::Context, context))
    return CUDA_ERROR_CONTEXT_IS_DESTROYED;
  return context->sticky;
}

namespace {

/// Contexts that are alive, so that a handle can be turned into a reference.
std::vector<std::shared_ptr<Context>> &liveContexts() {
  static auto *contexts = new std::vector<std::shared_ptr<Context>>;
  return *contexts;
}

} // namespace

std::shared_ptr<Context> contextOf(CUcontext handle) {
  Driver &driver = Driver::get();
  std::lock_guard lock(driver.mutex);
  auto found =
      std::ranges::find_if(liveContexts(), [&](const auto &context) { return handleOf(context.get()) == handle; });
  return found == liveContexts().end() ? nullptr : *found;
}

std::shared_ptr<Context> makeContext(int32_t device, bool primary, unsigned flags) {
  auto context = std::make_shared<Context>(device, primary, flags);
  context->legacy = std::make_shared<Stream>(*context, CU_STREAM_DEFAULT, 0);
  Driver &driver = Driver::get();
  driver.add(ObjectKind::Context, context.get());
  std::lock_guard lock(driver.mutex);
  liveContexts().push_back(context);
  return context;
}

void destroyContext(const std::shared_ptr<Context> &context) {
  synchronize(*context);
  Driver &driver = Driver::get();
  std::vector<std::shared_ptr<Stream>> streams;
  {
    std::lock_guard lock(context->mutex);
    streams.swap(context->streams);
    streams.push_back(std::move(context->legacy));
    context->perThread.clear();
  }
  for (const std::shared_ptr<Stream> &stream : streams)
    driver.remove(stream.get());
  driver.remove(context.get());
  std::lock_guard lock(driver.mutex);
  std::erase(liveContexts(), context);
}

CUresult synchronize(Context &context) {
  std::vector<Token> tokens;
  {
    std::lock_guard lock(context.mutex);
    if (context.legacy)
      tokens.push_back(context.legacy->last());
    for (const std::shared_ptr<Stream> &stream : context.streams)
      tokens.push_back(stream->last());
  }
  for (const Token &token : tokens)
    if (token)
      token->wait();
  Driver::get().writeProfile();
  return context.sticky;
}

} // namespace glm::ptx
