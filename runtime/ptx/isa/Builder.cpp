#include "runtime/ptx/isa/Builder.h"

#include "runtime/ptx/isa/ProgramBuilder.h"

#include <fmt/format.h>

#include <bit>
#include <span>
#include <utility>

namespace glm::ptx {
namespace {

bool isInteger(Type type) {
  switch (type) {
  case Type::U8:
  case Type::U16:
  case Type::U32:
  case Type::U64:
  case Type::S8:
  case Type::S16:
  case Type::S32:
  case Type::S64:
    return true;
  default:
    return false;
  }
}

/// PTX ISA, "Operand Type Checking": widths agree (or the register is wider); bits go with everything, signed with
/// unsigned, floats with themselves and bits only (tried with ptxas, packed ones as well).
bool agrees(Type wanted, Type held, bool exact) {
  if ((wanted == Type::Pred) != (held == Type::Pred))
    return false;
  if (exact ? bitsOf(held) != bitsOf(wanted) : bitsOf(held) < bitsOf(wanted))
    return false;
  if (isFloat(wanted))
    return isFloat(held) ? held == wanted : !isInteger(held);
  return !(isInteger(wanted) && isFloat(held));
}

/// What an instruction has beyond its last operand.
const Operand kNoOperand;

} // namespace

const Operand &Builder::operand(size_t index) const {
  return index < instruction.operands.size() ? instruction.operands[index] : kNoOperand;
}

const Chip &Builder::chip() const { return *program.program.chip; }
const Module &Builder::module() const { return program.program.module; }
const Function &Builder::function() const { return *program.function; }

Error Builder::error(std::string_view rule, std::string_view found) const {
  std::string subject(instruction.mnemonic);
  for (std::string_view word : instruction.modifiers)
    subject.append(".").append(word);
  return program.errorAt(instruction.line, fmt::format("{} {}, but found {}", subject, rule, found));
}

Result<void> Builder::expectOperands(size_t least, size_t most) const {
  size_t count = operandCount();
  if (count >= least && count <= most)
    return {};
  if (least == most)
    return error(fmt::format("must have {} operands", least), fmt::to_string(count));
  return error(fmt::format("must have {} to {} operands", least, most), fmt::to_string(count));
}

Type Builder::registerType(const Operand &operand) const {
  return operand.kind == Operand::Kind::Register ? program.typeOf(operand.reg) : Type::None;
}

Result<Slot> Builder::registerSlot(const Operand &operand, Type type, bool exact, bool isWritten) {
  Type held = program.typeOf(operand.reg);
  if (!agrees(type, held, exact))
    return error(fmt::format("must have a register of .{}{} there", nameOf(type), exact ? "" : " or wider"),
                 fmt::format("{} of .{}", operand.name, nameOf(held)));
  (isWritten ? writes : reads).push_back(operand.reg);
  return program.slotOf(operand.reg);
}

Result<Slot> Builder::source(const Operand &operand, Type type, bool exact) {
  switch (operand.kind) {
  case Operand::Kind::Register: {
    Result<Slot> slot = registerSlot(operand, type, exact, false);
    if (!slot || !operand.negated)
      return slot;
    if (type != Type::Pred)
      return error("must have ! before predicates only", operand.name);
    Operand positive = operand, inverted = operand;
    positive.negated = inverted.negated = false;
    inverted.reg = program.newTemporary(Type::Pred);
    Result<void> ran = runBefore("not", {"pred"}, {inverted, positive});
    if (!ran)
      return ran.error();
    return program.slotOf(inverted.reg);
  }
  case Operand::Kind::Special:
    return specialSource(operand, type);
  case Operand::Kind::Integer:
  case Operand::Kind::Float32:
  case Operand::Kind::Float64:
    return immediateSource(operand, type);
  case Operand::Kind::Symbol:
    return symbolSource(operand, type);
  case Operand::Kind::Label:
  case Operand::Kind::Table:
    return error(fmt::format("must have a value of .{} there", nameOf(type)), "a label");
  case Operand::Kind::Address:
    return error(fmt::format("must have a value of .{} there", nameOf(type)), "an address in brackets");
  case Operand::Kind::Vector:
  case Operand::Kind::Pair:
  case Operand::Kind::List:
    return error(fmt::format("must have one value of .{} there", nameOf(type)), "several");
  case Operand::Kind::Sink:
    break;
  }
  return error(fmt::format("must have a value of .{} there", nameOf(type)), &operand == &kNoOperand ? "nothing" : "_");
}

Result<Slot> Builder::destination(const Operand &operand, Type type, bool exact) {
  if (operand.kind == Operand::Kind::Sink && &operand != &kNoOperand)
    return kNoSlot;
  if (operand.kind != Operand::Kind::Register || operand.negated)
    return error(fmt::format("must write to a register of .{}", nameOf(type)), "another operand");
  return registerSlot(operand, type, exact, true);
}

Result<Slot> Builder::immediateSource(const Operand &operand, Type type) {
  auto bits = static_cast<uint64_t>(operand.value);
  if (operand.kind == Operand::Kind::Integer) {
    if (isFloat(type))
      return error(fmt::format("must have a constant of .{} there", nameOf(type)),
                   fmt::format("the integer {}", operand.value));
    if (type == Type::Pred)
      bits = bits ? ~uint64_t(0) : 0;
    return immediate(type, bits);
  }

  bool isSingle = operand.kind == Operand::Kind::Float32;
  double value =
      isSingle ? static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits))) : std::bit_cast<double>(bits);
  if (type == Type::F32)
    return immediate(type, isSingle ? bits : std::bit_cast<uint32_t>(static_cast<float>(value)));
  if (type == Type::F64)
    return immediate(type, isSingle ? std::bit_cast<uint64_t>(value) : bits);
  if (type == (isSingle ? Type::B32 : Type::B64))
    return immediate(type, bits);
  return error(fmt::format("must have a constant of .{} there", nameOf(type)),
               fmt::format("a float of {} bits", isSingle ? 32 : 64));
}

