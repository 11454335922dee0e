// Models made by hand for the importer's tests: a config, and the weights that a folder of it would hold.
#pragma once

#include "frontend/config/ModelConfig.h"
#include "frontend/config/StoredTensors.h"

namespace glm::test {

/// The smallest model with every kind of layer: 0 dense with an indexer, 1 sparse with an indexer, 2 sparse and sharing.
/// Widths are odd on purpose: no two of them are equal.
ModelConfig smallConfig();

/// GLM-5.2 as published.
ModelConfig publishedConfig();

/// All weights of `config` as the checkpoint names them; the routed experts packed in `expertFormat`.
StoredTensors storedWeights(const ModelConfig &config, bool mtp, StoredFormat expertFormat = StoredFormat::BF16);

} // namespace glm::test
