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
  Space space = Space::Generic;  ///< of the symbol, if one was named
  std::vector<Slot> coordinates; ///< of [tensor, {c0, c1, ...}]
};

class Builder {
public:
  Builder(ProgramBuilder &program, const Instruction &instruction) : program(program), instruction(instruction) {}

  size_t operandCount() const { return instruction.operands.size(); }
  const Operand &operand(size_t index) const { return instruction.operands[index]; }
  const Instruction &text() const { return instruction; }
  const Chip &chip() const;

  /// "PLACE:LINE: MNEMONIC.MODIFIERS <rule>, but found <found>".
  Error error(std::string_view rule, std::string_view found) const;

  /// Refuse another number of operands.
  Result<void> expectOperands(size_t least, size_t most) const;

  /// A source of `type`: a register of that width (`exact`: PTX's rule that widths agree; otherwise a wider register is
  /// allowed, as for st and cvt, and registerType tells it), a special register, an immediate (converted to `type`), a
  /// variable's address. Predicates: `negated` operands are materialized by the Builder, so a slot is always positive.
  Result<Slot> source(size_t index, Type type, bool exact = true);
  Result<Slot> source(const Operand &operand, Type type, bool exact = true);

  /// A destination register of `type`; kNoSlot for _.
  Result<Slot> destination(size_t index, Type type, bool exact = true);
  Result<Slot> destination(const Operand &operand, Type type, bool exact = true);

  /// The type of the register that an operand names; the type of an immediate follows from the instruction: None.
  Type registerType(const Operand &operand) const;

  /// The elements of {a, b, ...}: exactly `count` (0: any). Appended to `slots`.
  Result<void> sources(const Operand &vector, Type type, size_t count, std::vector<Slot> &slots, bool exact = true);
  Result<void> destinations(const Operand &vector, Type type, size_t count, std::vector<Slot> &slots,
                            bool exact = true);

  Result<AddressOperand> address(size_t index);

  /// An operand that must be an integer constant.
  Result<int64_t> constant(size_t index) const;

  /// The value of every lane set to `bits`, as a slot of `type`.
  Slot immediate(Type type, uint64_t bits);

  /// Give `op` more slots, an object of the handler's own that lives as long as the program.
  void setMore(Op &op, const std::vector<Slot> &slots);
  template <typename T>
  void setExtra(Op &op, T value) {
    auto owner = std::make_shared<T>(std::move(value));
    op.extra = owner.get();
    keep(std::move(owner));
  }

  /// Another op to run before or after the one being built: an instruction may need several (a negated source predicate).
  /// Ops of one instruction share its guard, line and counters.
  Op &before();

private:
  void keep(std::shared_ptr<void> owner);
  ProgramBuilder &program;
  const Instruction &instruction;
};

} // namespace glm::ptx