Slot Builder::immediate(Type type, uint64_t bits) { return program.constantSlot(type, bits); }

Slot Builder::temporary(Type type) { return program.slotOf(program.newTemporary(type)); }

Result<Slot> Builder::specialSource(const Operand &operand, Type type) {
  std::optional<SpecialName> name = specialNamed(operand.name);
  if (!name)
    return error("must have registers that are declared or special", operand.name);
  const SpecialRow &row = *name->row;
  if (row.isVector != (operand.value >= 0))
    return error(row.isVector ? fmt::format("must name a component of {}", row.name)
                              : fmt::format("must name {} without a component", row.name),
                 row.isVector ? "none" : "one");
  // A narrower read takes the low bits, as of %tid in 16 bits.
  if (isFloat(type) || !agrees(row.type, type, true)) {
    bool isNarrower = (type == Type::U16 || type == Type::B16 || type == Type::S16) && row.type == Type::U32;
    isNarrower |= (type == Type::U32 || type == Type::B32 || type == Type::S32) && row.type == Type::U64;
    if (!isNarrower || row.changes)
      return error(fmt::format("must have a value of .{} there", nameOf(type)),
                   fmt::format("{} of .{}", operand.name, nameOf(row.type)));
  }
  if (row.changes) {
    Operand value;
    value.kind = Operand::Kind::Register;
    value.name = operand.name;
    value.reg = program.newTemporary(row.type);
    Result<void> ran = runBefore(operand.name, {}, {value});
    if (!ran)
      return ran.error();
    return program.slotOf(value.reg);
  }
  constexpr auto held = [](Type wanted) {
    return wanted == Type::Pred   ? Type::Pred
           : bitsOf(wanted) == 16 ? Type::U16
           : bitsOf(wanted) == 32 ? Type::U32
                                  : Type::U64;
  };
  auto component = operand.value < 0 ? 0 : static_cast<uint32_t>(operand.value);
  return program.specialSlot({row.special, component, name->index, held(type), kNoSlot});
}

