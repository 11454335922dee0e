#include "test/runtime/ptx/matrix/Canonical.h"
#include "test/runtime/ptx/matrix/MmaProbe.h"
#include "test/runtime/ptx/matrix/TensorKernel.h"

#include <fmt/format.h>

namespace glm::ptx::test {
namespace {

constexpr uint32_t kColumnA = 256, kColumnScalesA = 272, kColumnScalesB = 280, kColumns = 296;
constexpr uint32_t kSharedBytes = 40 * 1024, kStartB = 16 * 1024;

struct TensorForm {
  std::string kind = "kind::f16"; ///< with what follows it
  Format a = kBF16, b = kBF16;
  int codeA = 1, codeB = 1; ///< in the instruction descriptor
  std::string accumulator = "f32";
  int m = 128, n = 64;
  uint32_t blocks = 1;
  Canonical::Swizzle swizzleA = Canonical::Bytes128, swizzleB = Canonical::Bytes128;
  bool mnMajorA = false, mnMajorB = false, negatesA = false, negatesB = false, aInTensor = false;
  bool adds = true, saturates = false;
  int inputScale = 0;                  ///< 0: none
  std::vector<uint32_t> disabled = {}; ///< lanes to leave out, a bit each
  // Block scaling.
  int scales = 0;
  bool isUe8m0 = true;
  int idA = 0, idB = 0;

