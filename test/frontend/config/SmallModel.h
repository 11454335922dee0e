// A small model folder that a test spoils: its config by key, its tensors by name.
#pragma once

#include "frontend/config/Precision.h"
#include "test/Inputs/CheckpointRequest.h"
#include "test/runtime/artifact/TemporaryFolder.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace glm::test {

/// The config of the smallest preset.
nlohmann::ordered_json smallConfig();

/// A tensor as it goes into a file.
struct Tensor {
  std::string dtype;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;
};
using Tensors = std::map<std::string, Tensor>;

/// `count` bytes of a dtype that differ from each other: what they say does not matter to those who look at headers only.
Tensor tensorOf(const std::string &dtype, std::vector<int64_t> shape);
/// One float32, of shape [] or [1].
Tensor scalarOf(float value, bool zeroDimensional = true);

class SmallModel {
public:
  /// `change` may set anything but the folder: format, packed, shards, keys of the config.
  explicit SmallModel(const std::function<void(CheckpointRequest &)> &change = {});

  std::filesystem::path path() const { return folder.path() / "model"; }

  /// Rewrite model.safetensors after an edit of its tensors.
  void editTensors(const std::function<void(Tensors &)> &edit) const;
  /// Rewrite a JSON file after an edit.
  void editJson(const std::string &name, const std::function<void(nlohmann::ordered_json &)> &edit) const;

  /// Config, checkpoint and tensors; throws what was refused before them.
  Result<StoredTensors> read();
  ModelConfig config;

private:
  TemporaryFolder folder;
};

} // namespace glm::test
