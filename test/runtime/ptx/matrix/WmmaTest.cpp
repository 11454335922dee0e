// wmma: how elements are spread over registers is the machine's own business, so that everything goes through memory.
#include "test/runtime/ptx/matrix/Formats.h"
#include "test/runtime/ptx/matrix/WarpKernel.h"

#include <fmt/format.h>

namespace glm::ptx::test {
namespace {

struct WmmaForm {
  int m, n, k;
  Format element;
  std::string typeC = "f32", typeD = "f32";
  std::string mma; ///< the instruction's words after the shape
  int registersA, registersB;
  std::string space = "global";
};

int accumulatorBitsOf(const std::string &type) { return type == "f16" ? 16 : type == "f64" ? 64 : 32; }
int accumulatorCount(const WmmaForm &form, const std::string &type) {
  return form.m * form.n / (type == "f16" ? 64 : 32);
}
std::string held(const std::string &type) { return type == "f16" ? "b32" : type; }

/// A matrix in memory: `lines` of `length` elements, `stride` apart.
struct Stored {
  int bits = 0, stride = 0;
  bool isColumns = false;
  std::vector<uint8_t> bytes;

  Stored(int rows, int columns, int bits, bool isColumns)
      : bits(bits), stride((isColumns ? rows : columns) + 128 / bits), isColumns(isColumns),
        bytes(static_cast<size_t>((isColumns ? columns : rows) * stride * bits / 8)) {}
  size_t bitAt(int row, int column) const {
    return static_cast<size_t>((isColumns ? column * stride + row : row * stride + column)) * static_cast<size_t>(bits);
  }
  void put(int row, int column, uint64_t code) {
    size_t bit = bitAt(row, column);
    for (int i = 0; i < bits; ++i, ++bit)
      bytes[bit / 8] = static_cast<uint8_t>((bytes[bit / 8] & ~(1u << bit % 8)) | (code >> i & 1) << bit % 8);
  }
  uint64_t get(int row, int column) const {
    uint64_t code = 0;
    size_t bit = bitAt(row, column);
    for (int i = 0; i < bits; ++i, ++bit)
      code |= static_cast<uint64_t>(bytes[bit / 8] >> bit % 8 & 1) << i;
    return code;
  }
};

std::string registerNames(const char *name, int count) { return vectorOf(fmt::format("%{}", name), 0, count); }

/// Small whole numbers, so that every sum is exact.
void check(const WmmaForm &form, bool columnA, bool columnB, bool columnC, bool layoutFirst = true) {
  auto words = [&](bool isColumn) {
    std::string shape = fmt::format("m{}n{}k{}", form.m, form.n, form.k), layout = isColumn ? "col" : "row";
    return layoutFirst ? layout + "." + shape : shape + "." + layout;
  };
  std::string word = form.element.word;
  Stored a(form.m, form.k, form.element.storage, columnA), b(form.k, form.n, form.element.storage, columnB);
  Stored c(form.m, form.n, accumulatorBitsOf(form.typeC), columnC),
      d(form.m, form.n, accumulatorBitsOf(form.typeD), columnC);
  int countC = accumulatorCount(form, form.typeC), countD = accumulatorCount(form, form.typeD);
  std::string space = form.space.empty() ? "" : "." + form.space;
  std::string text = fmt::format(".visible .entry k(.param .u64 pa, .param .u64 pb, .param .u64 pc, .param .u64 "
                                 "pd)\n{{\n.reg .b64 %a, %b, %c, %d;\n"
                                 ".reg .{} %fa<{}>, %fb<{}>;\n.reg .{} %fc<{}>;\n.reg .{} %fd<{}>;\nld.param.u64 %a, "
                                 "[pa];\nld.param.u64 %b, [pb];\n"
                                 "ld.param.u64 %c, [pc];\nld.param.u64 %d, [pd];\n",
                                 form.element.storage == 64 ? "f64" : "b32", form.registersA, form.registersB,
                                 held(form.typeC), countC, held(form.typeD), countD);
  text += fmt::format("wmma.load.a.sync.aligned.{}{}.{} {}, [%a], {};\n", words(columnA), space, word,
                      registerNames("fa", form.registersA), a.stride);
  text += fmt::format("wmma.load.b.sync.aligned.{}{}.{} {}, [%b], {};\n", words(columnB), space, word,
                      registerNames("fb", form.registersB), b.stride);
  text += fmt::format("wmma.load.c.sync.aligned.{}{}.{} {}, [%c], {};\n", words(columnC), space, form.typeC,
                      registerNames("fc", countC), c.stride);
  text += fmt::format("wmma.mma.{} {}, {}, {}, {};\n", form.mma, registerNames("fd", countD),
                      registerNames("fa", form.registersA), registerNames("fb", form.registersB),
                      registerNames("fc", countC));
  text += fmt::format("wmma.store.d.sync.aligned.{}{}.{} [%d], {}, {};\nret;\n}}\n", words(columnC), space, form.typeD,
                      registerNames("fd", countD), d.stride);

  std::mt19937_64 generator(static_cast<uint64_t>(form.m * 1000 + form.n + columnA * 7 + columnB * 3));
  std::vector<double> valuesA, valuesB, valuesC;
  auto fill = [&](Stored &to, const Format *format, const std::string &type, int rows, int columns,
                  std::vector<double> &values) {
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column) {
        uint64_t code;
        double value;
        if (format && format->kind != Format::Kind::Float) {
          code = format->random(generator);
          value = format->value(code);
        } else {
          value = static_cast<double>(generator() % 15) - 7;
          std::string name = format ? format->word : type;
          // bf16 and tf32 are the upper bits of a float.
          code = name == "bf16" ? accumulatorBits("f32", value) >> 16
                                : accumulatorBits(name == "tf32" ? "f32" : name, value);
        }
        to.put(row, column, code);
        values.push_back(value);
      }
  };
  fill(a, &form.element, "", form.m, form.k, valuesA);
  fill(b, &form.element, "", form.k, form.n, valuesB);
  fill(c, nullptr, form.typeC, form.m, form.n, valuesC);

