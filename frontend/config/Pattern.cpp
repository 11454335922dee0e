#include "frontend/config/Pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <set>

namespace glm {
namespace {

/// A name has a hundred characters: an honest expression needs a few thousand steps. Beyond this it is refused, not waited for.
constexpr uint32_t kMostSteps = 1'000'000;
constexpr uint32_t kMostKibibytes = 16 << 10;

bool isDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }

/// Only digits behind `.experts.` or behind the first wildcard can make a difference between numbers of experts.
bool globMayNameExperts(const std::string &glob) {
  size_t experts = glob.find(".experts."), wildcard = glob.find_first_of("*?");
  size_t from = std::min(experts, wildcard);
  return from != std::string::npos && (glob.find('?') != std::string::npos ||
                                       std::any_of(glob.begin() + static_cast<ptrdiff_t>(from), glob.end(), isDigit));
}

} // namespace

bool globMatches(std::string_view glob, std::string_view text) {
  // Only the last star seen is ever tried again: an earlier one that took more could not match what this one does not.
  size_t g = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', g) == std::string_view::npos;
}

struct RuleSet::Expression {
  pcre2_code *code = nullptr;
  pcre2_match_data *data = nullptr;
  pcre2_match_context *limits = nullptr;

  ~Expression() {
    pcre2_match_context_free(limits);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
  }

  static Result<std::unique_ptr<Expression>> make(const PrecisionRule &rule) {
    int number = 0;
    PCRE2_SIZE offset = 0;
    auto expression = std::make_unique<Expression>();
    auto pattern = reinterpret_cast<PCRE2_SPTR>(rule.pattern.data());
    expression->code = pcre2_compile(pattern, rule.pattern.size(), PCRE2_ANCHORED, &number, &offset, nullptr);
    if (!expression->code)
      return Error{fmt::format("{}: pattern re:{} must be a regular expression, but found {} at {}", rule.source,
                               rule.pattern, message(number), offset)};
    expression->data = pcre2_match_data_create_from_pattern(expression->code, nullptr);
    expression->limits = pcre2_match_context_create(nullptr);
    pcre2_set_match_limit(expression->limits, kMostSteps);
    pcre2_set_heap_limit(expression->limits, kMostKibibytes);
    return expression;
  }

  static std::string message(int number) {
    PCRE2_UCHAR text[128] = {};
    pcre2_get_error_message(number, text, sizeof text);
    return reinterpret_cast<const char *>(text);
  }
};

RuleSet::RuleSet() = default;
RuleSet::RuleSet(RuleSet &&) noexcept = default;
RuleSet &RuleSet::operator=(RuleSet &&) noexcept = default;
RuleSet::~RuleSet() = default;

Result<RuleSet> RuleSet::make(const std::vector<PrecisionRule> &rules) {
  static const std::set<std::string> types = {"nvfp4", "bf16", "f32", "stored", "wide"};
  RuleSet set;
  set.rules = rules;
  for (size_t i = 0; i < rules.size(); ++i) {
    const PrecisionRule &rule = rules[i];
    if (!types.contains(rule.type))
      return Error{fmt::format("{}: type of rule {} must be nvfp4, bf16, f32, wide or stored, but found {}",
                               rule.source, rule.pattern, rule.type)};
    if (rule.spelling == PrecisionRule::Spelling::Regex) {
      auto expression = Expression::make(rule);
      if (!expression)
        return expression.error();
      set.wild.push_back({i, std::move(*expression)});
    } else if (rule.pattern.find_first_of("*?") != std::string::npos) {
      set.wild.push_back({i, nullptr});
    } else {
      set.exact[rule.pattern] = i;
    }
  }
  return set;
}

Result<bool> RuleSet::matches(const Wild &candidate, const std::string &module) const {
  const PrecisionRule &rule = rules[candidate.rule];
  if (!candidate.expression)
    return globMatches(rule.pattern, module);
  const Expression &expression = *candidate.expression;
  auto text = reinterpret_cast<PCRE2_SPTR>(module.data());
  int outcome = pcre2_match(expression.code, text, module.size(), 0, 0, expression.data, expression.limits);
  if (outcome < 0 && outcome != PCRE2_ERROR_NOMATCH)
    return Error{fmt::format("{}: pattern re:{} must be decided in {} steps for {}, but found {}", rule.source,
                             rule.pattern, kMostSteps, module, Expression::message(outcome))};
  return outcome >= 0;
}

Result<const PrecisionRule *> RuleSet::last(const std::string &module) const {
  auto named = exact.find(module);
  for (auto candidate = wild.rbegin(); candidate != wild.rend(); ++candidate) {
    if (named != exact.end() && candidate->rule < named->second)
      break;
    auto matched = matches(*candidate, module);
    if (!matched)
      return matched.error();
    if (*matched)
      return &rules[candidate->rule];
  }
  return named == exact.end() ? nullptr : &rules[named->second];
}

bool RuleSet::mayNameExperts() const {
  return std::any_of(rules.begin(), rules.end(), [](const PrecisionRule &rule) {
    return rule.spelling == PrecisionRule::Spelling::Regex || globMayNameExperts(rule.pattern);
  });
}

} // namespace glm
