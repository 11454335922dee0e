// The module level: header, directives, functions' headers (PTX ISA, "Directives").
#include "runtime/ptx/text/Parser.h"

#include "runtime/ptx/text/ModuleParser.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace glm::ptx {
namespace {

constexpr uint32_t kMaxVersionMajor = 9;
constexpr size_t kMaxTextBytes = size_t(1) << 30; ///< lines and indices are 32 bits

} // namespace

ModuleParser::ModuleParser(std::string text, std::string_view place)
    : ownedText(std::make_unique<const std::string>(std::move(text))), cursor(*ownedText, place) {
  module.place = place;
}

Result<Module> ModuleParser::parse() {
  if (ownedText->size() > kMaxTextBytes)
    fail(1, fmt::format("text must have at most {} bytes, but found {}", kMaxTextBytes, ownedText->size()));
  else if (parseHeader())
    while (cursor.peek().kind != Token::Kind::End && parseModuleStatement())
      ;
  if (cursor.failed() || !resolveAliases())
    return cursor.error();
  resolveFiles();
  module.text = std::move(ownedText);
  return std::move(module);
}

/// .version major.minor, .target chip, [.address_size 64]
bool ModuleParser::parseHeader() {
  if (!cursor.acceptWord("version"))
    return cursor.failHere("text must begin with .version");
  const Token &number = cursor.peek();
  std::string_view text = number.text;
  const char *end = text.data() + text.size();
  auto major = std::from_chars(text.data(), end, module.versionMajor);
  bool isVersion =
      number.kind == Token::Kind::Number && major.ec == std::errc{} && major.ptr != end && *major.ptr == '.';
  if (isVersion) {
    auto minor = std::from_chars(major.ptr + 1, end, module.versionMinor);
    isVersion = minor.ec == std::errc{} && minor.ptr == end && module.versionMinor < 10;
  }
  if (!isVersion)
    return cursor.failHere(".version must be two numbers with a dot");
  if (module.versionMajor > kMaxVersionMajor)
    return cursor.failHere(fmt::format(".version must be at most {}.9", kMaxVersionMajor));
  cursor.take();
  if (!cursor.acceptWord("target"))
    return cursor.failHere(".version must be followed by .target");
  return parseTarget();
}

bool ModuleParser::parseTarget() {
  module.targetLine = cursor.line();
  std::optional<std::string_view> target = cursor.name(".target must name a chip");
  if (!target)
    return false;
  module.target = *target;
  while (cursor.accept(",")) {
    const Token &option = cursor.peek();
    if (option.text == "debug")
      module.debug = true;
    else if (option.text != "texmode_unified" && option.text != "texmode_independent")
      return cursor.failHere("option of .target must be debug, texmode_unified or texmode_independent");
    cursor.take();
  }
  return true;
}

bool ModuleParser::parseModuleStatement() {
  if (cursor.accept(";"))
    return true;
  if (cursor.peek().kind != Token::Kind::Word)
    return cursor.failHere("module must go on with a directive");
  if (cursor.acceptWord("address_size")) {
    const Token &size = cursor.peek();
    if (size.text != "64")
      return cursor.failHere(".address_size must be 64");
    cursor.take();
    return true;
  }
  if (cursor.acceptWord("file"))
    return parseFile();
  if (cursor.acceptWord("section"))
    return parseSection();
  if (cursor.acceptWord("pragma"))
    return parsePragma();
  if (cursor.acceptWord("alias"))
    return parseAlias();
  if (cursor.acceptWord("loc"))
    return parseLocation();

  using Linkage = Variable::Linkage;
  Linkage linkage = acceptLinkage().value_or(Linkage::Internal);
  if (cursor.acceptWord("entry"))
    return parseFunction(true, linkage);
  if (cursor.acceptWord("func"))
    return parseFunction(false, linkage);
  std::optional<Space> space = spaceOf(cursor.peek());
  if (!space || *space == Space::Reg || *space == Space::Param || *space == Space::Local)
    return cursor.failHere("module must go on with a function, a variable or a directive that PTX has there");
  cursor.take();
  return parseVariables(*space, linkage);
}

/// .file index "name" [, time, size]
bool ModuleParser::parseFile() {
  std::optional<uint64_t> index = parseCount(cursor, "index of a file", UINT32_MAX);
  if (!index)
    return false;
  if (cursor.peek().kind != Token::Kind::String)
    return cursor.failHere(".file must give a name in quotes");
  fileIndices.insert_or_assign(*index, static_cast<uint32_t>(module.files.size()));
  module.files.push_back(cursor.take().text);
  for (int i = 0; i < 2 && cursor.accept(","); ++i)
    if (!parseCount(cursor, "time or size of a file", UINT64_MAX))
      return false;
  return true;
}

