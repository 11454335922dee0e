// Function bodies: scopes, labels, instructions (PTX ISA, "Statements"). Their operands are in Operands.cpp.
#include "runtime/ptx/text/ModuleParser.h"

#include <fmt/format.h>

#include <utility>

namespace glm::ptx {
namespace {

/// Braces within one another. Names and labels are looked up once per scope that they leave, so depth is bounded.
constexpr uint32_t kMaxScopes = 256;

} // namespace

bool ModuleParser::openScope(uint32_t line) {
  if (referenceStarts.size() >= kMaxScopes)
    return fail(line, fmt::format("braces must nest at most {} deep, but found more", kMaxScopes));
  names.open();
  referenceStarts.push_back(references.size());
  return true;
}

/// Labels of this scope meet their uses; the other uses wait for the scopes around.
bool ModuleParser::closeScope() {
  size_t kept = referenceStarts.back();
  for (size_t i = kept; i < references.size(); ++i) {
    const Reference reference = references[i];
    Names::Found found = names.find(reference.name);
    bool isHere = found.symbol && found.depth == names.depth() &&
                  (found.symbol->kind == Symbol::Kind::Label || found.symbol->kind == Symbol::Kind::Table);
    if (!isHere) {
      references[kept++] = reference;
      continue;
    }
    if (reference.fromTable) {
      if (found.symbol->kind != Symbol::Kind::Label)
        return fail(reference.line, fmt::format("target {} must be a label, but found a table", reference.name));
      function->tables[reference.index].targets[reference.position] = found.symbol->index;
      continue;
    }
    Operand &operand = function->instructions[reference.index].operands[reference.position];
    operand.kind = found.symbol->kind == Symbol::Kind::Label ? Operand::Kind::Label : Operand::Kind::Table;
    operand.value = found.symbol->index;
  }
  references.resize(kept);
  referenceStarts.pop_back();
  names.close();
  if (referenceStarts.empty() && !references.empty())
    return fail(references[0].line,
                fmt::format("name {} must be declared, but found no declaration of it", references[0].name));
  return true;
}

bool ModuleParser::parseBody() {
  if (!openScope(cursor.line()) || !declareParameters() || !cursor.expect("{", "function must have a body in braces"))
    return false;
  while (!referenceStarts.empty()) {
    if (cursor.peek().kind == Token::Kind::End)
      return cursor.failHere("body of a function must end with }");
    if (!parseStatement())
      return false;
  }
  return true;
}

bool ModuleParser::parseStatement() {
  const Token &token = cursor.peek();
  if (token.is("{"))
    return openScope(cursor.take().line);
  if (token.is("}")) {
    cursor.take();
    return closeScope();
  }
  if (token.kind == Token::Kind::Word)
    return parseBodyDirective();
  if (token.kind == Token::Kind::Name && cursor.peek(1).is(":"))
    return parseLabel();
  return parseInstruction();
}

bool ModuleParser::parseLabel() {
  Token label = cursor.take();
  cursor.take();
  const Token &next = cursor.peek();
  if (next.isWord("branchtargets") || next.isWord("calltargets") || next.isWord("callprototype"))
    return parseTable(label.text, label.line);
  auto index = static_cast<uint32_t>(function->instructions.size());
  return declareName(label.text, {Symbol::Kind::Label, index, 1, label.line});
}

bool ModuleParser::parseTable(std::string_view name, uint32_t line) {
  auto index = static_cast<uint32_t>(function->tables.size());
  if (!declareName(name, {Symbol::Kind::Table, index, 1, line}))
    return false;
  std::string_view word = cursor.take().text;
  Table table;
  table.name = name;
  if (word == "callprototype") {
    table.kind = Table::Kind::CallPrototype;
    if (cursor.peek().is("(") && !parseParameterList(table.results, true))
      return false;
    if (cursor.peek().kind != Token::Kind::Name)
      return cursor.failHere("prototype must have a name or _");
    cursor.take();
    if (cursor.peek().is("(") && !parseParameterList(table.parameters, true))
      return false;
    Function unused;
    if (!parseFunctionDirectives(unused))
      return false;
  } else {
    table.kind = word == "branchtargets" ? Table::Kind::BranchTargets : Table::Kind::CallTargets;
    do {
      uint32_t targetLine = cursor.line();
      std::optional<std::string_view> target = cursor.name("table must be of names");
      if (!target)
        return false;
      if (table.kind == Table::Kind::BranchTargets) {
        references.push_back({*target, targetLine, true, index, static_cast<uint32_t>(table.targets.size())});
        table.targets.push_back(0);
        continue;
      }
      std::optional<Symbol> symbol = resolve(*target);
      if (!symbol || symbol->kind != Symbol::Kind::Function)
        return fail(targetLine, fmt::format("target {} must be a function, but found another", *target));
      table.targets.push_back(symbol->index);
    } while (cursor.accept(","));
  }
  function->tables.push_back(std::move(table));
  return cursor.expect(";", "table must end with ;");
}

bool ModuleParser::parseBodyDirective() {
  if (cursor.acceptWord("loc"))
    return parseLocation();
  if (cursor.acceptWord("pragma"))
    return parsePragma();
  if (cursor.acceptWord("section"))
    return parseSection();
  if (cursor.acceptWord("file"))
    return parseFile();
  std::optional<Variable::Linkage> linkage = acceptLinkage();
  std::optional<Space> space = spaceOf(cursor.peek());
  if (!space)
    return cursor.failHere("statement must be an instruction, a label or a declaration");
  cursor.take();
  if (*space == Space::Reg && !linkage)
    return parseRegisters();
  return parseVariables(*space, linkage.value_or(Variable::Linkage::Internal));
}

/// .loc file line column [, function_name label [+ n], inlined_at file line column]
bool ModuleParser::parseLocation() {
  std::optional<uint64_t> file = parseCount(cursor, "file of .loc", UINT32_MAX);
  if (!file)
    return false;
  std::optional<uint64_t> line = parseCount(cursor, "line of .loc", UINT32_MAX);
  if (!line || !parseCount(cursor, "column of .loc", UINT32_MAX))
    return false;
  sourceFile = static_cast<uint32_t>(*file);
  sourceLine = static_cast<uint32_t>(*line);
  while (cursor.accept(",")) {
    if (cursor.peek().kind != Token::Kind::Name)
      return cursor.failHere("attribute of .loc must be function_name or inlined_at");
    std::string_view attribute = cursor.take().text;
    if (attribute == "function_name") {
      if (!cursor.name("function_name must be followed by a label"))
        return false;
      if (cursor.accept("+") && !parseCount(cursor, "offset of a function's name", UINT32_MAX))
        return false;
    } else if (attribute == "inlined_at") {
      for (int i = 0; i < 3; ++i)
        if (!parseCount(cursor, "place of inlined_at", UINT32_MAX))
          return false;
    } else {
      return cursor.failHere("attribute of .loc must be function_name or inlined_at");
    }
  }
  return true;
}

bool ModuleParser::parseGuard(Instruction &instruction) {
  if (!cursor.accept("@"))
    return true;
  instruction.guardNegated = cursor.accept("!");
  Operand operand;
  uint32_t line = cursor.line();
  if (cursor.peek().kind != Token::Kind::Name)
    return cursor.failHere("guard must be a predicate");
  if (!parseName(operand, std::nullopt))
    return false;
  if (operand.kind != Operand::Kind::Register || function->registers[operand.reg].type != Type::Pred)
    return fail(line, fmt::format("guard must be a predicate, but found {}", operand.name));
  instruction.guard = operand.reg;
  return true;
}

bool ModuleParser::parseInstruction() {
  Instruction instruction;
  instruction.sourceFile = sourceFile;
  instruction.sourceLine = sourceLine;
  if (!parseGuard(instruction))
    return false;
  instruction.line = cursor.line();
  std::optional<std::string_view> mnemonic = cursor.name("statement must be an instruction, a label or a declaration");
  if (!mnemonic)
    return false;
  instruction.mnemonic = *mnemonic;
  while (cursor.peek().kind == Token::Kind::Word)
    instruction.modifiers.push_back(cursor.take().text);

  if (!cursor.peek().is(";"))
    do {
      auto position = static_cast<uint32_t>(instruction.operands.size());
      Operand &operand = instruction.operands.emplace_back();
      if (!parseOperand(operand, *mnemonic == "call", position))
        return false;
    } while (cursor.accept(","));
  if (!cursor.expect(";", "instruction must end with ;"))
    return false;
  function->instructions.push_back(std::move(instruction));
  return true;
}

} // namespace glm::ptx
