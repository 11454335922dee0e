// The checkpoints of GLM-5.2 that people have, as shapes: every name, shape, type and scalar, and holes for the rest.
#pragma once

#include "test/Inputs/CheckpointRequest.h"

#include <string>
#include <vector>

namespace glm::test {

/// glm-5.2 (zai-org/GLM-5.2), glm-5.2-card (Lorbus/GLM-5.2-NVFP4), glm-5.2-nvidia (nvidia/GLM-5.2-NVFP4).
std::vector<std::string> publishedShapeNames();

/// The request of one of them: 282 shards with holes. Null if there is none of that name.
///
/// What is known and how well:
///  - glm-5.2: config.json is the published file, byte for byte, and so is the index but for which shard holds what: there
///    tensors are spread evenly here.
///  - glm-5.2-nvidia: config keys, the exclude list of 156 entries and the producer as published.
///  - glm-5.2-card: packed as the model card's table says; its configs are not published, so that the exclude list is the
///    shortest that covers what is not packed.
std::optional<CheckpointRequest> publishedShape(const std::string &name);

} // namespace glm::test
