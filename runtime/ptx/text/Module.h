// PTX text after parsing: what is declared, and instructions as words and operands. It has resolved every name and
// scope, evaluated every constant expression and read every directive, and knows no instruction: runtime/ptx/isa gives
// the words a meaning.
//
// Source: PTX ISA 9.x, chapters "PTX Syntax", "State Spaces, Types, and Variables", "Directives".
#pragma once

#include "runtime/ptx/text/Type.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace glm::ptx {

/// A state space. Generic is what an address without a space means.
enum class Space : uint8_t { Generic, Reg, Global, Const, Shared, Local, Param };

/// One operand of an instruction.
struct Operand {
  enum class Kind : uint8_t {
    Register, ///< `reg` indexes Function::registers; `negated` for !%p
    Special,  ///< `name` is a special register without its component, "%tid", "%clock64"; `value` counts the component:
              ///< 0 to 3 for .x to .w, -1 without one
    Integer,  ///< `value`: a 64-bit constant, signed ones two's complement
    Float32,  ///< `value`: the bits of a 0f... constant
    Float64,  ///< `value`: the bits of a 0d... or decimal constant
    Symbol,   ///< the address of variable or function `name`, plus `value` bytes; `symbol` finds it
    Label,    ///< `value` indexes Function::instructions
    Table,    ///< `value` indexes Function::tables: .branchtargets, .calltargets, .callprototype
    Address,  ///< [parts[0] + value]; parts[0] is a Register, a Symbol or absent; a tensor's coordinates are parts[1]
    Vector,   ///< {parts...}
    Pair,     ///< parts[0] | parts[1]
    List,     ///< (parts...), of a call
    Sink,     ///< _
  };

  Kind kind = Kind::Sink;
  bool negated = false;
  uint32_t reg = 0;
  /// Symbols: which declaration was meant: an index into Module::variables, Module::functions, Function::variables,
  /// Function::parameters or Function::results.
  enum class Scope : uint8_t {
    None,
    ModuleVariable,
    ModuleFunction,
    FunctionVariable,
    Parameter,
    Result
  } scope = Scope::None;
  uint32_t symbol = 0;
  std::string_view name;
  int64_t value = 0;
  std::vector<Operand> parts;
};

struct Instruction {
  uint32_t line = 0;       ///< of the PTX text, from 1
  uint32_t sourceFile = 0; ///< index of a .file directive in Module::files plus 1; 0: no .loc before it
  uint32_t sourceLine = 0;
  std::optional<uint32_t> guard; ///< register of @%p
  bool guardNegated = false;
  std::string_view mnemonic;               ///< "mma"
  std::vector<std::string_view> modifiers; ///< "sync", "aligned", "kind::mxf4nvf4", ... without dots
  std::vector<Operand> operands;
};

/// A register; .reg .v4 %v becomes four, and of %r<8> become those that are used.
struct Register {
  std::string_view name; ///< with its component, "%v.x", where the text named one
  Type type = Type::B32;
  uint32_t line = 0;
};

/// An address within an initializer.
struct Relocation {
  uint64_t offset = 0; ///< bytes from the start of the variable
  uint32_t width = 8;  ///< bytes that the address takes
  uint32_t shift = 0;  ///< 0xFF00(symbol): the address is shifted right by this many bits first
  bool isFunction = false;
  bool generic = false; ///< generic(symbol): the generic address of a variable
  uint32_t symbol = 0;  ///< Module::variables or Module::functions
  int64_t addend = 0;
};

/// A variable or a parameter.
struct Variable {
  enum class Linkage : uint8_t { Internal, Visible, Extern, Weak, Common };

  std::string_view name;
  Space space = Space::Global;
  Type type = Type::B8;
  Linkage linkage = Linkage::Internal;
  bool managed = false;
  bool isScoped = false; ///< declared in a function's body: no one outside can name it
  bool unsized = false;  ///< extern .shared .b8 smem[]: takes the launch's dynamic bytes
  uint32_t align = 1;    ///< bytes
  uint64_t bytes = 0;
  uint32_t line = 0;
  std::vector<uint8_t> initial; ///< the first bytes; those beyond are zeros (or undefined, in .shared and .local)
  std::vector<Relocation> relocations;
};

/// Targets of brx.idx, of an indirect call, or a prototype.
struct Table {
  enum class Kind : uint8_t { BranchTargets, CallTargets, CallPrototype } kind = Kind::BranchTargets;
  std::string_view name;
  std::vector<uint32_t> targets; ///< instruction indices, or Module::functions
  std::vector<Variable> results, parameters;
};

struct Function {
  std::string_view name;
  bool isEntry = false;
  bool isDefined = false;
  Variable::Linkage linkage = Variable::Linkage::Internal;
  uint32_t line = 0;
  std::vector<Variable> results, parameters; ///< spaces Param or Reg (then `registers` begins with them, results first)
  std::vector<Register> registers;
  std::vector<Variable> variables; ///< .local and .param ones of the body; others are the module's
  std::vector<Table> tables;
  std::vector<Instruction> instructions;

  // Performance-tuning and cluster directives; 0: not given.
  std::array<uint32_t, 3> maxThreads{};      ///< .maxntid
  std::array<uint32_t, 3> requiredThreads{}; ///< .reqntid
  std::array<uint32_t, 3> requiredCluster{}; ///< .reqnctapercluster
  uint32_t minBlocksPerSm = 0, maxRegisters = 0, maxClusterRank = 0;
  bool explicitCluster = false, blocksAreClusters = false, noReturn = false;
};

struct Module {
  std::unique_ptr<const std::string> text; ///< every string_view points into it
  std::string place;                       ///< for messages
  uint32_t versionMajor = 0, versionMinor = 0;
  std::string_view target; ///< "sm_120a"
  uint32_t targetLine = 0;
  bool debug = false;
  std::vector<std::string_view> files;
  std::vector<Variable> variables;
  std::vector<Function> functions; ///< declarations that were defined later are merged with the definition
};

} // namespace glm::ptx
