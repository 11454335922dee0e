// A place in PTX text with two tokens of foresight, and the first error met there. The parsers of expressions,
// declarations and bodies share one.
#pragma once

#include "runtime/artifact/Result.h"
#include "runtime/ptx/text/Lexer.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace glm::ptx {

/// Every function that returns bool gives false once an error was met; the first one is kept.
class Cursor {
public:
  Cursor(std::string_view text, std::string_view place);

  const Token &peek(size_t ahead = 0) const { return tokens[ahead]; }
  Token take();
  uint32_t line() const { return tokens[0].line; }

  bool accept(std::string_view mark);
  bool acceptWord(std::string_view word);
  /// The mark must come now: `<rule>, but found ...`.
  bool expect(std::string_view mark, std::string_view rule);
  /// A name must come now.
  std::optional<std::string_view> name(std::string_view rule);

  /// "PLACE:LINE: <rule>, but found <next token>".
  bool failHere(std::string_view rule);
  /// "PLACE:LINE: <message>".
  bool fail(uint32_t line, std::string message);
  bool failed() const { return failure.has_value(); }
  const Error &error() const { return *failure; }

private:
  std::string place;
  Lexer lexer;
  std::array<Token, 2> tokens;
  std::optional<Error> failure;
};

} // namespace glm::ptx
