#include "test/runtime/ptx/matrix/MmaProbe.h"

#include <bit>
#include <limits>

namespace glm::ptx::test {
namespace {

MmaForm floats(const std::string &shape, const Format &a, const Format &b, const std::string &accumulator,
               const std::string &kind = "") {
  MmaForm form;
  form.instruction =
      "mma.sync.aligned." + shape + ".row.col." + kind + accumulator + "." + a.word + "." + b.word + "." + accumulator;
  form.shape = mmaShape(shape, a.storage);
  form.a = a;
  form.b = b;
  form.typeD = form.typeC = accumulator;
  return form;
}

TEST(Mma, half) {
  for (const char *shape : {"m16n8k8", "m16n8k16"})
    for (const char *accumulator : {"f16", "f32"})
      MmaProbe(floats(shape, kF16, kF16, accumulator)).all();
}

TEST(Mma, bfloat) {
  for (const char *shape : {"m16n8k8", "m16n8k16"})
    MmaProbe(floats(shape, kBF16, kBF16, "f32")).all();
}

TEST(Mma, tf32) {
  for (const char *shape : {"m16n8k4", "m16n8k8"})
    MmaProbe(floats(shape, kTF32, kTF32, "f32")).all();
}

TEST(Mma, eight_bit_floats) {
  for (const char *shape : {"m16n8k16", "m16n8k32"})
    for (const char *accumulator : {"f16", "f32"})
      for (const Format &a : {kE4M3, kE5M2})
        for (const Format &b : {kE4M3, kE5M2})
          MmaProbe(floats(shape, a, b, accumulator)).all();
}

TEST(Mma, mixed_narrow_floats) {
  const Format formats[] = {kE4M3, kE5M2, kE3M2, kE2M3, kE2M1};
  for (const Format &a : formats)
    for (const Format &b : formats)
      MmaProbe(floats("m16n8k32", a, b, "f32", "kind::f8f6f4.")).all();
  MmaProbe(floats("m16n8k32", kE2M1, kE5M2, "f16", "kind::f8f6f4.")).all();
}

TEST(Mma, kind_may_stand_first) {
  for (const char *accumulator : {"f16", "f32"}) {
    MmaForm form = floats("m16n8k32", kE3M2, kE2M1, accumulator);
    form.instruction =
        "mma.sync.aligned.kind::f8f6f4.m16n8k32.row.col." + std::string(accumulator) + ".e3m2.e2m1." + accumulator;
    MmaProbe(form).all();
  }
}

TEST(Mma, doubles) {
  for (const char *shape : {"m8n8k4", "m16n8k4", "m16n8k8", "m16n8k16"})
    MmaProbe(floats(shape, kF64, kF64, "f64")).all();
}

// 1 + 2^-60 is 1 or the next double above.
TEST(Mma, doubles_round_as_asked) {
  for (auto [mode, expected] : {std::pair{"rn", 1.0}, {"rz", 1.0}, {"rm", 1.0}, {"rp", 1.0 + 0x1p-52}}) {
    MmaForm form = floats("m16n8k8", kF64, kF64, "f64");
    form.instruction = std::string("mma.sync.aligned.m16n8k8.row.col.") + mode + ".f64.f64.f64.f64";
    MmaProbe probe(form);
    MmaProbe::Inputs inputs{Codes(16, 8), Codes(8, 8), Values(128, 1.0), {}};
    inputs.a.at(9, 5) = accumulatorBits("f64", 0x1p-30);
    inputs.b.at(5, 3) = accumulatorBits("f64", 0x1p-30);
    Values all(128, 1.0);
    all[9 * 8 + 3] = expected;
    EXPECT_EQ(probe.run({inputs})[0], all) << mode;
  }
}

MmaForm integers(const std::string &shape, const Format &a, const Format &b, bool saturates) {
  MmaForm form;
  form.instruction = "mma.sync.aligned." + shape + ".row.col" + (saturates ? ".satfinite" : "") + ".s32." + a.word +
                     "." + b.word + ".s32";
  form.shape = mmaShape(shape, a.storage);
  form.a = a;
  form.b = b;
  form.typeD = form.typeC = "s32";
  return form;
}

TEST(Mma, bytes) {
  for (const char *shape : {"m8n8k16", "m16n8k16", "m16n8k32"})
    for (const Format &a : {kU8, kS8})
      for (const Format &b : {kU8, kS8})
        MmaProbe(integers(shape, a, b, false)).all();
}

TEST(Mma, nibbles) {
  for (const char *shape : {"m8n8k32", "m16n8k32", "m16n8k64"})
    for (const Format &a : {kU4, kS4})
      for (const Format &b : {kU4, kS4})
        MmaProbe(integers(shape, a, b, false)).all();
}

TEST(Mma, integers_wrap_or_saturate) {
  for (bool saturates : {false, true}) {
    MmaProbe probe(integers("m16n8k32", kS8, kU8, saturates));
    MmaProbe::Inputs inputs{Codes(16, 32), Codes(32, 8), Values(128), {}};
    for (int i = 0; i < 128; ++i)
      inputs.c[static_cast<size_t>(i)] =
          i % 2 ? std::numeric_limits<int32_t>::max() : std::numeric_limits<int32_t>::min();
    for (int row = 0; row < 16; ++row)
      for (int k = 0; k < 32; ++k)
        inputs.a.at(row, k) = row % 2 ? 0x7f : 0x80;
    for (uint64_t &code : inputs.b.codes)
      code = 255;
    Values result = probe.run({inputs})[0];
    for (int row = 0; row < 16; ++row)
      for (int column = 0; column < 8; ++column) {
        double exact = inputs.c[static_cast<size_t>(row * 8 + column)] + 32 * 255 * (row % 2 ? 127.0 : -128.0);
        double expected = saturates ? std::clamp(exact, -0x1p31, 0x1p31 - 1)
                                    : static_cast<double>(static_cast<int32_t>(static_cast<int64_t>(exact)));
        EXPECT_EQ(result[static_cast<size_t>(row * 8 + column)], expected) << row << ", " << column;
      }
  }
}

TEST(Mma, bits) {
  for (const char *shape : {"m8n8k128", "m16n8k128", "m16n8k256"}) {
    MmaForm form;
    form.instruction = std::string("mma.sync.aligned.") + shape + ".row.col.s32.b1.b1.s32.and.popc";
    form.shape = mmaShape(shape, 1);
    form.a = form.b = kB1;
    form.typeD = form.typeC = "s32";
    MmaProbe(form).all();
    // Exclusive or has no zero, so that only random matrices make sense.
    form.instruction = std::string("mma.sync.aligned.") + shape + ".row.col.s32.b1.b1.s32.xor.popc";
    form.product = [](uint64_t a, uint64_t b) { return static_cast<double>(a ^ b); };
    MmaProbe(form).random();
  }
}

// In half precision 2048 + 1 is a tie to even and 2050 + 1 one upwards; the sum is rounded once, at the end.
TEST(Mma, half_accumulators_round_once) {
  MmaProbe probe(floats("m16n8k16", kF16, kF16, "f16"));
  MmaProbe::Inputs inputs{Codes(16, 16), Codes(16, 8), Values(128, 2048.0), {}};
  for (int k = 0; k < 2; ++k) {
    inputs.a.at(0, k) = kF16.one();
    for (int column = 0; column < 8; ++column)
      inputs.b.at(k, column) = kF16.one();
  }
  inputs.a.at(1, 0) = kF16.one();
  Values expected(128, 2048.0);
  std::fill_n(expected.begin(), 8, 2050.0);
  EXPECT_EQ(probe.run({inputs})[0], expected);
}

TEST(Mma, nan_is_canonical) {
  WarpKernel kernel(
      "sm_90a", {"b32", "b32", "b32", "b32", "b32", "b32", "f32", "f32", "f32", "f32"}, {"f32", "f32", "f32", "f32"},
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%out0, %out1, %out2, %out3}, {%in0, %in1, %in2, "
      "%in3}, {%in4, %in5}, {%in6, %in7, %in8, %in9};");
  RegisterSet set(10, Register{});
  set[6].fill(0xff812345u); // a NaN with a payload
  RegisterSet out = kernel.run({set})[0];
  EXPECT_EQ(out[0][7], 0x7fffffffu);
  EXPECT_EQ(out[1][7], 0u);
}

TEST(Mma, refusals) {
  auto refused = [](const std::string &instruction, const std::string &chip) {
    return WarpKernel(chip, {"b32", "b32", "b32", "b32", "b32", "b32", "f32", "f32", "f32", "f32"},
                      {"f32", "f32", "f32", "f32"},
                      instruction +
                          " {%out0, %out1, %out2, %out3}, {%in0, %in1, %in2, %in3}, {%in4, %in5}, {%in6, %in7, "
                          "%in8, %in9};")
        .failure({});
  };
  EXPECT_NE(refused("mma.sync.aligned.m16n8k32.row.col.kind::f8f6f4.f32.e4m3.e2m1.f32", "sm_100a"), "");
  EXPECT_NE(refused("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f16", "sm_90a"), "");
  EXPECT_NE(refused("mma.sync.aligned.m16n8k16.col.row.f32.f16.f16.f32", "sm_90a"), "");
  std::string wrongCount =
      WarpKernel("sm_90a", {"b32", "f32"}, {"f32"},
                 "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%out0}, {%in0}, {%in0}, {%in1};")
          .failure({});
  EXPECT_NE(wrongCount.find("but found"), std::string::npos) << wrongCount;
}

TEST(Mma, needs_a_whole_warp) {
  std::string fault =
      WarpKernel("sm_90a", {"b32", "f32"}, {},
                 ".reg .pred %p; .reg .f32 %d<4>; setp.ne.b32 %p, %lane, 3;\n"
                 "@%p mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%d0, %d1, %d2, %d3}, {%in0, %in0}, "
                 "{%in0}, {%in1, %in1, %in1, %in1};")
          .failure(RegisterSet(2, Register{}));
  EXPECT_NE(fault.find("all 32 lanes"), std::string::npos) << fault;
}

} // namespace
} // namespace glm::ptx::test
