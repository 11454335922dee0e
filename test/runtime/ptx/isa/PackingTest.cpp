// Registers that share places: random programs run the same with places as with registers of their own.
#include "test/runtime/ptx/isa/Toy.h"

#include "runtime/ptx/isa/Builder.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>

namespace glm::ptx {
namespace {

/// Registers of 32 bits and predicates by number, or by place.
using State = std::map<uint32_t, uint32_t>;

constexpr int kSteps = 3000;

uint32_t constantAt(const Program &program, Slot slot) {
  uint32_t value = 0;
  std::memcpy(&value, program.constants.data() + (slot & ~kConstantSlot), sizeof(value));
  return value;
}

/// What one thread writes to memory: by the text, each register by itself.
std::vector<uint32_t> runText(const Function &function) {
  State registers;
  std::vector<uint32_t> written;
  auto value = [&](const Operand &operand) {
    uint32_t held =
        operand.kind == Operand::Kind::Register ? registers[operand.reg] : static_cast<uint32_t>(operand.value);
    return operand.negated ? !held : held;
  };
  for (size_t i = 0, step = 0; i < function.instructions.size() && step < kSteps; ++step) {
    const Instruction &each = function.instructions[i++];
    if (each.guard && (registers[*each.guard] != 0) == each.guardNegated)
      continue;
    const std::vector<Operand> &o = each.operands;
    if (each.mnemonic == "mov")
      registers[o[0].reg] = value(o[1]);
    else if (each.mnemonic == "add")
      registers[o[0].reg] = value(o[1]) + value(o[2]);
    else if (each.mnemonic == "and")
      registers[o[0].reg] = value(o[1]) & value(o[2]);
    else if (each.mnemonic == "setp")
      registers[o[0].reg] = value(o[1]) < value(o[2]);
    else if (each.mnemonic == "st")
      written.push_back(value(o[1]));
    else if (each.mnemonic == "bra")
      i = static_cast<size_t>(o[0].value);
  }
  return written;
}

/// The same by the ops and their places.
std::vector<uint32_t> runOps(const Program &program) {
  const Code &code = program.code[0];
  State frame;
  std::vector<uint32_t> written;
  auto value = [&](Slot slot) { return slot & kConstantSlot ? constantAt(program, slot) : frame[slot]; };
  for (size_t i = 0, step = 0; i + 1 < code.ops.size() && step < kSteps;) {
    const Op &op = code.ops[i++];
    const Instruction &each = code.function->instructions[op.instruction];
    bool isLast = i == code.firstOp[op.instruction + 1];
    step += isLast;
    if (op.guard != kNoSlot && (value(op.guard) != 0) == op.guardNegated)
      continue;
    if (!isLast)
      frame[op.slots[0]] = !value(op.slots[1]); // not.pred
    else if (each.mnemonic == "mov")
      frame[op.slots[0]] = value(op.slots[1]);
    else if (each.mnemonic == "add")
      frame[op.slots[0]] = value(op.slots[1]) + value(op.slots[2]);
    else if (each.mnemonic == "and")
      frame[op.slots[0]] = value(op.slots[1]) & value(op.slots[2]);
    else if (each.mnemonic == "setp")
      frame[op.slots[0]] = value(op.slots[1]) < value(op.slots[2]);
    else if (each.mnemonic == "st")
      written.push_back(value(op.more[0]));
    else if (each.mnemonic == "bra")
      i = static_cast<size_t>(op.immediate);
  }
  return written;
}

/// Parts one after the other, each with registers of its own that are set before a tangle of jumps, and passing values that
/// live for two instructions only: places are free again in the middle of loops whose other registers live on.
std::string randomKernel(std::mt19937 &random, int parts) {
  constexpr unsigned kOwn = 6, kInstructions = 24;
  std::string text;
  unsigned passing = 0;
  for (int part = 0; part < parts; ++part) {
    std::string name = std::to_string(part);
    auto reg = [&] { return "r" + name + "x" + std::to_string(random() % kOwn); };
    auto predicate = [&] { return "p" + name + "x" + std::to_string(random() % 2); };
    text += ".reg .b32 r" + name + "x<6>; .reg .pred p" + name + "x<2>;\n";
    for (unsigned i = 0; i < kOwn; ++i)
      text += "mov.u32 r" + name + "x" + std::to_string(i) + ", " + std::to_string(random() % 1000) + ";\n";
    for (unsigned i = 0; i < 2; ++i)
      text += "mov.pred p" + name + "x" + std::to_string(i) + ", " + std::to_string(random() % 2) + ";\n";
    for (unsigned i = 0; i < kInstructions; ++i) {
      text += "L" + name + "x" + std::to_string(i) + ": ";
      std::string guard = random() % 4 ? "" : (random() % 2 ? "@!" : "@") + predicate() + " ";
      switch (random() % 6) {
      case 0:
        text += guard + "setp.lt.u32 " + predicate() + ", " + reg() + ", " + reg();
        break;
      case 1:
        text += guard + "and.pred " + predicate() + ", !" + predicate() + ", " + predicate();
        break;
      case 2:
        text += guard + "st.global.u32 [d], " + reg();
        break;
      case 3:
        text += (guard.empty() ? "@" + predicate() + " " : guard) + "bra L" + name + "x" +
                std::to_string(random() % kInstructions);
        break;
      case 4: {
        std::string value = "t" + std::to_string(passing++);
        text += "add.u32 " + value + ", " + reg() + ", 1; " + guard + "add.u32 " + reg() + ", " + value + ", " + reg();
        break;
      }
      default:
        text += guard + "add.u32 " + reg() + ", " + reg() + ", " + std::to_string(random() % 100);
      }
      text += ";\n";
    }
    for (unsigned i = 0; i < 2; ++i)
      text += "st.global.u32 [d], r" + name + "x" + std::to_string(i) + ";\n";
  }
  return ".entry k()\n{\n.reg .b64 d; .reg .b32 t<" + std::to_string(passing + 1) + ">;\nmov.u64 d, 0;\n" + text +
         "ret;\n}\n";
}

TEST(Packing, RandomProgramsRunTheSame) {
  std::mt19937 random(5);
  size_t smaller = 0, written = 0;
  for (int i = 0; i < 300; ++i) {
    std::string text = randomKernel(random, 6 + static_cast<int>(random() % 6));
    Result<std::unique_ptr<Program>> program = decodeToy(text);
    ASSERT_TRUE(program) << program.error().message;
    std::vector<uint32_t> expected = runText((*program)->module.functions[0]);
    ASSERT_EQ(runOps(**program), expected) << text;
    written += expected.size();
    std::set<Slot> places((*program)->code[0].registers.begin(), (*program)->code[0].registers.end());
    smaller += places.size() < (*program)->code[0].registers.size();
  }
  // The programs are not trivial, and places were shared.
  EXPECT_GT(written, 3000u);
  EXPECT_GT(smaller, 200u);
}

TEST(Packing, StraightCodeNeedsAsManyPlacesAsAreAlive) {
  std::string text = ".entry k()\n{\n.reg .b32 r<1001>; .reg .b64 d;\nmov.u64 d, 0; mov.u32 r0, 1;\n";
  for (int i = 1; i <= 1000; ++i)
    text += "add.u32 r" + std::to_string(i) + ", r" + std::to_string(i - 1) + ", 1;\n";
  text += "st.global.u32 [d], r1000;\n}\n";
  Result<std::unique_ptr<Program>> program = decodeToy(text);
  ASSERT_TRUE(program) << program.error().message;
  // Two registers of 128 bytes and one of 256: source and destination of one instruction are both alive.
  EXPECT_EQ((*program)->code[0].frameBytes, 512u);
}

TEST(Packing, RegistersOfAsynchronousWorkShareWithNobody) {
  std::string text = ".entry k()\n{\n.reg .b32 r<101>;\nwgmma.fence.sync.aligned;\n";
  for (int i = 1; i <= 100; ++i)
    text += "mov.u32 r" + std::to_string(i) + ", 1;\ntcgen05.ld.toy r" + std::to_string(i) + ";\n";
  Result<std::unique_ptr<Program>> program = decodeToy(text + "}\n");
  ASSERT_TRUE(program) << program.error().message;
  std::set<Slot> places((*program)->code[0].registers.begin(), (*program)->code[0].registers.end());
  EXPECT_EQ(places.size(), 100u);
}

} // namespace
} // namespace glm::ptx
