#include "test/runtime/ptx/matrix/Canonical.h"
#include "test/runtime/ptx/matrix/MmaProbe.h"

#include <fmt/format.h>

namespace glm::ptx::test {
namespace {

constexpr int kM = 64, kThreads = 128;
constexpr uint32_t kImageBytes = 48 * 1024, kStartB = 16 * 1024;

struct WgmmaForm {
  std::string types; ///< "f32.bf16.bf16"
  Format a, b;
  std::string accumulator = "f32";
  int n = 16;
  Canonical::Swizzle swizzleA = Canonical::Bytes128, swizzleB = Canonical::Bytes128;
  bool mnMajorA = false, mnMajorB = false;
  bool aInRegisters = false;
  bool negatesA = false, negatesB = false;
  bool adds = true;
  std::string shapePrefix = {}; ///< ".satfinite" after the shape

  int k() const { return 256 / a.storage; }
  bool isFloat() const { return accumulator != "s32"; }
  int registersD() const { return n / (accumulator == "f16" ? 4 : 2); }
  bool is16() const { return a.storage == 16; }
};

struct Instance {
  Codes a, b;
  Values c;
};

/// PTX ISA, "D fragment layout for wgmma .m64nNk16": row = 16 * (warp % 4) + lane / 4 + 8 for i % 4 >= 2, column = 8 * (i / 4) +
/// 2 * (lane % 4) + i % 2.
Coordinate placeOfD(int thread, int i) {
  int warp = thread / 32, lane = thread % 32;
  return {16 * warp + lane / 4 + (i % 4 < 2 ? 0 : 8), 8 * (i / 4) + 2 * (lane % 4) + i % 2};
}

void putBits(std::vector<uint8_t> &bytes, uint64_t bit, uint64_t code, int width) {
  for (int i = 0; i < width; ++i)
    if (code >> i & 1)
      bytes[(bit + static_cast<uint64_t>(i)) / 8] |= static_cast<uint8_t>(1u << (bit + static_cast<uint64_t>(i)) % 8);
}

/// An operand into the image of shared memory; elements of less than a byte (b1) by the byte that holds them.
void place(std::vector<uint8_t> &image, const Canonical &layout, const Format &format, const Codes &codes,
           bool transposed) {
  int mnCount = transposed ? codes.columns : codes.rows, kCount = transposed ? codes.rows : codes.columns;
  for (int mn = 0; mn < mnCount; ++mn)
    for (int k = 0; k < kCount; ++k) {
      uint64_t code = (transposed ? codes.at(k, mn) : codes.at(mn, k)) << format.shift;
      if (format.storage < 8)
        putBits(image,
                layout.at(static_cast<uint32_t>(mn), static_cast<uint32_t>(k * format.storage / 8)) * 8 +
                    static_cast<uint64_t>(k * format.storage % 8),
                code, format.storage);
      else
        putBits(image, layout.at(static_cast<uint32_t>(mn), static_cast<uint32_t>(k)) * 8, code, format.storage);
    }
}

Canonical layoutA(const WgmmaForm &form) {
  return tightLayout(form.swizzleA, form.mnMajorA, static_cast<uint32_t>(std::max(8, form.a.storage) / 8), kM, 0);
}
Canonical layoutB(const WgmmaForm &form) {
  return tightLayout(form.swizzleB, form.mnMajorB, static_cast<uint32_t>(std::max(8, form.b.storage) / 8),
                     static_cast<uint32_t>(form.n), kStartB);
}

/// The kernel: the block's image to shared memory, one wgmma, d to global memory. Lines can be left out by name.
std::string kernelText(const WgmmaForm &form, const std::string &leftOut = "", const std::string &between = "") {
  auto line = [&](const std::string &name, const std::string &text) { return name == leftOut ? std::string() : text; };
  int registers = form.registersD();
  std::string held = form.accumulator == "f32" ? "f32" : "b32";
  std::string text = fmt::format(
      ".visible .entry k(.param .u64 pimage, .param .u64 pa, .param .u64 pd)\n{{\n"
      ".shared .align 1024 .b8 image[{}];\n.reg .b64 %image, %pa, %pd, %at, %da, %db, %base, %t;\n"
      ".reg .b32 %i, %me, %cta, %s, %v<4>, %a<4>;\n.reg .{} %d<{}>;\n.reg .pred %p, %q;\n"
      "ld.param.u64 %image, [pimage];\nld.param.u64 %pa, [pa];\nld.param.u64 %pd, [pd];\nmov.u32 %me, %tid.x;\n"
      "mov.u32 %cta, %ctaid.x;\nmul.wide.u32 %t, %cta, {};\nadd.u64 %image, %image, %t;\nmul.wide.u32 %t, %cta, {};\n"
      "add.u64 %pa, %pa, %t;\nmul.wide.u32 %t, %cta, {};\nadd.u64 %pd, %pd, %t;\nmul.wide.u32 %t, %me, 4;\n"
      "add.u64 %pa, %pa, %t;\nadd.u64 %pd, %pd, %t;\nshl.b32 %i, %me, 4;\nmov.u32 %s, image;\nadd.u32 %s, %s, %i;\n"
      "copy:\nsetp.ge.u32 %p, %i, {};\n@%p bra done;\ncvt.u64.u32 %at, %i;\nadd.u64 %at, %at, %image;\n"
      "ld.global.v4.b32 {{%v0, %v1, %v2, %v3}}, [%at];\nst.shared.v4.b32 [%s], {{%v0, %v1, %v2, %v3}};\n"
      "add.u32 %s, %s, 2048;\nadd.u32 %i, %i, 2048;\nbra copy;\ndone:\n",
      kImageBytes, held, registers, kImageBytes, kThreads * 4 * 4, registers * kThreads * 4, kImageBytes);
  text += line("proxy", "fence.proxy.async;\n") + line("barrier", "bar.sync 0;\n");
  text += "mov.u32 %s, image;\ncvt.u64.u32 %base, %s;\nand.b64 %base, %base, 0x3ffff;\nshr.u64 %base, %base, 4;\n";
  text += fmt::format(
      "add.u64 %da, %base, {};\nor.b64 %da, %da, {:#x};\nadd.u64 %db, %base, {};\nor.b64 %db, %db, {:#x};\n", 0,
      layoutA(form).wgmmaFields(), kStartB >> 4, layoutB(form).wgmmaFields());
  for (int i = 0; i < registers; ++i)
    text += fmt::format("ld.global.b32 %d{}, [%pd+{}];\n", i, i * kThreads * 4);
  if (form.aInRegisters)
    for (int i = 0; i < 4; ++i)
      text += fmt::format("ld.global.b32 %a{}, [%pa+{}];\n", i, i * kThreads * 4);
  text += fmt::format("setp.eq.u32 %q, 1, {};\n", form.adds ? 1 : 0);
  text += line("fence", "wgmma.fence.sync.aligned;\n");
  text += fmt::format("wgmma.mma_async.sync.aligned.m64n{}k{}{}.{} {}, {}, %db, %q", form.n, form.k(), form.shapePrefix,
                      form.types, vectorOf("%d", 0, registers), form.aInRegisters ? vectorOf("%a", 0, 4) : "%da");
  if (form.isFloat())
    text += fmt::format(", {}, {}", form.negatesA ? -1 : 1, form.negatesB ? -1 : 1);
  if (form.is16())
    text += (form.aInRegisters ? "" : fmt::format(", {}", form.mnMajorA ? 1 : 0)) +
            fmt::format(", {}", form.mnMajorB ? 1 : 0);
  text += ";\n" + line("commit", "wgmma.commit_group.sync.aligned;\n") + between +
          line("wait", "wgmma.wait_group.sync.aligned 0;\n");
  for (int i = 0; i < registers; ++i)
    text += fmt::format("st.global.b32 [%pd+{}], %d{};\n", i * kThreads * 4, i);
  return text + "ret;\n}\n";
}

struct Launched {
  std::string fault;
  std::vector<Values> results;
};

Launched launch(const WgmmaForm &form, const std::vector<Instance> &instances, const std::string &text) {
  Launched launched;
  TestModule module(text, "sm_90a");
  EXPECT_TRUE(module) << text;
  if (!module)
    return launched;
  int perRegister = form.accumulator == "f16" ? 2 : 1, registers = form.registersD();
  std::vector<uint8_t> images;
  std::vector<uint32_t> fragmentsA, fragmentsD;
  for (const Instance &instance : instances) {
    std::vector<uint8_t> image(kImageBytes);
    if (!form.aInRegisters)
      place(image, layoutA(form), form.a, instance.a, false);
    place(image, layoutB(form), form.b, instance.b, true);
    images.insert(images.end(), image.begin(), image.end());
    // A in registers: warp w holds rows 16w to 16w + 15 as mma.m16n8kK does, of which only b1 has its own shape.
    std::vector<uint32_t> a(4 * kThreads), d(static_cast<size_t>(registers) * kThreads);
    MmaShape shape = mmaShape("m16n8k" + std::to_string(form.k()), form.a.storage);
    for (int warp = 0; warp < 4; ++warp) {
      Codes rows(16, form.k());
      for (int row = 0; row < 16; ++row)
        for (int k = 0; k < form.k(); ++k)
          rows.at(row, k) = instance.a.at(16 * warp + row, k);
      RegisterSet set = multiplicandRegisters(shape.a, form.a, rows, false);
      for (size_t r = 0; r < 4; ++r)
        for (size_t lane = 0; lane < 32; ++lane)
          a[r * kThreads + static_cast<size_t>(warp) * 32 + lane] = static_cast<uint32_t>(set[r][lane]);
    }
    for (int thread = 0; thread < kThreads; ++thread)
      for (int i = 0; i < registers * perRegister; ++i) {
        Coordinate at = placeOfD(thread, i);
        d[static_cast<size_t>(i / perRegister * kThreads + thread)] |= static_cast<uint32_t>(
            accumulatorBits(form.accumulator, instance.c[static_cast<size_t>(at.row * form.n + at.column)])
            << i % perRegister * 16);
      }
    fragmentsA.insert(fragmentsA.end(), a.begin(), a.end());
    fragmentsD.insert(fragmentsD.end(), d.begin(), d.end());
  }
  uint64_t image = module.upload(images), a = module.upload(fragmentsA), d = module.upload(fragmentsD);
  LaunchConfig config;
  config.grid = {static_cast<uint32_t>(instances.size()), 1, 1};
  config.block = {kThreads, 1, 1};
  launched.fault = module.faultOf("k", config, image, a, d);
  fragmentsD = module.download<uint32_t>(d, fragmentsD.size());
  for (size_t instance = 0; instance < instances.size(); ++instance) {
    Values &values = launched.results.emplace_back(static_cast<size_t>(kM * form.n));
    const uint32_t *own = fragmentsD.data() + instance * static_cast<size_t>(registers) * kThreads;
    for (int thread = 0; thread < kThreads; ++thread)
      for (int i = 0; i < registers * perRegister; ++i) {
        Coordinate at = placeOfD(thread, i);
        values[static_cast<size_t>(at.row * form.n + at.column)] =
            accumulatorValue(form.accumulator, own[i / perRegister * kThreads + thread] >> i % perRegister * 16);
      }
  }
  return launched;
}

double productOf(const WgmmaForm &form, uint64_t a, uint64_t b) {
  return form.a.value(a) * form.b.value(b) * (form.negatesA ? -1 : 1) * (form.negatesB ? -1 : 1);
}

/// Random matrices. Bounds as for mma (MmaProbe::random).
void random(const WgmmaForm &form, const std::string &text = "") {
  std::mt19937_64 generator(static_cast<uint64_t>(form.n));
  std::vector<Instance> instances;
  for (int trial = 0; trial < 2; ++trial) {
    instances.push_back({randomCodes(kM, form.k(), form.a, generator), randomCodes(form.k(), form.n, form.b, generator),
                         Values(static_cast<size_t>(kM * form.n))});
    for (double &value : instances.back().c)
      value = static_cast<double>(generator() % 200) - 100;
  }
  Launched launched = launch(form, instances, text.empty() ? kernelText(form) : text);
  ASSERT_EQ(launched.fault, "");
  for (size_t trial = 0; trial < instances.size(); ++trial)
    for (int row = 0; row < kM; ++row)
      for (int column = 0; column < form.n; ++column) {
        size_t at = static_cast<size_t>(row * form.n + column);
        double expected = form.adds ? instances[trial].c[at] : 0, magnitude = std::abs(expected);
        for (int k = 0; k < form.k(); ++k) {
          double term = productOf(form, instances[trial].a.at(row, k), instances[trial].b.at(k, column));
          expected += term;
          magnitude += std::abs(term);
        }
        double bound = form.isFloat() ? form.k() * 0x1p-24 * magnitude : 0;
        if (form.accumulator == "f16") {
          if (std::abs(expected) > 65500)
            continue;
          bound += std::max(0x1p-11 * (std::abs(expected) + bound), 0x1p-25);
        }
        ASSERT_LE(std::abs(launched.results[trial][at] - expected), bound)
            << form.types << " n " << form.n << ": (" << row << ", " << column << ") is " << launched.results[trial][at]
            << ", expected " << expected;
      }
}

/// One element of A or B is 1: exactly its row or column of D is the other operand's.
void units(WgmmaForm form) {
  form.n = 8;
  form.adds = false;
  std::mt19937_64 generator(5);
  std::vector<Instance> instances;
  Values zeros(static_cast<size_t>(kM * form.n));
  for (int row = 0; row < kM; ++row)
    for (int k = row % 8; k < form.k(); k += 8) { // an eighth of the columns in each row, all of them in eight rows
      instances.push_back({Codes(kM, form.k()), randomCodes(form.k(), form.n, form.b, generator), zeros});
      instances.back().a.at(row, k) = form.a.one();
    }
  for (int k = 0; k < form.k(); ++k)
    for (int column = k % 4; column < form.n; column += 4) {
      instances.push_back({randomCodes(kM, form.k(), form.a, generator), Codes(form.k(), form.n), zeros});
      instances.back().b.at(k, column) = form.b.one();
    }
  Launched launched = launch(form, instances, kernelText(form));
  ASSERT_EQ(launched.fault, "");
  for (size_t i = 0; i < instances.size(); ++i)
    for (int row = 0; row < kM; ++row)
      for (int column = 0; column < form.n; ++column) {
        double expected = 0; // at most one product
        for (int k = 0; k < form.k(); ++k)
          expected += productOf(form, instances[i].a.at(row, k), instances[i].b.at(k, column));
        if (form.accumulator == "f16" && std::abs(expected) > 65504)
          continue;
        ASSERT_EQ(launched.results[i][static_cast<size_t>(row * form.n + column)], expected)
            << form.types << " probe " << i;
      }
}

void everyWay(WgmmaForm form) {
  for (int n : {8, 24, 64, 256}) {
    form.n = n;
    random(form);
  }
  form.n = 32;
  form.aInRegisters = true;
  random(form);
  form.aInRegisters = false;
  form.adds = false;
  random(form);
  form.adds = true;
  for (Canonical::Swizzle swizzle : {Canonical::None, Canonical::Bytes32, Canonical::Bytes64, Canonical::Bytes128}) {
    form.swizzleA = swizzle;
    form.swizzleB = static_cast<Canonical::Swizzle>((swizzle + 1) % 4);
    random(form);
  }
  units(form);
}

TEST(Wgmma, half) {
  for (const char *accumulator : {"f16", "f32"})
    everyWay({.types = std::string(accumulator) + ".f16.f16", .a = kF16, .b = kF16, .accumulator = accumulator});
}

TEST(Wgmma, bfloat) { everyWay({.types = "f32.bf16.bf16", .a = kBF16, .b = kBF16}); }

TEST(Wgmma, transposed_operands) {
  for (Canonical::Swizzle swizzle : {Canonical::None, Canonical::Bytes32, Canonical::Bytes64, Canonical::Bytes128})
    for (bool mnMajorA : {false, true})
      for (bool mnMajorB : {false, true}) {
        WgmmaForm form{.types = "f32.bf16.bf16", .a = kBF16, .b = kBF16, .n = 128};
        form.swizzleA = form.swizzleB = swizzle;
        form.mnMajorA = mnMajorA;
        form.mnMajorB = mnMajorB;
        random(form);
      }
}

TEST(Wgmma, tf32) { everyWay({.types = "f32.tf32.tf32", .a = kTF32, .b = kTF32}); }

TEST(Wgmma, eight_bit_floats) {
  everyWay({.types = "f32.e4m3.e5m2", .a = kE4M3, .b = kE5M2});
  everyWay({.types = "f16.e5m2.e4m3", .a = kE5M2, .b = kE4M3, .accumulator = "f16"});
}

TEST(Wgmma, bytes) {
  everyWay({.types = "s32.s8.u8", .a = kS8, .b = kU8, .accumulator = "s32"});
  random({.types = "s32.u8.s8.satfinite", .a = kU8, .b = kS8, .accumulator = "s32"});
  random({.types = "s32.u8.s8", .a = kU8, .b = kS8, .accumulator = "s32", .shapePrefix = ".satfinite"});
}

TEST(Wgmma, bits) { everyWay({.types = "s32.b1.b1.and.popc", .a = kB1, .b = kB1, .accumulator = "s32"}); }

TEST(Wgmma, negation) {
  for (bool negatesA : {false, true})
    for (bool negatesB : {false, true})
      random({.types = "f32.f16.f16", .a = kF16, .b = kF16, .negatesA = negatesA, .negatesB = negatesB});
}

// What a program does wrong, and what the machine says.

const WgmmaForm kPlain{.types = "f32.bf16.bf16", .a = kBF16, .b = kBF16};

std::string faultWithout(const std::string &line, const std::string &between = "", const WgmmaForm &form = kPlain) {
  std::mt19937_64 generator(11);
  Instance instance{randomCodes(kM, form.k(), form.a, generator), randomCodes(form.k(), form.n, form.b, generator),
                    Values(static_cast<size_t>(kM * form.n))};
  return launch(form, {instance}, kernelText(form, line, between)).fault;
}

TEST(WgmmaChecks, nothing_to_say) { EXPECT_EQ(faultWithout(""), ""); }

TEST(WgmmaChecks, missing_proxy_fence) {
  EXPECT_NE(faultWithout("proxy").find("proxy"), std::string::npos) << faultWithout("proxy");
}

TEST(WgmmaChecks, missing_barrier) { EXPECT_NE(faultWithout("barrier"), ""); }

TEST(WgmmaChecks, missing_fence) {
  EXPECT_NE(faultWithout("fence").find("wgmma.fence"), std::string::npos) << faultWithout("fence");
}

TEST(WgmmaChecks, accumulator_written_in_flight) {
  std::string fault = faultWithout("", "mov.f32 %d1, 0f00000000;\n");
  EXPECT_NE(fault.find("before wgmma.wait_group"), std::string::npos) << fault;
}

TEST(WgmmaChecks, register_of_a_written_in_flight) {
  WgmmaForm form = kPlain;
  form.aInRegisters = true;
  std::string fault = faultWithout("", "mov.b32 %a2, 12345;\n", form);
  EXPECT_NE(fault.find("register 2 of a"), std::string::npos) << fault;
}

// Without the wait, or without the commit that it waits for, d is no result.
TEST(WgmmaChecks, missing_wait) {
  for (const char *line : {"wait", "commit"})
    EXPECT_NE(faultWithout(line).find("must hold a value before it is read"), std::string::npos) << faultWithout(line);
}

// The planted mistake: the data lie in one swizzle, the descriptor says another.
TEST(WgmmaChecks, wrong_swizzle_gives_wrong_numbers) {
  std::mt19937_64 generator(13);
  Instance instance{randomCodes(kM, 16, kBF16, generator), randomCodes(16, 16, kBF16, generator), Values(kM * 16)};
  WgmmaForm wrong = kPlain;
  wrong.swizzleB = Canonical::Bytes64;
  std::string right = kernelText(kPlain);
  Launched expected = launch(kPlain, {instance}, right), mistaken = launch(kPlain, {instance}, kernelText(wrong));
  EXPECT_EQ(expected.fault, "");
  EXPECT_TRUE(!mistaken.fault.empty() || mistaken.results[0] != expected.results[0]);
}

} // namespace
} // namespace glm::ptx::test
