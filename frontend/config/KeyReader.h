// Checked values out of one JSON object: what the readers of config files share.
#pragma once

#include "runtime/artifact/Json.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace glm {

/// Warns of the keys of `object` that are not `known`, by name; beyond 20 they are counted.
inline void warnOfUnknown(const JsonFile &file, const nlohmann::json &object, const std::set<std::string> &known,
                          std::vector<std::string> &warnings) {
  constexpr size_t most = 20;
  size_t count = 0;
  for (const auto &[key, value] : object.items())
    if (!known.contains(key) && ++count <= most)
      warnings.push_back(
          fmt::format("{}: key {} is unknown and was not used: {}", file.place(key), key, value.dump().substr(0, 60)));
  if (count > most)
    warnings.push_back(fmt::format("{}: {} more keys are unknown and were not used", file.name, count - most));
}

/// Takes checked values out of one JSON object. What is wrong with each key becomes a message, the first one for each; a check that
/// compares keys asks `fine` first, so that one mistake is not told twice.
class KeyReader {
public:
  explicit KeyReader(const JsonFile &file) : file(file), object(file.value) {}

  std::optional<Error> error;

  bool has(const char *key) const {
    auto found = object.find(key);
    return found != object.end() && !found->is_null();
  }
  const nlohmann::json &at(const char *key) const { return object.at(key); }

  /// Whether nothing was wrong with any of these so far.
  bool fine(std::initializer_list<const char *> keys) const {
    return std::none_of(keys.begin(), keys.end(), [&](const char *key) { return wrong.contains(key); });
  }

  void fail(const std::string &key, const std::string &rule, const std::string &found) {
    if (!wrong.insert(key).second)
      return;
    Error next{fmt::format("{}: {} {}, but found {}", file.place(key), key, rule, found)};
    if (error)
      error->add(std::move(next));
    else
      error = std::move(next);
  }

  int64_t integer(const char *key, int64_t low, int64_t high, std::optional<int64_t> absent = std::nullopt) {
    if (!has(key)) {
      if (!absent)
        fail(key, "must be there", "none");
      return absent.value_or(low);
    }
    return checkedInteger(key, at(key), low, high);
  }

  int64_t checkedInteger(const char *key, const nlohmann::json &value, int64_t low, int64_t high) {
    bool large = value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(INT64_MAX);
    if (!value.is_number_integer() || large || value.get<int64_t>() < low || value.get<int64_t>() > high) {
      fail(key, fmt::format("must be an integer in {} .. {}", low, high), value.dump());
      return low;
    }
    return value.get<int64_t>();
  }

  double positive(const char *key, std::optional<double> absent = std::nullopt) {
    if (!has(key)) {
      if (!absent)
        fail(key, "must be there", "none");
      return absent.value_or(1);
    }
    return checkedPositive(key, at(key));
  }

  double checkedPositive(const char *key, const nlohmann::json &value) {
    if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() <= 0) {
      fail(key, "must be a positive number", value.dump());
      return 1;
    }
    return value.get<double>();
  }

  bool flag(const char *key, bool absent) {
    if (!has(key))
      return absent;
    if (!at(key).is_boolean())
      fail(key, "must be true or false", at(key).dump());
    return at(key).is_boolean() && at(key).get<bool>();
  }

  /// A key whose only implemented value is `wanted`.
  void only(const char *key, const nlohmann::json &wanted) {
    if (has(key) && at(key) != wanted)
      fail(key, fmt::format("must be {}, the only one implemented", wanted.dump()), at(key).dump());
  }

  /// A list whose every entry is one of `words`, one per layer.
  void onlyWords(const char *key, int64_t layers, std::initializer_list<const char *> words) {
    if (!has(key))
      return;
    const nlohmann::json &list = at(key);
    if (!list.is_array() || static_cast<int64_t>(list.size()) != layers)
      return fail(key, fmt::format("must be a list of {} layers", layers), sizeText(list));
    for (const nlohmann::json &item : list)
      if (std::find(words.begin(), words.end(), item) == words.end())
        fail(key, fmt::format("must hold {}", fmt::join(words, " or ")), item.dump());
  }

  /// Two keys that say the same must agree.
  void agree(const char *key, int64_t value, const char *other, int64_t expected) {
    if (value != expected && fine({key, other}))
      fail(key, fmt::format("must agree with {} {}", other, expected), std::to_string(value));
  }

  /// A list of two words, one per layer, as flags; `yes` is true.
  std::vector<bool> words(const char *key, int64_t layers, const char *yes, const char *no) {
    const nlohmann::json &list = at(key);
    std::vector<bool> flags;
    if (!list.is_array() || static_cast<int64_t>(list.size()) != layers) {
      fail(key, fmt::format("must be a list of {} layers", layers), sizeText(list));
      return std::vector<bool>(layers, true);
    }
    for (const nlohmann::json &item : list) {
      if (item != yes && item != no)
        fail(key, fmt::format("must hold \"{}\" or \"{}\"", yes, no), item.dump());
      flags.push_back(item == yes);
    }
    return flags;
  }

private:
  static std::string sizeText(const nlohmann::json &list) {
    return list.is_array() ? fmt::format("{} entries", list.size()) : list.dump();
  }

  const JsonFile &file;
  const nlohmann::json &object;
  std::set<std::string> wrong; ///< keys that have a message
};

} // namespace glm