Result<Slot> Builder::symbolSource(const Operand &operand, Type type) {
  bool isWide = bitsOf(type) == 64;
  if ((!isWide && bitsOf(type) != 32) || isFloat(type))
    return error(fmt::format("must have a value of .{} there", nameOf(type)),
                 fmt::format("the address {}", operand.name));
  if (operand.scope == Operand::Scope::ModuleFunction) {
    program.nameFunction(operand.symbol);
    return program.addressSlot({kNoSlot, isWide, operand.scope, operand.symbol, operand.value}, false);
  }
  if (operand.scope == Operand::Scope::Parameter && inKernel())
    return immediate(type, program.code->parameterOffset[operand.symbol] + static_cast<uint64_t>(operand.value));
  bool inFrame = true;
  if (operand.scope == Operand::Scope::ModuleVariable) {
    inFrame = module().variables[operand.symbol].space == Space::Shared;
    if (inFrame)
      program.nameShared(operand.symbol);
  }
  return program.addressSlot({kNoSlot, isWide, operand.scope, operand.symbol, operand.value}, inFrame);
}

Result<AddressOperand> Builder::address(const Operand &operand) {
  AddressOperand result;
  const Operand *base = nullptr;
  Operand plain;
  if (operand.kind == Operand::Kind::Address) {
    base = operand.parts.data();
    result.offset = operand.value;
  } else if (operand.kind == Operand::Kind::Symbol) {
    // array[index] without brackets around it.
    plain = operand;
    result.offset = std::exchange(plain.value, 0);
    base = &plain;
  } else {
    return error("must have an address in brackets there", "another operand");
  }

  Result<Slot> slot = kNoSlot;
  if (base->kind == Operand::Kind::Register) {
    Type held = program.typeOf(base->reg);
    result.wide = bitsOf(held) == 64;
    if (isFloat(held) || (bitsOf(held) != 32 && bitsOf(held) != 64))
      return error("must have a register of 32 or 64 bits as address",
                   fmt::format("{} of .{}", base->name, nameOf(held)));
    slot = registerSlot(*base, result.wide ? Type::B64 : Type::B32, true, false);
  } else if (base->kind == Operand::Kind::Symbol) {
    using Scope = Operand::Scope;
    bool isParameter = base->scope == Scope::Parameter && inKernel();
    if (base->scope == Scope::ModuleFunction)
      return error("must have the address of a variable there", fmt::format("function {}", base->name));
    result.space = base->scope == Scope::ModuleVariable ? module().variables[base->symbol].space
                   : isParameter                        ? Space::Param
                                                        : Space::Local;
    // Offsets are the op's, so that all uses of a variable share one slot. They wrap as addresses do.
    if (isParameter)
      result.offset =
          static_cast<int64_t>(static_cast<uint64_t>(result.offset) + program.code->parameterOffset[base->symbol]);
    slot = isParameter ? immediate(Type::B64, 0) : symbolSource(*base, Type::B64);
  } else {
    slot = immediate(Type::B64, 0);
  }
  if (!slot)
    return slot.error();
  result.base = *slot;
  if (operand.parts.size() > 1 && operand.kind == Operand::Kind::Address) {
    Result<void> read = sources(operand.parts[1], Type::B32, 0, result.coordinates);
    if (!read)
      return read.error();
  }
  return result;
}

namespace {

/// The elements of a vector operand, a scalar as its only one.
std::span<const Operand> elementsOf(const Operand &operand) {
  if (operand.kind == Operand::Kind::Vector)
    return operand.parts;
  return {&operand, 1};
}

} // namespace

Result<void> Builder::sources(const Operand &vector, Type type, size_t count, std::vector<Slot> &slots, bool exact) {
  // %tid as a whole is the vector of its components.
  std::vector<Operand> components;
  std::span<const Operand> elements = elementsOf(vector);
  if (vector.kind == Operand::Kind::Special && vector.value < 0 && count == 4) {
    components.assign(4, vector);
    for (int64_t i = 0; i < 4; ++i)
      components[i].value = i;
    elements = components;
  }
  if (count && elements.size() != count)
    return error(fmt::format("must have a vector of {} there", count), fmt::to_string(elements.size()));
  for (const Operand &element : elements) {
    Result<Slot> slot = source(element, type, exact);
    if (!slot)
      return slot.error();
    slots.push_back(*slot);
  }
  return {};
}

