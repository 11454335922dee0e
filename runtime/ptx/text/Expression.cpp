#include "runtime/ptx/text/Expression.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>

namespace glm::ptx {
namespace {

/// Parentheses and unary operators within one another; the parser is recursive.
constexpr int kMaxDepth = 100;

/// All lanes of one machine word, a constant of the language.
constexpr int64_t kWarpSizeConstant = 32;

Constant integer(uint64_t bits, bool isUnsigned) {
  return {isUnsigned ? Constant::Kind::Unsigned : Constant::Kind::Signed, bits};
}
Constant truth(bool value) { return integer(value, false); }
Constant real(double value) { return {Constant::Kind::Float64, std::bit_cast<uint64_t>(value)}; }

bool isTrue(Constant value) { return value.isInteger() ? value.bits != 0 : asDouble(value) != 0; }

std::optional<Constant> parseNumber(std::string_view text) {
  bool isUnsigned = text.ends_with('U');
  if (isUnsigned)
    text.remove_suffix(1);
  char kind = text.size() > 1 && text[0] == '0' ? static_cast<char>(text[1] | 0x20) : '\0';
  auto digits = [&](std::string_view spelled, int base) -> std::optional<uint64_t> {
    uint64_t value = 0;
    auto [end, failure] = std::from_chars(spelled.data(), spelled.data() + spelled.size(), value, base);
    if (failure != std::errc{} || end != spelled.data() + spelled.size())
      return std::nullopt;
    return value;
  };

  if (kind == 'f' || kind == 'd') {
    std::optional<uint64_t> bits = digits(text.substr(2), 16);
    if (isUnsigned || text.size() != (kind == 'f' ? 10 : 18) || !bits)
      return std::nullopt;
    return Constant{kind == 'f' ? Constant::Kind::Float32 : Constant::Kind::Float64, *bits};
  }
  if (kind != 'x' && kind != 'b' && text.find_first_of(".eE") != std::string_view::npos) {
    double value = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (isUnsigned || end != text.data() + text.size())
      return std::nullopt;
    // Too large or too small: what strtod gives.
    if (failure == std::errc::result_out_of_range)
      value = text.find('-') == std::string_view::npos ? HUGE_VAL : 0;
    return real(value);
  }
  std::optional<uint64_t> bits = kind == 'x'      ? digits(text.substr(2), 16)
                                 : kind == 'b'    ? digits(text.substr(2), 2)
                                 : text[0] == '0' ? digits(text, 8)
                                                  : digits(text, 10);
  if (!bits)
    return std::nullopt;
  return integer(*bits, isUnsigned || *bits >> 63);
}

struct Operator {
  std::string_view mark;
  int precedence; ///< higher binds tighter
};
constexpr int kLoosest = 1, kTighterThanComparison = 8;
constexpr std::array kOperators = {
    Operator{"||", 1}, Operator{"&&", 2}, Operator{"|", 3},  Operator{"^", 4},  Operator{"&", 5},  Operator{"==", 6},
    Operator{"!=", 6}, Operator{"<", 7},  Operator{"<=", 7}, Operator{">", 7},  Operator{">=", 7}, Operator{"<<", 8},
    Operator{">>", 8}, Operator{"+", 9},  Operator{"-", 9},  Operator{"*", 10}, Operator{"/", 10}, Operator{"%", 10},
};

const Operator *operatorAt(const Token &token) {
  if (token.kind == Token::Kind::Mark)
    for (const Operator &row : kOperators)
      if (row.mark == token.text)
        return &row;
  return nullptr;
}

class ExpressionParser {
public:
  explicit ExpressionParser(Cursor &cursor) : cursor(cursor) {}

  std::optional<Constant> conditional() {
    std::optional<Constant> condition = binary(kLoosest);
    if (!condition || !cursor.peek().is("?"))
      return condition;
    if (!enter())
      return std::nullopt;
    cursor.take();
    std::optional<Constant> chosen = conditional();
    if (!chosen || !cursor.expect(":", "conditional expression must go on with :"))
      return std::nullopt;
    std::optional<Constant> other = conditional();
    --depth;
    if (!other)
      return std::nullopt;
    return isTrue(*condition) ? chosen : other;
  }

