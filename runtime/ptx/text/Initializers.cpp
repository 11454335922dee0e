// Initial values of variables (PTX ISA, "Initializers").
#include "runtime/ptx/text/ModuleParser.h"

#include <fmt/format.h>

#include <bit>

namespace glm::ptx {
namespace {

/// Zeros that inner braces may leave between the initial values of all variables: a short text must not ask for much.
constexpr uint64_t kMaxGapBytes = uint64_t(16) << 20;

} // namespace

/// Braces follow the extents from the outermost inwards; what they leave out is zero (tried with ptxas: an inner aggregate
/// needs its own braces).
bool ModuleParser::parseInitializer(const Specifiers &specifiers, const std::vector<uint64_t> &extents,
                                    Variable &variable) {
  uint64_t element = bitsOf(specifiers.type) / 8;
  if (extents.empty())
    return parseInitialValue(specifiers.type, 0, variable);

  // Bytes of one element at each depth.
  std::vector<uint64_t> strides(extents.size(), element);
  for (size_t i = extents.size() - 1; i > 0; --i)
    strides[i - 1] = strides[i] * extents[i];

  // The place within the braces that are open: index of the next element at each depth.
  std::vector<uint64_t> index;
  uint64_t offset = 0;
  if (!cursor.expect("{", "initial value of an array must begin with {"))
    return false;
  index.push_back(0);
  uint64_t outermost = 0;
  bool wantsElement = true; ///< after { or a comma
  while (!index.empty()) {
    size_t depth = index.size() - 1;
    if (cursor.accept("}")) {
      offset -= index.back() * strides[depth];
      if (depth == 0)
        outermost = index.back() + (wantsElement ? 0 : 1);
      index.pop_back();
      wantsElement = false;
      continue;
    }
    if (!wantsElement) {
      if (!cursor.expect(",", "initial values must be separated by commas"))
        return false;
      ++index.back();
      offset += strides[depth];
    }
    wantsElement = false;
    bool isOpen = depth == 0 && extents[0] == 0 && variable.unsized;
    if (!isOpen && index.back() >= extents[depth])
      return cursor.failHere(fmt::format("initial value must have at most {} elements here", extents[depth]));
    if (offset > kMaxVariableBytes)
      return cursor.failHere(fmt::format("initial value must take at most {} bytes", kMaxVariableBytes));
    if (depth + 1 < extents.size()) {
      if (!cursor.expect("{", "initial value of an inner array must begin with {"))
        return false;
      index.push_back(0);
      wantsElement = true;
    } else if (!parseInitialValue(specifiers.type, offset, variable)) {
      return false;
    }
  }
  if (variable.unsized) {
    variable.unsized = false;
    variable.bytes = outermost * strides[0];
  }
  return true;
}

bool ModuleParser::parseInitialValue(Type type, uint64_t offset, Variable &variable) {
  uint64_t width = bitsOf(type) / 8;
  if (offset > variable.initial.size()) {
    gapBytes += offset - variable.initial.size();
    if (gapBytes > kMaxGapBytes)
      return cursor.failHere(fmt::format("initial values must leave at most {} bytes out", kMaxGapBytes));
  }
  if (offset + width > variable.initial.size())
    variable.initial.resize(offset + width);

  if (cursor.peek().kind == Token::Kind::Name && cursor.peek().text != "WARP_SZ")
    return parseInitialAddress(type, offset, variable);
  uint32_t line = cursor.line();
  std::optional<Constant> value = parseExpression(cursor);
  if (!value)
    return false;

  // 0xFF00(symbol): one byte of an address.
  if (value->isInteger() && cursor.accept("(")) {
    auto shift = static_cast<uint32_t>(std::countr_zero(value->bits));
    if (width != 1 || value->bits == 0 || shift % 8 != 0 || value->bits >> shift != 0xff)
      return fail(line, "mask of an address must be one byte of an 8-bit element, but found another");
    if (!parseInitialAddress(type, offset, variable))
      return false;
    variable.relocations.back().shift = shift;
    return cursor.expect(")", "mask of an address must end with )");
  }

  uint64_t bits = value->bits;
  if (type == Type::F32 || type == Type::F64) {
    if (value->isInteger())
      return fail(line, fmt::format("initial value of .{} must be a float, but found an integer", nameOf(type)));
    bits = type == Type::F64                        ? std::bit_cast<uint64_t>(asDouble(*value))
           : value->kind == Constant::Kind::Float32 ? value->bits
                                                    : std::bit_cast<uint32_t>(static_cast<float>(asDouble(*value)));
  } else if (isFloat(type)) {
    return fail(line, fmt::format("initial value must not be of .{}, but found one", nameOf(type)));
  } else if (!value->isInteger() && width < (value->kind == Constant::Kind::Float32 ? 4 : 8)) {
    // A float in a place of bits keeps its bits; a decimal one takes the width of the place.
    if (width != 4)
      return fail(line, fmt::format("initial value of .{} must be an integer, but found a float", nameOf(type)));
    bits = std::bit_cast<uint32_t>(static_cast<float>(asDouble(*value)));
  }
  for (uint64_t i = 0; i < width; ++i)
    variable.initial[offset + i] = i < 8 ? static_cast<uint8_t>(bits >> 8 * i)
                                   : value->kind == Constant::Kind::Signed && bits >> 63 ? 0xff
                                                                                         : 0;
  return true;
}

/// symbol, generic(symbol), each with + constant
bool ModuleParser::parseInitialAddress(Type type, uint64_t offset, Variable &variable) {
  Relocation relocation;
  relocation.offset = offset;
  relocation.width = bitsOf(type) / 8;
  if (isFloat(type) || relocation.width > 8)
    return cursor.failHere(fmt::format("initial value of .{} must be a number", nameOf(type)));
  Token token = cursor.take();
  if (token.text == "generic" && cursor.accept("(")) {
    relocation.generic = true;
    token = cursor.peek();
    if (!cursor.name("generic() must be of a variable") || !cursor.expect(")", "generic() must end with )"))
      return false;
  }
  Names::Found found = names.find(token.text);
  bool isVariable = found.symbol && found.symbol->kind == Symbol::Kind::ModuleVariable;
  if (!isVariable && !(found.symbol && found.symbol->kind == Symbol::Kind::Function))
    return fail(token.line,
                fmt::format("initial value must name a variable or function of the module, but found {}", token.text));
  relocation.isFunction = !isVariable;
  relocation.symbol = found.symbol->index;
  if (cursor.peek().is("+") || cursor.peek().is("-")) {
    uint32_t line = cursor.line();
    std::optional<Constant> addend = parseExpression(cursor);
    if (!addend)
      return false;
    if (!addend->isInteger())
      return fail(line, "offset of an address must be an integer, but found a float");
    relocation.addend = static_cast<int64_t>(addend->bits);
  }
  variable.relocations.push_back(relocation);
  return true;
}

} // namespace glm::ptx
