// Persistent threads that run one function together, over and over.
//
// A token of a large model is some 1500 launches, so the way from launch to kernel counts in microseconds: workers spin
// for a moment after each task, then yield, then sleep, so that an idle pool costs nothing and a pool with more threads
// than cores still moves on.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

namespace glm {

class ThreadPool {
public:
  using Task = void (*)(void *context, int64_t thread, int64_t threads);

  /// `threads` at least 1; the caller of `run` is thread 0, so threads-1 are started.
  explicit ThreadPool(int64_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  int64_t threads() const { return count; }

  /// Call task(context, thread, threads()) once on every thread and wait for all. One caller at a time, never from a task.
  void run(Task task, void *context);

  /// The same for a callable of (thread, threads).
  template <typename Function>
  void run(Function &&function) {
    using Callable = std::remove_reference_t<Function>;
    auto call = [](void *context, int64_t thread, int64_t threads) {
      (*static_cast<Callable *>(context))(thread, threads);
    };
    run(static_cast<Task>(call), &function);
  }

private:
  void work(int64_t thread);
  /// Return once `value` differs from `old`; gives the new value.
  uint32_t waitForChange(const std::atomic<uint32_t> &value, uint32_t old) const;

  // Written by the caller before `generation` moves, read by workers after: that order is the only lock.
  Task task = nullptr;
  void *context = nullptr;
  bool stopping = false;
  const int64_t count;
  const int spins; ///< polls before yielding
  // A cache line each: workers poll the first while others count the second down.
  alignas(64) std::atomic<uint32_t> generation{0};
  alignas(64) std::atomic<uint32_t> running{0};
  alignas(64) std::vector<std::thread> workers; ///< count - 1
};

/// Processors that this process may run on.
int64_t onlineProcessors();

} // namespace glm
