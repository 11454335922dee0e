#include "test/runtime/ptx/async/Kernel.h"

#include "runtime/ptx/async/Forms.h"

#include <fmt/format.h>

namespace glm::ptx::test {

namespace {

constexpr uint64_t kMemoryAlign = 256; ///< as cuMemAlloc's

std::vector<const Memory *> &memories() {
  static std::vector<const Memory *> alive;
  return alive;
}

std::string kernelText(std::string_view body) {
  return fmt::format(R"(.visible .entry k(.param .u64 a0, .param .u64 a1, .param .u64 a2, .param .u64 a3,
                  .param .align 64 .b8 m0[128], .param .align 64 .b8 m1[128])
{{
  .reg .pred %p<8>;
  .reg .b16 %h<8>;
  .reg .b32 %r<64>;
  .reg .b64 %d<64>;
  .reg .f32 %f<8>;
  .reg .b128 %q<4>;
  .shared .align 1024 .b8 smem[16384];
  .shared .align 8 .b64 bars[8];
  ld.param.u64 %d0, [a0];
  ld.param.u64 %d1, [a1];
  ld.param.u64 %d2, [a2];
  ld.param.u64 %d3, [a3];
  mov.b64 %d4, m0;
  cvta.param.u64 %d4, %d4;
  mov.b64 %d5, m1;
  cvta.param.u64 %d5, %d5;
  mov.u32 %r0, %tid.x;
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %cluster_ctarank;
  mov.u32 %r3, smem;
  mov.u32 %r4, bars;
{}
  ret;
}}
)",
                     body);
}

} // namespace

Memory::Memory(uint64_t byteCount) : bytes(byteCount + kMemoryAlign), size(byteCount) {
  start = (reinterpret_cast<uint64_t>(bytes.data()) + kMemoryAlign - 1) / kMemoryAlign * kMemoryAlign;
  memories().push_back(this);
}

Memory::~Memory() { std::erase(memories(), this); }

std::string run(std::string_view body, const Shape &shape, const Arguments &arguments, std::string_view target) {
  TestModule module(kernelText(body), target);
  if (!module)
    return "module did not load";
  for (const Memory *memory : memories())
    module.memory().addRegion({.address = memory->address(),
                               .bytes = memory->as<std::byte>().size(),
                               .kind = Region::Kind::Device,
                               .device = 0,
                               .deviceMask = 1,
                               .writableMask = 1,
                               .name = fmt::format("memory of {} bytes", memory->as<std::byte>().size())});
  module.options.checks = shape.checks;
  module.options.threads = shape.threads;
  module.options.stepLimit = 50'000'000;
  return module.faultOf("k",
                        {.grid = {shape.grid, 1, 1}, .block = {shape.block, 1, 1}, .cluster = {shape.cluster, 1, 1}},
                        arguments.values[0], arguments.values[1], arguments.values[2], arguments.values[3],
                        arguments.maps[0], arguments.maps[1]);
}

std::string whyRefused(std::string_view body, std::string_view target, std::string_view version) {
  return refusal(fmt::format(".version {}\n.target {}\n.address_size 64\n{}", version, target, kernelText(body)),
                 target);
}

std::array<std::byte, kTensorMapBytes> encoded(const TensorMap &map) {
  std::array<std::byte, kTensorMapBytes> bytes{};
  TiledArguments arguments{static_cast<uint32_t>(map.type),
                           map.rank,
                           map.globalAddress,
                           map.dims.data(),
                           map.strides.data(),
                           map.box.data(),
                           map.elementStrides.data(),
                           0,
                           static_cast<uint32_t>(map.swizzle),
                           map.l2Promotion,
                           map.fillNan ? 1u : 0u};
  Result<void> result = encodeTiled(arguments, bytes);
  EXPECT_TRUE(result) << result.error().message;
  return bytes;
}

std::string waitFor(std::string_view barrier, std::string_view parity, std::string_view name) {
  return fmt::format(R"(
wait_{0}:
  mbarrier.try_wait.parity.shared::cta.b64 %p7, [{1}], {2};
  @!%p7 bra wait_{0};
)",
                     name, barrier, parity);
}

} // namespace glm::ptx::test

int main(int argc, char **argv) { return glm::ptx::test::runTests(argc, argv, glm::ptx::asyncForms()); }
