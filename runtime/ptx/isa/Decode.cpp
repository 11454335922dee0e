// A module to a program: functions to ops, variables to places.
#include "runtime/ptx/isa/Packing.h"
#include "runtime/ptx/isa/ProgramBuilder.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace glm::ptx {
namespace {

constexpr uint32_t kMaxParameterBytes = 32764;   ///< of a kernel, from PTX 8.1 on
constexpr uint32_t kOldMaxParameterBytes = 4352; ///< before
constexpr uint32_t kLongParametersVersion = 81;
constexpr uint64_t kMaxStackBytes = 512u << 10; ///< local memory of one thread
constexpr uint32_t kMaxFrameBytes = 1u << 30;   ///< slots have 31 bits
constexpr size_t kMaxConstantBytes = size_t(1) << 30;

/// Frames up to this stay in the first cache anyway, and are decoded once.
constexpr uint32_t kPackedFromBytes = 4096;

/// Registers that hold a value when a function is entered: its parameters and, since nobody reads them there, its results.
uint32_t definedRegisters(const Function &function) {
  uint32_t defined = 0;
  for (const std::vector<Variable> *variables : {&function.results, &function.parameters})
    for (const Variable &variable : *variables)
      defined += variable.space == Space::Reg;
  return defined;
}

/// Work of the tensor cores goes on after its instruction and touches its registers then.
bool outlivesItself(const Instruction &instruction, const Op &op) {
  return op.opClass == OpClass::Async || instruction.mnemonic == "wgmma" || instruction.mnemonic == "tcgen05";
}

uint64_t alignUp(uint64_t value, uint64_t align) { return (value + align - 1) / align * align; }

} // namespace

Error ProgramBuilder::errorAt(uint32_t line, std::string message) const {
  return Error{fmt::format("{}:{}: {}", program.place, line, message)};
}

Result<void> ProgramBuilder::checkTarget() {
  const Module &module = program.module;
  target = targetNamed(module.target);
  if (!target)
    return errorAt(module.targetLine,
                   fmt::format(".target must name a chip that is known, but found {}", module.target));
  uint32_t version = module.versionMajor * 10 + module.versionMinor;
  if (version < target->ptxVersion)
    return errorAt(module.targetLine, fmt::format(".target {} must have .version {}.{} or later, but found {}.{}",
                                                  module.target, target->ptxVersion / 10, target->ptxVersion % 10,
                                                  module.versionMajor, module.versionMinor));
  if (!target->runsOn(*program.chip))
    return errorAt(module.targetLine,
                   fmt::format(".target must suit {}, but found {}", program.chip->name, module.target));
  return {};
}

Result<void> ProgramBuilder::checkVariables() {
  for (const Variable &variable : program.module.variables)
    if (variable.space == Space::Shared && variable.bytes > program.chip->sharedPerSm)
      return errorAt(variable.line, fmt::format("{} must fit into {} bytes of shared memory, but found {}",
                                                variable.name, program.chip->sharedPerSm, variable.bytes));
  return {};
}

Result<void> ProgramBuilder::decodeModule() {
  Result<void> checked = checkTarget();
  if (checked)
    checked = checkVariables();
  if (!checked)
    return checked;
  sharedNamed.resize(program.module.variables.size());
  calleeNamed.resize(program.module.functions.size());
  program.code.resize(program.module.functions.size());
  for (uint32_t i = 0; i < program.code.size(); ++i) {
    Result<void> decoded = decodeFunction(i);
    if (!decoded)
      return decoded;
  }
  return {};
}

