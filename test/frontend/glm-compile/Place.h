// A folder with a small checkpoint, and an artifact of it, that a test spoils before it calls a program.
#pragma once

#include "test/runtime/artifact/TemporaryFolder.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace glm::test {

using Json = nlohmann::ordered_json;

/// What `model` holds before it is spoiled. Each is made once and copied. Layers 0 and 1 are dense, 2 to 4 sparse; 0, 1 and 3 own
/// indexers; layer 5 is MTP.
enum class Start {
  Wide,              ///< bf16, one file
  Shards,            ///< bf16, two shards and an index
  Packed,            ///< ModelOpt, every linear that may be
  Card,              ///< ModelOpt, packed as the model card says, with exclude lists
  CompressedTensors, ///< the routed experts
  Artifact,          ///< Packed, and model.glm, compiled from it
};

/// The shards of Start::Shards; the one file of the others.
inline constexpr const char *kFirst = "model-00001-of-00002.safetensors";
inline constexpr const char *kSecond = "model-00002-of-00002.safetensors";
inline constexpr const char *kSingle = "model.safetensors";
inline constexpr const char *kIndex = "model.safetensors.index.json";

class Place {
public:
  explicit Place(Start start);

  /// Write another checkpoint in the place of the one that is there: that of Start::Wide with some keys of its config set.
  void make(const Json &config) const;

  std::filesystem::path root() const { return folder.path(); }
  /// `name` within the checkpoint.
  std::filesystem::path model(const std::string &name = "") const { return root() / "model" / name; }
  std::filesystem::path artifact(const std::string &name = "") const { return root() / "model.glm" / name; }

  /// Rewrite a JSON file after an edit.
  static void json(const std::filesystem::path &file, const std::function<void(Json &)> &edit);
  /// Set a key of config.json; null removes it.
  void config(const std::string &key, const Json &value) const;
  /// Replace the first occurrence of `from` in a text file.
  static void text(const std::filesystem::path &file, const std::string &from, const std::string &to);
  /// Write a whole file.
  static void write(const std::filesystem::path &file, const std::string &content);
  static std::string read(const std::filesystem::path &file);

  /// Rewrite the header of a safetensors file, the data behind it untouched.
  static void header(const std::filesystem::path &file, const std::function<void(Json &)> &edit);
  /// Put a header's text in the place of the one that is there.
  static void rawHeader(const std::filesystem::path &file, const std::string &header);
  /// Overwrite bytes of a tensor.
  static void tensor(const std::filesystem::path &file, const std::string &name, size_t at, const std::string &bytes);
  /// Cut or lengthen a file by `bytes`.
  static void resize(const std::filesystem::path &file, int64_t bytes);

private:
  TemporaryFolder folder;
};

/// How a program ended.
struct Outcome {
  int code = -1;         ///< exit code, or minus the signal
  std::string out, err;  ///< what it wrote; paths of the place are spelled PLACE
  std::string left;      ///< files that appeared, vanished or changed their size, separated by commas
  double seconds = 0;    ///< of processor time
  int64_t peakBytes = 0; ///< of memory
};

struct Limits {
  int64_t fileBytes = 0;   ///< largest file that may be written, as a disk that is full; 0: none
  bool fullOutput = false; ///< stdout is /dev/full
  std::string input = {};  ///< stdin
};

/// Call a program of the build in the place. It is ended after 20 s of processor time.
Outcome call(const Place &place, const std::vector<std::string> &words, const Limits &limits = {});

} // namespace glm::test
