#include "test/runtime/ptx/async/Kernel.h"

#include <cstring>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

namespace glm::ptx {
namespace {

using test::run;
using test::waitFor;

/// A tensor of 32-bit elements in memory of its own: element (c0, c1, ...) is a number that names it.
struct Tensor {
  TensorMap map;
  std::unique_ptr<test::Memory> memory;

  Tensor(std::vector<uint64_t> dims, std::vector<uint32_t> box, Swizzle swizzle = Swizzle::None,
         std::vector<uint32_t> elementStrides = {}) {
    map.type = TensorType::U32;
    map.rank = static_cast<uint32_t>(dims.size());
    map.swizzle = swizzle;
    uint64_t bytes = (dims[0] * 4 + 15) / 16 * 16;
    for (uint32_t dim = 0; dim < map.rank; ++dim) {
      map.dims[dim] = dims[dim];
      map.box[dim] = box[dim];
      map.elementStrides[dim] = elementStrides.empty() ? 1 : elementStrides[dim];
      if (dim > 0) {
        map.strides[dim - 1] = bytes;
        bytes *= dims[dim];
      }
    }
    memory = std::make_unique<test::Memory>(bytes);
    map.globalAddress = memory->address();
    uint32_t value = 1000;
    for (uint32_t &word : memory->as<uint32_t>())
      word = value++;
  }
  bool contains(const std::array<int64_t, 5> &at) const {
    for (uint32_t dim = 0; dim < map.rank; ++dim)
      if (at[dim] < 0 || at[dim] >= static_cast<int64_t>(map.dims[dim]))
        return false;
    return true;
  }
  /// Stores end with whole 16 bytes, here of the padding of a row.
  bool isStored(std::array<int64_t, 5> at) const {
    at[0] = at[0] / 4 * 4;
    return contains(at);
  }
  uint32_t &at(const std::array<int64_t, 5> &at) const {
    uint64_t offset = static_cast<uint64_t>(at[0]) * 4;
    for (uint32_t dim = 1; dim < map.rank; ++dim)
      offset += static_cast<uint64_t>(at[dim]) * map.strides[dim - 1];
    return memory->as<uint32_t>()[offset / 4];
  }
};

/// Chunks of 16 bytes change places within rows of 128 as the pictures of the PTX ISA show (SwizzleTest proves them).
uint32_t swizzled(Swizzle swizzle, uint32_t offset) { return swizzledAddress(swizzle, offset); }

/// Element `index` of a box (innermost first): its coordinates, and its place in an unswizzled box whose rows take `pitch`.
struct BoxElement {
  std::array<int64_t, 5> at;
  uint32_t offset;
};
std::vector<BoxElement> elementsOf(const TensorMap &map, std::vector<int32_t> start) {
  std::vector<BoxElement> elements;
  start.resize(5, 0);
  auto count = [&](uint32_t dim) {
    return dim == 0         ? map.box[0]
           : dim < map.rank ? (map.box[dim] + map.elementStrides[dim] - 1) / map.elementStrides[dim]
                            : 1u;
  };
  auto step = [&](uint32_t dim) { return dim == 0 || dim >= map.rank ? 1 : int64_t{map.elementStrides[dim]}; };
  uint32_t pitch = std::max(map.box[0] * 4, swizzleSpan(map.swizzle)), row = 0;
  for (uint32_t e = 0; e < count(4); ++e)
    for (uint32_t d = 0; d < count(3); ++d)
      for (uint32_t c = 0; c < count(2); ++c)
        for (uint32_t b = 0; b < count(1); ++b, ++row)
          for (uint32_t a = 0; a < count(0); ++a)
            elements.push_back({{start[0] + int64_t{a}, start[1] + b * step(1), start[2] + c * step(2),
                                 start[3] + d * step(3), start[4] + e * step(4)},
                                row * pitch + a * 4});
  return elements;
}

/// 2048 words of shared memory to `%d1`, by 32 threads.
const std::string kDump = R"(
  shl.b32 %r40, %r0, 2;
  add.u32 %r41, %r3, %r40;
  cvt.u64.u32 %d40, %r40;
  add.u64 %d40, %d1, %d40;
  mov.b32 %r43, 0;
dump:
  ld.shared.u32 %r42, [%r41];
  st.global.u32 [%d40], %r42;
  add.u32 %r41, %r41, 128;
  add.u64 %d40, %d40, 128;
  add.u32 %r43, %r43, 1;
  setp.lt.u32 %p6, %r43, 64;
  @%p6 bra dump;
)";
/// Marks 2048 words of shared memory, and sets up bars[0] for one arrival.
const std::string kMark = R"(
  setp.eq.u32 %p1, %r0, 0;
  @%p1 mbarrier.init.shared.b64 [bars], 1;
  shl.b32 %r40, %r0, 2;
  add.u32 %r41, %r3, %r40;
  mov.b32 %r43, 0;
mark:
  st.shared.u32 [%r41], 7;
  add.u32 %r41, %r41, 128;
  add.u32 %r43, %r43, 1;
  setp.lt.u32 %p6, %r43, 64;
  @%p6 bra mark;
  fence.proxy.async;
  bar.sync 0;
)";

