// Deliberate mistakes: misreadings of the formulas and of the files, several of them once published by others. The
// golden vectors must notice every one.
#pragma once

#include <string>
#include <vector>

namespace glm::test {

enum class Mistake {
  None,
  HalfSplitIndexerRope,    ///< pairs (i, i + rope/2), DeepSeek-V3.2's rule; invisible within index_topk tokens
  GateAndUpSwapped,        ///< silu(up) * gate
  CorrectionBiasDropped,   ///< experts chosen without e_score_correction_bias
  CorrectionBiasInWeights, ///< experts weighed with it
  SharedLayerOwnIndex,     ///< a shared layer chooses positions from its own hidden state, with its source's indexer
  OneGlobalScale,          ///< up_proj dequantized with gate_proj's global scale
  MaskAfterTopk,           ///< positions chosen among all, the future dropped afterwards
  HighNibbleFirst,         ///< the two codes of a byte exchanged
  LatentNormEps,           ///< rms_norm_eps in the latent norms, where the goldens use 1e-6
  SharedExpertScaled,      ///< routed_scaling_factor applied to the shared expert too
  IndexerNopeFirst,        ///< rotates the last values of the indexer's heads, as in the main heads
  HiddenBeforeNormToMtp,   ///< the MTP layer is fed the residual stream before model.norm
};

/// All but None.
const std::vector<Mistake> &allMistakes();
std::string mistakeName(Mistake mistake);

} // namespace glm::test
