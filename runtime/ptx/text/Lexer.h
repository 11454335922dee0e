// PTX text to tokens (PTX ISA, "Source Format", "Identifiers", "Integer Constants", "Floating-Point Constants").
#pragma once

#include <cstdint>
#include <string_view>

namespace glm::ptx {

struct Token {
  enum class Kind : uint8_t {
    End,
    Name,   ///< add, %r1, $L__BB0_1, _
    Word,   ///< .f32, .shared::cta, .32x32b: the text is without the dot
    Number, ///< 12, 0x1F, 017U, 0b11, 1.5e3, 0f3F800000, 0d3FF0000000000000
    String, ///< the text is without the quotes
    Mark,   ///< one or two characters of punctuation
    Bad,    ///< the text says what is wrong
  };

  Kind kind = Kind::End;
  std::string_view text;
  uint32_t line = 1;

  bool is(std::string_view mark) const { return kind == Kind::Mark && text == mark; }
  bool isWord(std::string_view word) const { return kind == Kind::Word && text == word; }
};

/// Reads a text once, from front to back. Ends at the first NUL, as a C string does.
class Lexer {
public:
  explicit Lexer(std::string_view text) : text(text.substr(0, text.find('\0'))) {}

  Token next();

private:
  char at(size_t index) const { return index < text.size() ? text[index] : '\0'; }
  bool skipSpace(); ///< false: a comment has no end
  Token take(Token::Kind kind, size_t end);
  Token word();
  Token number();
  Token quoted();
  Token bad(std::string_view what) const { return {Token::Kind::Bad, what, line}; }

  std::string_view text;
  size_t position = 0;
  uint32_t line = 1;
};

} // namespace glm::ptx