  int k() const { return 256 / a.storage; } ///< 32 bytes
  int rows() const { return m / static_cast<int>(blocks); }
  /// PTX ISA, "Instruction descriptor".
  uint32_t descriptor() const {
    uint32_t bits = static_cast<uint32_t>(codeA) << 7 | static_cast<uint32_t>(codeB) << 10 |
                    (negatesA ? 1u : 0u) << 13 | (negatesB ? 1u : 0u) << 14 | (mnMajorA ? 1u : 0u) << 15 |
                    (mnMajorB ? 1u : 0u) << 16 | static_cast<uint32_t>(n / 8) << 17 |
                    static_cast<uint32_t>(m / 16) << 24;
    if (scales > 0)
      return bits | static_cast<uint32_t>(idB) << 4 | (isUe8m0 ? 1u : 0u) << 23 | static_cast<uint32_t>(idA) << 29;
    return bits | (saturates ? 1u : 0u) << 3 | (accumulator == "f16" ? 0u : accumulator == "f32" ? 1u : 2u) << 4;
  }
};

/// PTX ISA, "Data Path Layout Organization": the block, lane and column of an element of D.
struct Cell {
  size_t block;
  uint32_t lane, column;
};
Cell cellOfD(const TensorForm &form, int row, int column) {
  if (form.blocks == 1 && form.m == 128)
    return {0, static_cast<uint32_t>(row), static_cast<uint32_t>(column)};
  if (form.blocks == 1) // M = 64: 16 rows in each quarter
    return {0, static_cast<uint32_t>(row % 16 + row / 16 * 32), static_cast<uint32_t>(column)};
  if (form.m == 256)
    return {static_cast<size_t>(row / 128), static_cast<uint32_t>(row % 128), static_cast<uint32_t>(column)};
  // M = 128 on two blocks: lanes 0 to 63 the first half of the columns, 64 to 127 the second.
  int half = form.n / 2;
  return {static_cast<size_t>(row / 64), static_cast<uint32_t>(row % 64 + column / half * 64),
          static_cast<uint32_t>(column % half)};
}

/// Bits of the container in shared memory for elements of less than a byte: 16 of them in 16 bytes.
int packedWidth(const Format &format) { return format.bits() < 8 && format.storage == 8 ? format.bits() : 0; }

void putCode(std::vector<uint8_t> &image, uint64_t bit, uint64_t code, int width) {
  for (int i = 0; i < width; ++i, ++bit)
    image[bit / 8] = static_cast<uint8_t>((image[bit / 8] & ~(1u << bit % 8)) | (code >> i & 1) << bit % 8);
}

/// Row `mn` of an operand: codes along k.
template <typename CodeAt>
void placeOperand(std::vector<uint8_t> &image, const Canonical &layout, const Format &format, int count, int k,
                  CodeAt codeAt) {
  for (int mn = 0; mn < count; ++mn)
    for (int i = 0; i < k; ++i) {
      auto row = static_cast<uint32_t>(mn);
      if (int width = packedWidth(format))
        putCode(image, layout.at(row, static_cast<uint32_t>(i / 16 * 16)) * 8 + static_cast<uint64_t>(i % 16 * width),
                codeAt(mn, i), width);
      else if (format.storage == 4)
        putCode(image, layout.at(row, static_cast<uint32_t>(i / 2)) * 8 + static_cast<uint64_t>(i % 2 * 4),
                codeAt(mn, i), 4);
      else
        putCode(image, layout.at(row, static_cast<uint32_t>(i)) * 8, codeAt(mn, i) << format.shift, format.storage);
    }
}

struct Problem {
  Codes a, b;
  Values c;
  Codes scalesA, scalesB; ///< m x scales, n x scales
};

Problem randomProblem(const TensorForm &form, uint64_t seed) {
  std::mt19937_64 generator(seed);
  int scales = std::max(form.scales, 1);
  Problem problem{randomCodes(form.m, form.k(), form.a, generator), randomCodes(form.k(), form.n, form.b, generator),
                  Values(static_cast<size_t>(form.m * form.n)), Codes(form.m, scales), Codes(form.n, scales)};
  for (double &value : problem.c)
    value = static_cast<double>(generator() % 200) - 100;
  for (Codes *codes : {&problem.scalesA, &problem.scalesB})
    for (uint64_t &code : codes->codes)
      code = form.isUe8m0 ? 120 + generator() % 14 : generator() % 127;
  return problem;
}

double scaleValue(const TensorForm &form, uint64_t code) {
  return form.scales == 0 ? 1 : form.isUe8m0 ? std::ldexp(1.0, static_cast<int>(code) - 127) : kE4M3.value(code);
}

TensorRun prepare(const TensorForm &form, const Problem &problem) {
  TensorRun run;
  run.blocks = form.blocks;
  run.columns = kColumns;
  auto bytesOf = [](const Format &format) { return static_cast<uint32_t>(std::max(8, format.storage) / 8); };
  int share = form.n / static_cast<int>(form.blocks);
  Canonical layoutA = tightLayout(form.swizzleA, form.mnMajorA, bytesOf(form.a), static_cast<uint32_t>(form.rows()), 0);
  Canonical layoutB = tightLayout(form.swizzleB, form.mnMajorB, bytesOf(form.b), static_cast<uint32_t>(share), kStartB);
  std::mt19937_64 generator(99);
  for (uint32_t block = 0; block < form.blocks; ++block) {
    std::vector<uint8_t> image(kSharedBytes);
    int firstRow = static_cast<int>(block) * form.rows(), firstColumn = static_cast<int>(block) * share;
    if (!form.aInTensor)
      placeOperand(image, layoutA, form.a, form.rows(), form.k(),
                   [&](int mn, int k) { return problem.a.at(firstRow + mn, k); });
    placeOperand(image, layoutB, form.b, share, form.k(),
                 [&](int mn, int k) { return problem.b.at(k, firstColumn + mn); });
    run.shared.push_back(image);
    TensorImage &tensor = run.tensor.emplace_back();
    for (uint32_t &cell : tensor.cells)
      cell = static_cast<uint32_t>(generator());
    if (form.aInTensor)
      for (int row = 0; row < form.rows(); ++row)
        for (int k = 0; k < form.k(); ++k) {
          uint32_t lane = cellOfD(form, firstRow + row, 0).lane;
          uint32_t &cell = tensor.at(lane, kColumnA + static_cast<uint32_t>(k * form.a.storage / 32));
          int bit = k * form.a.storage % 32;
          uint64_t mask = (uint64_t{1} << form.a.storage) - 1;
          cell =
              static_cast<uint32_t>((cell & ~(mask << bit)) | problem.a.at(firstRow + row, k) << form.a.shift << bit);
        }
    // Scales: row r in lane r % 32, column r / 32, bytes from the id on, in every quarter of the lanes.
    for (int side = 0; form.scales > 0 && side < 2; ++side) {
      const Codes &codes = side == 0 ? problem.scalesA : problem.scalesB;
      int rows = side == 0 ? form.rows() : form.n, first = side == 0 ? firstRow : 0,
          id = side == 0 ? form.idA : form.idB;
      uint32_t column = side == 0 ? kColumnScalesA : kColumnScalesB;
      for (int row = 0; row < rows; ++row) {
        auto word = static_cast<uint32_t>(generator());
        for (int i = 0; i < form.scales; ++i)
          word = (word & ~(255u << 8 * (id + i))) | static_cast<uint32_t>(codes.at(first + row, i)) << 8 * (id + i);
        for (uint32_t quarter = 0; quarter < 4; ++quarter)
          tensor.at(quarter * 32 + static_cast<uint32_t>(row % 32), column + static_cast<uint32_t>(row / 32)) = word;
      }
    }
  }
  for (int row = 0; row < form.m; ++row)
    for (int column = 0; column < form.n; ++column) {
      Cell cell = cellOfD(form, row, column);
      run.tensor[cell.block].at(cell.lane, cell.column) = static_cast<uint32_t>(
          accumulatorBits(form.accumulator, problem.c[static_cast<size_t>(row * form.n + column)]));
    }
  std::string disabled = form.disabled.empty() ? "" : ", " + vectorOf("%r", 32, static_cast<int>(form.disabled.size()));
  run.body = fmt::format(
      "add.u64 %d0, %smem16, 0;\nor.b64 %d0, %d0, {:#x};\nadd.u64 %d1, %smem16, {};\nor.b64 %d1, %d1, {:#x};\n"
      "mov.b32 %r0, {:#x};\nadd.u32 %r1, %tm, {};\nadd.u32 %r2, %tm, {};\nadd.u32 %r3, %tm, {};\n",
      layoutA.tcgen05Fields(), kStartB >> 4, layoutB.tcgen05Fields(), form.descriptor(), kColumnA, kColumnScalesA,
      kColumnScalesB);
  for (size_t i = 0; i < form.disabled.size(); ++i)
    run.body += fmt::format("mov.b32 %r{}, {:#x};\n", 32 + i, form.disabled[i]);
  run.body += fmt::format("tcgen05.mma.cta_group::{}.{} [%tm], {}, %d1, %r0{}{}, {}{};\n", form.blocks, form.kind,
                          form.aInTensor ? "[%r1]" : "%d0", form.scales > 0 ? ", [%r2], [%r3]" : "", disabled,
                          form.adds ? "%p0" : "%p1", form.inputScale ? fmt::format(", {}", form.inputScale) : "");
  return run;
}

/// Compare every cell of tensor memory: D with the definition, all else unchanged.
void check(const TensorForm &form, const Problem &problem, const TensorRun &run) {
  ASSERT_EQ(run.fault, "");
  std::vector<TensorImage> rest = run.tensor;
  int perScale = form.k() / std::max(form.scales, 1);
  for (int row = 0; row < form.m; ++row)
    for (int column = 0; column < form.n; ++column) {
      Cell cell = cellOfD(form, row, column);
      rest[cell.block].at(cell.lane, cell.column) = run.after[cell.block].at(cell.lane, cell.column);
      uint32_t lane = static_cast<uint32_t>(cell.block) * 128 + cell.lane;
      double before = problem.c[static_cast<size_t>(row * form.n + column)];
      double expected = form.adds ? std::ldexp(before, -form.inputScale) : 0, magnitude = std::abs(expected);
      for (int k = 0; k < form.k(); ++k) {
        double term = form.a.value(problem.a.at(row, k)) * form.b.value(problem.b.at(k, column)) *
                      (form.negatesA != form.negatesB ? -1 : 1);
        if (form.scales > 0)
          term *= scaleValue(form, problem.scalesA.at(row, k / perScale)) *
                  scaleValue(form, problem.scalesB.at(column, k / perScale));
        expected += term;
        magnitude += std::abs(term);
      }
      if (!form.disabled.empty() && form.disabled[lane / 32] >> lane % 32 & 1)
        expected = before, magnitude = 0;
      // As MmaProbe::random and, with scales, MmaScaledTest.
      double bound = form.accumulator == "s32" ? 0 : (form.k() + 2 * form.scales) * 0x1p-24 * magnitude;
      if (form.accumulator == "f16") {
        if (std::abs(expected) > 65500)
          continue;
        bound += std::max(0x1p-11 * (std::abs(expected) + bound), 0x1p-25);
      }
      double value = accumulatorValue(form.accumulator, run.after[cell.block].at(cell.lane, cell.column));
      ASSERT_LE(std::abs(value - expected), bound) << form.kind << " m " << form.m << " n " << form.n << ": (" << row
                                                   << ", " << column << ") is " << value << ", expected " << expected;
    }
  for (size_t block = 0; block < rest.size(); ++block)
    for (uint32_t lane = 0; lane < 128; ++lane)
      for (uint32_t column = 0; column < kColumns; ++column)
        ASSERT_EQ(run.after[block].at(lane, column), rest[block].at(lane, column))
            << form.kind << ": lane " << lane << ", column " << column << " must stay";
}

void random(const TensorForm &form) {
  Problem problem = randomProblem(form, static_cast<uint64_t>(form.m + form.n));
  TensorRun run = prepare(form, problem);
  run.run();
  check(form, problem, run);
}

/// A and B have one element in each row and column: every output is one product, and each element reaches exactly its own.
void units(TensorForm form) {
  form.adds = false;
  for (int shift = 0; shift < form.k(); shift += std::max(1, form.k() / 4)) {
    Problem problem = randomProblem(form, 3);
    for (int row = 0; row < form.m; ++row)
      for (int k = 0; k < form.k(); ++k)
        if (k != (row + shift) % form.k())
          problem.a.at(row, k) = 0;
    TensorRun run = prepare(form, problem);
    run.run();
    check(form, problem, run);
  }
}

void everyShape(TensorForm form) {
  bool scaled = form.scales > 0;
  for (int m : scaled ? std::vector<int>{128} : std::vector<int>{64, 128})
    for (int n : {32, 192}) {
      form.m = m;
      form.n = n;
      random(form);
    }
  form.blocks = 2;
  for (int m : {128, 256})
    for (int n : {32, 128}) {
      form.m = m;
      form.n = n;
      random(form);
    }
  form.blocks = 1;
  form.m = 128;
  form.n = 32;
  form.aInTensor = true;
  random(form);
  form.blocks = 2;
  random(form);
  form.blocks = 1;
  form.aInTensor = false;
  for (Canonical::Swizzle swizzle : {Canonical::None, Canonical::Bytes32, Canonical::Bytes64, Canonical::Bytes128}) {
    form.swizzleA = swizzle;
    form.swizzleB = static_cast<Canonical::Swizzle>((swizzle + 1) % 4);
    random(form);
  }
  form.adds = false;
  random(form);
  units(form);
}

TEST(TensorMma, half) {
  everyShape({.a = kF16, .b = kF16, .codeA = 0, .codeB = 0});
  everyShape({.a = kF16, .b = kF16, .codeA = 0, .codeB = 0, .accumulator = "f16"});
}

TEST(TensorMma, bfloat) { everyShape({}); }

TEST(TensorMma, transposed_operands) {
  for (Canonical::Swizzle swizzle : {Canonical::None, Canonical::Bytes32, Canonical::Bytes64, Canonical::Bytes128})
    for (bool mnMajorA : {false, true}) {
      TensorForm form{.n = 128, .swizzleA = swizzle, .swizzleB = swizzle, .mnMajorA = mnMajorA, .mnMajorB = true};
      random(form);
      form.a = form.b = kE4M3;
      form.codeA = form.codeB = 0;
      form.kind = "kind::f8f6f4";
      random(form);
    }
  random({.kind = "kind::tf32",
          .a = kTF32,
          .b = kTF32,
          .codeA = 2,
          .codeB = 2,
          .swizzleA = Canonical::Bytes128In32,
          .swizzleB = Canonical::Bytes128In32,
          .mnMajorA = true,
          .mnMajorB = true});
}

TEST(TensorMma, tf32) { everyShape({.kind = "kind::tf32", .a = kTF32, .b = kTF32, .codeA = 2, .codeB = 2}); }

TEST(TensorMma, narrow_floats) {
  everyShape({.kind = "kind::f8f6f4", .a = kE4M3, .b = kE5M2, .codeA = 0, .codeB = 1});
  std::pair<Format, int> formats[] = {{kE4M3, 0}, {kE5M2, 1}, {kE2M3, 3}, {kE3M2, 4}, {kE2M1, 5}};
  for (auto [a, codeA] : formats)
    for (auto [b, codeB] : formats)
      random({.kind = "kind::f8f6f4.collector::a::discard", .a = a, .b = b, .codeA = codeA, .codeB = codeB, .n = 32});
  random({.kind = "kind::f8f6f4", .a = kE2M1, .b = kE3M2, .codeA = 5, .codeB = 4, .aInTensor = true});
}

TEST(TensorMma, bytes) {
  everyShape({.kind = "kind::i8", .a = kS8, .b = kU8, .codeA = 1, .codeB = 0, .accumulator = "s32"});
  random({.kind = "kind::i8", .a = kU8, .b = kS8, .codeA = 0, .codeB = 1, .accumulator = "s32", .saturates = true});
}

TEST(TensorMma, eight_bits_scaled) {
  for (const char *kind : {"kind::mxf8f6f4.block_scale.scale_vec::1X", "kind::mxf8f6f4.block_scale.block32"})
    for (int id : {0, 1, 2, 3})
      random({.kind = kind, .a = kE4M3, .b = kE2M1, .codeA = 0, .codeB = 5, .scales = 1, .idA = id, .idB = 3 - id});
  everyShape({.kind = "kind::mxf8f6f4.block_scale", .a = kE3M2, .b = kE5M2, .codeA = 4, .codeB = 1, .scales = 1});
}

TEST(TensorMma, four_bits_with_two_scales) {
  for (const char *kind :
       {"kind::mxf4.block_scale.scale_vec::2X", "kind::mxf4.block_scale", "kind::mxf4.block_scale.block32",
        "kind::mxf4nvf4.block_scale.scale_vec::2X", "kind::mxf4nvf4.block_scale.block32"})
    for (int id : {0, 2})
      random({.kind = kind, .a = kE2M1Packed, .b = kE2M1Packed, .scales = 2, .idA = id, .idB = 2 - id});
  everyShape({.kind = "kind::mxf4.block_scale", .a = kE2M1Packed, .b = kE2M1Packed, .scales = 2});
}

TEST(TensorMma, four_bits_with_four_scales) {
  for (const char *kind : {"kind::mxf4nvf4.block_scale.scale_vec::4X", "kind::mxf4nvf4.block_scale.block16"})
    everyShape({.kind = kind, .a = kE2M1Packed, .b = kE2M1Packed, .scales = 4, .isUe8m0 = false});
}

// Each scale moves exactly the block of k of its own row of D.
TEST(TensorMma, every_scale) {
  TensorForm form{.kind = "kind::mxf4nvf4.block_scale.block16",
                  .a = kE2M1Packed,
                  .b = kE2M1Packed,
                  .n = 16,
                  .scales = 4,
                  .isUe8m0 = false};
  Problem problem = randomProblem(form, 21);
  for (Codes *codes : {&problem.scalesA, &problem.scalesB})
    for (size_t i = 0; i < codes->codes.size(); ++i)
      codes->codes[i] = 1 + i * 37 % 126; // different from all neighbours
  TensorRun run = prepare(form, problem);
  run.run();
  check(form, problem, run);
}

TEST(TensorMma, negation) {
  for (bool negatesA : {false, true})
    for (bool negatesB : {false, true})
      random({.negatesA = negatesA, .negatesB = negatesB});
}

TEST(TensorMma, lanes_can_be_left_out) {
  random({.disabled = {0x1, 0xffffffff, 0x80000001, 0}});
  random({.m = 256, .blocks = 2, .disabled = {0x1, 0, 0xf0, 0, 0xff, 0xffffffff, 0x80000001, 2}});
}

TEST(TensorMma, input_scale) {
  random({.inputScale = 3});
  random({.kind = "kind::tf32", .a = kTF32, .b = kTF32, .codeA = 2, .codeB = 2, .inputScale = 15});
}

// .ashift: row r of A is what lane r - 1 holds, the first row stays.
TEST(TensorMma, shifted_rows) {
  TensorForm form{.kind = "kind::f16.ashift", .n = 32, .aInTensor = true};
  Problem problem = randomProblem(form, 5);
  TensorRun run = prepare(form, problem);
  run.run();
  for (int row = form.m - 1; row > 0; --row)
    for (int k = 0; k < form.k(); ++k)
      problem.a.at(row, k) = problem.a.at(row - 1, k);
  check(form, problem, run);
}

// What a program does wrong, and what the machine says.

std::string faultOf(TensorForm form, const std::string &leftOut, const std::function<void(TensorRun &)> &change = {}) {
  Problem problem = randomProblem(form, 1);
  TensorRun run = prepare(form, problem);
  run.leftOut = leftOut;
  if (change)
    change(run);
  run.run();
  return run.fault;
}

void expectFault(const std::string &fault, const std::string &part) {
  EXPECT_NE(fault.find(part), std::string::npos) << "found: " << fault;
}

TEST(TensorMmaChecks, nothing_to_say) { EXPECT_EQ(faultOf({}, ""), ""); }
TEST(TensorMmaChecks, missing_proxy_fence) { expectFault(faultOf({}, "proxy"), "proxy"); }

TEST(TensorMmaChecks, wrong_descriptors) {
  auto replace = [](const std::string &from, const std::string &to) {
    return [from, to](TensorRun &run) {
      size_t at = run.body.find(from);
      ASSERT_NE(at, std::string::npos);
      run.body.replace(at, from.size(), to);
    };
  };
  expectFault(faultOf({}, "", replace("mov.b32 %r0, 0x", "mov.b32 %r0, 0x40000000 | 0x")), "instruction descriptor");
  expectFault(faultOf({.m = 128, .n = 24}, ""), "n of the instruction descriptor must be a multiple of 16");
  expectFault(faultOf({.codeA = 2}, ""), "the type of a");
  expectFault(faultOf({}, "", replace("or.b64 %d1, %d1, ", "or.b64 %d1, %d1, 0x10000000000000 | ")),
              "matrix descriptor");
  expectFault(
      faultOf({.kind = "kind::mxf4.block_scale", .a = kE2M1Packed, .b = kE2M1Packed, .scales = 2, .idA = 1}, ""),
      "scale factor id must be a multiple of 2");
}

TEST(TensorMmaChecks, scales_must_be_in_every_quarter) {
  TensorForm form{.kind = "kind::mxf4.block_scale", .a = kE2M1Packed, .b = kE2M1Packed, .scales = 2};
  expectFault(faultOf(form, "", [](TensorRun &run) { run.tensor[0].at(64 + 5, kColumnScalesA) ^= 1; }),
              "same in all four quarters");
}

TEST(TensorMmaChecks, memory_that_was_not_allocated) {
  // The columns behind the last one.
  expectFault(faultOf({}, "", [](TensorRun &run) { run.body.insert(0, "add.u32 %tm, %tm, 480;\n"); }),
              "512 columns of tensor memory");
}

TEST(TensorMmaChecks, integers_are_not_on_every_chip) {
  TensorForm form{.kind = "kind::i8", .a = kS8, .b = kS8, .accumulator = "s32"};
  TensorRun run = prepare(form, randomProblem(form, 1));
  EXPECT_EQ(refusal(moduleText(run.text(), "sm_100a"), "sm_100a"), "");
  EXPECT_NE(refusal(moduleText(run.text(), "sm_103a"), "sm_103a"), "");
  EXPECT_NE(refusal(moduleText(run.text(), "sm_120a"), "sm_120a"), "");
}

// The planted mistakes: another swizzle than the data's, another scale than the one that was meant.
TEST(TensorMmaChecks, wrong_swizzle_and_wrong_scale_id_give_wrong_numbers) {
  TensorForm form{.kind = "kind::mxf4.block_scale", .a = kE2M1Packed, .b = kE2M1Packed, .scales = 2};
  Problem problem = randomProblem(form, 4);
  TensorRun right = prepare(form, problem), swizzle = right, id = right;
  TensorForm other = form;
  other.swizzleB = Canonical::Bytes64;
  swizzle.body = prepare(other, problem).body;
  other = form;
  other.idA = 2;
  id.body = prepare(other, problem).body;
  for (TensorRun *run : {&right, &swizzle, &id})
    run->run();
  EXPECT_EQ(right.fault, "");
  EXPECT_TRUE(!swizzle.fault.empty() || swizzle.after[0].cells != right.after[0].cells);
  EXPECT_TRUE(!id.fault.empty() || id.after[0].cells != right.after[0].cells);
}

} // namespace
} // namespace glm::ptx::test
