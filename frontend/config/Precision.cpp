#include "frontend/config/Precision.h"

#include "frontend/config/Pattern.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <tuple>

namespace glm {
namespace {

/// Vectors, embeddings and biases are not for rules: computed as stored, in float32 arithmetic.
constexpr const char *kAsStored = "stored";
/// Stands for a layer's number until the layers of a row are known; no module name contains it.
constexpr const char *kLayer = "<layer>";

std::string moduleOf(const StoredWeight &weight, int64_t number) { return expandPattern(weight.module(), number); }

/// The number in `model.layers.N.`, or -1.
int64_t layerOf(const std::string &module) {
  constexpr std::string_view prefix = "model.layers.";
  int64_t layer = -1;
  if (module.starts_with(prefix))
    std::from_chars(module.data() + prefix.size(), module.data() + module.size(), layer);
  return layer;
}

/// `text` with kLayer in place of `layer` behind `layers.`.
std::string abstractLayer(const std::string &text, int64_t layer) {
  std::string number = fmt::format("layers.{}", layer);
  size_t at = text.find(number), end = at + number.size();
  bool longer = at != std::string::npos && end < text.size() && text[end] >= '0' && text[end] <= '9';
  if (layer < 0 || at == std::string::npos || longer)
    return text;
  return text.substr(0, at) + "layers." + kLayer + text.substr(end);
}

/// {3..75}, {0,1,10..12}; a single number without braces.
std::string ranges(const std::vector<int64_t> &numbers) {
  std::string text;
  for (size_t i = 0; i < numbers.size();) {
    size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1)
      ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", numbers[i]);
    if (last > i)
      text += fmt::format("..{}", numbers[last]);
    i = last + 1;
  }
  return numbers.size() == 1 ? text : "{" + text + "}";
}

/// Why a weight is computed as it is.
struct Decision {
  std::string computed;
  const PrecisionRule *rule = nullptr; ///< null: none names it
  bool differs = false;                ///< the rule asks for another type than the stored one

  bool refused() const { return computed == kRefused; }
};

/// `rule` is PATTERN = TYPE; `more` weights are refused for such reasons too.
Error conflict(const std::string &module, const std::string &rule, bool asksForPacked, const std::string &source,
               const std::string &stored, int64_t more) {
  std::vector<std::string> hints;
  if (asksForPacked)
    hints.emplace_back("glm-quantize makes a packed one");
  if (more > 0)
    hints.push_back(fmt::format("--print-precision lists {} more", more));
  return Error{fmt::format("{}: rule {} ({}) asks for {}, but found {} in the checkpoint{}", module, rule, source,
                           asksForPacked ? "packed" : "wide", stored,
                           hints.empty() ? "" : fmt::format(" ({})", fmt::join(hints, "; ")))};
}

/// Groups of equal weights, in the order of their first: layers and lines are collected, then folded.
class Table {
public:
  void add(const StoredWeight &weight, const Decision &decision) {
    std::string module = weight.module(), rule = kAsStored, source = "checkpoint";
    int64_t layer = layerOf(module), line = -1;
    if (decision.rule) {
      // A list that spells out every expert names the first one here; the row stands for all of them.
      bool firstOfStack = decision.rule->pattern == moduleOf(weight, 0);
      rule = abstractLayer(firstOfStack ? module : decision.rule->pattern, layer) + " = " + decision.rule->type;
      std::tie(source, line) = splitLine(decision.rule->source);
    }
    if (size_t hole = module.find("{}"); hole != std::string::npos)
      module.replace(hole, 2, fmt::format("{{0..{}}}", weight.count - 1));
    std::string stem = abstractLayer(module, layer), stored = precisionName(weight.format);
    auto [entry, isNew] = numbers.try_emplace(std::tuple(stem, stored, decision.computed, rule, source), groups.size());
    if (isNew)
      groups.push_back({{stem, 0, stored, decision.computed, 0, rule, source}, {}, line, line, decision});
    Group &group = groups[entry->second];
    group.row.count += weight.count;
    group.row.bytes += weight.bytes;
    group.layers.push_back(layer);
    group.firstLine = std::min(group.firstLine, line);
    group.lastLine = std::max(group.lastLine, line);
  }

  /// Fill in all of `precision` that stands in rows.
  void finish(Precision &precision) {
    auto rank = [](const Group &group) { return group.decision.refused() ? 0 : group.decision.differs ? 1 : 2; };
    std::stable_sort(groups.begin(), groups.end(), [&](const Group &a, const Group &b) {
      return rank(a) != rank(b) ? rank(a) < rank(b) : rank(a) == 0 && a.row.bytes > b.row.bytes;
    });
    int64_t refused = 0;
    for (Group &group : groups) {
      for (std::string *text : {&group.row.pattern, &group.row.rule})
        if (size_t hole = text->find(kLayer); hole != std::string::npos)
          text->replace(hole, std::string_view(kLayer).size(), ranges(group.layers));
      if (group.firstLine >= 0)
        group.row.source += fmt::format(":{}", group.firstLine);
      if (group.lastLine > group.firstLine)
        group.row.source += fmt::format("..{}", group.lastLine);
      precision.differences += group.decision.differs;
      refused += group.decision.refused() ? group.row.count : 0;
      precision.table.push_back(std::move(group.row));
    }
    if (refused == 0)
      return;
    const PrecisionRow &row = precision.table.front();
    bool asksForPacked = groups.front().decision.rule->type == "nvfp4";
    precision.refusal = conflict(row.pattern, row.rule, asksForPacked, row.source, row.stored, refused - row.count);
  }

private:
  struct Group {
    PrecisionRow row;
    std::vector<int64_t> layers;
    int64_t firstLine, lastLine; ///< of the source, -1 where it has no lines
    Decision decision;
  };

