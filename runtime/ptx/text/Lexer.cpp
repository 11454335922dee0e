#include "runtime/ptx/text/Lexer.h"

#include <algorithm>
#include <array>

namespace glm::ptx {
namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool isHex(char c) { return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool follows(char c) { return isLetter(c) || isDigit(c) || c == '_' || c == '$'; }

constexpr std::array<std::string_view, 8> kPairs = {"<<", ">>", "<=", ">=", "==", "!=", "&&", "||"};
constexpr std::string_view kMarks = "@!{}()[],;:+-*/%~&|^?<>=";

} // namespace

bool Lexer::skipSpace() {
  while (position < text.size()) {
    char c = text[position];
    if (c == '\n') {
      ++line;
      ++position;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
      ++position;
    } else if (c == '/' && at(position + 1) == '/') {
      position = std::min(text.find('\n', position), text.size());
    } else if (c == '/' && at(position + 1) == '*') {
      size_t end = text.find("*/", position + 2);
      if (end == std::string_view::npos)
        return false;
      line += static_cast<uint32_t>(std::count(text.begin() + position, text.begin() + end, '\n'));
      position = end + 2;
    } else {
      break;
    }
  }
  return true;
}

Token Lexer::take(Token::Kind kind, size_t end) {
  Token token{kind, text.substr(position, end - position), line};
  position = end;
  return token;
}

Token Lexer::next() {
  if (!skipSpace())
    return bad("a comment without */");
  if (position >= text.size())
    return {Token::Kind::End, {}, line};

  char c = text[position];
  if (isLetter(c) || ((c == '_' || c == '$' || c == '%') && follows(at(position + 1))) || c == '_') {
    size_t end = position + 1;
    while (follows(at(end)))
      ++end;
    return take(Token::Kind::Name, end);
  }
  if (isDigit(c))
    return number();
  if (c == '.')
    return word();
  if (c == '"')
    return quoted();
  for (std::string_view pair : kPairs)
    if (text.substr(position, 2) == pair)
      return take(Token::Kind::Mark, position + 2);
  if (kMarks.find(c) != std::string_view::npos)
    return take(Token::Kind::Mark, position + 1);
  return bad("a character that PTX does not have");
}

Token Lexer::word() {
  ++position;
  size_t end = position;
  while (follows(at(end)) || (at(end) == ':' && at(end + 1) == ':' && follows(at(end + 2))))
    end += at(end) == ':' ? 2 : 1;
  if (end == position)
    return bad("a dot without a word");
  return take(Token::Kind::Word, end);
}

Token Lexer::number() {
  size_t end = position + 1;
  char kind = text[position] == '0' ? static_cast<char>(at(position + 1) | 0x20) : '\0';
  if (kind == 'x' || kind == 'f' || kind == 'd') {
    ++end;
    while (isHex(at(end)))
      ++end;
  } else if (kind == 'b') {
    ++end;
    while (isDigit(at(end)))
      ++end;
  } else {
    while (isDigit(at(end)))
      ++end;
    if (at(end) == '.')
      do
        ++end;
      while (isDigit(at(end)));
    if ((at(end) | 0x20) == 'e') {
      size_t digits = end + (at(end + 1) == '+' || at(end + 1) == '-' ? 2 : 1);
      if (isDigit(at(digits))) {
        end = digits;
        while (isDigit(at(end)))
          ++end;
      }
    }
  }
  if (at(end) == 'U')
    ++end;
  if (follows(at(end)))
    return bad("a number that runs into a name");
  return take(Token::Kind::Number, end);
}

Token Lexer::quoted() {
  size_t end = position + 1;
  while (end < text.size() && text[end] != '"' && text[end] != '\n')
    end += text[end] == '\\' && at(end + 1) != '\n' ? 2 : 1;
  if (end >= text.size() || text[end] != '"')
    return bad("a string without its closing quote");
  ++position;
  Token token = take(Token::Kind::String, end);
  ++position;
  return token;
}

} // namespace glm::ptx
