// A module after decoding: ops with resolved operands, ready for one chip. Position independent: variables get their
// addresses when a context loads it (machine/LoadedModule.h).
#pragma once

#include "runtime/artifact/Result.h"
#include "runtime/ptx/isa/Chip.h"
#include "runtime/ptx/isa/Op.h"
#include "runtime/ptx/isa/Special.h"
#include "runtime/ptx/text/Module.h"

#include <memory>
#include <string>
#include <vector>

namespace glm::ptx {

/// A special register that a function reads: the machine fills its slot when a warp enters the function. Those that
/// change while a warp runs (%clock, %globaltimer ...) are ops instead.
struct SpecialUse {
  Special special;
  uint32_t component; ///< of %tid and its like: 0 to 3 for .x to .w
  uint32_t index;     ///< of numbered ones: %envreg3
  Type type;          ///< how the slot holds it: U16, U32, U64 or Pred
  Slot slot;
};

/// A place that holds a variable's address. Addresses that are known when the module is loaded (.global, .const,
/// functions) lie among the constants; those that depend on the block or on the call (.shared, and what lies on a thread's
/// stack: .local, .param of calls, the parameters and results of a .func) in the frame, filled when a function is entered.
/// Parameters of a kernel need no place: their addresses are constants.
struct AddressUse {
  Slot slot; ///< written to all lanes
  bool wide; ///< 64 bits, else 32
  Operand::Scope scope;
  uint32_t symbol;
  int64_t addend;
};

/// A table of the text, with targets that ops can use.
struct JumpTable {
  const Table *table = nullptr;
  std::vector<uint32_t> targets; ///< of branches: ops of this function; of calls: Module::functions
};

/// A function, decoded.
struct Code {
  const Function *function = nullptr;
  std::vector<Op> ops; ///< one or more per instruction; the last one ends the function (a `ret` of ours, if need be)
  std::vector<uint32_t> firstOp; ///< by instruction index; one past the end as well
  std::vector<Slot> registers;   ///< by register index
  uint32_t frameBytes = 0;       ///< registers and specials of one warp
  std::vector<SpecialUse> specials;
  std::vector<AddressUse> frameAddresses;
  std::vector<JumpTable> tables; ///< by Function::tables

  /// What a thread's stack frame holds: variables of the body, then (for a .func) parameters and results.
  std::vector<uint64_t> variableOffset; ///< bytes within the thread's stack frame, by Function::variables
  uint64_t localBytes = 0;
  /// By Function::parameters. Of a kernel: bytes within the parameter block. Of a .func: bytes within the thread's stack
  /// frame (.reg parameters: 0), where a call copies the arguments to.
  std::vector<uint32_t> parameterOffset;
  uint32_t parameterBytes = 0;        ///< of a kernel
  std::vector<uint32_t> resultOffset; ///< by Function::results, within the thread's stack frame

  // What the function reaches, for SharedLayout.
  std::vector<uint32_t> sharedVariables; ///< Module::variables that it names
  std::vector<uint32_t> callees;         ///< Module::functions that it names
  bool callsIndirectly = false;
};

struct Program {
  std::string place; ///< for messages
  Module module;
  const Chip *chip = nullptr;
  std::vector<Code> code;                   ///< by Module::functions; empty ops for declarations
  std::vector<std::byte> constants;         ///< immediates, kWarpSize copies each; AddressUse slots are still zero
  std::vector<AddressUse> addresses;        ///< constant slots
  std::vector<std::shared_ptr<void>> owned; ///< what Op::extra, more, reads and writes point to
};

/// The static shared memory of a kernel: the .shared variables that it, or what it calls, names.
struct SharedLayout {
  static constexpr uint32_t kAbsent = UINT32_MAX;

  /// By Module::variables, bytes from the start of the block's shared memory, the system's bytes included; kAbsent for
  /// variables that the kernel does not reach. Unsized ones lie where the dynamic bytes begin.
  std::vector<uint32_t> offset;
  uint32_t bytes = 0;        ///< static ones, without the system's: CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES
  uint32_t dynamicStart = 0; ///< where the dynamic bytes begin
};

SharedLayout sharedLayout(const Program &program, uint32_t kernel);

class FormTable;
class ProgramBuilder; ///< isa/ProgramBuilder.h

/// Decode for a chip. Refuses, with line and name, what no form matches, and text that is not for this chip (its .target
/// and every form's feature, as ptxas does).
Result<std::unique_ptr<Program>> decode(Module module, const Chip &chip, const FormTable &forms,
                                        std::string_view place);

} // namespace glm::ptx
