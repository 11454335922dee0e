// The module level, bodies and operands; what real compilers print; what must be refused, and how.
#include "test/runtime/ptx/text/Parsed.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

namespace glm::ptx {
namespace {

using Kind = Operand::Kind;

const Instruction &at(const Module &module, size_t index) { return module.functions[0].instructions[index]; }

TEST(Parser, Header) {
  Module module = parsed("");
  EXPECT_EQ(module.versionMajor, 9u);
  EXPECT_EQ(module.versionMinor, 0u);
  EXPECT_EQ(module.target, "sm_120a");
  EXPECT_EQ(module.targetLine, 2u);
  EXPECT_FALSE(module.debug);

  auto message = [](const std::string &text) {
    Result<Module> module = parse(text, "t");
    return module ? "accepted" : module.error().message;
  };
  EXPECT_EQ(message(".version 8.7 .target sm_90, debug"), "accepted");
  EXPECT_EQ(message(""), "t:1: text must begin with .version, but found the end of the text");
  EXPECT_EQ(message(std::string("\0.version", 9)), "t:1: text must begin with .version, but found the end of the text");
  EXPECT_EQ(message("\177ELF"), "t:1: text must be PTX, but found a character that PTX does not have");
  EXPECT_EQ(message(".version 8"), "t:1: .version must be two numbers with a dot, but found 8");
  EXPECT_EQ(message(".version 8.7.1"), "t:1: .version must be followed by .target, but found .1");
  EXPECT_EQ(message(".version 10.0"), "t:1: .version must be at most 9.9, but found 10.0");
  EXPECT_EQ(message(".version 9.0\n.entry"), "t:2: .version must be followed by .target, but found .entry");
  EXPECT_EQ(message(".version 9.0\n.target sm_90, nonsense"),
            "t:2: option of .target must be debug, texmode_unified or texmode_independent, but found nonsense");
  EXPECT_EQ(refusal(".address_size 32"), "t:4: .address_size must be 64, but found 32");
  EXPECT_EQ(refusal("foo"), "t:4: module must go on with a directive, but found foo");
  EXPECT_EQ(refusal("/* open"), "t:4: text must be PTX, but found a comment without */");
  EXPECT_EQ(refusal(".global .texref t;"), "t:4: declaration must have a fundamental type, but found .texref");
}

TEST(Parser, CommentsAndLines) {
  Module module = parsed("/* two\nlines */ // .entry x\n.entry k() // {\n{\n\n/**/ ret /*\n*/ ;\n ret; }");
  EXPECT_EQ(module.functions[0].line, 6u);
  EXPECT_EQ(at(module, 0).line, 9u);
  EXPECT_EQ(at(module, 1).line, 11u);
}

TEST(Parser, InstructionWords) {
  Module module = parsed(inKernel(R"(
  .reg .b32 r<9>; .reg .b64 d; .reg .pred p, q;
  @p mov.b32 r0, 5;
  @!q ld.global.L1::no_allocate.L2::cache_hint.L2::128B.v2.b32 {r1, r2}, [d+8], d;
  tcgen05.ld.sync.aligned.32x32b.x2.b32 {r1, _}, [r3];
  mov .b32 r0 , 1 ;
)"));
  EXPECT_EQ(at(module, 0).mnemonic, "mov");
  EXPECT_EQ(at(module, 0).modifiers, std::vector<std::string_view>{"b32"});
  ASSERT_TRUE(at(module, 0).guard);
  EXPECT_FALSE(at(module, 0).guardNegated);
  EXPECT_TRUE(at(module, 1).guardNegated);
  EXPECT_EQ(at(module, 1).modifiers,
            (std::vector<std::string_view>{"global", "L1::no_allocate", "L2::cache_hint", "L2::128B", "v2", "b32"}));
  EXPECT_EQ(at(module, 2).modifiers[3], "32x32b");
  EXPECT_EQ(at(module, 2).operands[0].parts[1].kind, Kind::Sink);
  EXPECT_EQ(at(module, 3).modifiers[0], "b32");
}

TEST(Parser, OperandShapes) {
  Module module = parsed(".global .b32 g[8];\n.func f(.param .b32 x);\n.entry k(.param .b64 a)\n{"
                         R"(
  .reg .b32 r<9>; .reg .b64 d; .reg .pred p, q; .reg .v4 .f32 v; .param .b32 x;
  setp.lt.and.s32 p|q, r1, -5, !p;
  shfl.sync.idx.b32 r0|p, r1, 0, 31, 0xffffffff;
  mov.v4.f32 v, v;
  ld.param.b64 d, [a];
  ld.global.b32 r0, [g+12];
  ld.global.b32 r0, [d+-4];
  ld.local.b32 r0, [16];
  ld.global.b32 r0, g[3];
  mov.b64 d, g+4-2;
  cp.async.bulk.tensor [r0], [d, {r1, 2}], [r2];
  call f, (x);
  mov.u32 r0, %tid.x;
  mov.u32 r0, %clock;
  mov.f32 v.x, 0f3F800000;
  mov.f64 d, 1.5;
  mov.b32 r0, (1<<4)|3;
  mov.b64 d, f;
  call (x), d, (x, r1, 7), P;
P: .callprototype (.param .b32 _) _ (.param .b32 _, .reg .b32 y, .param .b8 z[4]);
  mma {r0, r1}, {r2}, r3, {0, 1};
  mov.b32 r0, WARP_SZ;
)"
                         "\n}");
  const Function &k = module.functions[1];
  auto operand = [&](size_t i, size_t j) -> const Operand & { return k.instructions[i].operands[j]; };
  EXPECT_EQ(operand(0, 0).kind, Kind::Pair);
  EXPECT_EQ(operand(0, 2).value, -5);
  EXPECT_TRUE(operand(0, 3).negated);
  EXPECT_EQ(operand(1, 0).parts[1].kind, Kind::Register);
  EXPECT_EQ(operand(1, 4).value, 0xffffffff);
  EXPECT_EQ(operand(2, 0).kind, Kind::Vector);
  EXPECT_EQ(operand(2, 0).parts.size(), 4u);
  EXPECT_EQ(operand(3, 1).kind, Kind::Address);
  EXPECT_EQ(operand(3, 1).parts[0].scope, Operand::Scope::Parameter);
  EXPECT_EQ(operand(4, 1).value, 12);
  EXPECT_EQ(operand(4, 1).parts[0].value, 0);
  EXPECT_EQ(operand(5, 1).value, -4);
  EXPECT_EQ(operand(6, 1).value, 16);
  EXPECT_EQ(operand(6, 1).parts[0].kind, Kind::Sink);
  EXPECT_EQ(operand(7, 1).kind, Kind::Symbol);
  EXPECT_EQ(operand(7, 1).value, 12);
  EXPECT_EQ(operand(8, 1).value, 2);
  EXPECT_EQ(operand(9, 1).parts[1].parts.size(), 2u);
  EXPECT_EQ(operand(10, 0).scope, Operand::Scope::ModuleFunction);
  EXPECT_EQ(operand(10, 1).kind, Kind::List);
  EXPECT_EQ(operand(11, 1).kind, Kind::Special);
  EXPECT_EQ(operand(11, 1).name, "%tid");
  EXPECT_EQ(operand(11, 1).value, 0);
  EXPECT_EQ(operand(12, 1).value, -1);
  EXPECT_EQ(operand(13, 1).kind, Kind::Float32);
  EXPECT_EQ(operand(14, 1).kind, Kind::Float64);
  EXPECT_EQ(operand(15, 1).value, 19);
  EXPECT_EQ(operand(16, 1).kind, Kind::Symbol);
  EXPECT_EQ(operand(17, 2).parts.size(), 3u);
  EXPECT_EQ(operand(17, 3).kind, Kind::Table);
  EXPECT_EQ(k.tables[0].kind, Table::Kind::CallPrototype);
  EXPECT_EQ(k.tables[0].parameters.size(), 3u);
  EXPECT_EQ(k.tables[0].parameters[2].bytes, 4u);
  EXPECT_EQ(k.tables[0].results.size(), 1u);
  EXPECT_EQ(operand(19 - 1, 3).parts[1].value, 1);
  EXPECT_EQ(operand(19, 1).value, 32);
}

TEST(Parser, LabelsHaveScopes) {
  Module module = parsed(inKernel(R"(
A: ret;
  { bra A; A: ret; bra B; }
  { A: bra A; { bra A; bra C; } C: }
  bra A;
B: C:
  bra C;
)"));
  const std::vector<Instruction> &code = module.functions[0].instructions;
  std::vector<int64_t> targets;
  for (const Instruction &each : code)
    if (!each.operands.empty())
      targets.push_back(each.operands[0].kind == Kind::Label ? each.operands[0].value : -1);
  // Instructions: 0 ret, 1 bra A, 2 ret, 3 bra B, 4 bra A, 5 bra A, 6 bra C, 7 bra A, 8 bra C.
  EXPECT_EQ(targets, (std::vector<int64_t>{2, 8, 4, 4, 7, 0, 8}));
}

TEST(Parser, TablesOfTargets) {
  Module module = parsed(".func f();\n.func g();\n" + inKernel(R"(
  .reg .b32 i; .reg .b64 d;
  brx.idx i, T;
T: .branchtargets A, B, A;
  call d, (), C;
C: .calltargets f, g;
A: ret;
B: ret;
)"));
  const Function &k = module.functions[2];
  EXPECT_EQ(k.tables[0].targets, (std::vector<uint32_t>{2, 3, 2}));
  EXPECT_EQ(k.tables[1].targets, (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(k.instructions[0].operands[1].kind, Kind::Table);
  EXPECT_EQ(refusal(inKernel("T: .branchtargets T;")), "t:5: target T must be a label, but found a table");
  EXPECT_EQ(refusal(inKernel("T: .calltargets x;")), "t:5: target x must be a function, but found another");
}

TEST(Parser, SourceLines) {
  Module module = parsed(inKernel(R"(
  ret;
  .loc 7 12 3
  ret;
  .loc 2 40 0, function_name $L__info_string0, inlined_at 7 12 3
  ret;
  .loc 9 5 0, function_name $L__info_string0+12
  ret;
)") + ".file 7 \"a.cu\"\n.file 2 \"b.h\", 123, 456\n"
      ".section .debug_str\n{\n$L__info_string0:\n.b8 95,90,0\n}\n");
  ASSERT_EQ(module.files, (std::vector<std::string_view>{"a.cu", "b.h"}));
  EXPECT_EQ(at(module, 0).sourceFile, 0u);
  EXPECT_EQ(at(module, 1).sourceFile, 1u);
  EXPECT_EQ(at(module, 1).sourceLine, 12u);
  EXPECT_EQ(at(module, 2).sourceFile, 2u);
  EXPECT_EQ(at(module, 2).sourceLine, 40u);
  EXPECT_EQ(at(module, 3).sourceFile, 0u);
}

TEST(Parser, BodiesThatAreRefused) {
  auto message = [](const std::string &body) { return refusal(inKernel(".reg .b32 r; .reg .pred p;\n" + body)); };
  EXPECT_EQ(message("mov.b32 r, s;"), "t:6: name s must be declared, but found no declaration of it");
  EXPECT_EQ(message("bra L; { L: }"), "t:6: name L must be declared, but found no declaration of it");
  EXPECT_EQ(message("mov.b32 r, 1"), "t:7: instruction must end with ;, but found }");
  EXPECT_EQ(message("mov.b32 r,;"),
            "t:6: operand must be a register, a constant, a name, an address or a vector, but found ;");
  EXPECT_EQ(message("@r mov.b32 r, 1;"), "t:6: guard must be a predicate, but found r");
  EXPECT_EQ(message("@5 mov.b32 r, 1;"), "t:6: guard must be a predicate, but found 5");
  EXPECT_EQ(message(".nonsense"),
            "t:6: statement must be an instruction, a label or a declaration, but found .nonsense");
  EXPECT_EQ(message("ld.b32 r, [p, r];"), "t:6: coordinates must be a vector, but found r");
  EXPECT_EQ(message("ld.b32 r, [r;"), "t:6: address must end with ], but found ;");
  EXPECT_EQ(message("ld.b32 r, [r[2]];"), "t:6: address must end with ], but found [");
  EXPECT_EQ(message("ld.b32 r, [%tid.x];"), "t:6: address must begin with a register or a variable, but found ]");
  EXPECT_EQ(message("ld.b32 r, [1.5];"), "t:6: address must be an integer, but found a float");
  EXPECT_EQ(message("ld.b32 r, [L]; L:"), "t:6: name L must be declared, but found no declaration of it");
  EXPECT_EQ(message("mov.b32 {r, {r}}, 1;"), "t:6: element of a vector must be a register or a constant, but found {");
  EXPECT_EQ(message("mov.b32 r, !%tid.x;"), "t:6: operand after ! must be a register, but found %tid");
  EXPECT_EQ(message("mov.b32 r, %tid.q;"),
            "t:6: component of a special register must be .x, .y, .z or .w, but found .q");
  EXPECT_EQ(message("L: L: ret;"), "t:6: L must be declared once, but found it in line 6 as well");
  EXPECT_EQ(refusal(".entry k() { ret;"), "t:4: body of a function must end with }, but found the end of the text");
  std::string deep;
  for (int i = 0; i < 10000; ++i)
    deep += "{";
  EXPECT_EQ(message(deep), "t:6: braces must nest at most 256 deep, but found more");
  std::string longName(5000, 'x');
  EXPECT_LT(message("mov.b32 r, (" + longName + ");").size(), 200u);
}

std::string contents(const std::filesystem::path &path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> programs() {
  std::vector<std::filesystem::path> paths;
  for (const auto &entry : std::filesystem::directory_iterator(GLM_TEST_PROGRAMS))
    if (entry.path().extension() == ".ptx")
      paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

TEST(Parser, ReadsWhatNvccPrints) {
  ASSERT_GE(programs().size(), 10u);
  for (const std::filesystem::path &path : programs()) {
    std::string text = contents(path);
    Result<Module> module = parse(text, path.filename().string());
    ASSERT_TRUE(module) << module.error().message;
    size_t entries = 0, found = 0;
    for (const Function &each : module->functions)
      entries += each.isEntry;
    for (size_t i = text.find(".entry"); i != std::string::npos; i = text.find(".entry", i + 1))
      ++found;
    EXPECT_EQ(entries, found) << path;
  }
}

// Whatever is cut out of a program or put into it, the parser says one line or accepts.
TEST(Parser, DamagedTextIsRefusedInOneLine) {
  std::mt19937 random(11);
  std::vector<std::filesystem::path> paths = programs();
  constexpr std::string_view kPieces[] = {"{", "}",   ";", ",",  "(",  ")",  "[", "]",
                                          ".", "%r1", "@", "\"", "/*", "0x", "<"};
  for (int i = 0; i < 300; ++i) {
    std::string text = contents(paths[random() % paths.size()]).substr(0, 20000);
    size_t place = random() % text.size();
    if (random() % 2)
      text.erase(place, random() % 40);
    else
      text.insert(place, kPieces[random() % std::size(kPieces)]);
    Result<Module> module = parse(text, "t");
    if (module)
      continue;
    EXPECT_NE(module.error().message.find(", but found "), std::string::npos) << module.error().message;
    EXPECT_EQ(module.error().message.find('\n'), std::string::npos) << module.error().message;
  }
}

} // namespace
} // namespace glm::ptx
