// Constants and constant expressions (PTX ISA, "Constants", "Constant Expressions").
#pragma once

#include "runtime/ptx/text/Cursor.h"

#include <cstdint>
#include <optional>

namespace glm::ptx {

/// A constant: integers have 64 bits and are signed unless they do not fit or were written with U.
struct Constant {
  enum class Kind : uint8_t { Signed, Unsigned, Float32, Float64 };

  Kind kind = Kind::Signed;
  uint64_t bits = 0; ///< two's complement, or the bits of the float

  bool isInteger() const { return kind == Kind::Signed || kind == Kind::Unsigned; }
};

/// Whether a constant expression can begin with this token.
bool beginsExpression(const Token &token);

/// The value of the constant expression that comes next. Nothing after an error, which is in `cursor`.
std::optional<Constant> parseExpression(Cursor &cursor);

/// The same between < and >, where > ends it unless it is in parentheses.
std::optional<Constant> parseAngleExpression(Cursor &cursor);

/// The same for a number of bytes or elements: an integer that is not negative and at most `most`.
std::optional<uint64_t> parseCount(Cursor &cursor, std::string_view subject, uint64_t most,
                                   std::optional<Constant> (*parse)(Cursor &) = parseExpression);

/// The value as a float of 64 bits.
double asDouble(Constant constant);

} // namespace glm::ptx
