// Precision rules: stored precision is a fact, computed precision is a rule.
//
// An ordered list of rules over checkpoint module names, each with the place that it came from; later wins. What no rule
// names is computed as it is stored. A rule that demands packed where the file is wide, or wide where it is packed, is refused;
// a rule never narrows a wide weight: glm-quantize makes packed ones.
#pragma once

#include "frontend/config/StoredTensors.h"
#include "runtime/artifact/Manifest.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace glm {

/// One rule: names that match `pattern` are computed in `type`.
struct PrecisionRule {
  enum class Spelling {
    Glob, ///< ModelOpt's: `*` stands for anything, dots included
    Regex ///< compressed-tensors' `re:` (PCRE2), which must match from the start of a name, not to its end
  } spelling = Spelling::Glob;
  std::string pattern; ///< over module names, such as model.layers.3.mlp.experts.7.gate_proj
  std::string type;    ///< "nvfp4", "bf16", "f32", "stored" (as it is stored), or "wide" (anything but packed)
  std::string source;  ///< "hf_quant_config.json:12", "built-in card", "rules.json:3", "--set"
};

/// A rule in either spelling: `re:` before a pattern makes it a regular expression.
PrecisionRule makeRule(std::string pattern, std::string type, std::string source);

/// What the checkpoint says about its own quantization; hf_quant_config.json, config.json's quantization_config, both or neither.
struct QuantizationConfig {
  bool present = false;
  std::string method;                  ///< "modelopt", "compressed-tensors"
  std::string algorithm;               ///< "NVFP4", "W4A16_NVFP4", "nvfp4-pack-quantized"
  std::vector<PrecisionRule> excludes; ///< type "wide"
  std::string place;                   ///< the file that was read last
  std::vector<std::string> warnings;   ///< what it says and nobody follows, by name
};

/// Read both files where they exist; a method, an algorithm, a block or a transformation that is not NVFP4's is refused by name.
Result<QuantizationConfig> readQuantizationConfig(const std::filesystem::path &folder);

/// The same for files at hand: config.json, and hf_quant_config.json, which may be null.
Result<QuantizationConfig> parseQuantizationConfig(const JsonFile *side, const JsonFile &configFile);

/// The rules of a policy: "checkpoint" (the folder's exclude lists), "card", "nvidia" (built in), or a file of rules
/// (a JSON object whose "rules" is a list of {"pattern", "type"}; README.md).
Result<std::vector<PrecisionRule>> policyRules(const std::string &policy, const ModelConfig &config,
                                               const QuantizationConfig &quantization);

/// The rules of such a file; a key or a type that is not known is refused.
Result<std::vector<PrecisionRule>> parseRules(const JsonFile &file);

/// What the rules came to.
struct Precision {
  /// Groups of equal weights: layers and experts are folded into patterns such as
  /// model.layers.{3..75}.mlp.experts.{0..255}.gate_proj, and so are rules and sources that differ in the layer alone.
  /// First the `differences`: weights that are stored in another type than a rule asks for. Of these the refused ones come
  /// first, the largest on top; the others are computed as stored or wider. Then all the rest, in the order of the model.
  std::vector<PrecisionRow> table;
  size_t differences = 0; ///< rows of `table`
  /// For each weight of StoredTensors::weights, in its order: "nvfp4", "bf16", "f16", "f32", or kRefused.
  std::vector<std::string> computed;
  /// A rule asks for packed where the file is wide, or wide where it is packed: names both sides of the largest such row.
  std::optional<Error> refusal;
};

/// What stands for the computed type of a weight that cannot be computed as a rule asks.
inline constexpr const char *kRefused = "refused";

/// Apply `rules` to what is stored: what no rule names, and what is no linear, is computed as it is stored. Rules that do not
/// agree with each other about the experts of a layer are an Error.
/// `warnings` gets one line that counts the linears that are wide though no rule names them, if the checkpoint has a
/// quantization config: real exclude lists are incomplete.
Result<Precision> decidePrecision(const StoredTensors &stored, const std::vector<PrecisionRule> &rules,
                                  const QuantizationConfig &quantization, std::vector<std::string> &warnings);

/// The table for people, and as a JSON list of {pattern, count, stored, computed, bytes, rule, source}.
std::string precisionText(const Precision &precision);
std::string precisionJson(const std::vector<PrecisionRow> &table);

} // namespace glm
