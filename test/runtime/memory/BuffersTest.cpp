#include "runtime/memory/Buffers.h"
#include "runtime/device/HostDevice.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace glm;

namespace {

TEST(Buffers, liesWhereThePlanSays) {
  Manifest manifest;
  manifest.arenaBytes = 4096;
  manifest.buffers = {{"tokens", BufferSpace::Input, 0, 64},
                      {"cache.0", BufferSpace::Cache, 0, 12345},
                      {"hidden", BufferSpace::Arena, 192, 640},
                      {"cache.1", BufferSpace::Cache, 0, 777}};
  HostDevice device(1);
  Result<Buffers> buffers = Buffers::allocate(manifest, device);
  ASSERT_TRUE(buffers) << buffers.error().message;
  const char *arena = static_cast<const char *>(buffers->address(0));
  EXPECT_EQ(buffers->address(2), arena + 192);
  const char *first = static_cast<const char *>(buffers->address(1)),
             *second = static_cast<const char *>(buffers->address(3));
  auto apart = [](const char *a, size_t n, const char *b, size_t m) { return a + n <= b || b + m <= a; };
  EXPECT_TRUE(apart(first, 12345, second, 777));
  EXPECT_TRUE(apart(first, 12345, arena, 4096));
  EXPECT_TRUE(std::all_of(first, first + 12345, [](char c) { return c == 0; }));
  EXPECT_EQ(cacheBytes(manifest), 12345u + 777u);
}

TEST(Buffers, namesCacheThatDoesNotFit) {
  Manifest manifest;
  manifest.buffers = {{"cache.0", BufferSpace::Cache, 0, 1ull << 62}};
  HostDevice device(1);
  Result<Buffers> buffers = Buffers::allocate(manifest, device);
  ASSERT_FALSE(buffers);
  EXPECT_TRUE(buffers.error().message.starts_with(
      "cache cache.0: host memory: a reserve of 4611686018427387904 bytes must be possible, but found "))
      << buffers.error().message;
}

} // namespace