  std::optional<Constant> binary(int least) {
    std::optional<Constant> left = unary();
    while (left) {
      const Operator *row = operatorAt(cursor.peek());
      if (!row || row->precedence < least)
        break;
      uint32_t line = cursor.take().line;
      std::optional<Constant> right = binary(row->precedence + 1);
      if (!right)
        return std::nullopt;
      left = apply(row->mark, *left, *right, line);
    }
    return left;
  }

private:
  bool enter() {
    if (++depth > kMaxDepth)
      return cursor.fail(cursor.line(), fmt::format("expression must nest at most {} deep, but found more", kMaxDepth));
    return true;
  }

  std::optional<Constant> unary() {
    const Token &token = cursor.peek();
    uint32_t line = token.line;
    for (std::string_view mark : {"+", "-", "!", "~"})
      if (token.is(mark)) {
        if (!enter())
          return std::nullopt;
        cursor.take();
        std::optional<Constant> operand = unary();
        --depth;
        return operand ? applyUnary(mark, *operand, line) : std::nullopt;
      }
    if (token.is("(")) {
      if (!enter())
        return std::nullopt;
      cursor.take();
      std::optional<Constant> value;
      if (cursor.peek().isWord("s64") || cursor.peek().isWord("u64")) {
        bool isUnsigned = cursor.take().text == "u64";
        if (!cursor.expect(")", "cast must end with )"))
          return std::nullopt;
        value = unary();
        if (value && !value->isInteger())
          return refuse(line, "cast must be of an integer, but found a float");
        if (value)
          value = integer(value->bits, isUnsigned);
      } else {
        value = conditional();
        if (value && !cursor.expect(")", "expression must end with )"))
          return std::nullopt;
      }
      --depth;
      return value;
    }
    if (token.kind == Token::Kind::Number) {
      std::optional<Constant> value = parseNumber(token.text);
      if (!value) {
        cursor.failHere("number must be a constant of PTX of at most 64 bits");
        return std::nullopt;
      }
      cursor.take();
      return value;
    }
    if (token.kind == Token::Kind::Name && token.text == "WARP_SZ") {
      cursor.take();
      return integer(kWarpSizeConstant, false);
    }
    cursor.failHere("expression must be of constants");
    return std::nullopt;
  }

  std::optional<Constant> applyUnary(std::string_view mark, Constant value, uint32_t line) {
    if (mark == "!")
      return truth(!isTrue(value));
    if (mark == "+")
      return value;
    if (value.isInteger())
      return integer(mark == "-" ? 0 - value.bits : ~value.bits, value.kind == Constant::Kind::Unsigned);
    if (mark == "~")
      return refuse(line, "operator ~ must be applied to an integer, but found a float");
    value.bits ^= value.kind == Constant::Kind::Float32 ? uint64_t(1) << 31 : uint64_t(1) << 63;
    return value;
  }

