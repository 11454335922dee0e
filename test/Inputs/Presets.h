// Checkpoints that have a name.
#pragma once

#include "test/Inputs/CheckpointRequest.h"

#include <string>
#include <vector>

namespace glm::test {

/// tiny, small, wide, experts, and the published shapes (PublishedShapes.h).
std::vector<std::string> presetNames();

/// The request of a preset: config, and for the large ones format and fast weights.
Result<CheckpointRequest> preset(const std::string &name);

/// `key=value` into a config; value is JSON, or text where it is not. An empty value removes the key. Keys that
/// follow from others (qk_head_dim, head_dim, num_key_value_heads) are brought up to date.
Result<void> setKey(nlohmann::ordered_json &config, const std::string &assignment);

} // namespace glm::test
