// Of Precision.h: the rules of a policy, built in or from a file.
#include "frontend/config/Precision.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <initializer_list>

namespace glm {
namespace {

using Json = nlohmann::json;

PrecisionRule builtIn(const char *policy, std::string pattern, const char *type) {
  return makeRule(std::move(pattern), type, fmt::format("built-in {}", policy));
}

/// The table of the model card of Lorbus/GLM-5.2-NVFP4; what it does not list is packed.
std::vector<PrecisionRule> cardRules(const ModelConfig &config) {
  std::vector<PrecisionRule> rules = {
      builtIn("card", "*", "nvfp4"),
      builtIn("card", "lm_head", "bf16"),
      builtIn("card", "*.self_attn.*", "bf16"),
      builtIn("card", "*.mlp.gate", "bf16"),
      builtIn("card", "*.mlp.shared_experts.*", "bf16"),
  };
  // The first two and the last two layers, and the MTP layer.
  for (int64_t layer : {int64_t(0), int64_t(1), config.layers - 2, config.layers - 1, config.layers})
    if (layer >= 0)
      rules.push_back(builtIn("card", fmt::format("model.layers.{}.*", layer), "bf16"));
  rules.push_back(builtIn("card", "*.indexer.weights_proj", "f32"));
  return rules;
}

/// nvidia/GLM-5.2-NVFP4: the routed experts and nothing else, the MTP layer untouched.
std::vector<PrecisionRule> nvidiaRules(const ModelConfig &config) {
  return {builtIn("nvidia", "*", "wide"), builtIn("nvidia", "*.mlp.experts.*", "nvfp4"),
          builtIn("nvidia", fmt::format("model.layers.{}.*", config.layers), "wide")};
}

/// Refuses keys that are not `keys`: a misspelt one would leave a rule out in silence.
Result<void> checkKeys(const JsonFile &file, const Json &object, std::initializer_list<const char *> keys) {
  for (const auto &[key, value] : object.items())
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      return Error{fmt::format("{}: key must be one of {}, but found {}", file.place(key), fmt::join(keys, ", "), key)};
  return {};
}

/// A file of rules; README.md has the format.
Result<std::vector<PrecisionRule>> fileRules(const std::filesystem::path &path) {
  std::error_code code;
  if (!std::filesystem::exists(path, code))
    return Error{
        fmt::format("--precision: policy must be checkpoint, card, nvidia or a file, but found {}", path.string())};
  auto file = readJson(path);
  if (!file)
    return file.error();
  return parseRules(*file);
}

} // namespace

Result<std::vector<PrecisionRule>> parseRules(const JsonFile &file) {
  if (auto checked = checkKeys(file, file.value, {"rules", "comment"}); !checked)
    return checked.error();
  auto list = file.value.find("rules");
  if (list == file.value.end() || !list->is_array())
    return Error{fmt::format("{}: rules must be a list of objects, but found {}", file.place("rules"),
                             list == file.value.end() ? "none" : list->type_name())};
  std::vector<std::string> patterns, types;
  for (const Json &item : *list) {
    Json pattern = item.is_object() ? item.value("pattern", Json()) : Json(),
         type = item.is_object() ? item.value("type", Json()) : Json();
    if (!pattern.is_string() || !type.is_string())
      return Error{fmt::format("{}: a rule must be an object with a pattern and a type, but found {}",
                               file.place("rules"), item.dump().substr(0, 80))};
    if (auto checked = checkKeys(file, item, {"pattern", "type", "comment"}); !checked)
      return checked.error();
    patterns.push_back(pattern.get<std::string>());
    types.push_back(type.get<std::string>());
  }
  std::vector<std::string> places = file.places("rules", patterns);
  std::vector<PrecisionRule> rules;
  rules.reserve(patterns.size());
  for (size_t i = 0; i < patterns.size(); ++i)
    rules.push_back(makeRule(patterns[i], types[i], places[i]));
  return rules;
}

Result<std::vector<PrecisionRule>> policyRules(const std::string &policy, const ModelConfig &config,
                                               const QuantizationConfig &quantization) {
  if (policy == "checkpoint")
    return quantization.excludes;
  if (policy == "card")
    return cardRules(config);
  if (policy == "nvidia")
    return nvidiaRules(config);
  return fileRules(policy);
}

} // namespace glm