Result<void> Builder::destinations(const Operand &vector, Type type, size_t count, std::vector<Slot> &slots,
                                   bool exact) {
  std::span<const Operand> elements = elementsOf(vector);
  if (count && elements.size() != count)
    return error(fmt::format("must have a vector of {} there", count), fmt::to_string(elements.size()));
  for (const Operand &element : elements) {
    Result<Slot> slot = destination(element, type, exact);
    if (!slot)
      return slot.error();
    slots.push_back(*slot);
  }
  return {};
}

Result<int64_t> Builder::constant(const Operand &operand) const {
  if (operand.kind != Operand::Kind::Integer)
    return error("must have an integer constant there", operand.name.empty() ? "another operand" : operand.name);
  return operand.value;
}

void Builder::setMore(Op &op, const std::vector<Slot> &slots) {
  op.more = program.store(slots);
  op.moreCount = static_cast<uint16_t>(slots.size());
}

void Builder::keep(std::shared_ptr<void> owner) { program.program.owned.push_back(std::move(owner)); }

Op &Builder::before() { return earlier.emplace_back(); }

Result<void> Builder::runBefore(std::string_view mnemonic, std::vector<std::string_view> modifiers,
                                std::vector<Operand> operands) {
  Instruction other = instruction;
  other.mnemonic = mnemonic;
  other.modifiers = std::move(modifiers);
  other.operands = std::move(operands);
  Builder builder(program, other);
  Op op;
  Result<void> built = program.build(builder, op);
  if (!built)
    return built;
  for (const Op &each : builder.earlier)
    earlier.push_back(each);
  earlier.push_back(op);
  return {};
}

Result<void> Builder::jumpTarget(size_t index, Op &op) {
  const Operand &label = operand(index);
  if (label.kind != Operand::Kind::Label)
    return error("must have a label there", label.name.empty() ? "another operand" : label.name);
  op.immediate = label.value;
  jumps = true;
  return {};
}

Result<const JumpTable *> Builder::table(size_t index, Table::Kind kind) const {
  const Operand &name = operand(index);
  constexpr std::string_view kWords[] = {".branchtargets", ".calltargets", ".callprototype"};
  if (name.kind != Operand::Kind::Table || function().tables[name.value].kind != kind)
    return error(fmt::format("must have the name of {} there", kWords[static_cast<size_t>(kind)]),
                 name.name.empty() ? "another operand" : name.name);
  return &program.code->tables[name.value];
}

Result<uint32_t> Builder::functionOperand(const Operand &operand) {
  if (operand.kind != Operand::Kind::Symbol || operand.scope != Operand::Scope::ModuleFunction)
    return error("must have a function there", operand.name.empty() ? "another operand" : operand.name);
  program.nameFunction(operand.symbol);
  return operand.symbol;
}

void Builder::markIndirectCall() { program.code->callsIndirectly = true; }

Result<Builder::StackPlace> Builder::stackPlace(const Operand &operand) const {
  if (operand.kind == Operand::Kind::Symbol && operand.value == 0) {
    if (operand.scope == Operand::Scope::FunctionVariable)
      return StackPlace{program.code->variableOffset[operand.symbol], &function().variables[operand.symbol]};
    if (operand.scope == Operand::Scope::Parameter && !inKernel())
      return StackPlace{program.code->parameterOffset[operand.symbol], &function().parameters[operand.symbol]};
    if (operand.scope == Operand::Scope::Result)
      return StackPlace{program.code->resultOffset[operand.symbol], &function().results[operand.symbol]};
  }
  return error("must pass a .param variable", operand.name.empty() ? "another operand" : operand.name);
}

} // namespace glm::ptx
