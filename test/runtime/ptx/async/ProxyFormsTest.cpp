#include "test/runtime/ptx/async/Kernel.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace glm::ptx {
namespace {

using test::run;

/// Thread 0 writes shared memory, fences with `fence` and lets a copy read it.
std::string storeAfter(std::string_view fence) {
  return fmt::format(R"(
  setp.eq.u32 %p1, %r0, 0;
  @!%p1 bra end;
  st.shared.v4.u32 [smem], {{1, 2, 3, 4}};
  {}
  cp.async.bulk.global.shared::cta.bulk_group [%d0], [smem], 16;
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group 0;
end:
)",
                     fence);
}

TEST(ProxyFormsTest, fencesThatLetTheAsyncProxySee) {
  test::Memory out(256);
  test::Arguments arguments{{out.address(), 0, 0, 0}, {}};
  for (std::string_view fence :
       {"fence.proxy.async;", "fence.proxy.async.shared::cta;", "fence.proxy.async.shared::cluster;",
        "fence.proxy.async::generic.acquire.sync_restrict::shared::cluster.cluster;",
        "fence.proxy.async::generic.release.sync_restrict::shared::cta.cluster;"}) {
    EXPECT_EQ(run(storeAfter(fence), {}, arguments), "") << fence;
    EXPECT_EQ(out.as<uint32_t>()[3], 4u);
  }
}

TEST(ProxyFormsTest, fencesThatDoNot) {
  test::Memory out(256);
  test::Arguments arguments{{out.address(), 0, 0, 0}, {}};
  for (std::string_view fence :
       {"", "fence.proxy.async.global;", "fence.proxy.alias;", "membar.proxy.alias;",
        "fence.proxy.tensormap::generic.release.gpu;", "fence.proxy.tensormap::generic.acquire.gpu [%d0], 128;",
        "fence.mbarrier_init.release.cluster;", "fence.acquire.sync_restrict::shared::cluster.cluster;",
        "fence.release.sync_restrict::shared::cta.cluster;"})
    EXPECT_NE(run(storeAfter(fence), {}, arguments).find("must be made visible by fence.proxy.async"),
              std::string::npos)
        << fence;
}

TEST(ProxyFormsTest, aFenceByAnotherThreadAfterABarrierIsNoFenceOfTheWriter) {
  // The writer fences, then a barrier: right. A barrier, then only the reader fences: right too, it came after the write.
  test::Memory out(256);
  auto body = [](std::string_view before, std::string_view after) {
    return fmt::format(R"(
  setp.lt.u32 %p1, %r0, 32;
  setp.eq.u32 %p2, %r0, 32;
  @%p1 st.shared.v4.u32 [smem], {{1, 2, 3, 4}};
  {}
  bar.sync 0;
  {}
  @%p2 cp.async.bulk.global.shared::cta.bulk_group [%d0], [smem], 16;
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group 0;
)",
                       before, after);
  };
  test::Arguments arguments{{out.address(), 0, 0, 0}, {}};
  EXPECT_EQ(run(body("fence.proxy.async;", ""), {.block = 64}, arguments), "");
  EXPECT_EQ(run(body("", "fence.proxy.async;"), {.block = 64}, arguments), "");
  EXPECT_NE(run(body("", ""), {.block = 64}, arguments), "");
}

TEST(ProxyFormsTest, mapFencesCoverAMap) {
  EXPECT_NE(
      test::whyRefused("fence.proxy.tensormap::generic.acquire.gpu [%d0], 64;").find("covers 128 bytes, but found 64"),
      std::string::npos);
  test::Memory small(64);
  EXPECT_NE(
      run("  fence.proxy.tensormap::generic.acquire.sys [%d0], 128;\n", {.block = 1}, {{small.address(), 0, 0, 0}, {}}),
      "");
  EXPECT_NE(test::whyRefused("fence.proxy.async.shared;"), "");
}

} // namespace
} // namespace glm::ptx