  std::optional<Constant> apply(std::string_view mark, Constant left, Constant right, uint32_t line) {
    if (mark == "&&")
      return truth(isTrue(left) && isTrue(right));
    if (mark == "||")
      return truth(isTrue(left) || isTrue(right));
    if (!left.isInteger() || !right.isInteger())
      return applyFloat(mark, asDouble(left), asDouble(right), line);

    uint64_t a = left.bits, b = right.bits;
    auto sa = static_cast<int64_t>(a), sb = static_cast<int64_t>(b);
    // Shifts keep the type of their left side; a shift by 64 or more leaves only the sign.
    bool leftUnsigned = left.kind == Constant::Kind::Unsigned;
    if (mark == "<<")
      return integer(b < 64 ? a << b : 0, leftUnsigned);
    if (mark == ">>")
      return integer(leftUnsigned ? (b < 64 ? a >> b : 0) : static_cast<uint64_t>(sa >> (b < 64 ? b : 63)),
                     leftUnsigned);

    bool isUnsigned = leftUnsigned || right.kind == Constant::Kind::Unsigned;
    switch (mark[0]) {
    case '+':
      return integer(a + b, isUnsigned);
    case '-':
      return integer(a - b, isUnsigned);
    case '*':
      return integer(a * b, isUnsigned);
    case '&':
      return integer(a & b, isUnsigned);
    case '|':
      return integer(a | b, isUnsigned);
    case '^':
      return integer(a ^ b, isUnsigned);
    case '=':
      return truth(a == b);
    case '!':
      return truth(a != b);
    case '/':
    case '%':
      if (b == 0)
        return refuse(line, fmt::format("operator {} must not divide by zero, but found 0", mark));
      if (isUnsigned)
        return integer(mark[0] == '/' ? a / b : a % b, true);
      // The quotient of the least integer and -1 has no place in 64 bits; it wraps, as the other operators do.
      if (sb == -1)
        return integer(mark[0] == '/' ? 0 - a : 0, false);
      return integer(static_cast<uint64_t>(mark[0] == '/' ? sa / sb : sa % sb), false);
    default:
      break;
    }
    bool less = isUnsigned ? a < b : sa < sb;
    return truth(mark == "<" ? less : mark == "<=" ? less || a == b : mark == ">" ? !less && a != b : !less);
  }

  std::optional<Constant> applyFloat(std::string_view mark, double a, double b, uint32_t line) {
    if (mark == "+")
      return real(a + b);
    if (mark == "-")
      return real(a - b);
    if (mark == "*")
      return real(a * b);
    if (mark == "/")
      return real(a / b);
    if (mark == "==")
      return truth(a == b);
    if (mark == "!=")
      return truth(a != b);
    if (mark == "<")
      return truth(a < b);
    if (mark == "<=")
      return truth(a <= b);
    if (mark == ">")
      return truth(a > b);
    if (mark == ">=")
      return truth(a >= b);
    return refuse(line, fmt::format("operator {} must be applied to integers, but found a float", mark));
  }

  std::optional<Constant> refuse(uint32_t line, std::string message) {
    cursor.fail(line, std::move(message));
    return std::nullopt;
  }

  Cursor &cursor;
  int depth = 0;
};

} // namespace

bool beginsExpression(const Token &token) {
  return token.kind == Token::Kind::Number || token.is("(") || token.is("-") || token.is("+") || token.is("~") ||
         token.is("!") || (token.kind == Token::Kind::Name && token.text == "WARP_SZ");
}

std::optional<Constant> parseExpression(Cursor &cursor) { return ExpressionParser(cursor).conditional(); }

std::optional<Constant> parseAngleExpression(Cursor &cursor) {
  return ExpressionParser(cursor).binary(kTighterThanComparison);
}

std::optional<uint64_t> parseCount(Cursor &cursor, std::string_view subject, uint64_t most,
                                   std::optional<Constant> (*parse)(Cursor &)) {
  uint32_t line = cursor.line();
  std::optional<Constant> value = parse(cursor);
  if (!value)
    return std::nullopt;
  if (!value->isInteger() || value->bits > most) {
    std::string found = !value->isInteger()                       ? std::string("a float")
                        : value->kind == Constant::Kind::Unsigned ? fmt::to_string(value->bits)
                                                                  : fmt::to_string(static_cast<int64_t>(value->bits));
    cursor.fail(line, fmt::format("{} must be an integer from 0 to {}, but found {}", subject, most, found));
    return std::nullopt;
  }
  return value->bits;
}

double asDouble(Constant constant) {
  switch (constant.kind) {
  case Constant::Kind::Signed:
    return static_cast<double>(static_cast<int64_t>(constant.bits));
  case Constant::Kind::Unsigned:
    return static_cast<double>(constant.bits);
  case Constant::Kind::Float32:
    return std::bit_cast<float>(static_cast<uint32_t>(constant.bits));
  case Constant::Kind::Float64:
    return std::bit_cast<double>(constant.bits);
  }
  return 0;
}

} // namespace glm::ptx
