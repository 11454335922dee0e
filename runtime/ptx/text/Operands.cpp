// The operands of instructions (PTX ISA, "Instruction Operands").
#include "runtime/ptx/text/ModuleParser.h"

#include <fmt/format.h>

#include <utility>

namespace glm::ptx {
namespace {

/// 0 to 3 for .x .y .z .w, and for their other names .r .g .b .a; -1 for any other word.
int64_t componentOf(std::string_view word) {
  size_t index = word.size() == 1 ? std::string_view("xyzwrgba").find(word[0]) : std::string_view::npos;
  return index == std::string_view::npos ? -1 : static_cast<int64_t>(index % 4);
}

} // namespace

/// An operand, or two with | between them.
bool ModuleParser::parseOperand(Operand &operand, bool isCall, uint32_t position) {
  if (!parseOperandTerm(operand, isCall, position))
    return false;
  if (!cursor.accept("|"))
    return true;
  Operand pair;
  pair.kind = Operand::Kind::Pair;
  pair.parts.push_back(std::move(operand));
  pair.parts.emplace_back();
  operand = std::move(pair);
  return parseOperandTerm(operand.parts[1], false, position);
}

bool ModuleParser::parseOperandTerm(Operand &operand, bool isCall, uint32_t position) {
  const Token &token = cursor.peek();
  if (token.is("["))
    return parseAddress(operand);
  if (token.is("{"))
    return parseVector(operand);
  if (token.is("(") && isCall)
    return parseList(operand);
  if (token.is("!") && cursor.peek(1).kind == Token::Kind::Name && cursor.peek(1).text != "WARP_SZ") {
    uint32_t line = cursor.take().line;
    if (!parseName(operand, std::nullopt))
      return false;
    if (operand.kind != Operand::Kind::Register)
      return fail(line, fmt::format("operand after ! must be a register, but found {}", operand.name));
    operand.negated = true;
    return true;
  }
  if (beginsExpression(token))
    return constantOperand(operand);
  if (token.kind == Token::Kind::Name)
    return parseName(operand, position);
  return cursor.failHere("operand must be a register, a constant, a name, an address or a vector");
}

bool ModuleParser::constantOperand(Operand &operand) {
  std::optional<Constant> value = parseExpression(cursor);
  if (!value)
    return false;
  operand.kind = value->isInteger()                       ? Operand::Kind::Integer
                 : value->kind == Constant::Kind::Float32 ? Operand::Kind::Float32
                                                          : Operand::Kind::Float64;
  operand.value = static_cast<int64_t>(value->bits);
  return true;
}

/// What a name means here; registers of ranges are made when they are first named.
std::optional<Symbol> ModuleParser::resolve(std::string_view name) {
  Names::Found found = names.find(name);
  if (found.symbol)
    return *found.symbol;
  if (!found.range)
    return std::nullopt;
  const RegisterRange &range = *found.range;
  uint32_t first = addRegisters(name, range.type, range.vector, range.line);
  return names.made(found.key, {Symbol::Kind::Register, first, range.vector, range.line});
}

/// A name as operand. `position`: of the operand within the instruction, where a label may stand.
bool ModuleParser::parseName(Operand &operand, std::optional<uint32_t> position) {
  Token token = cursor.take();
  operand.name = token.text;
  if (token.text == "_") {
    operand.kind = Operand::Kind::Sink;
    return true;
  }

  std::optional<Symbol> symbol = resolve(token.text);
  bool isLater = symbol && (symbol->kind == Symbol::Kind::Label || symbol->kind == Symbol::Kind::Table);
  if (!symbol && token.text[0] == '%') {
    operand.kind = Operand::Kind::Special;
    operand.value = -1;
    if (cursor.peek().kind == Token::Kind::Word) {
      operand.value = componentOf(cursor.peek().text);
      if (operand.value < 0)
        return cursor.failHere("component of a special register must be .x, .y, .z or .w");
      cursor.take();
    }
    return true;
  }
  if (!symbol || isLater) {
    if (!position)
      return fail(token.line, fmt::format("name {} must be declared, but found {}", token.text,
                                          symbol ? "a label" : "no declaration of it"));
    references.push_back(
        {token.text, token.line, false, static_cast<uint32_t>(function->instructions.size()), *position});
    return true;
  }

  if (symbol->kind != Symbol::Kind::Register) {
    operand.kind = Operand::Kind::Symbol;
    operand.symbol = symbol->index;
    switch (symbol->kind) {
    case Symbol::Kind::ModuleVariable:
      operand.scope = Operand::Scope::ModuleVariable;
      break;
    case Symbol::Kind::FunctionVariable:
      operand.scope = Operand::Scope::FunctionVariable;
      break;
    case Symbol::Kind::Parameter:
      operand.scope = Operand::Scope::Parameter;
      break;
    case Symbol::Kind::Result:
      operand.scope = Operand::Scope::Result;
      break;
    default:
      operand.scope = Operand::Scope::ModuleFunction;
      return true;
    }
    return cursor.peek().is("[") ? parseIndex(operand) : parseOffset(operand);
  }

  operand.kind = Operand::Kind::Register;
  operand.reg = symbol->index;
  if (symbol->count == 1)
    return true;
  if (cursor.peek().kind == Token::Kind::Word) {
    int64_t component = componentOf(cursor.peek().text);
    if (component < 0 || component >= symbol->count)
      return cursor.failHere(fmt::format("component of {} must be one of its {} elements", token.text, symbol->count));
    size_t dotted = static_cast<size_t>(cursor.take().text.begin() - token.text.begin()) + 1;
    operand.reg += static_cast<uint32_t>(component);
    // The component follows its register in the text.
    function->registers[operand.reg].name = std::string_view(token.text.begin(), dotted);
    return true;
  }
  operand.kind = Operand::Kind::Vector;
  for (uint32_t i = 0; i < symbol->count; ++i) {
    Operand &element = operand.parts.emplace_back();
    element.kind = Operand::Kind::Register;
    element.name = token.text;
    element.reg = symbol->index + i;
  }
  return true;
}

/// + constant or - constant after the name of a variable or a register.
bool ModuleParser::parseOffset(Operand &operand) {
  uint32_t line = cursor.line();
  if (!cursor.peek().is("+") && !cursor.peek().is("-"))
    return true;
  // + is a sign here as well: [%r1+-4].
  std::optional<Constant> offset = parseExpression(cursor);
  if (!offset)
    return false;
  if (!offset->isInteger())
    return fail(line, "offset of an address must be an integer, but found a float");
  operand.value = static_cast<int64_t>(offset->bits);
  return true;
}

/// [constant] after a variable's name.
bool ModuleParser::parseIndex(Operand &operand) {
  cursor.take();
  std::optional<uint64_t> index = parseCount(cursor, "index of an array", INT32_MAX);
  if (!index || !cursor.expect("]", "index of an array must end with ]"))
    return false;
  const Variable &variable = operand.scope == Operand::Scope::ModuleVariable     ? module.variables[operand.symbol]
                             : operand.scope == Operand::Scope::FunctionVariable ? function->variables[operand.symbol]
                             : operand.scope == Operand::Scope::Parameter        ? function->parameters[operand.symbol]
                                                                                 : function->results[operand.symbol];
  operand.value = static_cast<int64_t>(*index * (bitsOf(variable.type) / 8));
  return true;
}

bool ModuleParser::parseVector(Operand &operand) {
  cursor.take();
  operand.kind = Operand::Kind::Vector;
  do {
    Operand &element = operand.parts.emplace_back();
    if (beginsExpression(cursor.peek()) ? !constantOperand(element)
        : cursor.peek().kind == Token::Kind::Name
            ? !parseName(element, std::nullopt)
            : !cursor.failHere("element of a vector must be a register or a constant"))
      return false;
    if (element.kind == Operand::Kind::Vector)
      return cursor.failHere("element of a vector must be a scalar");
  } while (cursor.accept(","));
  return cursor.expect("}", "vector must end with }");
}

/// [base + offset], [base, {coordinates}]
bool ModuleParser::parseAddress(Operand &operand) {
  cursor.take();
  operand.kind = Operand::Kind::Address;
  if (cursor.peek().kind == Token::Kind::Name && cursor.peek().text != "WARP_SZ") {
    Operand &base = operand.parts.emplace_back();
    if (!parseName(base, std::nullopt))
      return false;
    if (base.kind != Operand::Kind::Register && base.kind != Operand::Kind::Symbol)
      return cursor.failHere("address must begin with a register or a variable");
    operand.value = std::exchange(base.value, 0);
    if (base.kind == Operand::Kind::Register) {
      Operand offset;
      if (!parseOffset(offset))
        return false;
      operand.value = offset.value;
    }
  } else {
    Operand constant;
    uint32_t line = cursor.line();
    if (!constantOperand(constant))
      return false;
    if (constant.kind != Operand::Kind::Integer)
      return fail(line, "address must be an integer, but found a float");
    operand.parts.emplace_back();
    operand.value = constant.value;
  }
  if (cursor.accept(",")) {
    if (!cursor.peek().is("{"))
      return cursor.failHere("coordinates must be a vector");
    if (!parseVector(operand.parts.emplace_back()))
      return false;
  }
  return cursor.expect("]", "address must end with ]");
}

/// (a, b) of a call.
bool ModuleParser::parseList(Operand &operand) {
  cursor.take();
  operand.kind = Operand::Kind::List;
  if (cursor.accept(")"))
    return true;
  do {
    Operand &element = operand.parts.emplace_back();
    if (beginsExpression(cursor.peek()) ? !constantOperand(element)
        : cursor.peek().kind == Token::Kind::Name
            ? !parseName(element, std::nullopt)
            : !cursor.failHere("argument must be a register, a constant or a .param variable"))
      return false;
  } while (cursor.accept(","));
  return cursor.expect(")", "arguments must end with )");
}

} // namespace glm::ptx
