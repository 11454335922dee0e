#include "test/runtime/ptx/matrix/MmaProbe.h"

#include <fmt/format.h>

namespace glm::ptx::test {
namespace {

struct Scaled {
  std::string words; ///< between "mma.sync.aligned." and the types
  Format a, b;
  std::string types;
  int scales = 1;
  bool isUe8m0 = true;

  int k() const { return a.storage == 4 ? 64 : 32; }
  int perScale() const { return k() / scales; }
  std::string shape() const { return a.storage == 4 ? "m16n8k64" : "m16n8k32"; }
  double scaleValue(uint64_t code) const {
    Format ue4m3 = kE4M3; // the sign bit is not part of it
    return isUe8m0 ? std::ldexp(1.0, static_cast<int>(code & 255) - 127) : ue4m3.value(code & 127);
  }
  uint64_t one() const { return isUe8m0 ? 127 : 0x38; }
  uint64_t two() const { return isUe8m0 ? 128 : 0x40; }
};

struct Selectors {
  int byteA = 0, threadA = 0, byteB = 0, threadB = 0;
};

/// Scale words of A and B: the selected bytes from the matrices, all others garbage.
RegisterSet scaleRegisters(const Scaled &form, const Selectors &selectors, const Codes &scalesA, const Codes &scalesB,
                           std::mt19937_64 &generator) {
  RegisterSet words(2);
  for (Register &lanes : words)
    for (uint64_t &word : lanes)
      word = static_cast<uint32_t>(generator());
  auto put = [&](uint64_t &word, int byte, uint64_t code) {
    word = (word & ~(uint64_t{255} << 8 * byte)) | code << 8 * byte;
  };
  // PTX ISA, "Block Scaling": of each four lanes, thread-id-a 0 takes lanes 0 and 1, 1 lanes 2 and 3, for rows g and g + 8;
  // thread-id-b names the lane.
  for (int group = 0; group < 8; ++group)
    for (int scale = 0; scale < form.scales; ++scale) {
      for (int half = 0; half < 2; ++half)
        put(words[0][static_cast<size_t>(4 * group + 2 * selectors.threadA + half)], selectors.byteA + scale,
            scalesA.at(group + 8 * half, scale));
      put(words[1][static_cast<size_t>(4 * group + selectors.threadB)], selectors.byteB + scale,
          scalesB.at(scale, group));
    }
  return words;
}

MmaProbe probeOf(const Scaled &form, const Selectors &selectors) {
  MmaForm mma;
  mma.instruction = "mma.sync.aligned." + form.words + form.types;
  mma.shape = mmaShape(form.shape(), form.a.storage);
  mma.a = form.a;
  mma.b = form.b;
  mma.tail = fmt::format(", {{$0}}, {{{}, {}}}, {{$1}}, {{{}, {}}}", selectors.byteA, selectors.threadA,
                         selectors.byteB, selectors.threadB);
  return MmaProbe(mma);
}

/// Compare with the definition: block sums have perScale additions in f32, each block one rounding of the scaled sum and one of
/// the addition to D.
void expectScaled(const Scaled &form, const MmaProbe::Inputs &inputs, const Codes &scalesA, const Codes &scalesB,
                  const Values &result, const std::string &what) {
  for (int row = 0; row < 16; ++row)
    for (int column = 0; column < 8; ++column) {
      size_t at = static_cast<size_t>(row * 8 + column);
      double expected = inputs.c[at], magnitude = std::abs(expected);
      for (int k = 0; k < form.k(); ++k) {
        int block = k / form.perScale();
        double term = form.a.value(inputs.a.at(row, k)) * form.b.value(inputs.b.at(k, column)) *
                      form.scaleValue(scalesA.at(row, block)) * form.scaleValue(scalesB.at(block, column));
        expected += term;
        magnitude += std::abs(term);
      }
      double bound = (form.perScale() + 2 * form.scales) * 0x1p-24 * magnitude;
      ASSERT_LE(std::abs(result[at] - expected), bound)
          << what << ": output (" << row << ", " << column << ") is " << result[at] << ", expected " << expected;
    }
}

std::vector<Selectors> allSelectors(const Scaled &form) {
  std::vector<int> bytes = form.scales == 1   ? std::vector<int>{0, 1, 2, 3}
                           : form.scales == 2 ? std::vector<int>{0, 2}
                                              : std::vector<int>{0};
  std::vector<Selectors> all;
  for (int byteA : bytes)
    for (int threadA : {0, 1})
      for (int threadB : {0, 1, 2, 3})
        all.push_back({byteA, threadA, bytes[static_cast<size_t>(threadB) % bytes.size()], threadB});
  return all;
}

Codes filled(int rows, int columns, uint64_t code) {
  Codes codes(rows, columns);
  std::fill(codes.codes.begin(), codes.codes.end(), code);
  return codes;
}

void probe(const Scaled &form) {
  std::mt19937_64 generator(7);
  for (const Selectors &selectors : allSelectors(form)) {
    std::string what = fmt::format("{}{} selectors {} {} {} {}", form.words, form.types, selectors.byteA,
                                   selectors.threadA, selectors.byteB, selectors.threadB);
    // Each scale of A, then of B, is 2 where all others are 1; then random scales.
    int countA = 16 * form.scales, countB = 8 * form.scales, count = countA + countB + 8;
    std::vector<MmaProbe::Inputs> inputs;
    std::vector<std::pair<Codes, Codes>> scales;
    for (int i = 0; i < count; ++i) {
      Codes scalesA = filled(16, form.scales, form.one()), scalesB = filled(form.scales, 8, form.one());
      if (i < countA)
        scalesA.codes[static_cast<size_t>(i)] = form.two();
      else if (i < countA + countB)
        scalesB.codes[static_cast<size_t>(i - countA)] = form.two();
      else
        for (Codes *side : {&scalesA, &scalesB})
          for (uint64_t &code : side->codes)
            code = form.isUe8m0 ? 117 + generator() % 20 : generator() % 127;
      Values c(128);
      if (i >= countA + countB)
        for (double &value : c)
          value = static_cast<double>(generator() % 100);
      inputs.push_back({randomCodes(16, form.k(), form.a, generator), randomCodes(form.k(), 8, form.b, generator), c,
                        scaleRegisters(form, selectors, scalesA, scalesB, generator)});
      scales.emplace_back(scalesA, scalesB);
    }
    std::vector<Values> results = probeOf(form, selectors).run(inputs);
    ASSERT_EQ(results.size(), inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      expectScaled(form, inputs[i], scales[i].first, scales[i].second, results[i], what + fmt::format(" probe {}", i));
      if (testing::Test::HasFatalFailure())
        return;
    }
  }
}

/// Unit vectors of A and B with scales of 1 and random garbage beside them.
void probeElements(const Scaled &form) {
  std::mt19937_64 generator(8);
  Selectors selectors;
  Codes scalesA = filled(16, form.scales, form.one()), scalesB = filled(form.scales, 8, form.one());
  std::vector<MmaProbe::Inputs> inputs;
  for (int row = 0; row < 16; ++row)
    for (int k = 0; k < form.k(); ++k) {
      inputs.push_back({Codes(16, form.k()), randomCodes(form.k(), 8, form.b, generator), Values(128),
                        scaleRegisters(form, selectors, scalesA, scalesB, generator)});
      inputs.back().a.at(row, k) = form.a.one();
    }
  for (int k = 0; k < form.k(); ++k)
    for (int column = 0; column < 8; ++column) {
      inputs.push_back({randomCodes(16, form.k(), form.a, generator), Codes(form.k(), 8), Values(128),
                        scaleRegisters(form, selectors, scalesA, scalesB, generator)});
      inputs.back().b.at(k, column) = form.b.one();
    }
  std::vector<Values> results = probeOf(form, selectors).run(inputs);
  ASSERT_EQ(results.size(), inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i)
    for (int row = 0; row < 16; ++row)
      for (int column = 0; column < 8; ++column) {
        double expected = 0; // one product or none
        for (int k = 0; k < form.k(); ++k)
          expected += form.a.value(inputs[i].a.at(row, k)) * form.b.value(inputs[i].b.at(k, column));
        ASSERT_EQ(results[i][static_cast<size_t>(row * 8 + column)], expected) << form.words << " probe " << i;
      }
}

TEST(MmaScaled, bytes) {
  const Format formats[] = {kE4M3, kE5M2, kE3M2, kE2M3, kE2M1};
  // Every format on either side; how a format is read does not depend on the other.
  for (size_t i = 0; i < std::size(formats); ++i) {
    const Format &a = formats[i], &b = formats[(i + 2) % std::size(formats)];
    probeElements({"m16n8k32.row.col.kind::mxf8f6f4.block_scale.scale_vec::1X.f32.", a, b,
                   std::string(a.word) + "." + b.word + ".f32.ue8m0", 1});
  }
  probe({"m16n8k32.row.col.kind::mxf8f6f4.block_scale.scale_vec::1X.f32.", kE4M3, kE2M1, "e4m3.e2m1.f32.ue8m0", 1});
  probe({"kind::mxf8f6f4.block_scale.m16n8k32.row.col.f32.", kE5M2, kE3M2, "e5m2.e3m2.f32.ue8m0", 1});
}

TEST(MmaScaled, two_scales) {
  for (const char *words :
       {"m16n8k64.row.col.kind::mxf4.block_scale.f32.", "kind::mxf4.block_scale.scale_vec::2X.m16n8k64.row.col.f32.",
        "m16n8k64.row.col.kind::mxf4nvf4.block_scale.scale_vec::2X.f32.",
        "kind::mxf4nvf4.block_scale.scale_vec::2X.m16n8k64.row.col.f32."}) {
    Scaled form{words, kE2M1Packed, kE2M1Packed, "e2m1.e2m1.f32.ue8m0", 2};
    probeElements(form);
    probe(form);
  }
}

TEST(MmaScaled, four_scales) {
  for (const char *words : {"m16n8k64.row.col.kind::mxf4nvf4.block_scale.scale_vec::4X.f32.",
                            "kind::mxf4nvf4.block_scale.scale_vec::4X.m16n8k64.row.col.f32."}) {
    Scaled form{words, kE2M1Packed, kE2M1Packed, "e2m1.e2m1.f32.ue4m3", 4, false};
    probeElements(form);
    probe(form);
  }
}

std::string selectorFailure(const std::string &selectors, const std::string &scale, const std::string &stype,
                            const std::string &before = "") {
  std::vector<std::string> inputs(6, "b32");
  inputs.insert(inputs.end(), 4, "f32");
  return WarpKernel(
             "sm_120a", inputs, {"f32", "f32", "f32", "f32"},
             ".reg .b16 %sel;\n.reg .b32 %s;\nmov.b32 %s, 0;\nmov.b16 %sel, 0;\n" + before +
                 "mma.sync.aligned.m16n8k64.row.col.kind::mxf4nvf4.block_scale.scale_vec::" + scale +
                 ".f32.e2m1.e2m1.f32." + stype +
                 " {%out0, %out1, %out2, %out3}, {%in0, %in1, %in2, %in3}, {%in4, %in5}, {%in6, %in7, %in8, %in9}, " +
                 selectors + ";")
      .failure(RegisterSet(10, Register{}));
}

TEST(MmaScaled, wrong_selectors_are_refused) {
  EXPECT_EQ(selectorFailure("%s, {0, 1}, %s, {0, 3}", "4X", "ue4m3"), "");
  EXPECT_NE(selectorFailure("%s, {1, 0}, %s, {0, 0}", "4X", "ue4m3").find("byte-id-a must be 0, but found 1"),
            std::string::npos);
  EXPECT_NE(selectorFailure("%s, {0, 2}, %s, {0, 0}", "4X", "ue4m3").find("thread-id-a must be 0 or 1"),
            std::string::npos);
  EXPECT_NE(selectorFailure("%s, {0, 0}, %s, {1, 0}", "2X", "ue8m0").find("byte-id-b must be 0 or 2"),
            std::string::npos);
  EXPECT_NE(selectorFailure("%s, {0, 0}, %s, {0, 4}", "2X", "ue8m0").find("thread-id-b must be 0 to 3"),
            std::string::npos);
  // In registers they are checked when they are used.
  EXPECT_EQ(selectorFailure("%s, {0, %sel}, %s, {0, 0}", "4X", "ue4m3"), "");
  EXPECT_NE(selectorFailure("%s, {0, %sel}, %s, {0, 0}", "4X", "ue4m3", "mov.b16 %sel, 2;\n")
                .find("thread-id-a must be 0 or 1"),
            std::string::npos);
  EXPECT_NE(
      selectorFailure("%s, {0, %sel}, %s, {0, 0}", "4X", "ue4m3", "cvt.u16.u32 %sel, %lane;\nand.b16 %sel, %sel, 1;\n")
          .find("same in all lanes"),
      std::string::npos);
}

} // namespace
} // namespace glm::ptx::test
