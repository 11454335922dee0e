#include "test/fuzz/Matching.h"

#include "frontend/config/Pattern.h"
#include "test/fuzz/Fuzz.h"

#include <algorithm>

namespace glm::fuzz {
namespace {

/// Row by row over the characters of the glob: which prefixes of the text it names so far.
bool namesWhole(std::string_view glob, std::string_view text) {
  std::vector<bool> named(text.size() + 1);
  named[0] = true;
  for (char symbol : glob) {
    std::vector<bool> next(text.size() + 1);
    if (symbol == '*')
      for (size_t i = 0, any = 0; i <= text.size(); ++i)
        next[i] = any |= named[i];
    else
      for (size_t i = 0; i < text.size(); ++i)
        next[i + 1] = named[i] && (symbol == '?' || symbol == text[i]);
    named = std::move(next);
  }
  return named.back();
}

const char *const kModules[] = {"lm_head", "model.layers.0.mlp.gate_proj", "model.layers.12.mlp.experts.7.up_proj",
                                "model.layers.3.self_attn.indexer.wq_b"};

} // namespace

void checkMatching(const std::vector<PrecisionRule> &rules) {
  auto set = RuleSet::make(rules);
  if (!set)
    return requireRefusal(set.error());
  bool expressions = std::ranges::any_of(
      rules, [](const PrecisionRule &rule) { return rule.spelling == PrecisionRule::Spelling::Regex; });
  for (const char *module : kModules) {
    auto found = set->last(module);
    if (!found) {
      requireRefusal(found.error());
      continue;
    }
    if (expressions)
      continue;
    auto expected = std::find_if(rules.rbegin(), rules.rend(),
                                 [&](const PrecisionRule &rule) { return namesWhole(rule.pattern, module); });
    bool same = *found ? expected != rules.rend() && (*found)->pattern == expected->pattern &&
                             (*found)->type == expected->type && (*found)->source == expected->source
                       : expected == rules.rend();
    require(same, "the last rule that names a module decides", module);
  }
}

} // namespace glm::fuzz
