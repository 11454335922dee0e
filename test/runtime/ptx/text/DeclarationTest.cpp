// Variables, registers, functions' headers.
#include "test/runtime/ptx/text/Parsed.h"

#include <cstring>

namespace glm::ptx {
namespace {

using Bytes = std::vector<uint8_t>;

template <typename T>
std::vector<T> initialOf(const Variable &variable) {
  std::vector<T> values(variable.initial.size() / sizeof(T));
  std::memcpy(values.data(), variable.initial.data(), values.size() * sizeof(T));
  return values;
}

TEST(Variables, SizesAndAlignment) {
  Module module = parsed(R"(
.global .b32 a;
.global .align 16 .b8 b[3][5];
.const .v4 .f32 c[2];
.visible .shared .f64 d[4], e;
.global .b128 f;
.extern .shared .align 32 .b8 g[];
.weak .global .attribute(.managed) .u16 h;
.global .attribute(.managed, .unified(1, 2)) .u64 i;
.common .global .s32 j;
)");
  struct Expected {
    std::string_view name;
    Space space;
    uint64_t bytes;
    uint32_t align;
  };
  const Expected expected[] = {{"a", Space::Global, 4, 4},  {"b", Space::Global, 15, 16}, {"c", Space::Const, 32, 16},
                               {"d", Space::Shared, 32, 8}, {"e", Space::Shared, 8, 8},   {"f", Space::Global, 16, 16},
                               {"g", Space::Shared, 0, 32}, {"h", Space::Global, 2, 2},   {"i", Space::Global, 8, 8},
                               {"j", Space::Global, 4, 4}};
  ASSERT_EQ(module.variables.size(), std::size(expected));
  for (size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(module.variables[i].name, expected[i].name);
    EXPECT_EQ(module.variables[i].space, expected[i].space) << expected[i].name;
    EXPECT_EQ(module.variables[i].bytes, expected[i].bytes) << expected[i].name;
    EXPECT_EQ(module.variables[i].align, expected[i].align) << expected[i].name;
  }
  EXPECT_TRUE(module.variables[6].unsized);
  EXPECT_EQ(module.variables[6].linkage, Variable::Linkage::Extern);
  EXPECT_TRUE(module.variables[7].managed);
  EXPECT_EQ(module.variables[7].linkage, Variable::Linkage::Weak);
  EXPECT_EQ(module.variables[9].linkage, Variable::Linkage::Common);
}

TEST(Variables, InitialValues) {
  Module module = parsed(R"(
.global .b32 a = 5;
.global .s32 b[2][3] = {{1, 2}, {-3}};
.global .b8 c[] = {300, 0xff, 1+1};
.const .f32 d[4] = {1.0, 0f40000000, 0d4008000000000000};
.global .f64 e = 0f3F800000;
.global .v2 .u16 f[2] = {{1, 2}, {3}};
.global .b64 g = 1.5;
.global .b32 h = 1.0;
.global .b8 i[4] = {};
.global .u16 j[][2] = {{1}, {}, {0, 7}};
)");
  EXPECT_EQ(initialOf<int32_t>(module.variables[0]), std::vector<int32_t>{5});
  EXPECT_EQ(initialOf<int32_t>(module.variables[1]), (std::vector<int32_t>{1, 2, 0, -3}));
  EXPECT_EQ(module.variables[1].bytes, 24u);
  EXPECT_EQ(module.variables[2].initial, (Bytes{44, 255, 2}));
  EXPECT_EQ(module.variables[2].bytes, 3u);
  EXPECT_EQ(initialOf<float>(module.variables[3]), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(initialOf<double>(module.variables[4]), std::vector<double>{1});
  EXPECT_EQ(initialOf<uint16_t>(module.variables[5]), (std::vector<uint16_t>{1, 2, 3}));
  EXPECT_EQ(initialOf<double>(module.variables[6]), std::vector<double>{1.5});
  EXPECT_EQ(initialOf<float>(module.variables[7]), std::vector<float>{1});
  EXPECT_TRUE(module.variables[8].initial.empty());
  EXPECT_EQ(initialOf<uint16_t>(module.variables[9]), (std::vector<uint16_t>{1, 0, 0, 0, 0, 7}));
  EXPECT_EQ(module.variables[9].bytes, 12u);
}

TEST(Variables, Relocations) {
  Module module = parsed(R"(
.global .b8 g[16];
.func f();
.global .u64 a[4] = {g, generic(g)+8, f, g-4+2};
.global .u8 b[3] = {0xFF(g), 0xFF00(generic(g)+1), 0x7};
.global .u32 c = g;
)");
  const std::vector<Relocation> &a = module.variables[1].relocations;
  ASSERT_EQ(a.size(), 4u);
  EXPECT_EQ(a[1].offset, 8u);
  EXPECT_TRUE(a[1].generic);
  EXPECT_EQ(a[1].addend, 8);
  EXPECT_TRUE(a[2].isFunction);
  EXPECT_EQ(a[3].addend, -2);
  EXPECT_EQ(a[3].width, 8u);
  const std::vector<Relocation> &b = module.variables[2].relocations;
  ASSERT_EQ(b.size(), 2u);
  EXPECT_EQ(b[0].width, 1u);
  EXPECT_EQ(b[0].shift, 0u);
  EXPECT_EQ(b[1].shift, 8u);
  EXPECT_EQ(b[1].addend, 1);
  EXPECT_TRUE(b[1].generic);
  EXPECT_EQ(module.variables[3].relocations[0].width, 4u);
}

TEST(Variables, Refusals) {
  EXPECT_EQ(refusal(".global .b32 a[2] = {1, 2, 3};"),
            "t:4: initial value must have at most 2 elements here, but found 3");
  EXPECT_EQ(refusal(".global .b32 a[2][2] = {1, 2};"),
            "t:4: initial value of an inner array must begin with {, but found 1");
  EXPECT_EQ(refusal(".global .b32 a[2] = 5;"), "t:4: initial value of an array must begin with {, but found 5");
  EXPECT_EQ(refusal(".global .f32 a = 1;"), "t:4: initial value of .f32 must be a float, but found an integer");
  EXPECT_EQ(refusal(".global .b16 a = 1.0;"), "t:4: initial value of .b16 must be an integer, but found a float");
  EXPECT_EQ(refusal(".shared .b32 a = 1;"), "t:4: initial value must be of a .global or .const variable, but found =");
  EXPECT_EQ(refusal(".global .b32 a[];"), "t:4: a must have an extent, but found []");
  EXPECT_EQ(refusal(".global .b32 a[2][];"), "t:4: a must give all extents but the first, but found []");
  EXPECT_EQ(refusal(".global .b32 a;\n.global .b32 a;"),
            "t:5: a must be declared once, but found it in line 4 as well");
  EXPECT_EQ(refusal(".global .align 3 .b32 a;"), "t:4: alignment must be a power of two, but found 3");
  EXPECT_EQ(refusal(".global .pred a;"), "t:4: declaration must have a fundamental type, but found .pred");
  EXPECT_EQ(refusal(".global .bf16 a;"), "t:4: declaration must have a fundamental type, but found .bf16");
  EXPECT_EQ(refusal(".global a;"), "t:4: declaration must have a type, but found a");
  EXPECT_EQ(refusal(".global .b32 .b64 a;"), "t:4: declaration must have one type, but found .b64");
  EXPECT_EQ(refusal(".global .b32 a[4] = {b};"),
            "t:4: initial value must name a variable or function of the module, but found b");
  EXPECT_EQ(refusal(".global .b8 a[1099511627776][2];"),
            "t:4: a must take at most 1099511627776 bytes, but found more");
  EXPECT_EQ(refusal(".global .b8 a[2][100000000] = {{1}, {2}};"),
            "t:4: initial values must leave at most 16777216 bytes out, but found 2");
  EXPECT_EQ(refusal(".global .b32 a = 1"), "t:4: declaration must end with ;, but found the end of the text");
  EXPECT_EQ(refusal(".local .b32 a;"),
            "t:4: module must go on with a function, a variable or a directive that PTX has there, but found .local");
  EXPECT_EQ(refusal(".global .b8 g; .global .u8 a[1] = {0xF0F(g)};"),
            "t:4: mask of an address must be one byte of an 8-bit element, but found another");
}

TEST(Variables, ExternAndDefinitionAreOne) {
  Module module =
      parsed(".extern .global .b32 a;\n" + inKernel(".reg .b64 r; mov.b64 r, a;") + ".visible .global .b32 a = 7;\n");
  ASSERT_EQ(module.variables.size(), 1u);
  EXPECT_EQ(module.variables[0].linkage, Variable::Linkage::Visible);
  EXPECT_EQ(module.variables[0].initial.size(), 4u);
}

TEST(Variables, ThoseOfBodiesAreTheModules) {
  Module module = parsed(".global .b32 a;\n" + inKernel(R"(
  .reg .b64 r;
  { .shared .b32 a[3]; mov.b64 r, a; }
  { .shared .b32 a[5]; mov.b64 r, a; .local .b32 l; mov.b64 r, l; }
  mov.b64 r, a;
)"));
  ASSERT_EQ(module.variables.size(), 3u);
  EXPECT_TRUE(module.variables[1].isScoped);
  EXPECT_FALSE(module.variables[0].isScoped);
  const Function &kernel = module.functions[0];
  ASSERT_EQ(kernel.variables.size(), 1u);
  std::vector<uint32_t> named;
  for (const Instruction &each : kernel.instructions)
    named.push_back(each.operands[1].scope == Operand::Scope::ModuleVariable ? each.operands[1].symbol : 99);
  EXPECT_EQ(named, (std::vector<uint32_t>{1, 2, 99, 0}));
}

TEST(Functions, Headers) {
  Module module = parsed(R"(
.visible .entry k(
  .param .u64 .ptr .global .align 16 p,
  .param .align 8 .b8 s[24],
  .param .b32 n
)
.maxntid 128, 2
.reqntid 64
.minnctapersm 2
.maxnreg 96
.reqnctapercluster 2, 1, 1
.explicitcluster
.maxclusterrank 8
.pragma "nounroll", "other";
{ ret; }
.entry plain { ret; }
.extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 b);
.weak .func (.reg .b32 x, .reg .pred p) f(.reg .b64 y) .noreturn { ret; }
.func .attribute(.unified(1, 2)) .noreturn g(.param .b8 rest[]);
)");
  const Function &k = module.functions[0];
  EXPECT_TRUE(k.isEntry);
  EXPECT_EQ(k.linkage, Variable::Linkage::Visible);
  ASSERT_EQ(k.parameters.size(), 3u);
  EXPECT_EQ(k.parameters[0].bytes, 8u);
  EXPECT_EQ(k.parameters[0].align, 8u);
  EXPECT_EQ(k.parameters[1].bytes, 24u);
  EXPECT_EQ(k.maxThreads, (std::array<uint32_t, 3>{128, 2, 1}));
  EXPECT_EQ(k.requiredThreads, (std::array<uint32_t, 3>{64, 1, 1}));
  EXPECT_EQ(k.requiredCluster, (std::array<uint32_t, 3>{2, 1, 1}));
  EXPECT_EQ(k.minBlocksPerSm, 2u);
  EXPECT_EQ(k.maxRegisters, 96u);
  EXPECT_EQ(k.maxClusterRank, 8u);
  EXPECT_TRUE(k.explicitCluster);
  EXPECT_FALSE(k.blocksAreClusters);
  EXPECT_EQ(module.functions[1].maxThreads, (std::array<uint32_t, 3>{}));
  EXPECT_FALSE(module.functions[2].isDefined);
  const Function &f = module.functions[3];
  EXPECT_TRUE(f.noReturn);
  ASSERT_EQ(f.registers.size(), 3u);
  EXPECT_EQ(f.registers[1].type, Type::Pred);
  EXPECT_EQ(f.registers[2].name, "y");
  EXPECT_TRUE(module.functions[4].noReturn);
  EXPECT_TRUE(module.functions[4].parameters[0].unsized);
}

TEST(Functions, DeclarationsMeetTheirDefinition) {
  Module module = parsed(R"(
.func (.param .b32 r) f(.param .b32 a);
.entry k() { .param .b32 x; call (x), f, (x); ret; }
.func (.param .b32 q) f(.param .b32 b) { ret; }
)");
  ASSERT_EQ(module.functions.size(), 2u);
  EXPECT_TRUE(module.functions[0].isDefined);
  EXPECT_EQ(module.functions[0].parameters[0].name, "b");

  EXPECT_EQ(refusal(".func f(.param .b32 a);\n.func f(.param .b64 a) { ret; }"),
            "t:5: f must be declared as in line 4, but found other parameters");
  EXPECT_EQ(refusal(".func f() { ret; }\n.func f() { ret; }"),
            "t:5: f must be defined once, but found it in line 4 as well");
  EXPECT_EQ(refusal(".global .b32 f;\n.func f() { ret; }"),
            "t:5: f must be declared once, but found it in line 4 as well");
  EXPECT_EQ(refusal(".entry k(.reg .v2 .b32 a) { ret; }"), "t:4: register a must be a scalar, but found an array");
  EXPECT_EQ(refusal(".entry k(.shared .b32 a) { ret; }"),
            "t:4: parameter must be a .param or a .reg, but found .shared");
  EXPECT_EQ(refusal(".entry k() .maxntid 1, 2, 3, 4 { ret; }"),
            "t:4: .maxntid must have at most three numbers, but found 4");
  EXPECT_EQ(refusal(".entry k() .nonsense { ret; }"),
            "t:4: directive of a function must be one that PTX has, but found .nonsense");
}

TEST(Functions, Aliases) {
  Module module = parsed(R"(
.visible .func f() { ret; }
.visible .func g();
.alias g, f;
.global .u64 table = g;
.entry k() { call g; ret; }
)");
  EXPECT_EQ(module.functions[2].instructions[0].operands[0].symbol, 0u);
  EXPECT_EQ(module.variables[0].relocations[0].symbol, 0u);
  EXPECT_EQ(refusal(".func g();\n.alias g, h;"), "t:5: alias must stand for a function with a body, but found h");
  EXPECT_EQ(refusal(".alias g, h;"), "t:4: alias g must be a function without a body, but found another");
}

TEST(Registers, RangesAndVectors) {
  Module module = parsed(inKernel(R"(
  .reg .b32 %r<5>, a, b;
  .reg .v4 .f32 v;
  .reg .v2 .b32 w<3>;
  .reg .b64 %r1<3>;
  mov.b32 %r4, a;
  mov.b64 %r12, %r12;
  mov.f32 v.z, v.r;
  mov.b32 w2.y, b;
  mov.b32 %r4, b;
  { .reg .b16 %r<2>; mov.b16 %r0, %r1; mov.b32 %r4, %r2; }
)"));
  const Function &k = module.functions[0];
  auto named = [&](size_t instruction, size_t operand) {
    const Operand &each = k.instructions[instruction].operands[operand];
    return std::string(k.registers[each.reg].name) + " " + std::string(nameOf(k.registers[each.reg].type));
  };
  EXPECT_EQ(named(0, 0), "%r4 b32");
  EXPECT_EQ(named(0, 1), "a b32");
  EXPECT_EQ(named(1, 0), "%r12 b64");
  EXPECT_EQ(named(2, 0), "v.z f32");
  EXPECT_EQ(named(2, 1), "v.r f32");
  EXPECT_EQ(named(3, 0), "w2.y b32");
  EXPECT_EQ(k.instructions[0].operands[0].reg, k.instructions[4].operands[0].reg);
  EXPECT_EQ(named(5, 0), "%r0 b16");
  EXPECT_EQ(k.instructions[6].operands[0].reg, k.instructions[0].operands[0].reg);
  EXPECT_EQ(named(6, 1), "%r2 b32");

  EXPECT_EQ(refusal(inKernel(".reg .b32 r;\n.reg .b32 r;")),
            "t:6: r must be declared once, but found it in line 5 as well");
  EXPECT_EQ(refusal(inKernel(".reg .v2 .b32 v; mov.b32 v.z, 1;")),
            "t:5: component of v must be one of its 2 elements, but found .z");
  EXPECT_EQ(refusal(inKernel(".reg .bf16 r;")), "t:5: declaration must have a fundamental type, but found .bf16");
  // Most registers of a range are never used and cost nothing.
  EXPECT_EQ(parsed(inKernel(".reg .b32 %r<2000000000>; mov.b32 %r1999999999, 1;")).functions[0].registers.size(), 1u);
}

} // namespace
} // namespace glm::ptx
