// What fits beside the weights of a rank, and the verdict.
#pragma once

#include "frontend/plan/Plan.h"

namespace glm {

/// Fill in what a plan says about workspace, caches and, where memory is named, what fits. Everything else of it must be there.
void fitPlan(const ModelConfig &config, const StoredTensors &stored, Plan &plan);

} // namespace glm
