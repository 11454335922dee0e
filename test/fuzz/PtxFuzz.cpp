// PTX text, for every chip that it suits. What is accepted must be safe to run: places lie in the frame, jumps in the function.
#include "runtime/ptx/instructions/InstructionSet.h"
#include "runtime/ptx/isa/Program.h"
#include "runtime/ptx/text/Parser.h"
#include "test/fuzz/Fuzz.h"

namespace glm::fuzz {
namespace {

using namespace glm::ptx;

void requireLine(const Error &error) {
  requireRefusal(error);
  require(error.message.find('\n') == std::string::npos, "a refusal is one line", error.message);
}

void requirePlace(const Program &program, const Code &code, Slot slot) {
  if (slot == kNoSlot)
    return;
  bool isConstant = slot & kConstantSlot;
  size_t end = isConstant ? program.constants.size() : code.frameBytes;
  require((slot & ~kConstantSlot) < end, "a slot lies in the frame or among the constants");
}

void requireSound(const Program &program, uint32_t index) {
  const Code &code = program.code[index];
  if (!code.function->isDefined)
    return;
  size_t instructions = code.function->instructions.size();
  require(code.firstOp.size() == instructions + 1, "every instruction has a first op");
  require(!code.ops.empty() && code.firstOp.back() + 1 == code.ops.size(), "a function ends with one op more");
  for (const Op &op : code.ops) {
    require(op.run != nullptr, "an op has a handler");
    require(op.instruction <= instructions, "an op belongs to an instruction");
    requirePlace(program, code, op.guard);
    for (uint32_t i = 0; i < op.readCount; ++i)
      require(op.reads[i] < code.registers.size(), "a checked register exists");
    for (uint32_t i = 0; i < op.writeCount; ++i)
      require(op.writes[i] < code.registers.size(), "a checked register exists");
  }
  for (const JumpTable &table : code.tables)
    for (uint32_t target : table.targets)
      require(target < (table.table->kind == Table::Kind::BranchTargets ? code.ops.size() : program.code.size()),
              "a target exists");
  for (Slot slot : code.registers)
    requirePlace(program, code, slot);
  sharedLayout(program, index);
}

} // namespace

void run(std::string_view input) {
  for (const Chip &chip : chips()) {
    auto module = parse(std::string(input), "fuzz.ptx");
    if (!module)
      return requireLine(module.error());
    const Target *target = targetNamed(module->target);
    // One refusal for another chip is as good as five.
    if (target && !target->runsOn(chip) && &chip != chips().data())
      continue;
    auto program = decode(std::move(*module), chip, instructionSet(), "fuzz.ptx");
    if (!program) {
      requireLine(program.error());
      continue;
    }
    for (uint32_t i = 0; i < (*program)->code.size(); ++i)
      requireSound(**program, i);
  }
}

} // namespace glm::fuzz
