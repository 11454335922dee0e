// Of Precision.h: what a checkpoint says about its own quantization.
#include "frontend/config/KeyReader.h"
#include "frontend/config/Precision.h"

#include <fmt/format.h>

namespace glm {
namespace {

using Json = nlohmann::json;
constexpr int kBlock = 16;

/// The strings of a list, each with its line as the source of a rule.
Result<void> addExcludes(const JsonFile &file, const Json &list, const char *key, QuantizationConfig &config) {
  if (!list.is_array())
    return Error{
        fmt::format("{}: {} must be a list of module names, but found {}", file.place(key), key, list.type_name())};
  std::vector<std::string> patterns;
  for (const Json &item : list) {
    if (!item.is_string())
      return Error{fmt::format("{}: {} must hold strings, but found {}", file.place(key), key, item.dump())};
    patterns.push_back(item.get<std::string>());
  }
  std::vector<std::string> places = file.places(key, patterns);
  for (size_t i = 0; i < patterns.size(); ++i)
    config.excludes.push_back(makeRule(patterns[i], "wide", places[i]));
  return {};
}

Result<void> checkModelOpt(const JsonFile &file, const Json &algorithm) {
  if (algorithm != "NVFP4" && algorithm != "W4A16_NVFP4")
    return Error{fmt::format("{}: quant_algo must be NVFP4 or W4A16_NVFP4, but found {}", file.place("quant_algo"),
                             algorithm.dump())};
  return {};
}

/// A key that may be absent, null, or what is implemented.
struct OnlyValue {
  const char *key;
  Json value;
};

Result<void> checkOnly(const JsonFile &file, const Json &holder, std::initializer_list<OnlyValue> rules) {
  for (const OnlyValue &rule : rules) {
    auto found = holder.find(rule.key);
    if (found != holder.end() && !found->is_null() && *found != rule.value)
      return Error{fmt::format("{}: {} must be {}, but found {}", file.place(rule.key), rule.key, rule.value.dump(),
                               found->dump().substr(0, 80))};
  }
  return {};
}

/// An 8-bit cache is chosen by --kv-cache, with its loss in view, and never by a file.
void warnOfCache(const JsonFile &file, const Json &holder, const char *key, QuantizationConfig &config) {
  auto found = holder.find(key);
  if (found != holder.end() && !found->is_null())
    config.warnings.push_back(fmt::format("{}: {} was not followed (--kv-cache chooses the type of the cache): {}",
                                          file.place(key), key, found->dump().substr(0, 80)));
}

/// ModelOpt's own file: {producer, quantization: {quant_algo, group_size, exclude_modules}}.
Result<void> readModelOptFile(const JsonFile &file, QuantizationConfig &config) {
  auto quantization = file.value.find("quantization");
  if (quantization == file.value.end() || !quantization->is_object())
    return Error{fmt::format("{}: quantization must be an object, but found {}", file.place("quantization"),
                             quantization == file.value.end() ? "none" : quantization->type_name())};
  Json algorithm = quantization->value("quant_algo", Json());
  if (auto checked = checkModelOpt(file, algorithm); !checked)
    return checked;
  if (auto checked = checkOnly(file, *quantization,
                               {{"group_size", kBlock}, {"has_zero_point", false}, {"pre_quant_scale", false}});
      !checked)
    return checked;
  warnOfCache(file, *quantization, "kv_cache_quant_algo", config);
  warnOfUnknown(
      file, *quantization,
      {"quant_algo", "kv_cache_quant_algo", "group_size", "has_zero_point", "pre_quant_scale", "exclude_modules"},
      config.warnings);
  config.present = true;
  config.method = "modelopt";
  config.algorithm = algorithm.get<std::string>();
  config.place = file.name;
  return quantization->contains("exclude_modules")
             ? addExcludes(file, (*quantization)["exclude_modules"], "exclude_modules", config)
             : Result<void>();
}

/// config_groups: all must be 4-bit floats in blocks of 16, without anything that would change what a code stands for.
Result<void> checkGroups(const JsonFile &file, const Json &quantization) {
  auto groups = quantization.find("config_groups");
  if (groups == quantization.end())
    return {};
  if (!groups->is_object())
    return Error{fmt::format("{}: config_groups must be an object, but found {}", file.place("config_groups"),
                             groups->type_name())};
  for (const auto &[name, group] : groups->items()) {
    Json weights = group.is_object() ? group.value("weights", Json()) : Json();
    if (!weights.is_object() || weights.value("num_bits", Json()) != 4 || weights.value("type", Json()) != "float")
      return Error{fmt::format("{}: weights of {} must be 4-bit floats, but found {}", file.place(name), name,
                               weights.dump().substr(0, 80))};
    if (auto checked = checkOnly(file, weights,
                                 {{"group_size", kBlock},
                                  {"symmetric", true},
                                  {"dynamic", false},
                                  {"actorder", nullptr},
                                  {"strategy", "tensor_group"}});
        !checked)
      return checked;
  }
  return {};
}

/// Rotated or sparse weights would be multiplied as if they were neither.
Result<void> checkTransformations(const JsonFile &file, const Json &quantization) {
  for (const char *key : {"transform_config", "sparsity_config"}) {
    auto found = quantization.find(key);
    if (found == quantization.end() || found->is_null() || found->empty())
      continue;
    if (found->is_object() && found->value("format", Json()) == "dense")
      continue;
    return Error{fmt::format("{}: {} must be empty, the only one implemented, but found {}", file.place(key), key,
                             found->dump().substr(0, 80))};
  }
  return {};
}

Result<void> readConfigJson(const JsonFile &file, QuantizationConfig &config) {
  auto found = file.value.find("quantization_config");
  if (found == file.value.end() || found->is_null())
    return {};
  if (!found->is_object())
    return Error{fmt::format("{}: quantization_config must be an object, but found {}",
                             file.place("quantization_config"), found->type_name())};
  Json method = found->value("quant_method", Json());
  Json algorithm = method == "modelopt" ? found->value("quant_algo", Json()) : found->value("format", Json());
  if (method == "modelopt") {
    if (auto checked = checkModelOpt(file, algorithm); !checked)
      return checked;
  } else if (method != "compressed-tensors") {
    return Error{fmt::format("{}: quant_method must be modelopt or compressed-tensors, but found {}",
                             file.place("quant_method"), method.dump())};
  } else if (algorithm != "nvfp4-pack-quantized") {
    return Error{
        fmt::format("{}: format must be nvfp4-pack-quantized, but found {}", file.place("format"), algorithm.dump())};
  }
  if (auto checked = checkGroups(file, *found); !checked)
    return checked;
  if (auto checked = checkTransformations(file, *found); !checked)
    return checked;
  if (auto checked = checkOnly(file, *found, {{"group_size", kBlock}}); !checked)
    return checked;
  if (config.present && method.get<std::string>() != config.method)
    return Error{fmt::format("{}: quant_method must agree with {}, {}, but found {}", file.place("quant_method"),
                             config.place, config.method, method.get<std::string>())};
  if (config.present && algorithm.get<std::string>() != config.algorithm)
    return Error{fmt::format("{}: quant_algo must agree with {}, {}, but found {}", file.place("quant_algo"),
                             config.place, config.algorithm, algorithm.get<std::string>())};
  warnOfCache(file, *found, "kv_cache_scheme", config);
  warnOfUnknown(file, *found,
                {"quant_method", "quant_algo", "format", "config_groups", "ignore", "exclude_modules", "group_size",
                 "kv_cache_scheme", "producer", "quantization_status", "global_compression_ratio", "sparsity_config",
                 "transform_config", "version", "run_compressed"},
                config.warnings);
  config.present = true;
  config.method = method.get<std::string>();
  config.algorithm = algorithm.get<std::string>();
  config.place = file.name;
  const char *key = found->contains("ignore") ? "ignore" : "exclude_modules";
  return found->contains(key) ? addExcludes(file, (*found)[key], key, config) : Result<void>();
}

} // namespace

PrecisionRule makeRule(std::string pattern, std::string type, std::string source) {
  PrecisionRule rule;
  rule.spelling = pattern.starts_with("re:") ? PrecisionRule::Spelling::Regex : PrecisionRule::Spelling::Glob;
  rule.pattern = rule.spelling == PrecisionRule::Spelling::Regex ? pattern.substr(3) : std::move(pattern);
  rule.type = std::move(type);
  rule.source = std::move(source);
  return rule;
}

Result<QuantizationConfig> readQuantizationConfig(const std::filesystem::path &folder) {
  auto side = readOptionalJson(folder / "hf_quant_config.json");
  if (!side)
    return side.error();
  auto file = readJson(folder / "config.json");
  if (!file)
    return file.error();
  return parseQuantizationConfig(*side ? &**side : nullptr, *file);
}

Result<QuantizationConfig> parseQuantizationConfig(const JsonFile *side, const JsonFile &configFile) {
  QuantizationConfig config;
  if (side)
    if (auto read = readModelOptFile(*side, config); !read)
      return read.error();
  if (auto read = readConfigJson(configFile, config); !read)
    return read.error();
  return config;
}

} // namespace glm
