// A module after decoding: ops with resolved operands, ready for one chip. Position independent: variables get their
// addresses when a context loads it (machine/LoadedModule.h).
#pragma once

#include "runtime/artifact/Result.h"
#include "runtime/ptx/isa/Chip.h"
#include "runtime/ptx/isa/Op.h"
#include "runtime/ptx/text/Module.h"

#include <memory>
#include <string>
#include <vector>

namespace glm::ptx {

/// A special register that a function reads: the machine fills its slot when a warp enters the function. Those that
/// change while a warp runs (%clock, %globaltimer, %activemask ...) are ops instead.
struct SpecialUse {
  std::string_view name; ///< "%tid.x"
  Slot slot;
};

/// A place that holds a variable's address plus `addend`. Addresses that are known when the module is loaded (.global,
/// .const, functions, entry parameters) lie among the constants; those that depend on the block or on the call (.shared,
/// .local, .param of a call) in the frame, filled when a function is entered.
struct AddressUse {
  Slot slot; ///< written to all lanes
  bool wide; ///< 64 bits, else 32
  Operand::Scope scope;
  uint32_t symbol;
  int64_t addend;
};

/// A function, decoded.
struct Code {
  const Function *function = nullptr;
  std::vector<Op> ops;           ///< one or more per instruction
  std::vector<uint32_t> firstOp; ///< by instruction index; one past the end as well
  std::vector<Slot> registers;   ///< by register index
  uint32_t frameBytes = 0;       ///< registers and specials of one warp
  std::vector<SpecialUse> specials;
  std::vector<AddressUse> frameAddresses;
  // Variables of the body: byte offsets within the thread's stack frame, the block's static shared memory, or the
  // parameter area of a call.
  std::vector<uint64_t> variableOffset;  ///< by Function::variables
  uint64_t localBytes = 0;               ///< .local and .param variables of one thread
  std::vector<uint32_t> parameterOffset; ///< bytes within the parameter block, by Function::parameters
  uint32_t parameterBytes = 0;
};

struct Program {
  std::string place; ///< for messages
  Module module;
  const Chip *chip = nullptr;
  std::vector<Code> code;             ///< by Module::functions; empty ops for declarations
  std::vector<std::byte> constants;   ///< immediates, kWarpSize copies each; AddressUse slots are still zero
  std::vector<AddressUse> addresses;  ///< constant slots
  std::vector<uint64_t> sharedOffset; ///< bytes, by Module::variables; only .shared ones
  uint64_t sharedBytes = 0;           ///< static shared memory of the module's variables and all functions' bodies
  uint32_t dynamicSharedAlign = 16;
  std::vector<std::shared_ptr<void>> owned; ///< what Op::extra, more, reads and writes point to
};

class FormTable;
class ProgramBuilder; ///< isa/Decode.cpp

/// Decode for a chip. Refuses, with line and name, what no form matches, and text that is not for this chip (its .target
/// and every form's feature, as ptxas does).
Result<std::unique_ptr<Program>> decode(Module module, const Chip &chip, const FormTable &forms,
                                        std::string_view place);

} // namespace glm::ptx
