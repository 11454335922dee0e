// Streams: work in order, each on a thread of its own, so that kernels of several devices that wait for each other run.
#pragma once

#include "runtime/cuda/Types.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace glm::ptx {

struct Context;
struct Graph;
struct GraphNode;

/// Something that will be done.
class Completion {
public:
  void finish();
  void wait();
  bool isDone();

private:
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
};
using Token = std::shared_ptr<Completion>;

/// A graph that is being recorded from streams.
struct Capture {
  Capture();
  ~Capture();

  std::unique_ptr<Graph> graph;
  std::weak_ptr<class Stream> origin;
  cuda::CUstreamCaptureMode mode = cuda::CU_STREAM_CAPTURE_MODE_GLOBAL;
  std::thread::id thread;
  bool invalidated = false;
};

class Stream {
public:
  Stream(Context &context, unsigned flags, int priority);
  ~Stream(); ///< waits for its work

  /// Run `work` after everything enqueued here before, and after `dependencies`. Its result, if not success, becomes the
  /// context's sticky error. Work of a failed context is skipped.
  Token enqueue(std::function<cuda::CUresult()> work, std::vector<Token> dependencies);

  /// Completion of the last work; null if there was none.
  Token last();
  bool blocking() const { return !(flags & cuda::CU_STREAM_NON_BLOCKING); }

  Context &context;
  const unsigned flags;
  const int priority;
  const uint64_t id;

  // While recording: the graph, and the nodes that the next one depends on. Guarded by the driver's mutex.
  std::shared_ptr<Capture> capture;
  std::vector<GraphNode *> tail;

private:
  struct Task {
    std::function<cuda::CUresult()> work;
    std::vector<Token> dependencies;
    Token token;
  };
  void run();

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Task> tasks;
  Token newest;
  bool stopping = false;
  std::thread worker; ///< last member: starts when all others exist
};

/// The stream that a handle means for this thread and context: 0 and CU_STREAM_LEGACY, CU_STREAM_PER_THREAD, or one that
/// was created. Null if the handle is not alive.
std::shared_ptr<Stream> streamOf(Context &context, cuda::CUstream handle);

/// Enqueue with the default stream's rule: the legacy stream waits for every blocking stream of its context, and they for it
/// (CUDA driver API, "Stream synchronization behavior").
Token enqueueOrdered(Stream &stream, std::function<cuda::CUresult()> work, std::vector<Token> dependencies = {});

struct Event {
  explicit Event(Context &context, unsigned flags) : context(context), flags(flags) {}
  Context &context;
  const unsigned flags;
  std::mutex mutex;
  Token recorded;                                              ///< null: never recorded, which counts as done
  std::shared_ptr<std::chrono::steady_clock::time_point> time; ///< when `recorded` was done
  // Recorded while capturing: what a wait joins.
  std::shared_ptr<Capture> capture;
  std::vector<GraphNode *> nodes;
};

/// By handle; null if it is not alive.
Event *liveEvent(cuda::CUevent handle);

} // namespace glm::ptx