/// Places of parameters and of what lies on a thread's stack.
Result<void> ProgramBuilder::layOutStack() {
  uint64_t stack = 0;
  auto place = [&](const Variable &variable) {
    uint64_t offset = alignUp(stack, variable.align);
    stack = offset + variable.bytes;
    return offset;
  };
  for (const Variable &variable : function->variables) {
    code->variableOffset.push_back(place(variable));
    // Also the sum of very many would be refused, not wrap.
    if (stack > kMaxStackBytes)
      break;
  }
  uint64_t parameters = 0;
  auto placeAll = [&](const std::vector<Variable> &variables, std::vector<uint32_t> &offsets) {
    for (const Variable &variable : variables) {
      if (variable.space == Space::Reg) {
        offsets.push_back(0);
      } else if (function->isEntry) {
        parameters = alignUp(parameters, variable.align);
        offsets.push_back(static_cast<uint32_t>(parameters));
        parameters += variable.bytes;
      } else {
        offsets.push_back(static_cast<uint32_t>(place(variable)));
      }
      if (stack > kMaxStackBytes || parameters > kMaxParameterBytes)
        return;
    }
  };
  placeAll(function->results, code->resultOffset);
  placeAll(function->parameters, code->parameterOffset);
  uint32_t version = program.module.versionMajor * 10 + program.module.versionMinor;
  uint32_t most = version < kLongParametersVersion ? kOldMaxParameterBytes : kMaxParameterBytes;
  if (parameters > most)
    return errorAt(function->line, fmt::format("parameters of {} must take at most {} bytes, but found {}",
                                               function->name, most, parameters));
  if (stack > kMaxStackBytes)
    return errorAt(function->line, fmt::format("variables of {} must take at most {} bytes of a thread's stack, but "
                                               "found {}",
                                               function->name, kMaxStackBytes, stack));
  code->parameterBytes = static_cast<uint32_t>(parameters);
  code->localBytes = alignUp(stack, 16);
  return {};
}

Result<void> ProgramBuilder::decodeFunction(uint32_t index) {
  code = &program.code[index];
  function = &program.module.functions[index];
  code->function = function;
  Result<void> placed = layOutStack();
  if (!placed || !function->isDefined)
    return placed;

  // Parameters and results in registers are the caller's business as well.
  pinned.assign(function->registers.size(), false);
  for (size_t i = 0; i < definedRegisters(*function); ++i)
    pinned[i] = true;
  for (const Register &each : function->registers) {
    if (code->frameBytes > kMaxFrameBytes)
      return errorAt(each.line,
                     fmt::format("registers must take at most {} bytes of a warp, but found more", kMaxFrameBytes));
    code->registers.push_back(allocate(each.type));
  }
  bool isLarge = code->frameBytes > kPackedFromBytes;
  size_t owned = program.owned.size();
  Result<void> decoded = decodeInstructions();
  if (decoded && isLarge) {
    // Who is alive when follows from the ops: they are made once to see it, and again with the places that follow.
    std::vector<RegisterNeed> needs;
    for (size_t reg = 0; reg < pinned.size(); ++reg)
      needs.push_back({slotBytes(function->registers[reg].type), pinned[reg]});
    code->frameBytes = 0;
    code->registers = packRegisters(*function, uses, needs, code->frameBytes);
    program.owned.resize(owned);
    arena.reset();
    decoded = decodeInstructions();
  }
  if (decoded)
    keepChecks();
  return decoded;
}

Result<void> ProgramBuilder::decodeInstructions() {
  code->ops.clear();
  code->firstOp.clear();
  code->specials.clear();
  code->frameAddresses.clear();
  code->tables.clear();
  temporaryPool.clear();
  specialPool.clear();
  frameAddressPool.clear();
  jumps.clear();
  uses.assign(function->instructions.size(), {});
  for (const Table &table : function->tables)
    code->tables.push_back({&table, table.targets});
  for (uint32_t i = 0; i < function->instructions.size(); ++i) {
    code->firstOp.push_back(static_cast<uint32_t>(code->ops.size()));
    Result<void> decoded = decodeInstruction(function->instructions[i], i);
    if (!decoded)
      return decoded;
  }
  Result<void> ended = endFunction();
  if (ended)
    resolveJumps();
  return ended;
}

/// What is left of the registers' uses goes into the ops.
void ProgramBuilder::keepChecks() {
  keepUnproven(*function, uses, static_cast<uint32_t>(function->registers.size()), definedRegisters(*function));
  for (uint32_t i = 0; i < function->instructions.size(); ++i) {
    // What the ops before the last one compute are temporaries; what the instruction reads is read by its first op.
    Op &first = code->ops[code->firstOp[i]];
    Op &last = code->ops[code->firstOp[i + 1] - 1];
    size_t reads = std::min<size_t>(uses[i].reads.size(), std::numeric_limits<uint8_t>::max());
    size_t writes = std::min<size_t>(uses[i].writes.size(), std::numeric_limits<uint8_t>::max());
    first.reads = reads ? store(uses[i].reads) : nullptr;
    first.readCount = static_cast<uint8_t>(reads);
    last.writes = writes ? store(uses[i].writes) : nullptr;
    last.writeCount = static_cast<uint8_t>(writes);
  }
}

