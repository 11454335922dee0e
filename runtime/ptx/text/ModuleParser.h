// The parser of modules: one class, its functions in files by subject: Parser.cpp reads the module level, Declarations.cpp
// variables and registers, Initializers.cpp their values, Body.cpp functions' bodies, Operands.cpp what instructions name.
#pragma once

#include "runtime/ptx/text/Cursor.h"
#include "runtime/ptx/text/Expression.h"
#include "runtime/ptx/text/Module.h"
#include "runtime/ptx/text/Names.h"

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace glm::ptx {

class ModuleParser {
public:
  ModuleParser(std::string text, std::string_view place);

  Result<Module> parse();

private:
  static constexpr uint64_t kMaxVariableBytes = uint64_t(1)
                                                << 40; ///< no chip has more, and sums of a few do not overflow

  // Parser.cpp
  bool parseHeader();
  bool parseModuleStatement();
  bool parseTarget();
  bool parseFile();
  bool parseAlias();
  bool parseSection();
  bool parsePragma();
  bool parseFunction(bool isEntry, Variable::Linkage linkage);
  bool parseFunctionDirectives(Function &into);
  bool parseThree(std::array<uint32_t, 3> &into, std::string_view subject);
  bool declareFunction(Function &&header, uint32_t &index);
  bool declareParameters();
  bool resolveAliases();
  void resolveFiles();

  // Declarations.cpp
  struct Specifiers {
    Space space = Space::Global;
    Type type = Type::None;
    uint32_t vector = 1; ///< elements
    uint32_t align = 0;  ///< bytes; 0: natural
    bool managed = false;
    bool pointer = false; ///< .ptr was given
  };
  std::optional<Variable::Linkage> acceptLinkage();
  static std::optional<Space> spaceOf(const Token &token);
  bool parseSpecifiers(Specifiers &specifiers);
  bool parseAttribute(Specifiers *specifiers);
  std::optional<uint32_t> parseAlign();
  bool parseVariables(Space space, Variable::Linkage linkage);
  bool parseRegisters();
  bool parseDeclarator(const Specifiers &specifiers, Variable &variable);
  bool parseParameterList(std::vector<Variable> &into, bool prototype);
  bool declareVariable(Variable &&variable);
  bool declareName(std::string_view name, Symbol symbol);
  uint32_t addRegisters(std::string_view name, Type type, uint32_t count, uint32_t line);

  // Initializers.cpp
  bool parseInitializer(const Specifiers &specifiers, const std::vector<uint64_t> &extents, Variable &variable);
  bool parseInitialValue(Type type, uint64_t offset, Variable &variable);
  bool parseInitialAddress(Type type, uint64_t offset, Variable &variable);

  // Body.cpp
  bool parseBody();
  bool openScope(uint32_t line);
  bool closeScope();
  bool parseStatement();
  bool parseLabel();
  bool parseTable(std::string_view name, uint32_t line);
  bool parseBodyDirective();
  bool parseLocation();
  bool parseInstruction();
  bool parseGuard(Instruction &instruction);

  // Operands.cpp
  bool parseOperand(Operand &operand, bool isCall, uint32_t position);
  bool parseOperandTerm(Operand &operand, bool isCall, uint32_t position);
  bool parseName(Operand &operand, std::optional<uint32_t> position);
  bool parseOffset(Operand &operand);
  bool parseIndex(Operand &operand);
  bool parseVector(Operand &operand);
  bool parseAddress(Operand &operand);
  bool parseList(Operand &operand);
  bool constantOperand(Operand &operand);
  std::optional<Symbol> resolve(std::string_view name);

  bool fail(uint32_t line, std::string message) { return cursor.fail(line, std::move(message)); }

  /// A label or table that was used; labels may come after their uses, so they are looked up when their scope ends.
  struct Reference {
    std::string_view name;
    uint32_t line;
    bool fromTable;    ///< else from an instruction
    uint32_t index;    ///< of the table or the instruction
    uint32_t position; ///< of the target or the operand
  };

  std::unique_ptr<const std::string> ownedText; ///< the module's, once it is whole
  Module module;
  Cursor cursor;
  Names names;
  Function *function = nullptr; ///< whose body is read
  std::vector<Reference> references;
  std::vector<size_t> referenceStarts;                ///< by open scope
  std::unordered_map<uint64_t, uint32_t> fileIndices; ///< number in .file to index in Module::files
  std::unordered_map<uint32_t, std::pair<std::string_view, uint32_t>> aliases; ///< function: what it stands for, line
  uint32_t sourceFile = 0, sourceLine = 0;
  uint64_t gapBytes = 0; ///< zeros between initial values
};

} // namespace glm::ptx
