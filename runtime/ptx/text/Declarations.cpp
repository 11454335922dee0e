// Variables, parameters and registers (PTX ISA, "State Spaces, Types, and Variables").
#include "runtime/ptx/text/ModuleParser.h"

#include <fmt/format.h>

#include <array>
#include <bit>

namespace glm::ptx {
namespace {

constexpr uint32_t kMaxAlign = 1u << 20;
constexpr uint64_t kMaxRange = uint64_t(1) << 31; ///< of %r<N>

bool isMemoryType(Type type) {
  switch (type) {
  case Type::B8:
  case Type::B16:
  case Type::B32:
  case Type::B64:
  case Type::B128:
  case Type::U8:
  case Type::U16:
  case Type::U32:
  case Type::U64:
  case Type::S8:
  case Type::S16:
  case Type::S32:
  case Type::S64:
  case Type::F16:
  case Type::F16x2:
  case Type::F32:
  case Type::F64:
    return true;
  default:
    return false;
  }
}

} // namespace

std::optional<Variable::Linkage> ModuleParser::acceptLinkage() {
  using Linkage = Variable::Linkage;
  constexpr std::array kWords = {std::pair("visible", Linkage::Visible), std::pair("extern", Linkage::Extern),
                                 std::pair("weak", Linkage::Weak), std::pair("common", Linkage::Common)};
  for (auto [word, linkage] : kWords)
    if (cursor.acceptWord(word))
      return linkage;
  return std::nullopt;
}

std::optional<Space> ModuleParser::spaceOf(const Token &token) {
  constexpr std::array kWords = {std::pair("global", Space::Global), std::pair("const", Space::Const),
                                 std::pair("shared", Space::Shared), std::pair("local", Space::Local),
                                 std::pair("param", Space::Param),   std::pair("reg", Space::Reg)};
  for (auto [word, space] : kWords)
    if (token.isWord(word))
      return space;
  return std::nullopt;
}

std::optional<uint32_t> ModuleParser::parseAlign() {
  uint32_t line = cursor.line();
  std::optional<uint64_t> align = parseCount(cursor, "alignment", kMaxAlign);
  if (align && !std::has_single_bit(*align)) {
    fail(line, fmt::format("alignment must be a power of two, but found {}", *align));
    return std::nullopt;
  }
  return align ? std::optional(static_cast<uint32_t>(*align)) : std::nullopt;
}

/// .attribute(.managed), .attribute(.unified(0, 0)); null `specifiers`: of a function, which has nothing to keep.
bool ModuleParser::parseAttribute(Specifiers *specifiers) {
  if (!cursor.expect("(", ".attribute must be followed by ("))
    return false;
  do {
    if (cursor.acceptWord("managed") && specifiers) {
      specifiers->managed = true;
    } else if (cursor.acceptWord("unified")) {
      if (!cursor.expect("(", ".unified must be followed by (") || !parseCount(cursor, "half of a UUID", UINT64_MAX) ||
          !cursor.expect(",", ".unified must have two numbers") || !parseCount(cursor, "half of a UUID", UINT64_MAX) ||
          !cursor.expect(")", ".unified must end with )"))
        return false;
    } else {
      return cursor.failHere("attribute must be .managed or .unified");
    }
  } while (cursor.accept(","));
  return cursor.expect(")", ".attribute must end with )");
}

/// What stands between the state space and the name: attributes, alignment, vector, type, .ptr; in any order, as ptxas.
bool ModuleParser::parseSpecifiers(Specifiers &specifiers) {
  while (cursor.peek().kind == Token::Kind::Word) {
    std::string_view word = cursor.peek().text;
    if (word == "align") {
      cursor.take();
      // The alignment after .ptr is that of what the pointer points to.
      std::optional<uint32_t> align = parseAlign();
      if (!align)
        return false;
      if (!specifiers.pointer)
        specifiers.align = *align;
    } else if (word == "attribute") {
      cursor.take();
      if (!parseAttribute(&specifiers))
        return false;
    } else if (word == "ptr" && specifiers.space == Space::Param) {
      cursor.take();
      specifiers.pointer = true;
    } else if (specifiers.pointer && spaceOf(cursor.peek())) {
      cursor.take();
    } else if (word == "v2" || word == "v4" || word == "v8") {
      cursor.take();
      specifiers.vector = static_cast<uint32_t>(word[1] - '0');
    } else {
      std::optional<Type> type = typeNamed(word);
      if (!type || !(isMemoryType(*type) || (*type == Type::Pred && specifiers.space == Space::Reg)))
        return cursor.failHere("declaration must have a fundamental type");
      if (specifiers.type != Type::None)
        return cursor.failHere("declaration must have one type");
      cursor.take();
      specifiers.type = *type;
    }
  }
  if (specifiers.type == Type::None)
    return cursor.failHere("declaration must have a type");
  return true;
}

bool ModuleParser::declareName(std::string_view name, Symbol symbol) {
  std::optional<uint32_t> earlier = names.declare(name, symbol);
  if (earlier)
    return fail(symbol.line, fmt::format("{} must be declared once, but found it in line {} as well", name, *earlier));
  return true;
}

uint32_t ModuleParser::addRegisters(std::string_view name, Type type, uint32_t count, uint32_t line) {
  auto first = static_cast<uint32_t>(function->registers.size());
  for (uint32_t i = 0; i < count; ++i)
    function->registers.push_back({name, type, line});
  return first;
}

/// .reg .type names ;
bool ModuleParser::parseRegisters() {
  Specifiers specifiers;
  specifiers.space = Space::Reg;
  if (!parseSpecifiers(specifiers))
    return false;
  do {
    uint32_t line = cursor.line();
    std::optional<std::string_view> name = cursor.name("register declaration must have a name");
    if (!name)
      return false;
    if (cursor.accept("<")) {
      std::optional<uint64_t> count = parseCount(cursor, "number of registers", kMaxRange, parseAngleExpression);
      if (!count || !cursor.expect(">", "number of registers must end with >"))
        return false;
      std::optional<uint32_t> earlier = names.declareRange(*name, {specifiers.type, specifiers.vector, *count, line});
      if (earlier)
        return fail(line, fmt::format("{}<> must be declared once, but found it in line {} as well", *name, *earlier));
      continue;
    }
    uint32_t first = addRegisters(*name, specifiers.type, specifiers.vector, line);
    if (!declareName(*name, {Symbol::Kind::Register, first, specifiers.vector, line}))
      return false;
  } while (cursor.accept(","));
  return cursor.expect(";", "register declaration must end with ;");
}

/// Variables of a body that live as long as the module or the block are the module's, known in the body alone.
bool ModuleParser::declareVariable(Variable &&variable) {
  if (function && (variable.space == Space::Local || variable.space == Space::Param)) {
    auto index = static_cast<uint32_t>(function->variables.size());
    if (!declareName(variable.name, {Symbol::Kind::FunctionVariable, index, 1, variable.line}))
      return false;
    function->variables.push_back(std::move(variable));
    return true;
  }

  Names::Found found = names.find(variable.name);
  if (found.symbol && found.symbol->kind == Symbol::Kind::ModuleVariable && found.depth == names.depth()) {
    Variable &earlier = module.variables[found.symbol->index];
    // An extern declaration and the definition are the same variable.
    bool mayJoin = earlier.linkage == Variable::Linkage::Extern || variable.linkage == Variable::Linkage::Extern;
    if (!mayJoin || earlier.space != variable.space || earlier.type != variable.type)
      return fail(variable.line, fmt::format("{} must be declared once, but found it in line {} as well", variable.name,
                                             earlier.line));
    if (earlier.linkage == Variable::Linkage::Extern)
      earlier = std::move(variable);
    return true;
  }
  auto index = static_cast<uint32_t>(module.variables.size());
  if (!declareName(variable.name, {Symbol::Kind::ModuleVariable, index, 1, variable.line}))
    return false;
  variable.isScoped = function != nullptr;
  module.variables.push_back(std::move(variable));
  return true;
}

/// After the state space: .type names ;
bool ModuleParser::parseVariables(Space space, Variable::Linkage linkage) {
  Specifiers specifiers;
  specifiers.space = space;
  if (!parseSpecifiers(specifiers))
    return false;
  do {
    Variable variable;
    variable.linkage = linkage;
    if (!parseDeclarator(specifiers, variable) || !declareVariable(std::move(variable)))
      return false;
  } while (cursor.accept(","));
  return cursor.expect(";", "declaration must end with ;");
}

/// name [extent]... [= initial value]
bool ModuleParser::parseDeclarator(const Specifiers &specifiers, Variable &variable) {
  variable.line = cursor.line();
  std::optional<std::string_view> name = cursor.name("declaration must have a name");
  if (!name)
    return false;
  variable.name = *name;
  variable.space = specifiers.space;
  variable.type = specifiers.type;
  variable.managed = specifiers.managed;
  uint32_t element = bitsOf(specifiers.type) == 1 ? 1 : bitsOf(specifiers.type) / 8;
  variable.align = specifiers.align ? specifiers.align : element * specifiers.vector;
  variable.bytes = static_cast<uint64_t>(element) * specifiers.vector;

  // Extents of the array, outermost first; 0: not given. A vector's elements are the innermost.
  std::vector<uint64_t> extents;
  while (cursor.accept("[")) {
    if (cursor.accept("]")) {
      if (!extents.empty())
        return fail(variable.line, fmt::format("{} must give all extents but the first, but found []", *name));
      extents.push_back(0);
      variable.unsized = true;
      continue;
    }
    std::optional<uint64_t> extent = parseCount(cursor, "extent of an array", kMaxVariableBytes);
    if (!extent || !cursor.expect("]", "extent of an array must end with ]"))
      return false;
    if (*extent && variable.bytes > kMaxVariableBytes / *extent)
      return fail(variable.line,
                  fmt::format("{} must take at most {} bytes, but found more", *name, kMaxVariableBytes));
    variable.bytes *= *extent;
    extents.push_back(*extent);
  }
  if (specifiers.vector > 1)
    extents.push_back(specifiers.vector);

  if (cursor.peek().is("=")) {
    if (variable.space != Space::Global && variable.space != Space::Const)
      return cursor.failHere("initial value must be of a .global or .const variable");
    cursor.take();
    if (!parseInitializer(specifiers, extents, variable))
      return false;
  } else if (variable.unsized) {
    bool mayBeUnsized = variable.linkage == Variable::Linkage::Extern || variable.space == Space::Param;
    if (!mayBeUnsized)
      return fail(variable.line, fmt::format("{} must have an extent, but found []", *name));
    variable.bytes = 0;
  }
  return true;
}

/// (.param ..., .reg ...) of a function or a prototype. Names are declared by declareParameters.
bool ModuleParser::parseParameterList(std::vector<Variable> &into, bool prototype) {
  if (!cursor.expect("(", "parameters must begin with ("))
    return false;
  if (cursor.accept(")"))
    return true;
  do {
    Specifiers specifiers;
    std::optional<Space> space = spaceOf(cursor.peek());
    if (space != Space::Param && space != Space::Reg)
      return cursor.failHere("parameter must be a .param or a .reg");
    cursor.take();
    specifiers.space = *space;
    Variable variable;
    if (!parseSpecifiers(specifiers) || !parseDeclarator(specifiers, variable))
      return false;
    if (specifiers.space == Space::Reg && (specifiers.vector != 1 || variable.unsized))
      return fail(variable.line, fmt::format("register {} must be a scalar, but found an array", variable.name));
    // A prototype's parameters have no names; ptxas takes any.
    if (prototype)
      variable.name = "_";
    into.push_back(std::move(variable));
  } while (cursor.accept(","));
  return cursor.expect(")", "parameters must end with )");
}

} // namespace glm::ptx