/// "{%r10, %r11}" of coordinates, and the moves that set them.
std::string coordinatesFrom(const std::vector<int32_t> &start, std::string &moves) {
  std::string list;
  for (size_t i = 0; i < start.size(); ++i) {
    moves += fmt::format("  mov.b32 %r{}, {};\n", 10 + i, start[i]);
    list += fmt::format("{}%r{}", i ? ", " : "", 10 + i);
  }
  return "{" + list + "}";
}

/// A load of a box, with `words` between the dimension and the operands; what shared memory holds afterwards must be the box
/// where it belongs and the mark elsewhere.
void expectLoad(const Tensor &tensor, const std::vector<int32_t> &start, std::string_view words,
                std::string_view more = "", std::string_view target = "sm_100a") {
  test::Memory out(8192);
  std::vector<BoxElement> elements = elementsOf(tensor.map, start);
  std::string moves, list = coordinatesFrom(start, moves);
  std::string body = kMark + moves +
                     fmt::format("  @%p1 mbarrier.arrive.expect_tx.shared.b64 _, [bars], {};\n"
                                 "  mov.b16 %h1, 1;\n"
                                 "  @%p1 cp.async.bulk.tensor.{}d{} [%r3], [%d4, {}], [%r4]{};\n",
                                 elements.size() * 4, tensor.map.rank, words, list, more) +
                     waitFor("%r4", "0", "a") + kDump;
  ASSERT_EQ(run(body, {}, {{0, out.address(), 0, 0}, {test::encoded(tensor.map), {}}}, target), "") << words;
  std::vector<uint32_t> expected(2048, 7);
  for (const BoxElement &element : elements)
    expected[swizzled(tensor.map.swizzle, element.offset) / 4] =
        tensor.contains(element.at) ? tensor.at(element.at) : 0;
  for (uint32_t i = 0; i < 2048; ++i)
    ASSERT_EQ(out.as<uint32_t>()[i], expected[i]) << words << " word " << i;
}

TEST(TensorFormsTest, boxesOfOneToFiveDimensions) {
  const std::string words = ".shared::cta.global.mbarrier::complete_tx::bytes";
  expectLoad(Tensor({100}, {64}), {20}, words);
  expectLoad(Tensor({100}, {64}), {-20}, words);
  expectLoad(Tensor({50, 20}, {32, 8}), {8, 5}, words);
  expectLoad(Tensor({50, 20}, {32, 8}), {32, 16}, words);
  expectLoad(Tensor({12, 6, 5}, {8, 4, 3}), {-4, 3, -1}, words);
  expectLoad(Tensor({12, 6, 5, 4}, {4, 2, 3, 2}), {4, 5, 1, 3}, words);
  expectLoad(Tensor({8, 3, 4, 3, 5}, {4, 2, 2, 2, 3}), {4, 1, -1, 2, 3}, words);
}

