#include "runtime/ptx/isa/Form.h"

#include <algorithm>

namespace glm::ptx {
namespace {

/// One place of a pattern: a word that must come, one of several, or one that may be absent.
struct Place {
  std::string_view words; ///< separated by |
  bool optional = false;
  bool chosen = false; ///< goes into Match::words

  bool allows(std::string_view word) const {
    for (std::string_view rest = words; !rest.empty();) {
      size_t end = rest.find('|');
      if (rest.substr(0, end) == word)
        return true;
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return false;
  }
};

/// Takes the first place off a pattern that begins with '.' or '['.
Place takePlace(std::string_view &pattern) {
  Place place;
  place.optional = pattern.starts_with('[');
  pattern.remove_prefix(place.optional ? 2 : 1);
  place.chosen = place.optional;
  if (pattern.starts_with('(')) {
    place.chosen = true;
    size_t end = pattern.find(')');
    place.words = pattern.substr(1, end - 1);
    pattern.remove_prefix(end + 1);
  } else {
    size_t end = pattern.find_first_of(".[]");
    place.words = pattern.substr(0, end);
    pattern.remove_prefix(end == std::string_view::npos ? pattern.size() : end);
  }
  if (place.optional)
    pattern.remove_prefix(1);
  return place;
}

/// An optional place takes its word where it can; only if the rest then does not fit, it is left out.
bool matchRest(std::string_view pattern, std::span<const std::string_view> words,
               std::vector<std::string_view> &taken) {
  if (pattern.empty())
    return words.empty();
  Place place = takePlace(pattern);
  if (!words.empty() && place.allows(words[0])) {
    size_t size = taken.size();
    if (place.chosen)
      taken.push_back(words[0]);
    if (matchRest(pattern, words.subspan(1), taken))
      return true;
    taken.resize(size);
  }
  if (!place.optional)
    return false;
  taken.emplace_back();
  if (matchRest(pattern, words, taken))
    return true;
  taken.pop_back();
  return false;
}

} // namespace

Type Match::type(size_t place) const { return typeNamed(words[place]).value_or(Type::None); }

FormTable::FormTable(std::span<const std::span<const Form>> tables) {
  for (std::span<const Form> table : tables)
    for (const Form &form : table) {
      rows.push_back(&form);
      byMnemonic[form.pattern.substr(0, form.pattern.find_first_of(".["))].push_back(&form);
    }
}

std::span<const Form *const> FormTable::named(std::string_view mnemonic) const {
  auto found = byMnemonic.find(mnemonic);
  return found == byMnemonic.end() ? std::span<const Form *const>{} : found->second;
}

std::optional<Match> matchPattern(std::string_view pattern, const Instruction &instruction) {
  size_t end = std::min(pattern.find_first_of(".["), pattern.size());
  if (pattern.substr(0, end) != instruction.mnemonic)
    return std::nullopt;
  Match match;
  if (!matchRest(pattern.substr(end), instruction.modifiers, match.words))
    return std::nullopt;
  return match;
}

} // namespace glm::ptx
