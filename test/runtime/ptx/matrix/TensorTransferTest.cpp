#include "test/runtime/ptx/matrix/Canonical.h"
#include "test/runtime/ptx/matrix/TensorKernel.h"
#include "test/runtime/ptx/matrix/WarpKernel.h"

#include <fmt/format.h>
#include <random>

namespace glm::ptx::test {
namespace {

struct Shape {
  const char *word;
  int registersPerRepeat, columnsPerRepeat, rows, mostRepeats;
};
constexpr Shape kShapes[] = {
    {"32x32b", 1, 1, 32, 128}, {"16x64b", 1, 2, 16, 128},   {"16x128b", 2, 4, 16, 64},
    {"16x256b", 4, 8, 16, 32}, {"16x32bx2", 1, 1, 16, 128},
};

/// Row and column of register r of lane l. PTX ISA, "Matrix fragments for shape ...", as Apache TVM's documentation of tcgen05.ld
/// writes the figures out.
std::pair<int, int> cellOf(const std::string &shape, int l, int r, int split) {
  if (shape == "32x32b")
    return {l, r};
  if (shape == "16x64b")
    return {l / 4 + 8 * (l % 2), l / 2 % 2 + 2 * r};
  if (shape == "16x128b")
    return {l / 4 + 8 * (r % 2), l % 4 + 4 * (r / 2)};
  if (shape == "16x256b")
    return {l / 4 + 8 * (r / 2 % 2), r % 2 + 2 * (l % 4) + 8 * (r / 4)};
  return {l % 16, r + (l < 16 ? 0 : split)};
}

TensorImage randomImage(uint64_t seed) {
  std::mt19937_64 generator(seed);
  TensorImage image;
  for (uint32_t &cell : image.cells)
    cell = static_cast<uint32_t>(generator());
  return image;
}

/// ".reg .b32 %q<N>" and one warp-wide load in a shape, then a store of these registers in rows of 32 lanes (32x32b) elsewhere.
std::string loadThenStore(const Shape &shape, int repeats, bool packs, int half, int split) {
  int registers = repeats * shape.registersPerRepeat;
  std::string extra = std::string(shape.word) == "16x32bx2" ? fmt::format(", {}", split) : "";
  std::string text =
      fmt::format("{{\n.reg .b32 %q<{}>;\n.reg .b32 %to;\nadd.u32 %to, %lanes, {};\n", registers, half << 20);
  text += fmt::format("tcgen05.ld.sync.aligned.{}.x{}{}.b32 {}, [%to]{};\ntcgen05.wait::ld.sync.aligned;\n", shape.word,
                      repeats, packs ? ".pack::16b" : "", vectorOf("%q", 0, registers), extra);
  text += "add.u32 %to, %lanes, 256;\n";
  text += fmt::format("tcgen05.st.sync.aligned.32x32b.x{}.b32 [%to], {};\ntcgen05.wait::st.sync.aligned;\n}}\n",
                      registers, vectorOf("%q", 0, registers));
  return text;
}

TEST(TensorTransfer, loads_in_every_shape) {
  for (const Shape &shape : kShapes)
    for (int repeats = 1; repeats <= shape.mostRepeats; repeats *= repeats < 4 ? 2 : 4)
      for (bool packs : {false, true})
        for (int half = 0; half < 2; ++half) {
          int split = 5, scale = packs ? 2 : 1;
          if (half == 1 && shape.rows == 32)
            continue;
          if ((repeats * shape.columnsPerRepeat + split) * scale > 256 || repeats * shape.registersPerRepeat > 128)
            continue;
          TensorRun run;
          run.tensor = {randomImage(static_cast<uint64_t>(repeats))};
          run.everyWarp = loadThenStore(shape, repeats, packs, half, split);
          run.run();
          ASSERT_EQ(run.fault, "") << shape.word << " x" << repeats;
          for (int warp = 0; warp < 4; ++warp)
            for (int lane = 0; lane < 32; ++lane)
              for (int r = 0; r < repeats * shape.registersPerRepeat; ++r) {
                auto [row, column] = cellOf(shape.word, lane, r, split);
                auto from = static_cast<uint32_t>(32 * warp + 16 * half + row);
                uint32_t expected = run.tensor[0].at(from, static_cast<uint32_t>(column * scale));
                if (packs)
                  expected = (expected & 0xffff) | run.tensor[0].at(from, static_cast<uint32_t>(column * 2 + 1)) << 16;
                ASSERT_EQ(run.after[0].at(static_cast<uint32_t>(32 * warp + lane), static_cast<uint32_t>(256 + r)),
                          expected)
                    << shape.word << " x" << repeats << " warp " << warp << " lane " << lane << " register " << r;
              }
        }
}

TEST(TensorTransfer, stores_in_every_shape) {
  for (const Shape &shape : kShapes)
    for (int repeats = 1; repeats <= shape.mostRepeats; repeats *= repeats < 4 ? 2 : 4)
      for (bool unpacks : {false, true}) {
        // The halves of .16x32bx2 side by side: where they overlap, nothing says which one stays.
        int registers = repeats * shape.registersPerRepeat, split = repeats, scale = unpacks ? 2 : 1;
        if ((repeats * shape.columnsPerRepeat + split) * scale > 256 || registers > 128)
          continue;
        TensorRun run;
        run.tensor = {randomImage(static_cast<uint64_t>(100 + repeats))};
        std::string extra = std::string(shape.word) == "16x32bx2" ? fmt::format("{}, ", split) : "";
        run.everyWarp =
            fmt::format("{{\n.reg .b32 %q<{}>;\n.reg .b32 %to;\nadd.u32 %to, %lanes, "
                        "256;\ntcgen05.ld.sync.aligned.32x32b.x{}.b32 {}, [%to];\n"
                        "tcgen05.wait::ld.sync.aligned;\ntcgen05.st.sync.aligned.{}.x{}{}.b32 [%lanes], {}{};\n"
                        "tcgen05.wait::st.sync.aligned;\n}}\n",
                        registers, registers, vectorOf("%q", 0, registers), shape.word, repeats,
                        unpacks ? ".unpack::16b" : "", extra, vectorOf("%q", 0, registers));
        run.run();
        ASSERT_EQ(run.fault, "") << shape.word << " x" << repeats;
        TensorImage expected = run.tensor[0];
        for (int warp = 0; warp < 4; ++warp)
          for (int lane = 0; lane < 32; ++lane)
            for (int r = 0; r < registers; ++r) {
              auto [row, column] = cellOf(shape.word, lane, r, split);
              uint32_t value =
                  run.tensor[0].at(static_cast<uint32_t>(32 * warp + lane), static_cast<uint32_t>(256 + r));
              auto to = static_cast<uint32_t>(32 * warp + row), at = static_cast<uint32_t>(column * scale);
              expected.at(to, at) = unpacks ? value & 0xffff : value;
              if (unpacks)
                expected.at(to, at + 1) = value >> 16;
            }
        ASSERT_EQ(run.after[0].cells, expected.cells) << shape.word << " x" << repeats << (unpacks ? " unpack" : "");
      }
}

struct Copy {
  const char *words;
  uint32_t rows, chunks;
  std::vector<uint32_t> (*lanes)(uint32_t row);
};
using Lanes = std::vector<uint32_t>;
/// PTX ISA, "tcgen05.cp": which lanes a row of shared memory goes to.
const Copy kCopies[] = {
    {"128x256b", 128, 2, [](uint32_t r) { return Lanes{r}; }},
    {"128x128b", 128, 1, [](uint32_t r) { return Lanes{r}; }},
    {"4x256b", 4, 2, [](uint32_t r) { return Lanes{32 * r}; }},
    {"64x128b.warpx2::02_13", 64, 1, [](uint32_t r) { return Lanes{r, r + 64}; }},
    {"64x128b.warpx2::01_23", 64, 1, [](uint32_t r) { return r < 32 ? Lanes{r, r + 32} : Lanes{r + 32, r + 64}; }},
    {"32x128b.warpx4", 32, 1, [](uint32_t r) { return Lanes{r, r + 32, r + 64, r + 96}; }},
};

TensorRun copyRun(const Copy &copy, const std::string &format, Canonical::Swizzle swizzle, uint32_t blocks) {
  TensorRun run;
  run.blocks = blocks;
  run.columns = 16;
  std::mt19937_64 generator(copy.rows);
  for (uint32_t block = 0; block < blocks; ++block) {
    std::vector<uint8_t> &bytes = run.shared.emplace_back(16 * 1024);
    for (uint8_t &byte : bytes)
      byte = static_cast<uint8_t>(generator());
    run.tensor.push_back(randomImage(block));
  }
  Canonical layout = tightLayout(swizzle, false, 1, copy.rows, 0);
  run.body =
      fmt::format("or.b64 %d0, %smem16, {:#x};\nadd.u32 %r0, %tm, 4;\ntcgen05.cp.cta_group::{}.{}{} [%r0], %d0;\n",
                  layout.tcgen05Fields(), blocks, copy.words, format);
  run.run();
  return run;
}

TEST(TensorTransfer, copies_from_shared_memory) {
  for (const Copy &copy : kCopies)
    for (uint32_t blocks : {1u, 2u})
      for (const char *format : {"", ".b8x16.b6x16_p32", ".b8x16.b4x16_p64"})
        for (Canonical::Swizzle swizzle : {Canonical::None, Canonical::Bytes128}) {
          TensorRun run = copyRun(copy, format, swizzle, blocks);
          ASSERT_EQ(run.fault, "") << copy.words << format;
          Canonical layout = tightLayout(swizzle, false, 1, copy.rows, 0);
          int width = std::string(format).find("b6") != std::string::npos   ? 6
                      : std::string(format).find("b4") != std::string::npos ? 4
                                                                            : 8;
          for (uint32_t block = 0; block < blocks; ++block) {
            TensorImage expected = run.tensor[block];
            for (uint32_t row = 0; row < copy.rows; ++row)
              for (uint32_t element = 0; element < 16 * copy.chunks; ++element) {
                // 4 bits go to the middle of their byte, where tcgen05.mma reads them (PTX ISA, "Decompression").
                uint32_t code = 0, chunk = layout.at(row, element / 16 * 16);
                for (uint32_t bit = 0; bit < static_cast<uint32_t>(width); ++bit) {
                  uint32_t place = element % 16 * static_cast<uint32_t>(width) + bit;
                  code |= static_cast<uint32_t>(run.shared[block][chunk + place / 8] >> place % 8 & 1) << bit;
                }
                if (width == 4)
                  code <<= 2;
                for (uint32_t lane : copy.lanes(row)) {
                  uint32_t &cell = expected.at(lane, 4 + element / 4);
                  cell = (cell & ~(255u << element % 4 * 8)) | code << element % 4 * 8;
                }
              }
            for (uint32_t lane = 0; lane < 128; ++lane)
              for (uint32_t column = 0; column < run.columns; ++column)
                ASSERT_EQ(run.after[block].at(lane, column), expected.at(lane, column))
                    << copy.words << format << " block " << block << " lane " << lane << " column " << column;
          }
        }
}

TEST(TensorTransfer, shift_moves_rows_down) {
  for (uint32_t blocks : {1u, 2u}) {
    TensorRun run;
    run.blocks = blocks;
    run.columns = 24;
    for (uint32_t block = 0; block < blocks; ++block)
      run.tensor.push_back(randomImage(40 + block));
    run.body = fmt::format("add.u32 %r0, %tm, {};\ntcgen05.shift.cta_group::{}.down [%r0];\n", (32u << 16) + 8, blocks);
    run.run();
    ASSERT_EQ(run.fault, "");
    for (uint32_t block = 0; block < blocks; ++block)
      for (uint32_t lane = 0; lane < 128; ++lane)
        for (uint32_t column = 0; column < 24; ++column) {
          bool moved = lane > 32 && lane < 64 && column >= 8 && column < 16;
          ASSERT_EQ(run.after[block].at(lane, column), run.tensor[block].at(moved ? lane - 1 : lane, column))
              << lane << ", " << column;
        }
  }
}

// What a program does wrong, and what the machine says.

std::string faultOf(const std::string &everyWarp, const std::string &leftOut = "", uint32_t columns = 512) {
  TensorRun run;
  run.columns = columns;
  run.tensor = {randomImage(1)};
  run.everyWarp = everyWarp;
  run.leftOut = leftOut;
  run.run();
  return run.fault;
}

void expectFault(const std::string &fault, const std::string &part) {
  EXPECT_NE(fault.find(part), std::string::npos) << "found: " << fault;
}

TEST(TensorChecks, nothing_to_say) { EXPECT_EQ(faultOf(""), ""); }

TEST(TensorChecks, lanes_of_another_warp) {
  expectFault(faultOf("tcgen05.ld.sync.aligned.32x32b.x1.b32 {%r0}, [%tm];\n"), "must touch lanes");
  expectFault(faultOf("add.u32 %r1, %lanes, 0x180000;\ntcgen05.ld.sync.aligned.16x64b.x1.b32 {%r0}, [%r1];\n"),
              "must touch lanes");
}

TEST(TensorChecks, out_of_range) {
  expectFault(faultOf("add.u32 %r1, %lanes, 511;\ntcgen05.ld.sync.aligned.32x32b.x2.b32 {%r0, %r2}, [%r1];\n"),
              "512 columns of tensor memory");
}

TEST(TensorChecks, never_written) {
  expectFault(faultOf("add.u32 %r1, %lanes, 64;\ntcgen05.ld.sync.aligned.32x32b.x1.b32 {%r0}, [%r1];\n", "", 64),
              "never written");
}

TEST(TensorChecks, load_without_wait) {
  // Its register is overwritten before it came.
  expectFault(
      faultOf(
          "tcgen05.ld.sync.aligned.32x32b.x1.b32 {%r0}, [%lanes];\nmov.b32 %r0, 1;\ntcgen05.wait::ld.sync.aligned;\n"),
      "before tcgen05.wait::ld");
  TensorRun run;
  run.columns = 8;
  run.tensor = {randomImage(1)};
  run.leftOut = "waitld";
  run.run();
  expectFault(run.fault, "must hold a value before it is read");
}

TEST(TensorChecks, memory_that_is_not_given_back) {
  expectFault(faultOf("", "dealloc"), "must be given back by tcgen05.dealloc before its block ends");
}

TEST(TensorChecks, store_without_wait_is_not_seen) {
  expectFault(faultOf("tcgen05.ld.sync.aligned.32x32b.x1.b32 {%r0}, [%lanes];\n", "waitst"), "never written");
}

std::string allocationFault(const std::string &body) {
  return WarpKernel("sm_100a", {}, {},
                    ".shared .align 4 .b32 slot;\n.reg .b32 %s, %t, %u, %n;\nmov.u32 %s, slot;\n" + body)
      .failure({});
}
constexpr const char *kAllocate64 = "tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [%s], 64;\n";
constexpr const char *kFree64 = "ld.shared.b32 %t, [%s];\ntcgen05.dealloc.cta_group::1.sync.aligned.b32 %t, 64;\n";

TEST(TensorChecks, allocation) {
  EXPECT_EQ(allocationFault(std::string(kAllocate64) + kFree64), "");
  expectFault(allocationFault("mov.b32 %n, 48;\ntcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [%s], %n;\n"),
              "power of two from 32 to 512");
  expectFault(
      allocationFault("tcgen05.relinquish_alloc_permit.cta_group::1.sync.aligned;\n" + std::string(kAllocate64)),
      "relinquish_alloc_permit");
  expectFault(allocationFault(std::string(kAllocate64) + "ld.shared.b32 %t, [%s];\n"
                                                         "tcgen05.dealloc.cta_group::1.sync.aligned.b32 %t, 128;\n"),
              "must give back what tcgen05.alloc gave");
  expectFault(allocationFault(std::string(kAllocate64) + kFree64 + kFree64), "must give back what tcgen05.alloc gave");
  expectFault(allocationFault(std::string(kAllocate64) + kFree64 + kAllocate64),
              "must be given back by tcgen05.dealloc before its block ends, but found 64 columns in use, the first 0");
}

// 512 columns are all there is; who asks for more waits until they come back.
TEST(TensorChecks, allocation_waits) {
  expectFault(allocationFault("mov.b32 %n, 512;\ntcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [%s], %n;\n" +
                              std::string(kAllocate64)),
              "tcgen05.alloc of 64 columns");
}

TEST(TensorChecks, not_on_other_chips) {
  for (const char *chip : {"sm_90a", "sm_120a"})
    EXPECT_NE(WarpKernel(chip, {}, {}, "tcgen05.fence::after_thread_sync;").failure({}), "") << chip;
}

} // namespace
} // namespace glm::ptx::test