void ModuleParser::resolveFiles() {
  for (Function &each : module.functions)
    for (Instruction &instruction : each.instructions) {
      auto found = fileIndices.find(instruction.sourceFile);
      instruction.sourceFile = found == fileIndices.end() ? 0 : found->second + 1;
      if (!instruction.sourceFile)
        instruction.sourceLine = 0;
    }
}

/// .alias name, function;
bool ModuleParser::parseAlias() {
  uint32_t line = cursor.line();
  std::optional<std::string_view> name = cursor.name(".alias must name a function");
  if (!name || !cursor.expect(",", ".alias must name two functions"))
    return false;
  std::optional<std::string_view> aliasee = cursor.name(".alias must name two functions");
  if (!aliasee || !cursor.expect(";", ".alias must end with ;"))
    return false;
  Names::Found found = names.find(*name);
  if (!found.symbol || found.symbol->kind != Symbol::Kind::Function || module.functions[found.symbol->index].isDefined)
    return fail(line, fmt::format("alias {} must be a function without a body, but found another", *name));
  aliases.insert_or_assign(found.symbol->index, std::pair(*aliasee, line));
  return true;
}

/// Every use of an alias becomes one of what it stands for.
bool ModuleParser::resolveAliases() {
  if (aliases.empty())
    return true;
  std::unordered_map<uint32_t, uint32_t> meant;
  for (auto [index, target] : aliases) {
    Names::Found found = names.find(target.first);
    bool isDefined =
        found.symbol && found.symbol->kind == Symbol::Kind::Function && module.functions[found.symbol->index].isDefined;
    if (!isDefined)
      return fail(target.second,
                  fmt::format("alias must stand for a function with a body, but found {}", target.first));
    meant[index] = found.symbol->index;
  }
  auto replace = [&](uint32_t &symbol) {
    if (auto found = meant.find(symbol); found != meant.end())
      symbol = found->second;
  };
  for (Function &each : module.functions) {
    for (Instruction &instruction : each.instructions)
      for (Operand &operand : instruction.operands)
        if (operand.scope == Operand::Scope::ModuleFunction)
          replace(operand.symbol);
    for (Table &table : each.tables)
      if (table.kind == Table::Kind::CallTargets)
        for (uint32_t &target : table.targets)
          replace(target);
  }
  for (Variable &variable : module.variables)
    for (Relocation &relocation : variable.relocations)
      if (relocation.isFunction)
        replace(relocation.symbol);
  return true;
}

/// .section .debug_info { ... }: debuggers' data, which nothing here reads.
bool ModuleParser::parseSection() {
  uint32_t line = cursor.line();
  if (cursor.peek().kind != Token::Kind::Word)
    return cursor.failHere(".section must have a name");
  cursor.take();
  if (!cursor.expect("{", ".section must be in braces"))
    return false;
  while (!cursor.peek().is("}")) {
    if (cursor.peek().kind == Token::Kind::End)
      return fail(line, ".section must end with }, but found the end of the text");
    if (cursor.take().kind == Token::Kind::Bad)
      return false;
  }
  cursor.take();
  return true;
}

/// .pragma "text", ...;
bool ModuleParser::parsePragma() {
  do {
    if (cursor.peek().kind != Token::Kind::String)
      return cursor.failHere(".pragma must be text in quotes");
    cursor.take();
  } while (cursor.accept(","));
  return cursor.expect(";", ".pragma must end with ;");
}

bool ModuleParser::parseThree(std::array<uint32_t, 3> &into, std::string_view subject) {
  into = {1, 1, 1};
  size_t i = 0;
  do {
    if (i == into.size())
      return cursor.failHere(fmt::format("{} must have at most three numbers", subject));
    std::optional<uint64_t> value = parseCount(cursor, subject, UINT32_MAX);
    if (!value)
      return false;
    into[i++] = static_cast<uint32_t>(*value);
  } while (cursor.accept(","));
  return true;
}