  /// "rules.json:12" into its halves; -1 where there is no line.
  static std::pair<std::string, int64_t> splitLine(const std::string &source) {
    size_t colon = source.rfind(':');
    int64_t line = -1;
    if (colon == std::string::npos)
      return {source, line};
    auto [end, code] = std::from_chars(source.data() + colon + 1, source.data() + source.size(), line);
    if (code != std::errc() || end != source.data() + source.size())
      return {source, -1};
    return {source.substr(0, colon), line};
  }

  std::map<std::tuple<std::string, std::string, std::string, std::string, std::string>, size_t> numbers;
  std::vector<Group> groups;
};

/// Applies rules to weights.
class Decider {
public:
  explicit Decider(RuleSet rules) : rules(std::move(rules)), everyExpert(this->rules.mayNameExperts()) {}

  Result<Decision> decide(const StoredWeight &weight) const {
    if (!weight.linear)
      return Decision{precisionName(weight.format)};
    auto first = decideOne(weight, 0);
    for (int64_t number = 1; first && everyExpert && number < weight.count; ++number) {
      auto other = decideOne(weight, number);
      if (!other)
        return other;
      if (other->refused() && !first->refused())
        return conflict(moduleOf(weight, number), fmt::format("{} = {}", other->rule->pattern, other->rule->type),
                        other->rule->type == "nvfp4", other->rule->source, precisionName(weight.format), 0);
      if (other->computed != first->computed)
        return Error{fmt::format("{}: experts of a layer must be computed alike ({} in expert 0), but found {}",
                                 moduleOf(weight, number), first->computed, other->computed)};
    }
    return first;
  }

private:
  Result<Decision> decideOne(const StoredWeight &weight, int64_t number) const {
    std::string stored = precisionName(weight.format), module = moduleOf(weight, number);
    auto rule = rules.last(module);
    if (!rule)
      return rule.error();
    if (!*rule || (*rule)->type == "stored")
      return Decision{stored, *rule};
    if (((*rule)->type == "nvfp4") != isPacked(weight.format))
      return Decision{kRefused, *rule, true};
    // Widening is exact, so that f32 holds for bf16 too; a rule never narrows.
    return Decision{(*rule)->type == "f32" ? "f32" : stored, *rule, (*rule)->type != "wide" && (*rule)->type != stored};
  }

  RuleSet rules;
  bool everyExpert;
};

} // namespace

Result<Precision> decidePrecision(const StoredTensors &stored, const std::vector<PrecisionRule> &rules,
                                  const QuantizationConfig &quantization, std::vector<std::string> &warnings) {
  auto set = RuleSet::make(rules);
  if (!set)
    return set.error();
  Decider decider(std::move(*set));
  Table table;
  Precision precision;
  int64_t silent = 0;
  std::string firstSilent;
  for (const StoredWeight &weight : stored.weights) {
    auto decision = decider.decide(weight);
    if (!decision)
      return decision.error();
    if (weight.linear && !isPacked(weight.format) && !decision->rule) {
      if (silent == 0)
        firstSilent = moduleOf(weight, 0);
      silent += weight.count;
    }
    table.add(weight, *decision);
    precision.computed.push_back(decision->computed);
  }
  if (quantization.present && silent > 0)
    warnings.push_back(
        fmt::format("{}: {} wide linears are named by no exclude list or rule, such as {}: computed as they are stored",
                    quantization.place, silent, firstSilent));
  table.finish(precision);
  return precision;
}

std::string precisionText(const Precision &precision) {
  size_t width = 7;
  for (const PrecisionRow &row : precision.table)
    width = std::max(width, row.pattern.size());
  auto line = [&](const PrecisionRow &row) {
    return fmt::format("{:<{}}  {:>7}  {:<6}  {:<8}  {:>16}  {} ({})\n", row.pattern, width, row.count, row.stored,
                       row.computed, row.bytes, row.rule, row.source);
  };
  const std::string head = fmt::format("{:<{}}  {:>7}  {:<6}  {:<8}  {:>16}  {}\n", "pattern", width, "count", "stored",
                                       "computed", "bytes", "rule (source)");
  std::string different, others;
  int64_t count = 0, differing = 0;
  uint64_t bytes = 0;
  for (size_t i = 0; i < precision.table.size(); ++i) {
    const PrecisionRow &row = precision.table[i];
    bool differs = i < precision.differences;
    (differs ? different : others) += line(row);
    count += row.count;
    bytes += row.bytes;
    differing += differs ? row.count : 0;
  }
  if (precision.differences > 0)
    different = fmt::format("stored otherwise than a rule asks: {} weight{}\n{}{}\nthe rest\n", differing,
                            differing == 1 ? "" : "s", head, different);
  return fmt::format("{}{}{}{:<{}}  {:>7}  {:<6}  {:<8}  {:>16}\n", different, head, others, "all", width, count, "",
                     "", bytes);
}

std::string precisionJson(const std::vector<PrecisionRow> &table) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const PrecisionRow &row : table)
    list.push_back({{"pattern", row.pattern},
                    {"count", row.count},
                    {"stored", row.stored},
                    {"computed", row.computed},
                    {"bytes", row.bytes},
                    {"rule", row.rule},
                    {"source", row.source}});
  return list.dump(1) + "\n";
}

} // namespace glm
