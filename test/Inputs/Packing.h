// Which modules are packed, and the quantization configs that say so.
#pragma once

#include "test/Inputs/CheckpointRequest.h"
#include "test/Inputs/ModelDescription.h"

#include <set>
#include <string>
#include <vector>

namespace glm::test {

/// True if a glob (`*` matches any characters, dots included) names the module.
bool matchesAny(const std::vector<std::string> &globs, const std::string &module);

class Packing {
public:
  /// Apply request.packed. Refused: a format that packs with nothing packed, a packed matrix whose inputs are no
  /// multiple of 16.
  static Result<Packing> choose(const CheckpointRequest &request, const ModelDescription &model,
                                const std::vector<LogicalTensor> &tensors);

  bool contains(const LogicalTensor &tensor) const { return tensor.linear && modules.count(tensor.module()) > 0; }

  /// `quantization_config` of config.json; null for Bf16.
  nlohmann::ordered_json configEntry() const;
  /// hf_quant_config.json; null for other formats than ModelOpt.
  nlohmann::ordered_json sideFile() const;

private:
  CheckpointFormat format = CheckpointFormat::Bf16;
  bool inputScales = false;
  bool fp8Cache = false;
  std::string producerVersion;
  std::set<std::string> modules;     ///< packed
  std::vector<std::string> excluded; ///< exact names, or `prefix.*`
};

} // namespace glm::test
