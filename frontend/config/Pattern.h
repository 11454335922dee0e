// Patterns over module names, in the spellings of ModelOpt and compressed-tensors.
#pragma once

#include "frontend/config/Precision.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace glm {

/// Whether `glob` names `text` whole: `*` stands for anything, `?` for one character. Work is at most the product of both lengths.
bool globMatches(std::string_view glob, std::string_view text);

/// An ordered list of rules made ready: exact names are looked up, only patterns are tried one by one, so that lists which
/// spell out every expert stay cheap.
class RuleSet {
public:
  /// Refuses an unknown type and a regular expression that does not compile, with their places.
  static Result<RuleSet> make(const std::vector<PrecisionRule> &rules);

  RuleSet(RuleSet &&) noexcept;
  RuleSet &operator=(RuleSet &&) noexcept;
  ~RuleSet();

  /// The last rule that names `module`, or null. Refuses a regular expression whose matching does not come to an end.
  Result<const PrecisionRule *> last(const std::string &module) const;

  /// Whether a rule may tell one expert of a layer from another; if none does, asking for one expert is enough.
  bool mayNameExperts() const;

private:
  struct Expression;
  struct Wild {
    size_t rule = 0;
    std::unique_ptr<Expression> expression; ///< null for a glob
  };
  RuleSet();
  Result<bool> matches(const Wild &wild, const std::string &module) const;

  std::vector<PrecisionRule> rules;
  std::unordered_map<std::string, size_t> exact; ///< name to its last rule
  std::vector<Wild> wild;                        ///< in the order of the rules
};

} // namespace glm