bool ModuleParser::parseFunctionDirectives(Function &into) {
  while (cursor.peek().kind == Token::Kind::Word) {
    std::string_view word = cursor.peek().text;
    auto number = [&](uint32_t &value) {
      cursor.take();
      std::optional<uint64_t> count = parseCount(cursor, fmt::format(".{}", word), UINT32_MAX);
      value = static_cast<uint32_t>(count.value_or(0));
      return count.has_value();
    };
    auto three = [&](std::array<uint32_t, 3> &value) {
      cursor.take();
      return parseThree(value, fmt::format(".{}", word));
    };
    auto flag = [&](bool &value) {
      cursor.take();
      return value = true;
    };
    uint32_t unused = 0;
    bool read = word == "maxntid"                ? three(into.maxThreads)
                : word == "reqntid"              ? three(into.requiredThreads)
                : word == "reqnctapercluster"    ? three(into.requiredCluster)
                : word == "minnctapersm"         ? number(into.minBlocksPerSm)
                : word == "maxnctapersm"         ? number(unused)
                : word == "maxnreg"              ? number(into.maxRegisters)
                : word == "maxclusterrank"       ? number(into.maxClusterRank)
                : word == "abi_preserve"         ? number(unused)
                : word == "abi_preserve_control" ? number(unused)
                : word == "explicitcluster"      ? flag(into.explicitCluster)
                : word == "blocksareclusters"    ? flag(into.blocksAreClusters)
                : word == "noreturn"             ? flag(into.noReturn)
                : word == "pragma"               ? (cursor.take(), parsePragma())
                                                 : cursor.failHere("directive of a function must be one that PTX has");
    if (!read)
      return false;
  }
  return true;
}

bool ModuleParser::parseFunction(bool isEntry, Variable::Linkage linkage) {
  Function header;
  header.isEntry = isEntry;
  header.linkage = linkage;
  while (cursor.acceptWord("attribute"))
    if (!parseAttribute(nullptr))
      return false;
  if (cursor.acceptWord("noreturn"))
    header.noReturn = true;
  if (!isEntry && cursor.peek().is("(") && !parseParameterList(header.results, false))
    return false;
  header.line = cursor.line();
  std::optional<std::string_view> name = cursor.name("function must have a name");
  if (!name)
    return false;
  header.name = *name;
  if (cursor.peek().is("(") && !parseParameterList(header.parameters, false))
    return false;
  if (!parseFunctionDirectives(header))
    return false;
  header.isDefined = !cursor.accept(";");

  uint32_t index = 0;
  bool isDefined = header.isDefined;
  if (!declareFunction(std::move(header), index))
    return false;
  if (!isDefined)
    return true;
  function = &module.functions[index];
  sourceFile = sourceLine = 0;
  bool read = parseBody();
  function = nullptr;
  return read;
}

/// A declaration and the definition are one function.
bool ModuleParser::declareFunction(Function &&header, uint32_t &index) {
  Names::Found found = names.find(header.name);
  if (!found.symbol || found.symbol->kind != Symbol::Kind::Function) {
    index = static_cast<uint32_t>(module.functions.size());
    if (!declareName(header.name, {Symbol::Kind::Function, index, 1, header.line}))
      return false;
    module.functions.push_back(std::move(header));
    return true;
  }
  index = found.symbol->index;
  Function &earlier = module.functions[index];
  auto sameShape = [](const std::vector<Variable> &a, const std::vector<Variable> &b) {
    if (a.size() != b.size())
      return false;
    for (size_t i = 0; i < a.size(); ++i)
      if (a[i].space != b[i].space || a[i].bytes != b[i].bytes)
        return false;
    return true;
  };
  if (earlier.isEntry != header.isEntry || !sameShape(earlier.results, header.results) ||
      !sameShape(earlier.parameters, header.parameters))
    return fail(header.line, fmt::format("{} must be declared as in line {}, but found other parameters", header.name,
                                         earlier.line));
  if (earlier.isDefined && header.isDefined)
    return fail(header.line,
                fmt::format("{} must be defined once, but found it in line {} as well", header.name, earlier.line));
  if (header.isDefined)
    earlier = std::move(header);
  return true;
}

bool ModuleParser::declareParameters() {
  auto declare = [&](const std::vector<Variable> &variables, Symbol::Kind kind) {
    for (size_t i = 0; i < variables.size(); ++i) {
      const Variable &variable = variables[i];
      Symbol symbol{kind, static_cast<uint32_t>(i), 1, variable.line};
      if (variable.space == Space::Reg)
        symbol = {Symbol::Kind::Register, addRegisters(variable.name, variable.type, 1, variable.line), 1,
                  variable.line};
      if (variable.name != "_" && !declareName(variable.name, symbol))
        return false;
    }
    return true;
  };
  return declare(function->results, Symbol::Kind::Result) && declare(function->parameters, Symbol::Kind::Parameter);
}

Result<Module> parse(std::string text, std::string_view place) { return ModuleParser(std::move(text), place).parse(); }

} // namespace glm::ptx
