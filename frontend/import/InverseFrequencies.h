// The inverse frequencies of rotary embeddings, to the bit.
#pragma once

#include <cstdint>
#include <vector>

namespace glm {

/// `1 / theta^(2i / width)` for i = 0 .. width/2 - 1 in float32, as transformers computes it on a CPU (ROPE_INIT_FUNCTIONS, "default");
/// for GLM-5.2's own theta 8e6 and width 64, the bits of CUDA's pow.
std::vector<float> inverseFrequencies(double theta, int64_t width);

} // namespace glm