TEST(TensorFormsTest, everySpellingOfALoad) {
  struct Row {
    const char *words, *more;
  };
  const Row rows[] = {
      {".shared::cta.global.tile.mbarrier::complete_tx::bytes", ""},
      {".shared::cta.global.mbarrier::complete_tx::bytes.L2::cache_hint", ", %d2"},
      {".shared::cta.global.tile.mbarrier::complete_tx::bytes.cta_group::1", ""},
      {".shared::cta.global.tile.mbarrier::complete_tx::bytes.cta_group::2.L2::cache_hint", ", %d2"},
      {".shared::cluster.global.mbarrier::complete_tx::bytes", ""},
      {".shared::cluster.global.tile.mbarrier::complete_tx::bytes.L2::cache_hint", ", %d2"},
      {".shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster", ", %h1"},
      {".shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster.L2::cache_hint", ", %h1, %d2"},
      {".shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster.cta_group::1", ", %h1"},
      {".shared::cluster.global.mbarrier::complete_tx::bytes.cta_group::1.L2::cache_hint", ", %d2"},
      {".cta_group::1.shared::cluster.global.mbarrier::complete_tx::bytes", ""},
      {".cta_group::1.shared::cta.global.tile.mbarrier::complete_tx::bytes.L2::cache_hint", ", %d2"},
      {".cta_group::2.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster.L2::cache_hint",
       ", %h1, %d2"},
  };
  for (const Row &row : rows)
    expectLoad(Tensor({50, 20}, {16, 8}), {4, 2}, row.words, row.more);
  expectLoad(Tensor({50, 20}, {16, 8}), {4, 2}, ".shared::cluster.global.mbarrier::complete_tx::bytes", "", "sm_90a");
}

TEST(TensorFormsTest, swizzles) {
  const std::string words = ".shared::cta.global.mbarrier::complete_tx::bytes";
  expectLoad(Tensor({64, 40}, {8, 32}, Swizzle::B32), {4, 4}, words);
  expectLoad(Tensor({64, 40}, {16, 32}, Swizzle::B64), {4, 4}, words);
  for (Swizzle swizzle : {Swizzle::B128, Swizzle::B128Atom32, Swizzle::B128Atom32Flip8, Swizzle::B128Atom64})
    expectLoad(Tensor({64, 40}, {32, 32}, swizzle), {8, 20}, words);
  // Rows that are narrower than their swizzle lie as far apart as it is wide.
  expectLoad(Tensor({64, 40}, {16, 32}, Swizzle::B128), {8, 20}, words);
  expectLoad(Tensor({64, 40}, {4, 16}, Swizzle::B32), {8, 20}, words);
}

TEST(TensorFormsTest, everyOtherElement) {
  expectLoad(Tensor({64, 40, 9}, {16, 10, 5}, Swizzle::None, {1, 3, 2}), {8, 20, 3},
             ".shared::cta.global.mbarrier::complete_tx::bytes");
}

TEST(TensorFormsTest, rowsAreGathered) {
  struct Row {
    const char *words, *more;
  };
  const Row rows[] = {
      {".shared::cta.global.tile::gather4.mbarrier::complete_tx::bytes", ""},
      {".shared::cta.global.tile::gather4.mbarrier::complete_tx::bytes.L2::cache_hint", ", %d2"},
      {".shared::cta.global.tile::gather4.mbarrier::complete_tx::bytes.cta_group::1", ""},
      {".shared::cluster.global.tile::gather4.mbarrier::complete_tx::bytes", ""},
      {".shared::cluster.global.tile::gather4.mbarrier::complete_tx::bytes.multicast::cluster.cta_group::1.L2::cache_"
       "hint",
       ", %h1, %d2"},
      {".cta_group::2.shared::cluster.global.tile::gather4.mbarrier::complete_tx::bytes", ""},
  };
  for (const Row &row : rows) {
    Tensor tensor({50, 20}, {16, 1});
    test::Memory out(8192);
    const int32_t rowsTaken[] = {19, 3, -1, 3};
    std::string body = kMark +
                       fmt::format(R"(
  @%p1 mbarrier.arrive.expect_tx.shared.b64 _, [bars], 256;
  mov.b32 %r10, 40;
  mov.b32 %r11, 19;
  mov.b32 %r12, 3;
  mov.b32 %r13, -1;
  mov.b16 %h1, 1;
  @%p1 cp.async.bulk.tensor.2d{} [%r3], [%d4, {{%r10, %r11, %r12, %r13, %r12}}], [%r4]{};
)",
                                   row.words, row.more) +
                       waitFor("%r4", "0", "a") + kDump;
    ASSERT_EQ(run(body, {}, {{0, out.address(), 0, 0}, {test::encoded(tensor.map), {}}}), "") << row.words;
    for (uint32_t i = 0; i < 64; ++i) {
      std::array<int64_t, 5> at{40 + int64_t{i % 16}, rowsTaken[i / 16], 0, 0, 0};
      ASSERT_EQ(out.as<uint32_t>()[i], tensor.contains(at) ? tensor.at(at) : 0) << row.words << " " << i;
    }
    ASSERT_EQ(out.as<uint32_t>()[64], 7u);
  }
}

