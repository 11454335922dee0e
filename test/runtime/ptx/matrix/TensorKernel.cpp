#include "test/runtime/ptx/matrix/TensorKernel.h"

#include <fmt/format.h>

namespace glm::ptx::test {

std::string TensorRun::text() const {
  auto line = [&](const char *name, std::string text) { return leftOut == name ? std::string() : text; };
  size_t bytes = shared.empty() ? 0 : shared[0].size();
  std::string group = fmt::format("cta_group::{}", blocks);
  std::string text = fmt::format(
      ".visible .entry k(.param .u64 pshared, .param .u64 pin, .param .u64 pout)\n{{\n"
      ".shared .align 1024 .b8 image[{}];\n.shared .align 8 .b64 barrier;\n.shared .align 4 .b32 slot;\n"
      ".reg .b64 %pshared, %pin, %pout, %at, %t, %smem16, %d<8>;\n"
      ".reg .b32 %i, %me, %cta, %s, %tm, %smem, %bar, %lanes, %w, %r<64>, %v<16>;\n.reg .b16 %h<4>;\n.reg .pred "
      "%p<8>;\n"
      "ld.param.u64 %pshared, [pshared];\nld.param.u64 %pin, [pin];\nld.param.u64 %pout, [pout];\n"
      "mov.u32 %me, %tid.x;\nmov.u32 %cta, %cluster_ctarank;\nmul.wide.u32 %t, %cta, {};\nadd.u64 %pshared, %pshared, "
      "%t;\n"
      "mul.wide.u32 %t, %cta, {};\nadd.u64 %pin, %pin, %t;\nadd.u64 %pout, %pout, %t;\nmul.wide.u32 %t, %me, 2048;\n"
      "add.u64 %pin, %pin, %t;\nadd.u64 %pout, %pout, %t;\nmov.u32 %smem, image;\nmov.u32 %bar, barrier;\n"
      "setp.eq.u32 %p0, 1, 1;\nsetp.eq.u32 %p1, 1, 0;\nsetp.eq.u32 %p2, %me, 0;\n"
      "@%p2 mbarrier.init.shared.b64 [%bar], 1;\n@%p2 fence.mbarrier_init.release.cluster;\n",
      std::max<size_t>(bytes, 16), bytes, 128 * 512 * 4);
  text +=
      fmt::format("shl.b32 %i, %me, 4;\nadd.u32 %s, %smem, %i;\ncopy:\nsetp.ge.u32 %p3, %i, {};\n@%p3 bra copied;\n"
                  "cvt.u64.u32 %at, %i;\nadd.u64 %at, %at, %pshared;\nld.global.v4.b32 {{%v0, %v1, %v2, %v3}}, [%at];\n"
                  "st.shared.v4.b32 [%s], {{%v0, %v1, %v2, %v3}};\nadd.u32 %s, %s, 2048;\nadd.u32 %i, %i, 2048;\n"
                  "bra copy;\ncopied:\n",
                  bytes);
  text += line("proxy", "fence.proxy.async;\n");
  // Allocation is a matter of one warp.
  text += fmt::format("setp.ge.u32 %p4, %me, 32;\nmov.u32 %s, slot;\n@%p4 bra allocated;\n"
                      "tcgen05.alloc.{}.sync.aligned.shared::cta.b32 [%s], 512;\n"
                      "tcgen05.relinquish_alloc_permit.{}.sync.aligned;\nallocated:\n"
                      "tcgen05.fence::before_thread_sync;\nbar.sync 0;\ntcgen05.fence::after_thread_sync;\n"
                      "ld.shared.b32 %tm, [%s];\nshr.u32 %lanes, %me, 5;\nshl.b32 %lanes, %lanes, 21;\n"
                      "add.u32 %lanes, %lanes, %tm;\n",
                      group, group);
  for (uint32_t column = 0; column < columns; column += 8) {
    text += fmt::format("ld.global.v4.b32 {{%v0, %v1, %v2, %v3}}, [%pin+{}];\nld.global.v4.b32 {{%v4, %v5, %v6, %v7}}, "
                        "[%pin+{}];\nadd.u32 %w, %lanes, {};\n"
                        "tcgen05.st.sync.aligned.32x32b.x8.b32 [%w], {{%v0, %v1, %v2, %v3, %v4, %v5, %v6, %v7}};\n",
                        column * 4, column * 4 + 16, column);
  }
  text += line("waitst", "tcgen05.wait::st.sync.aligned;\n") + everyWarp;
  text += "tcgen05.fence::before_thread_sync;\nbar.sync 0;\nbarrier.cluster.arrive;\nbarrier.cluster.wait;\n"
          "tcgen05.fence::after_thread_sync;\ncvt.u64.u32 %smem16, %smem;\nand.b64 %smem16, %smem16, 0x3ffff;\n"
          "shr.u64 %smem16, %smem16, 4;\nsetp.ne.u32 %p5, %me, 0;\n@%p5 bra issued;\nsetp.ne.u32 %p5, %cta, 0;\n"
          "@%p5 bra issued;\n";
  text += body;
  if (blocks == 1)
    text += "tcgen05.commit.cta_group::1.mbarrier::arrive::one.shared::cluster.b64 [%bar];\n";
  else
    text += "mov.b16 %h0, 3;\ntcgen05.commit.cta_group::2.mbarrier::arrive::one.shared::cluster.multicast::cluster.b64 "
            "[%bar], %h0;\n";
  text += "issued:\nwait:\nmbarrier.try_wait.parity.shared.b64 %p5, [%bar], 0;\n@!%p5 bra wait;\n"
          "tcgen05.fence::after_thread_sync;\n";
  for (uint32_t column = 0; column < columns; column += 8) {
    text += fmt::format("add.u32 %w, %lanes, {};\n"
                        "tcgen05.ld.sync.aligned.32x32b.x8.b32 {{%v0, %v1, %v2, %v3, %v4, %v5, %v6, %v7}}, [%w];\n",
                        column) +
            line("waitld", "tcgen05.wait::ld.sync.aligned;\n") +
            fmt::format(
                "st.global.v4.b32 [%pout+{}], {{%v0, %v1, %v2, %v3}};\nst.global.v4.b32 [%pout+{}], {{%v4, %v5, %v6, "
                "%v7}};\n",
                column * 4, column * 4 + 16);
  }
  text += "bar.sync 0;\nbarrier.cluster.arrive;\nbarrier.cluster.wait;\n@%p4 bra freed;\n" +
          line("dealloc", fmt::format("tcgen05.dealloc.{}.sync.aligned.b32 %tm, 512;\n", group)) + "freed:\nret;\n}\n";
  return text;
}

void TensorRun::run() {
  after.clear();
  std::string source = text();
  TestModule module(source, chip);
  if (!module) {
    fault = "refused";
    after.resize(blocks);
    return;
  }
  std::vector<uint8_t> images(16);
  std::vector<uint32_t> cells;
  if (!shared.empty())
    images.clear();
  for (uint32_t block = 0; block < blocks; ++block) {
    if (!shared.empty())
      images.insert(images.end(), shared[block].begin(), shared[block].end());
    TensorImage before = block < tensor.size() ? tensor[block] : TensorImage{};
    cells.insert(cells.end(), before.cells.begin(), before.cells.end());
  }
  uint64_t from = module.upload(images), in = module.upload(cells), out = module.upload(cells);
  LaunchConfig config;
  config.grid = {blocks, 1, 1};
  config.block = {128, 1, 1};
  config.cluster = {blocks, 1, 1};
  fault = module.faultOf("k", config, from, in, out);
  cells = module.download<uint32_t>(out, cells.size());
  for (uint32_t block = 0; block < blocks; ++block) {
    TensorImage &image = after.emplace_back();
    std::copy_n(cells.begin() + block * 128 * 512, 128 * 512, image.cells.begin());
  }
}

} // namespace glm::ptx::test
