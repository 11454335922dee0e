#include "runtime/device/ThreadPool.h"

#include <algorithm>
#include <sched.h>

namespace glm {

// A pause is about 40 ns on current x86 and a yield with nobody else to run about 300 ns: together some 30 us, longer
// than the gap between two launches, shorter than the gap between two requests.
static constexpr int kSpins = 256;
static constexpr int kSpinsWhenCrowded = 8; // spinning takes the core from the thread that is waited for
static constexpr int kYields = 64;

static void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

int64_t onlineProcessors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

ThreadPool::ThreadPool(int64_t threads)
    : count(threads), spins(threads > onlineProcessors() ? kSpinsWhenCrowded : kSpins) {
  workers.reserve(threads - 1);
  for (int64_t thread = 1; thread < threads; ++thread)
    workers.emplace_back([this, thread] { work(thread); });
}

ThreadPool::~ThreadPool() {
  stopping = true;
  generation.fetch_add(1);
  generation.notify_all();
  for (std::thread &worker : workers)
    worker.join();
}

uint32_t ThreadPool::waitForChange(const std::atomic<uint32_t> &value, uint32_t old) const {
  uint32_t now;
  for (int spin = 0; spin < spins; ++spin) {
    if ((now = value.load(std::memory_order_acquire)) != old)
      return now;
    pause();
  }
  for (int yield = 0; yield < kYields; ++yield) {
    if ((now = value.load(std::memory_order_acquire)) != old)
      return now;
    sched_yield();
  }
  while ((now = value.load(std::memory_order_acquire)) == old)
    value.wait(old, std::memory_order_acquire);
  return now;
}

void ThreadPool::run(Task newTask, void *newContext) {
  if (count == 1)
    return newTask(newContext, 0, 1);
  task = newTask;
  context = newContext;
  running.store(static_cast<uint32_t>(count - 1), std::memory_order_relaxed);
  // Sequentially consistent: a worker that goes to sleep has announced itself before it compares the generation, and we
  // look for sleepers after we have changed it, so one of the two sees the other.
  generation.fetch_add(1);
  generation.notify_all();
  newTask(newContext, 0, count);
  for (uint32_t left = running.load(std::memory_order_acquire); left != 0;)
    left = waitForChange(running, left);
}

void ThreadPool::work(int64_t thread) {
  uint32_t seen = 0;
  while (true) {
    seen = waitForChange(generation, seen);
    if (stopping)
      return;
    task(context, thread, count);
    // Only the last one wakes the caller; after that this thread must not touch the task again.
    if (running.fetch_sub(1) == 1)
      running.notify_one();
  }
}

} // namespace glm
