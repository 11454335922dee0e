// What a checkpoint stores for each logical weight of the model: a fact, read from the safetensors headers.
#pragma once

#include "frontend/config/ModelConfig.h"
#include "runtime/artifact/Checkpoint.h"

#include <cstdint>
#include <string>
#include <vector>

namespace glm {

/// How one logical weight is stored.
enum class StoredFormat {
  BF16,
  F16,
  F32,
  ModelOptNvfp4,         ///< X.weight U8 [N, K/2], X.weight_scale [N, K/16], X.weight_scale_2, optional X.input_scale
  CompressedTensorsNvfp4 ///< X.weight_packed U8, X.weight_scale, X.weight_global_scale (inverse), optional X.input_global_scale
};

bool isPacked(StoredFormat format);
/// "bf16", "f16", "f32", "nvfp4".
std::string precisionName(StoredFormat format);

/// One weight of the model: a matrix, a vector, or the same matrix of all experts of a layer.
struct StoredWeight {
  /// `model.layers.3.mlp.experts.{}.gate_proj.weight`; always ends as transformers names it, also where it is packed.
  std::string name;
  int64_t count = 1;          ///< experts behind `{}`; 1 for a single tensor
  std::vector<int64_t> shape; ///< logical shape of one, [out, in] or [width]
  StoredFormat format = StoredFormat::BF16;
  uint64_t bytes = 0;           ///< of all `count`, with block and global scales, without input scales
  bool linear = false;          ///< a matrix that a quantizer may pack: rules apply to it
  uint64_t inputScaleBytes = 0; ///< of all `count`: stored beside them, asked for by nvfp4 activations alone

  /// The module name that exclude lists use: without `.weight`.
  std::string module() const;
};

/// The weights that `config` asks for, in the order of the model, each found in the checkpoint and checked: dtype, shape,
/// scales present and of the right shape, global scales finite and positive, all experts of a layer stored alike.
/// A tensor that nothing asks for is refused by name, except the input scale of a packed weight, and the MTP layer where the
/// config has none. MTP weights come last, and only if the folder has any of them: then `hasMtp` is true.
struct StoredTensors {
  std::vector<StoredWeight> weights;
  bool hasMtp = false;

  const StoredWeight *find(const std::string &name) const;
};

/// Whether global scales are read and checked, or the headers are all that is looked at: a plan can then be made of a folder
/// whose headers were fetched and whose bytes were not.
enum class ScalarValues { Checked, Unread };

Result<StoredTensors> readStoredTensors(const ModelConfig &config, const Checkpoint &checkpoint,
                                        ScalarValues values = ScalarValues::Checked);

} // namespace glm
