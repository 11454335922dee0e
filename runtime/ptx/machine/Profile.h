// Counters of many launches, and the JSON file that they become (its schema is in README.md).
#pragma once

#include "runtime/artifact/Result.h"
#include "runtime/ptx/machine/Counters.h"

#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

namespace glm::ptx {

/// Thread safe.
class Profile {
public:
  /// Called by runLaunch.
  void add(const LoadedModule &module, uint32_t kernel, const LaunchConfig &config, const LaunchCounters &counters);

  /// What was added so far, as the schema says.
  nlohmann::json json() const;

  /// Rewrite `path`.
  Result<void> write(const std::string &path) const;

private:
  mutable std::mutex mutex;
  nlohmann::json launches = nlohmann::json::array();
};

/// The word of a class of instructions: "integer".
std::string_view nameOf(OpClass opClass);

} // namespace glm::ptx
