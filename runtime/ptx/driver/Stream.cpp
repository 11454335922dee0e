#include "runtime/ptx/driver/Stream.h"

#include "runtime/ptx/driver/State.h"

namespace glm::ptx {
namespace {

uint64_t nextStreamId() {
  static std::atomic<uint64_t> next{1};
  return next++;
}

/// An address of its own for each thread.
const void *threadKey() {
  thread_local char key;
  return &key;
}

} // namespace

void Completion::finish() {
  {
    std::lock_guard lock(mutex);
    done = true;
  }
  changed.notify_all();
}

void Completion::wait() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return done; });
}

bool Completion::isDone() {
  std::lock_guard lock(mutex);
  return done;
}

Stream::Stream(Context &context, unsigned flags, int priority)
    : context(context), flags(flags), priority(priority), id(nextStreamId()), worker([this] { run(); }) {}

Stream::~Stream() {
  {
    std::lock_guard lock(mutex);
    stopping = true;
  }
  changed.notify_all();
  worker.join();
}

Token Stream::enqueue(std::function<cuda::CUresult()> work, std::vector<Token> dependencies) {
  auto token = std::make_shared<Completion>();
  {
    std::lock_guard lock(mutex);
    tasks.push_back({std::move(work), std::move(dependencies), token});
    newest = token;
  }
  changed.notify_all();
  return token;
}

Token Stream::last() {
  std::lock_guard lock(mutex);
  return newest;
}

void Stream::run() {
  while (true) {
    Task task;
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return stopping || !tasks.empty(); });
      if (tasks.empty())
        return;
      task = std::move(tasks.front());
      tasks.pop_front();
    }
    for (const Token &dependency : task.dependencies)
      dependency->wait();
    if (context.sticky == cuda::CUDA_SUCCESS)
      if (cuda::CUresult failed = task.work()) {
        cuda::CUresult none = cuda::CUDA_SUCCESS;
        context.sticky.compare_exchange_strong(none, failed);
      }
    task.work = nullptr;
    task.token->finish();
  }
}

std::shared_ptr<Stream> streamOf(Context &context, cuda::CUstream handle) {
  std::lock_guard lock(context.mutex);
  if (handle == nullptr || handle == cuda::CU_STREAM_LEGACY)
    return context.legacy;
  if (handle == cuda::CU_STREAM_PER_THREAD) {
    std::shared_ptr<Stream> &own = context.perThread[threadKey()];
    if (!own) {
      own = std::make_shared<Stream>(context, cuda::CU_STREAM_DEFAULT, 0);
      context.streams.push_back(own);
    }
    return own;
  }
  for (const std::shared_ptr<Stream> &stream : context.streams)
    if (reinterpret_cast<cuda::CUstream>(stream.get()) == handle)
      return stream;
  return nullptr;
}

Token enqueueOrdered(Stream &stream, std::function<cuda::CUresult()> work, std::vector<Token> dependencies) {
  Context &context = stream.context;
  std::lock_guard lock(context.mutex);
  auto after = [&](Stream &other) {
    if (Token token = other.last())
      dependencies.push_back(std::move(token));
  };
  if (&stream == context.legacy.get()) {
    for (const std::shared_ptr<Stream> &other : context.streams)
      if (other->blocking())
        after(*other);
  } else if (stream.blocking()) {
    after(*context.legacy);
  }
  return stream.enqueue(std::move(work), std::move(dependencies));
}

Event *liveEvent(cuda::CUevent handle) {
  auto *event = reinterpret_cast<Event *>(handle);
  return Driver::get().alive(ObjectKind::Event, event) ? event : nullptr;
}

} // namespace glm::ptx
