// Instruction forms: which words make an instruction, what it needs, and how it is decoded. The tables of forms are the
// instruction set: what no row matches is refused by name and line when a module is loaded, FormTable::all lists them,
// and each row has its test.
#pragma once

#include "runtime/artifact/Result.h"
#include "runtime/ptx/isa/Chip.h"
#include "runtime/ptx/isa/Op.h"
#include "runtime/ptx/text/Module.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace glm::ptx {

class Builder;

/// What the words of an instruction chose among a pattern's alternatives, in the order of the pattern.
struct Match {
  /// The word taken at an optional or alternative place, without its dot; empty for an optional one that is absent.
  std::vector<std::string_view> words;

  bool has(size_t place) const { return !words[place].empty(); }
  Type type(size_t place) const; ///< the word as a type; the pattern allowed nothing else
};

/// Fills `op` from the operands of `instruction`. The Builder resolves operands, and reports what is wrong with them.
using Build = Result<void> (*)(Builder &builder, const Match &match, Op &op);

struct Form {
  /// The spelling: words joined by dots; `(a|b|c)` is one of these, `[.a]` may be absent, `[.(a|b)]` both. Words are
  /// matched from left to right, in this order only: "add[.(rn|rz|rm|rp)][.ftz][.sat].f32", "mov.(b16|b32|b64)".
  std::string_view pattern;
  Feature feature;
  uint32_t ptxVersion; ///< first version of PTX with this form, as 10 * major + minor
  OpClass opClass;
  Build build;
};

/// Many rows, found by mnemonic. Of the rows that match, the first decides.
class FormTable {
public:
  explicit FormTable(std::span<const std::span<const Form>> tables);

  std::span<const Form *const> named(std::string_view mnemonic) const;
  const std::vector<const Form *> &all() const { return rows; }

private:
  std::vector<const Form *> rows;
  std::unordered_map<std::string_view, std::vector<const Form *>> byMnemonic;
};

/// The words of `instruction` against a pattern; nothing if they do not fit.
std::optional<Match> matchPattern(std::string_view pattern, const Instruction &instruction);

} // namespace glm::ptx
