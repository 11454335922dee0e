// A Hugging Face folder's tensors: model.safetensors, or the shards that model.safetensors.index.json names.
#pragma once

#include "runtime/artifact/Json.h"
#include "runtime/artifact/Safetensors.h"

#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace glm {

/// The weight_map of model.safetensors.index.json: tensor name to shard name. A shard's name is that of a file in the folder itself: an
/// index is data, and may not lead anywhere else.
Result<std::map<std::string, std::string>> readIndex(const JsonFile &file);

class Checkpoint {
public:
  /// Open every file and check it against the index: each named shard exists inside the folder, each tensor is where the
  /// index says, none is in two files; a single file beside an index that does not name it is refused. A shard may be a link to a
  /// file of the same folder, or one of the Hugging Face hub's cache (`models--NAME/snapshots/REVISION/SHARD` to
  /// `../../blobs/HASH`); any other way out of the folder is refused. Every file that is wrong is named, not only the first.
  static Result<Checkpoint> open(const std::filesystem::path &folder);

  /// A tensor and the file that holds it.
  struct Entry {
    const TensorInfo *info = nullptr;
    const SafetensorsFile *file = nullptr;

    const uint8_t *data() const { return file->data(*info); }
  };

  /// Null info if there is no such tensor.
  Entry find(const std::string &name) const;
  bool contains(const std::string &name) const { return find(name).info != nullptr; }

  const std::filesystem::path &folder() const { return root; }
  const std::vector<SafetensorsFile> &files() const { return shards; }
  /// All tensor names, sorted.
  std::vector<std::string> names() const;

private:
  std::filesystem::path root;
  std::vector<SafetensorsFile> shards;
  std::unordered_map<std::string, std::pair<const TensorInfo *, size_t>> where;
};

} // namespace glm
