// The state of decoding: pools of constants, places in the frame, the function at hand.
#pragma once

#include "runtime/ptx/isa/Assignment.h"
#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/isa/Form.h"
#include "runtime/ptx/isa/Program.h"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace glm::ptx {

class ProgramBuilder {
public:
  ProgramBuilder(Program &program, const FormTable &forms) : program(program), forms(forms) {}

  Result<void> decodeModule();

private:
  friend class Builder;

  Result<void> checkTarget();
  Result<void> checkVariables();
  Result<void> decodeFunction(uint32_t index);
  Result<void> decodeInstructions();
  void keepChecks();
  Result<void> layOutStack();
  Result<void> decodeInstruction(const Instruction &instruction, uint32_t index);
  Result<void> endFunction();
  void resolveJumps();

  struct Chosen {
    const Form *form;
    Match match;
  };
  Result<const Chosen *> choose(const Instruction &instruction);
  Result<void> build(Builder &builder, Op &op);
  Error errorAt(uint32_t line, std::string message) const;

  /// Bytes that a register of this type takes, for all lanes.
  static uint32_t slotBytes(Type type);
  Slot allocate(Type type);
  Slot slotOf(uint32_t reg) const;
  Type typeOf(uint32_t reg) const;
  uint32_t newTemporary(Type type); ///< a register index beyond those of the text
  Slot constantSlot(Type type, uint64_t bits);
  Slot specialSlot(const SpecialUse &wanted);
  Slot addressSlot(const AddressUse &wanted, bool inFrame);
  const uint32_t *store(const std::vector<uint32_t> &values);
  void nameShared(uint32_t variable);
  void nameFunction(uint32_t callee);

  Program &program;
  const FormTable &forms;
  const Target *target = nullptr;
  Code *code = nullptr;
  const Function *function = nullptr;
  std::unordered_map<std::string, Chosen> chosen; ///< by spelling

  /// Temporaries of the instruction at hand; the next one uses their slots again.
  struct Temporary {
    Type type;
    Slot slot;
  };
  std::vector<Temporary> temporaries;
  std::map<uint32_t, std::vector<Slot>> temporaryPool; ///< of the function, by bytes
  std::map<uint32_t, size_t> temporariesTaken;         ///< of each in `temporaryPool`

  std::map<std::pair<uint32_t, uint64_t>, Slot> constantPool; ///< by bytes of the slot, bits
  std::map<std::tuple<Special, uint32_t, uint32_t, Type>, Slot> specialPool;
  std::map<std::tuple<Operand::Scope, uint32_t, bool, int64_t>, Slot> addressPool, frameAddressPool;
  std::vector<uint32_t> jumps;                        ///< ops of the function whose immediate is an instruction's index
  std::vector<const Code *> sharedNamed, calleeNamed; ///< by variable and function: who named it last
  std::vector<RegisterUses> uses;                     ///< by instruction of the function
  std::vector<bool> pinned;                           ///< registers that need a place of their own

  std::shared_ptr<std::vector<uint32_t>> arena; ///< the newest block of `store`
};

} // namespace glm::ptx
