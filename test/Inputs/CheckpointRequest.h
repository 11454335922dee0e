// What to write: the one description that the program's options and the tests' code fill in.
#pragma once

#include "runtime/artifact/Result.h"

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace glm::test {

enum class CheckpointFormat {
  Bf16,              ///< nothing packed
  ModelOpt,          ///< X.weight, X.weight_scale, X.weight_scale_2 [, X.input_scale]; hf_quant_config.json
  CompressedTensors, ///< X.weight_packed, X.weight_scale, X.weight_global_scale [, X.input_global_scale]
};

/// Shape of a stored one-element tensor.
enum class ScalarShape { ZeroDimensional, One };

struct CheckpointRequest {
  nlohmann::ordered_json config; ///< config.json, without quantization_config
  uint64_t seed = 1;
  int64_t shards = 1; ///< 1: model.safetensors, else shards of about equal bytes and an index
  CheckpointFormat format = CheckpointFormat::Bf16;
  /// "card", "nvidia" or "all", else globs over module names; what any of them names is packed.
  std::vector<std::string> packed;
  /// The exclude list of the quantization configs as it is; empty: the shortest one that covers what is not packed.
  std::vector<std::string> excluded;
  std::string producerVersion = "0.47.0"; ///< of ModelOpt, as its configs say
  std::string scaleDtype = "F8_E4M3";     ///< or U8, as some exporters call the same bytes
  std::optional<ScalarShape> scalarShape; ///< default: 0-d for ModelOpt, [1] for compressed-tensors
  bool tieGateUp = true;                  ///< gate_proj and up_proj of one MLP share the global scale
  /// Move powers of two (0 to 15, by matrix) from block scales to the global one, so that all E4M3 exponents occur.
  bool spreadScales = false;
  bool inputScales = false;
  bool mtp = true;
  /// Nothing but headers and the scalars of packed matrices is written: the rest of each shard is a hole of the file, which
  /// reads as zeros and takes no space. For folders of hundreds of GB of which only the shape is asked.
  bool holes = false;
  bool fastWeights = false; ///< uniform numbers, and packed codes drawn instead of rounded: for many GiB
  std::vector<std::string> float32, float16; ///< globs over module names, stored in these types instead of BF16
  bool progress = false;                     ///< on stderr
};

/// Write the folder: config.json, generation_config.json, the shards, hf_quant_config.json for ModelOpt. All of it goes
/// to a temporary name beside `folder` first, which must not exist.
Result<void> makeCheckpoint(const CheckpointRequest &request, const std::filesystem::path &folder);

} // namespace glm::test
