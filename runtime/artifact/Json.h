// JSON files with the line of each key, so that a message can say `config.json:17`.
#pragma once

#include "runtime/artifact/Result.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace glm {

struct JsonFile {
  std::string name; ///< file name for messages, such as config.json
  std::string text;
  nlohmann::json value;

  /// "config.json:17" for the first line that has `key` as a key, "config.json" if none does.
  std::string place(const std::string &key) const;

  /// The places of the strings of a list, in its order; `key` is the key of the list. One pass over the text, so that long
  /// lists stay cheap. A string that is spelled in an unusual way (escapes) gets the place of the key; after a few of them all do.
  std::vector<std::string> places(const std::string &key, const std::vector<std::string> &strings) const;
};

/// Read a JSON object; refuses duplicate keys, nesting beyond 64 levels, files beyond 256 MiB or four million values, and anything
/// that is not one object. Needs less than 1 GiB for whatever the file holds.
Result<JsonFile> readJson(const std::filesystem::path &path);

/// The same for a file that may be absent. A link that leads nowhere is refused: it is half a download, not an absence.
Result<std::optional<JsonFile>> readOptionalJson(const std::filesystem::path &path);

/// The same for text at hand; `name` is the place in messages.
Result<JsonFile> parseJson(std::string name, std::string text);

} // namespace glm
