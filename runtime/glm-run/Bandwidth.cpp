#include "runtime/glm-run/Bandwidth.h"

#include <algorithm>
#include <chrono>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace glm {

namespace {
/// One cache line in vector registers, however wide those are on this machine.
using Line = uint64_t __attribute__((vector_size(64)));
} // namespace

static constexpr uint64_t kSmallest = 1ull << 30;
static constexpr int kPasses = 5;

static uint64_t chooseSize() {
  uint64_t cache = static_cast<uint64_t>(std::max(0l, sysconf(_SC_LEVEL3_CACHE_SIZE)));
  uint64_t free = static_cast<uint64_t>(sysconf(_SC_AVPHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return std::min(std::max(kSmallest, 4 * cache), std::max<uint64_t>(free / 4, 64 << 20)) & ~uint64_t{4095};
}

// A sanitizer's shadow of this much memory would be several times as large, and the figure meaningless.
#define GLM_UNCHECKED __attribute__((no_sanitize("address", "thread", "undefined")))

GLM_UNCHECKED static void fillLines(Line *lines, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i)
    lines[i] = Line{} + i;
}

// Four sums, so that loads do not wait for additions.
GLM_UNCHECKED static uint64_t sumLines(const Line *lines, uint64_t count) {
  Line sums[4] = {};
  for (uint64_t i = 0; i + 4 <= count; i += 4)
    for (int k = 0; k < 4; ++k)
      sums[k] += lines[i + k];
  Line all = sums[0] + sums[1] + sums[2] + sums[3];
  uint64_t sum = 0;
  for (int k = 0; k < 8; ++k)
    sum += all[k];
  return sum;
}

Bandwidth measureReadBandwidth(ThreadPool &pool) {
  uint64_t bytes = chooseSize();
  void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return {};
  madvise(memory, bytes, MADV_HUGEPAGE);
  Line *lines = static_cast<Line *>(memory);
  uint64_t count = bytes / sizeof(Line);
  auto begin = [&](int64_t thread, int64_t threads) { return count / threads * thread; };
  pool.run([&](int64_t thread, int64_t threads) { fillLines(lines + begin(thread, threads), count / threads); });
  std::vector<uint64_t> sums(pool.threads());
  double best = 0;
  // Every thread reads the same number of lines; a rest of fewer than there are threads stays unread.
  uint64_t bytesRead = count / pool.threads() * pool.threads() * sizeof(Line);
  for (int pass = 0; pass < kPasses; ++pass) {
    auto start = std::chrono::steady_clock::now();
    pool.run([&](int64_t thread, int64_t threads) {
      sums[thread] = sumLines(lines + begin(thread, threads), count / threads);
    });
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, static_cast<double>(bytesRead) / seconds);
  }
  // The sums must be wanted, or the compiler leaves the reading out.
  volatile uint64_t sink = sums[0];
  (void)sink;
  munmap(memory, bytes);
  return {best, bytes};
}

} // namespace glm
