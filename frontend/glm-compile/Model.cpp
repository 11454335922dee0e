#include "frontend/glm-compile/Model.h"

#include <fmt/format.h>

namespace glm {
namespace {

/// `text` of --set, PATTERN=TYPE. Regular expressions may hold `=`, types do not.
Result<PrecisionRule> parseRule(const std::string &text) {
  size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    return Error{fmt::format("--set: rule must be PATTERN=TYPE, but found {}", text)};
  return makeRule(text.substr(0, equals), text.substr(equals + 1), "--set");
}

Result<void> readPrecision(const CompileOptions &options, Model &model) {
  auto quantization = readQuantizationConfig(options.model);
  if (!quantization)
    return quantization.error();
  model.warnings.insert(model.warnings.end(), quantization->warnings.begin(), quantization->warnings.end());
  auto rules = policyRules(options.precision, model.config, *quantization);
  if (!rules)
    return rules.error();
  model.rules = std::move(*rules);
  for (const std::string &text : options.rules) {
    auto rule = parseRule(text);
    if (!rule)
      return rule.error();
    model.rules.push_back(std::move(*rule));
  }
  auto precision = decidePrecision(model.stored, model.rules, *quantization, model.warnings);
  if (!precision)
    return precision.error();
  model.precision = std::move(*precision);
  return {};
}

} // namespace

Result<Model> readModel(const CompileOptions &options) {
  Model model;
  auto config = readModelConfig(options.model, model.warnings);
  std::error_code code;
  if (!config && !std::filesystem::exists(options.model / "config.json", code))
    return config.error(); // no model, and whatever else is missing follows from that
  // Neither asks the other: whoever has to load files again learns at once about all of them.
  auto checkpoint = Checkpoint::open(options.model);
  if (!config || !checkpoint) {
    Error error = config ? checkpoint.error() : config.error();
    if (!config && !checkpoint)
      error.add(checkpoint.error());
    return error;
  }
  model.config = std::move(*config);
  if (options.latentNormEps)
    model.config.latentNormEps = *options.latentNormEps;
  model.checkpoint = std::move(*checkpoint);
  auto stored = readStoredTensors(model.config, model.checkpoint,
                                  options.plan.empty() ? ScalarValues::Checked : ScalarValues::Unread);
  if (!stored)
    return stored.error();
  model.stored = std::move(*stored);
  if (auto read = readPrecision(options, model); !read)
    return read.error();
  return model;
}

} // namespace glm