TEST(TensorFormsTest, multicastOfAPairTellsTheNamedBlock) {
  // Block 1 of a pair loads for both; with .cta_group::2 and the mbarrier of block 0, block 0 hears of both copies.
  Tensor tensor({50, 20}, {16, 8});
  test::Memory out(2 * 8192);
  std::string body = kMark + R"(
  setp.eq.and.u32 %p2, %r2, 0, %p1;
  @%p2 mbarrier.arrive.expect_tx.shared.b64 _, [bars], 1024;
  barrier.cluster.arrive.release;
  barrier.cluster.wait.acquire;
  setp.eq.and.u32 %p2, %r2, 1, %p1;
  and.b32 %r20, %r4, 0xfeffffff;
  mov.b16 %h1, 3;
  mov.b32 %r10, 4;
  mov.b32 %r11, 2;
  @%p2 cp.async.bulk.tensor.2d.cta_group::2.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%r3], [%d4, {%r10, %r11}], [%r20], %h1;
  setp.ne.u32 %p2, %r2, 0;
  @%p2 bra joined;
)" + waitFor("%r4", "0", "a") +
                     R"(
joined:
  barrier.cluster.arrive.release;
  barrier.cluster.wait.acquire;
  mul.wide.u32 %d41, %r2, 8192;
  add.u64 %d1, %d1, %d41;
)" + kDump;
  ASSERT_EQ(run(body, {.grid = 2, .cluster = 2}, {{0, out.address(), 0, 0}, {test::encoded(tensor.map), {}}}), "");
  for (uint32_t block = 0; block < 2; ++block)
    for (uint32_t i = 0; i < 128; ++i)
      ASSERT_EQ(out.as<uint32_t>()[block * 2048 + i], tensor.at({4 + i % 16, 2 + i / 16, 0, 0, 0}));
}

/// Fills 2048 words of shared memory with their index plus 50000, visible to copies.
const std::string kFill = R"(
  setp.eq.u32 %p1, %r0, 0;
  shl.b32 %r40, %r0, 2;
  add.u32 %r41, %r3, %r40;
  add.u32 %r42, %r0, 50000;
  mov.b32 %r43, 0;
fill:
  st.shared.u32 [%r41], %r42;
  add.u32 %r41, %r41, 128;
  add.u32 %r42, %r42, 32;
  add.u32 %r43, %r43, 1;
  setp.lt.u32 %p6, %r43, 64;
  @%p6 bra fill;
  fence.proxy.async.shared::cta;
  bar.sync 0;
)";

/// A store of a box; `combine` is what a reduction makes of the element that was there.
void expectStore(Tensor &tensor, const std::vector<int32_t> &start, std::string_view mnemonic, std::string_view words,
                 uint32_t (*combine)(uint32_t, uint32_t), std::string_view more = "") {
  std::span<uint32_t> memory = tensor.memory->as<uint32_t>();
  std::vector<uint32_t> expected(memory.begin(), memory.end());
  for (const BoxElement &element : elementsOf(tensor.map, start))
    if (tensor.isStored(element.at)) {
      uint32_t &word = expected[static_cast<size_t>(&tensor.at(element.at) - memory.data())];
      word = combine(word, 50000 + swizzled(tensor.map.swizzle, element.offset) / 4);
    }
  std::string moves, list = coordinatesFrom(start, moves);
  std::string body = kFill + moves +
                     fmt::format("  @%p1 {}.{}d{} [%d4, {}], [%r3]{};\n  cp.async.bulk.commit_group;\n"
                                 "  cp.async.bulk.wait_group 0;\n",
                                 mnemonic, tensor.map.rank, words, list, more);
  ASSERT_EQ(run(body, {}, {{}, {test::encoded(tensor.map), {}}}), "") << words;
  for (size_t i = 0; i < memory.size(); ++i)
    ASSERT_EQ(memory[i], expected[i]) << words << " word " << i;
}

