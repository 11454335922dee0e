#include "runtime/ptx/text/Cursor.h"

#include <fmt/format.h>

#include <utility>

namespace glm::ptx {

namespace {

/// Messages stay on one line of bearable length, whatever the text is.
constexpr size_t kShownBytes = 60;

std::string shown(const Token &token) {
  std::string_view text = token.text.substr(0, kShownBytes);
  std::string_view rest = token.text.size() > kShownBytes ? "..." : "";
  switch (token.kind) {
  case Token::Kind::End:
    return "the end of the text";
  case Token::Kind::Word:
    return fmt::format(".{}{}", text, rest);
  case Token::Kind::String:
    return fmt::format("\"{}{}\"", text, rest);
  default:
    return fmt::format("{}{}", text, rest);
  }
}

} // namespace

Cursor::Cursor(std::string_view text, std::string_view place) : place(place), lexer(text) {
  for (Token &token : tokens)
    token = lexer.next();
}

Token Cursor::take() {
  Token token = std::exchange(tokens[0], tokens[1]);
  if (token.kind == Token::Kind::Bad)
    fail(token.line, fmt::format("text must be PTX, but found {}", token.text));
  if (tokens[1].kind != Token::Kind::End && tokens[1].kind != Token::Kind::Bad)
    tokens[1] = lexer.next();
  return token;
}

bool Cursor::accept(std::string_view mark) {
  if (!peek().is(mark))
    return false;
  take();
  return true;
}

bool Cursor::acceptWord(std::string_view word) {
  if (!peek().isWord(word))
    return false;
  take();
  return true;
}

bool Cursor::expect(std::string_view mark, std::string_view rule) {
  if (!accept(mark))
    return failHere(rule);
  return true;
}

std::optional<std::string_view> Cursor::name(std::string_view rule) {
  if (peek().kind != Token::Kind::Name) {
    failHere(rule);
    return std::nullopt;
  }
  return take().text;
}

bool Cursor::failHere(std::string_view rule) {
  if (peek().kind == Token::Kind::Bad)
    return fail(peek().line, fmt::format("text must be PTX, but found {}", peek().text));
  return fail(peek().line, fmt::format("{}, but found {}", rule, shown(peek())));
}

bool Cursor::fail(uint32_t line, std::string message) {
  if (!failure)
    failure = Error{fmt::format("{}:{}: {}", place, line, message)};
  return false;
}

} // namespace glm::ptx