  TestModule module(text, "sm_90a");
  ASSERT_TRUE(module) << text;
  uint64_t from[] = {module.upload(a.bytes), module.upload(b.bytes), module.upload(c.bytes)};
  uint64_t to = module.upload(d.bytes);
  std::string fault = module.faultOf("k", {.block = {32, 1, 1}}, from[0], from[1], from[2], to);
  ASSERT_EQ(fault, "") << text;
  d.bytes = module.download<uint8_t>(to, d.bytes.size());
  bool isXor = form.mma.starts_with("xor");
  for (int row = 0; row < form.m; ++row)
    for (int column = 0; column < form.n; ++column) {
      double expected = valuesC[static_cast<size_t>(row * form.n + column)];
      for (int k = 0; k < form.k; ++k) {
        double left = valuesA[static_cast<size_t>(row * form.k + k)],
               right = valuesB[static_cast<size_t>(k * form.n + column)];
        expected += isXor ? static_cast<double>(left != right) : left * right;
      }
      ASSERT_EQ(accumulatorValue(form.typeD, d.get(row, column)), expected) << text << row << ", " << column;
    }
  // Nothing between the lines was written.
  for (size_t line = 0; line < static_cast<size_t>(columnC ? form.n : form.m); ++line)
    for (int i = columnC ? form.m : form.n; i < d.stride; ++i)
      ASSERT_EQ(columnC ? d.get(i, static_cast<int>(line)) : d.get(static_cast<int>(line), i), 0u);
}

void checkLayouts(const WmmaForm &form) {
  for (bool columnA : {false, true})
    for (bool columnB : {false, true})
      check(form, columnA, columnB, columnA != columnB);
}

struct Size {
  int m, n;
};
constexpr Size kSizes[] = {{16, 16}, {32, 8}, {8, 32}};

TEST(Wmma, half) {
  for (auto [m, n] : kSizes)
    for (const char *typeD : {"f16", "f32"})
      for (const char *typeC : {"f16", "f32"})
        checkLayouts({m, n, 16, kF16, typeC, typeD,
                      fmt::format("sync.aligned.row.row.m{}n{}k16.{}.{}", m, n, typeD, typeC), 8, 8});
}

TEST(Wmma, bfloat) {
  for (auto [m, n] : kSizes)
    checkLayouts({m, n, 16, kBF16, "f32", "f32", fmt::format("sync.aligned.col.row.m{}n{}k16.f32.bf16.bf16.f32", m, n),
                  m / 4, n / 4, ""});
}

TEST(Wmma, tf32) {
  checkLayouts({16, 16, 8, kTF32, "f32", "f32", "sync.aligned.row.col.m16n16k8.f32.tf32.tf32.f32", 4, 4});
}

TEST(Wmma, doubles) {
  checkLayouts({8, 8, 4, kF64, "f64", "f64", "sync.aligned.row.col.m8n8k4.f64.f64.f64.f64", 1, 1});
  check({8, 8, 4, kF64, "f64", "f64", "sync.aligned.row.col.m8n8k4.rz.f64.f64.f64.f64", 1, 1}, false, true, false);
}

TEST(Wmma, bytes) {
  for (auto [m, n] : kSizes)
    for (const Format &element : {kS8, kU8})
      for (const char *satfinite : {"", ".satfinite"})
        checkLayouts(
            {m, n, 16, element, "s32", "s32",
             fmt::format("sync.aligned.row.col.m{}n{}k16.s32.{}.{}.s32{}", m, n, element.word, element.word, satfinite),
             m / 8, n / 8});
}

TEST(Wmma, nibbles) {
  for (const Format &element : {kS4, kU4})
    check({8, 8, 32, element, "s32", "s32",
           fmt::format("sync.aligned.row.col.m8n8k32.s32.{}.{}.s32", element.word, element.word), 1, 1},
          false, true, false);
}

TEST(Wmma, bits) {
  for (const char *operation : {"xor", "and"})
    check({8, 8, 128, kB1, "s32", "s32", fmt::format("{}.popc.sync.aligned.row.col.m8n8k128.s32.b1.b1.s32", operation),
           1, 1},
          false, true, true);
}

TEST(Wmma, layout_may_follow_the_shape) {
  check({16, 16, 16, kF16, "f32", "f32", "sync.aligned.row.row.m16n16k16.f32.f32", 8, 8}, false, true, false, false);
}

// f16 fragments hold every element twice on some chips: a program that scales its fragment scales all of them.
TEST(Wmma, fragments_may_be_changed_element_by_element) {
  TestModule module(R"(.visible .entry k(.param .u64 pa, .param .u64 pd)
{
.reg .b64 %a, %d;
.reg .b32 %f<8>, %g<8>, %two;
.reg .f32 %c<8>, %r<8>;
ld.param.u64 %a, [pa];
ld.param.u64 %d, [pd];
wmma.load.a.sync.aligned.row.m16n16k16.global.f16 {%f0, %f1, %f2, %f3, %f4, %f5, %f6, %f7}, [%a];
wmma.load.b.sync.aligned.row.m16n16k16.global.f16 {%g0, %g1, %g2, %g3, %g4, %g5, %g6, %g7}, [%a];
mov.b32 %two, 0x40004000;
mul.rn.f16x2 %f0, %f0, %two;
mul.rn.f16x2 %f1, %f1, %two;
mul.rn.f16x2 %f2, %f2, %two;
mul.rn.f16x2 %f3, %f3, %two;
mul.rn.f16x2 %f4, %f4, %two;
mul.rn.f16x2 %f5, %f5, %two;
mul.rn.f16x2 %f6, %f6, %two;
mul.rn.f16x2 %f7, %f7, %two;
mov.f32 %c0, 0f00000000;
wmma.mma.sync.aligned.row.row.m16n16k16.f32.f32 {%r0, %r1, %r2, %r3, %r4, %r5, %r6, %r7}, {%f0, %f1, %f2, %f3, %f4, %f5, %f6, %f7}, {%g0, %g1, %g2, %g3, %g4, %g5, %g6, %g7}, {%c0, %c0, %c0, %c0, %c0, %c0, %c0, %c0};
wmma.store.d.sync.aligned.row.m16n16k16.global.f32 [%d], {%r0, %r1, %r2, %r3, %r4, %r5, %r6, %r7};
ret;
})",
                    "sm_90a");
  ASSERT_TRUE(module);
  std::vector<uint16_t> identity(256);
  for (size_t i = 0; i < 16; ++i)
    identity[i * 17] = 0x3c00;
  uint64_t a = module.upload(identity), d = module.allocate(1024);
  ASSERT_EQ(module.faultOf("k", {.block = {32, 1, 1}}, a, d), "");
  std::vector<float> expected(256);
  for (size_t i = 0; i < 16; ++i)
    expected[i * 17] = 2;
  EXPECT_EQ(module.download<float>(d, 256), expected);
}

} // namespace
} // namespace glm::ptx::test
