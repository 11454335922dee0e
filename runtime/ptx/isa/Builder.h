// What a form's Build function sees: the operands of one instruction, turned into slots.
#pragma once

#include "runtime/ptx/isa/Form.h"
#include "runtime/ptx/isa/Program.h"

#include <memory>

namespace glm::ptx {

/// An address operand: [base + offset], [symbol + offset] or [offset].
struct AddressOperand {
  Slot base = kNoSlot; ///< register or constant with the address (u32 or u64 per lane); never kNoSlot after `address`
  bool wide = true;    ///< the base is 64 bits
  int64_t offset = 0;  ///< bytes
  /// Where the symbol lies, if one was named, else Generic. Param: a kernel's parameter block. What a call passes in .param
  /// lies on the thread's stack: Local.
  Space space = Space::Generic;
  std::vector<Slot> coordinates; ///< of [tensor, {c0, c1, ...}], 32 bits each
};

class Builder {
public:
  Builder(ProgramBuilder &program, const Instruction &instruction) : program(program), instruction(instruction) {}

  size_t operandCount() const { return instruction.operands.size(); }
  const Operand &operand(size_t index) const; ///< a sink beyond the last one
  const Instruction &text() const { return instruction; }
  const Chip &chip() const;
  const Module &module() const;
  const Function &function() const;
  bool inKernel() const { return function().isEntry; }

  /// "PLACE:LINE: MNEMONIC.MODIFIERS <rule>, but found <found>".
  Error error(std::string_view rule, std::string_view found) const;

  /// Refuse another number of operands.
  Result<void> expectOperands(size_t least, size_t most) const;

  /// A source of `type`: a register of that width (`exact`: PTX's rule that widths agree; otherwise a wider register is
  /// allowed, as for st and cvt, and registerType tells it), a special register, an immediate (converted to `type`), a
  /// variable's address. Predicates: `negated` operands are materialized by the Builder, so a slot is always positive.
  Result<Slot> source(size_t index, Type type, bool exact = true) { return source(operand(index), type, exact); }
  Result<Slot> source(const Operand &operand, Type type, bool exact = true);

  /// A destination register of `type`; kNoSlot for _.
  Result<Slot> destination(size_t index, Type type, bool exact = true) {
    return destination(operand(index), type, exact);
  }
  Result<Slot> destination(const Operand &operand, Type type, bool exact = true);

  /// The type of the register that an operand names; the type of an immediate follows from the instruction: None.
  Type registerType(const Operand &operand) const;

  /// The elements of {a, b, ...}: exactly `count` (0: any). Appended to `slots`. A scalar is a vector of one.
  Result<void> sources(const Operand &vector, Type type, size_t count, std::vector<Slot> &slots, bool exact = true);
  Result<void> destinations(const Operand &vector, Type type, size_t count, std::vector<Slot> &slots,
                            bool exact = true);

  Result<AddressOperand> address(size_t index) { return address(operand(index)); }
  Result<AddressOperand> address(const Operand &operand);

  /// An operand that must be an integer constant.
  Result<int64_t> constant(size_t index) const { return constant(operand(index)); }
  Result<int64_t> constant(const Operand &operand) const;

  /// The value of every lane set to `bits`, as a slot of `type`.
  Slot immediate(Type type, uint64_t bits);

  /// A register of the op's own, for a value between its parts; it lives as long as the instruction runs.
  Slot temporary(Type type);

  /// The operand must be a label: `op.immediate` becomes the op that it stands before.
  Result<void> jumpTarget(size_t index, Op &op);

  /// The operand must be a table of this kind. Its targets are filled in once the function is decoded.
  Result<const JumpTable *> table(size_t index, Table::Kind kind) const;

  /// The operand must name a function; the result indexes Module::functions and Program::code.
  Result<uint32_t> functionOperand(const Operand &operand);

  /// This instruction calls what a register holds.
  void markIndirectCall();

  /// A `.param` variable, parameter or result that a call passes, as an argument or a place for the result: its bytes within
  /// the thread's stack frame.
  struct StackPlace {
    uint64_t offset;
    const Variable *variable;
  };
  Result<StackPlace> stackPlace(const Operand &operand) const;

  /// Give `op` more slots, an object of the handler's own that lives as long as the program.
  void setMore(Op &op, const std::vector<Slot> &slots);
  template <typename T>
  void setExtra(Op &op, T value) {
    auto owner = std::make_shared<T>(std::move(value));
    op.extra = owner.get();
    keep(std::move(owner));
  }

  /// Another op to run before the one being built: an instruction may need several. Ops of one instruction share its guard,
  /// line and counters. The reference is good until the next call.
  Op &before();

private:
  friend class ProgramBuilder;

  void keep(std::shared_ptr<void> owner);
  Result<Slot> registerSlot(const Operand &operand, Type type, bool exact, bool writes);
  Result<Slot> specialSource(const Operand &operand, Type type);
  Result<Slot> symbolSource(const Operand &operand, Type type);
  Result<Slot> immediateSource(const Operand &operand, Type type);
  /// Run another instruction before: a form of the table, with operands made here.
  Result<void> runBefore(std::string_view mnemonic, std::vector<std::string_view> modifiers,
                         std::vector<Operand> operands);

  ProgramBuilder &program;
  const Instruction &instruction;
  std::vector<Op> earlier;             ///< from `before`
  std::vector<uint32_t> reads, writes; ///< registers
  bool jumps = false;                  ///< op.immediate is an instruction's index
};

} // namespace glm::ptx
