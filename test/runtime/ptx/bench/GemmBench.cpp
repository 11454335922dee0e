// How many lane instructions a second one core interprets: a tiled GEMM in f32, 64 x 64 of C per block of 256 threads, tiles of
// K = 16 through shared memory, 4 x 4 of C per thread. Prints the rate and its ratio to the goal: 300 million a second and core
// with checks, a billion without.
#include "test/runtime/ptx/harness/Harness.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

namespace glm::ptx::test {
namespace {

constexpr uint32_t kSize = 256;
constexpr double kGoalWithChecks = 300e6, kGoalWithout = 1e9;

std::string gemm() {
  std::string text = R"(
.visible .entry gemm(.param .u64 a, .param .u64 b, .param .u64 c, .param .u32 n) {
  .shared .align 16 .b8 tileA[4096]; .shared .align 16 .b8 tileB[4096];
  .reg .b32 %r<32>; .reg .b64 %d<16>; .reg .f32 %f<16>; .reg .f32 %x<4>; .reg .f32 %y<4>; .reg .pred %p;
  ld.param.u64 %d0, [a]; ld.param.u64 %d1, [b]; ld.param.u64 %d2, [c]; ld.param.u32 %r0, [n];
  mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ctaid.y;
  and.b32 %r4, %r1, 15; shr.u32 %r5, %r1, 4;
  shr.u32 %r6, %r1, 2; and.b32 %r7, %r1, 3; shl.b32 %r7, %r7, 2;
  shl.b32 %r8, %r3, 6; add.s32 %r9, %r8, %r6; mad.lo.u32 %r9, %r9, %r0, %r7; mul.wide.u32 %d3, %r9, 4; add.s64 %d3, %d0, %d3;
  shl.b32 %r10, %r5, 0; shl.b32 %r11, %r4, 2; shl.b32 %r12, %r2, 6; mad.lo.u32 %r13, %r10, %r0, %r12; add.s32 %r13, %r13, %r11;
  mul.wide.u32 %d4, %r13, 4; add.s64 %d4, %d1, %d4;
  shl.b32 %r14, %r1, 4; mov.u32 %r15, tileA; add.s32 %r14, %r14, %r15; shl.b32 %r16, %r1, 4; mov.u32 %r17, tileB;
  add.s32 %r16, %r16, %r17; shl.b32 %r18, %r5, 8; add.s32 %r18, %r18, %r15; shl.b32 %r19, %r4, 4; add.s32 %r19, %r19, %r17;
  mul.wide.u32 %d5, %r0, 64; mov.u32 %r20, 0;
)";
  for (int index = 0; index < 16; ++index)
    text += fmt::format("  mov.f32 %f{}, 0f00000000;\n", index);
  text += R"(LOOP:
  ld.global.v4.u32 {%r21, %r22, %r23, %r24}, [%d3]; ld.global.v4.u32 {%r25, %r26, %r27, %r28}, [%d4];
  st.shared.v4.u32 [%r14], {%r21, %r22, %r23, %r24}; st.shared.v4.u32 [%r16], {%r25, %r26, %r27, %r28};
  bar.sync 0;
)";
  for (int k = 0; k < 16; ++k) {
    for (int row = 0; row < 4; ++row)
      text += fmt::format("  ld.shared.f32 %x{}, [%r18+{}];\n", row, row * 64 + k * 4);
    text += fmt::format("  ld.shared.v4.f32 {{%y0, %y1, %y2, %y3}}, [%r19+{}];\n", k * 256);
    for (int row = 0; row < 4; ++row)
      for (int column = 0; column < 4; ++column)
        text += fmt::format("  fma.rn.f32 %f{0}, %x{1}, %y{2}, %f{0};\n", row * 4 + column, row, column);
  }
  text += R"(  bar.sync 0;
  add.s64 %d3, %d3, 64; add.s64 %d4, %d4, %d5; add.s32 %r20, %r20, 16; setp.lt.u32 %p, %r20, %r0; @%p bra LOOP;
  shl.b32 %r29, %r5, 2; add.s32 %r29, %r29, %r8; add.s32 %r30, %r12, %r11; mad.lo.u32 %r29, %r29, %r0, %r30;
  mul.wide.u32 %d6, %r29, 4; add.s64 %d6, %d2, %d6; mul.wide.u32 %d7, %r0, 4;
)";
  for (int row = 0; row < 4; ++row)
    text += fmt::format("  st.global.v4.f32 [%d6], {{%f{}, %f{}, %f{}, %f{}}};\n  add.s64 %d6, %d6, %d7;\n", row * 4,
                        row * 4 + 1, row * 4 + 2, row * 4 + 3);
  return text + "  ret;\n}\n";
}

/// Argument: 1 with checks.
void tiledGemm(benchmark::State &state) {
  TestModule module(gemm());
  module.options = {.checks = state.range(0) != 0, .threads = 1};
  std::vector<float> a(kSize * kSize), b(kSize * kSize);
  for (size_t index = 0; index < a.size(); ++index) {
    a[index] = static_cast<float>(index * 7 % 11) - 5;
    b[index] = static_cast<float>(index * 5 % 13) - 6;
  }
  uint64_t addressA = module.upload(a), addressB = module.upload(b), addressC = module.allocate(a.size() * 4);
  std::optional<uint32_t> kernel = module.module().kernel("gemm");
  LaunchConfig config{.grid = {kSize / 64, kSize / 64, 1}, .block = {256, 1, 1}};
  auto launch = [&](Profile *profile) {
    config.parameters.resize(28);
    uint64_t addresses[] = {addressA, addressB, addressC};
    uint32_t size = kSize;
    std::memcpy(config.parameters.data(), addresses, sizeof(addresses));
    std::memcpy(config.parameters.data() + 24, &size, sizeof(size));
    return runLaunch(module.module(), *kernel, config, module.options, profile);
  };
  if (std::optional<LaunchFault> fault = launch(&module.profile))
    state.SkipWithError(fault->message.c_str());
  std::vector<float> c = module.download<float>(addressC, a.size());
  for (size_t row = 0; row < kSize; row += 37)
    for (size_t column = 0; column < kSize; column += 41) {
      float expected = 0;
      for (size_t k = 0; k < kSize; ++k)
        expected += a[row * kSize + k] * b[k * kSize + column];
      // Small integers: every sum is exact.
      if (c[row * kSize + column] != expected)
        state.SkipWithError("result is wrong");
    }
  auto lanes = module.profile.json()["launches"][0]["lane_instructions"].get<double>();
  for (auto _ : state)
    launch(nullptr);
  double goal = state.range(0) ? kGoalWithChecks : kGoalWithout;
  state.counters["lane_instructions"] =
      benchmark::Counter(lanes * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.counters["of_goal"] =
      benchmark::Counter(lanes * static_cast<double>(state.iterations()) / goal, benchmark::Counter::kIsRate);
}
BENCHMARK(tiledGemm)->ArgName("checks")->Arg(1)->Arg(0)->Unit(benchmark::kMillisecond);

} // namespace
} // namespace glm::ptx::test

BENCHMARK_MAIN();