TEST(TensorFormsTest, boxesAreStored) {
  auto replace = [](uint32_t, uint32_t b) { return b; };
  for (std::string_view words : {".global.shared::cta.bulk_group", ".global.shared::cta.tile.bulk_group"}) {
    Tensor one({100}, {64}), two({50, 20}, {32, 8}), three({12, 6, 5}, {8, 4, 3});
    expectStore(one, {60}, "cp.async.bulk.tensor", words, replace);
    expectStore(two, {32, 16}, "cp.async.bulk.tensor", words, replace);
    expectStore(three, {8, 3, 3}, "cp.async.bulk.tensor", words, replace);
  }
  Tensor hinted({50, 20}, {32, 8}, Swizzle::B128), five({8, 3, 4, 3, 5}, {4, 2, 2, 2, 3}),
      four({8, 3, 4, 3}, {4, 2, 2, 2});
  expectStore(hinted, {4, 2}, "cp.async.bulk.tensor", ".global.shared::cta.tile.bulk_group.L2::cache_hint", replace,
              ", %d2");
  expectStore(five, {4, 1, 3, 2, 3}, "cp.async.bulk.tensor", ".global.shared::cta.bulk_group", replace);
  expectStore(four, {4, 1, 3, 2}, "cp.async.bulk.tensor", ".global.shared::cta.bulk_group", replace);
}

TEST(TensorFormsTest, boxesAreReduced) {
  struct Row {
    const char *op;
    uint32_t (*combine)(uint32_t, uint32_t);
  };
  const Row rows[] = {
      {"add", [](uint32_t a, uint32_t b) { return a + b; }},
      {"min", [](uint32_t a, uint32_t b) { return std::min(a, b); }},
      {"max", [](uint32_t a, uint32_t b) { return std::max(a, b); }},
      {"inc", [](uint32_t a, uint32_t b) { return a >= b ? 0 : a + 1; }},
      {"dec", [](uint32_t a, uint32_t b) { return a == 0 || a > b ? b : a - 1; }},
      {"and", [](uint32_t a, uint32_t b) { return a & b; }},
      {"or", [](uint32_t a, uint32_t b) { return a | b; }},
      {"xor", [](uint32_t a, uint32_t b) { return a ^ b; }},
  };
  for (const Row &row : rows) {
    Tensor tensor({50, 20}, {32, 8});
    expectStore(tensor, {32, 16}, "cp.reduce.async.bulk.tensor",
                fmt::format(".global.shared::cta.{}.tile.bulk_group.L2::cache_hint", row.op), row.combine, ", %d2");
    Tensor short3({12, 6, 5}, {8, 4, 3});
    expectStore(short3, {8, 3, 3}, "cp.reduce.async.bulk.tensor",
                fmt::format(".global.shared::cta.{}.bulk_group", row.op), row.combine);
  }
}

TEST(TensorFormsTest, rowsAreScattered) {
  for (bool hinted : {false, true}) {
    Tensor tensor({50, 20}, {16, 1});
    std::span<uint32_t> memory = tensor.memory->as<uint32_t>();
    std::vector<uint32_t> expected(memory.begin(), memory.end());
    const int32_t rows[] = {19, 3, 25, 4};
    for (uint32_t i = 0; i < 64; ++i)
      if (std::array<int64_t, 5> at{40 + int64_t{i % 16}, rows[i / 16], 0, 0, 0}; tensor.isStored(at))
        expected[static_cast<size_t>(&tensor.at(at) - memory.data())] = 50000 + i;
    std::string body = kFill + fmt::format(R"(
  mov.b32 %r10, 40;
  mov.b32 %r11, 19;
  mov.b32 %r12, 3;
  mov.b32 %r13, 25;
  mov.b32 %r14, 4;
  @%p1 cp.async.bulk.tensor.2d.global.shared::cta.tile::scatter4.bulk_group{} [%d4, {{%r10, %r11, %r12, %r13, %r14}}], [%r3]{};
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group 0;
)",
                                           hinted ? ".L2::cache_hint" : "", hinted ? ", %d2" : "");
    ASSERT_EQ(run(body, {}, {{}, {test::encoded(tensor.map), {}}}), "");
    for (size_t i = 0; i < memory.size(); ++i)
      ASSERT_EQ(memory[i], expected[i]) << i;
  }
}

TEST(TensorFormsTest, prefetchesOnlyCheck) {
  Tensor tensor({50, 20}, {16, 1});
  EXPECT_EQ(run("  mov.b32 %r10, 0;\n"
                "  cp.async.bulk.prefetch.tensor.2d.L2.global [%d4, {%r10, %r10}];\n"
                "  cp.async.bulk.prefetch.tensor.2d.L2.global.tile.L2::cache_hint [%d4, {%r10, %r10}], %d2;\n"
                "  cp.async.bulk.prefetch.tensor.2d.L2.global.tile::gather4 [%d4, {%r10, %r10, %r10, %r10, %r10}];\n",
                {}, {{}, {test::encoded(tensor.map), {}}}),
            "");
}

} // namespace
} // namespace glm::ptx
