// PTX text, for one of the chips that it suits. What is accepted must be safe to run: places lie in the frame, jumps in the function.
#include "runtime/ptx/arithmetic/Forms.h"
#include "runtime/ptx/async/Forms.h"
#include "runtime/ptx/isa/Program.h"
#include "runtime/ptx/machine/Forms.h"
#include "runtime/ptx/matrix/Forms.h"
#include "runtime/ptx/text/Parser.h"
#include "test/fuzz/Fuzz.h"

#include <algorithm>
#include <array>

namespace glm::fuzz {
namespace {

using namespace glm::ptx;

/// All lanes of a value.
void requirePlace(const Program &program, const Code &code, Slot slot, Type type) {
  if (slot == kNoSlot)
    return;
  size_t bytes = type == Type::Pred ? sizeof(LaneMask) : std::max(bitsOf(type), 16u) / 8 * kWarpSize;
  size_t end = slot & kConstantSlot ? program.constants.size() : code.frameBytes;
  require((slot & ~kConstantSlot) + bytes <= end, "a slot lies in the frame or among the constants");
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
    requirePlace(program, code, op.guard, Type::Pred);
    for (uint32_t i = 0; i < op.readCount; ++i)
      require(op.reads[i] < code.registers.size(), "a checked register exists");
    for (uint32_t i = 0; i < op.writeCount; ++i)
      require(op.writes[i] < code.registers.size(), "a checked register exists");
  }
  for (const JumpTable &table : code.tables)
    for (uint32_t target : table.targets)
      require(target < (table.table->kind == Table::Kind::BranchTargets ? code.ops.size() : program.code.size()),
              "a target exists");
  for (size_t i = 0; i < code.registers.size(); ++i)
    requirePlace(program, code, code.registers[i], code.function->registers[i].type);
  for (const SpecialUse &use : code.specials)
    requirePlace(program, code, use.slot, use.type);
  for (const AddressUse &use : code.frameAddresses)
    requirePlace(program, code, use.slot, use.wide ? Type::U64 : Type::U32);
  sharedLayout(program, index);
}

/// Every form, with the handlers of the one feature set that is compiled for this target.
const FormTable &forms() {
  static const std::array tables = {machineForms(), arithmeticForms(LaneSet::Baseline), asyncForms(), matrixForms()};
  static const FormTable table(tables);
  return table;
}

/// The length chooses, so that mutants try every chip; any chip for text that suits none.
const Chip &chipFor(const Module &module, size_t length) {
  std::vector<const Chip *> suited;
  const Target *target = targetNamed(module.target);
  for (const Chip &chip : chips())
    if (target && target->runsOn(chip))
      suited.push_back(&chip);
  return suited.empty() ? chips()[length % chips().size()] : *suited[length % suited.size()];
}

} // namespace

void run(std::string_view input) {
  auto module = ptx::parse(std::string(input), "fuzz.ptx");
  if (!module)
    return requireRefusal(module.error());
  const Chip &chip = chipFor(*module, input.size());
  auto program = decode(std::move(*module), chip, forms(), "fuzz.ptx");
  if (!program)
    return requireRefusal(program.error());
  for (uint32_t i = 0; i < (*program)->code.size(); ++i)
    requireSound(**program, i);
}

} // namespace glm::fuzz
