#include "runtime/device/ThreadPool.h"

#include <chrono>
#include <gtest/gtest.h>
#include <numeric>

using namespace glm;

namespace {

class ThreadPoolTest : public testing::TestWithParam<int64_t> {};

TEST_P(ThreadPoolTest, callsEachThreadOnce) {
  ThreadPool pool(GetParam());
  ASSERT_EQ(pool.threads(), GetParam());
  std::vector<int> calls(GetParam(), 0);
  pool.run([&](int64_t thread, int64_t threads) {
    ASSERT_EQ(threads, GetParam());
    ++calls[thread];
  });
  EXPECT_EQ(calls, std::vector<int>(GetParam(), 1));
}

// Plain memory, no atomics: each launch must see all of the one before, which is what a sanitizer checks here.
TEST_P(ThreadPoolTest, ordersManyLaunches) {
  constexpr int64_t launches = 5000, elements = 64;
  ThreadPool pool(GetParam());
  std::vector<uint64_t> now(elements, 1), before(elements);
  for (int64_t launch = 0; launch < launches; ++launch) {
    std::swap(now, before);
    pool.run([&](int64_t thread, int64_t threads) {
      for (int64_t i = thread; i < elements; i += threads)
        now[i] = before[i] * 3 + before[(i + 7) % elements];
    });
  }
  std::vector<uint64_t> expected(elements, 1), previous(elements);
  for (int64_t launch = 0; launch < launches; ++launch) {
    std::swap(expected, previous);
    for (int64_t i = 0; i < elements; ++i)
      expected[i] = previous[i] * 3 + previous[(i + 7) % elements];
  }
  EXPECT_EQ(now, expected);
}

TEST_P(ThreadPoolTest, wakesAfterSleep) {
  ThreadPool pool(GetParam());
  std::vector<int> calls(GetParam(), 0);
  for (int round = 0; round < 5; ++round) {
    // Longer than workers spin and yield: they sleep by then. What is tested does not depend on it.
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    pool.run([&](int64_t thread, int64_t) { ++calls[thread]; });
  }
  EXPECT_EQ(calls, std::vector<int>(GetParam(), 5));
}

TEST_P(ThreadPoolTest, waitsForSlowThreads) {
  ThreadPool pool(GetParam());
  std::vector<int> done(GetParam(), 0);
  pool.run([&](int64_t thread, int64_t) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3 * thread));
    done[thread] = 1;
  });
  EXPECT_EQ(std::accumulate(done.begin(), done.end(), 0), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, testing::Range<int64_t>(1, 9));

TEST(ThreadPool, poolsDoNotDisturbEachOther) {
  ThreadPool outer(3), inner(2);
  int64_t sum = 0;
  outer.run([&](int64_t thread, int64_t) {
    if (thread != 1)
      return;
    int64_t parts[2] = {};
    inner.run([&](int64_t t, int64_t) { parts[t] = t + 1; });
    sum = parts[0] + parts[1];
  });
  EXPECT_EQ(sum, 3);
}

TEST(ThreadPool, hasAtLeastOneProcessor) { EXPECT_GE(onlineProcessors(), 1); }

} // namespace