/// A function that runs past its last instruction returns.
Result<void> ProgramBuilder::endFunction() {
  code->firstOp.push_back(static_cast<uint32_t>(code->ops.size()));
  Instruction end;
  end.line = function->instructions.empty() ? function->line : function->instructions.back().line;
  end.mnemonic = "ret";
  Builder builder(*this, end);
  Op op;
  Result<void> built = build(builder, op);
  if (!built)
    return built;
  op.line = end.line;
  op.instruction = static_cast<uint32_t>(function->instructions.size());
  code->ops.push_back(op);
  return {};
}

void ProgramBuilder::resolveJumps() {
  for (uint32_t op : jumps)
    code->ops[op].immediate = code->firstOp[code->ops[op].immediate];
  for (JumpTable &table : code->tables)
    if (table.table->kind == Table::Kind::BranchTargets)
      for (uint32_t &each : table.targets)
        each = code->firstOp[each];
}

Result<const ProgramBuilder::Chosen *> ProgramBuilder::choose(const Instruction &instruction) {
  std::string spelling(instruction.mnemonic);
  for (std::string_view word : instruction.modifiers)
    spelling.append(".").append(word);
  if (auto known = chosen.find(spelling); known != chosen.end())
    return &known->second;

  std::span<const Form *const> rows = forms.named(instruction.mnemonic);
  for (const Form *form : rows) {
    std::optional<Match> match = matchPattern(form->pattern, instruction);
    if (!match)
      continue;
    if (!hasFeature(target->features, form->feature))
      return errorAt(instruction.line, fmt::format("{} must be for a .target with {}, but found {}", spelling,
                                                   nameOf(form->feature), target->name));
    uint32_t version = program.module.versionMajor * 10 + program.module.versionMinor;
    if (version < form->ptxVersion)
      return errorAt(instruction.line, fmt::format("{} must have .version {}.{} or later, but found {}.{}", spelling,
                                                   form->ptxVersion / 10, form->ptxVersion % 10,
                                                   program.module.versionMajor, program.module.versionMinor));
    return &chosen.emplace(std::move(spelling), Chosen{form, std::move(*match)}).first->second;
  }
  return errorAt(instruction.line, fmt::format("instruction must be one that is known, but found {}", spelling));
}

Result<void> ProgramBuilder::build(Builder &builder, Op &op) {
  Result<const Chosen *> form = choose(builder.instruction);
  if (!form)
    return form.error();
  op.opClass = (*form)->form->opClass;
  // What follows may choose other forms and move the table.
  Chosen copy = **form;
  return copy.form->build(builder, copy.match, op);
}

Result<void> ProgramBuilder::decodeInstruction(const Instruction &instruction, uint32_t index) {
  temporaries.clear();
  temporariesTaken.clear();
  Builder builder(*this, instruction);
  Op op;
  Result<void> built = build(builder, op);
  if (!built)
    return built;
  Slot guard = kNoSlot;
  if (instruction.guard) {
    guard = code->registers[*instruction.guard];
    builder.reads.push_back(*instruction.guard);
  }
  auto append = [&](Op &each) {
    each.guard = guard;
    each.guardNegated = instruction.guardNegated;
    each.instruction = index;
    each.line = instruction.line;
    code->ops.push_back(each);
  };
  for (Op &each : builder.earlier)
    append(each);
  if (builder.jumps)
    jumps.push_back(static_cast<uint32_t>(code->ops.size()));
  append(op);
  if (code->frameBytes > kMaxFrameBytes || program.constants.size() > kMaxConstantBytes)
    return errorAt(instruction.line, "registers and constants must take at most 1 GiB, but found more");

  // Only registers of the text are checked; temporaries are written by the same instruction.
  auto isOurs = [&](uint32_t reg) { return reg >= function->registers.size(); };
  std::erase_if(builder.reads, isOurs);
  std::erase_if(builder.writes, isOurs);
  if (outlivesItself(instruction, op))
    for (const std::vector<uint32_t> *registers : {&builder.reads, &builder.writes})
      for (uint32_t reg : *registers)
        pinned[reg] = true;
  uses[index] = {std::move(builder.reads), std::move(builder.writes), op.late};
  return {};
}

Result<std::unique_ptr<Program>> decode(Module module, const Chip &chip, const FormTable &forms,
                                        std::string_view place) {
  auto program = std::make_unique<Program>();
  program->place = place;
  program->module = std::move(module);
  program->chip = &chip;
  Result<void> decoded = ProgramBuilder(*program, forms).decodeModule();
  if (!decoded)
    return decoded.error();
  return program;
}

} // namespace glm::ptx
