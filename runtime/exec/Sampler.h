// From the logits of one row to a token.
//
// The order is temperature, then top-k, then top-p, as transformers and llama.cpp's defaults have it:
//   p_i ~ exp((logit_i - max) / temperature)
//   top-k keeps the k likeliest ids, the lower id first among equals
//   top-p keeps the likeliest of those until their share of what top-k kept reaches top_p
//   the token is drawn from the kept ids, in rising order, by the inverse of their cumulative distribution
// The random number is a function of (seed, sequence, position) and of nothing else, so that neither batching nor
// the order of steps changes a result.
#pragma once

#include "runtime/artifact/Result.h"

#include <cstdint>
#include <span>

namespace glm {

struct Sampling {
  double temperature = 0; ///< 0: greedy, the lowest id of the largest logit; top-k, top-p and seed mean nothing then
  int64_t topK = 0;       ///< 0: all
  double topP = 1;        ///< in (0, 1]
  uint64_t seed = 0;
};

/// Logits must not contain NaN or +inf; -inf is an id that cannot be drawn. The message says what was found and leaves
/// the place to the caller.
Result<void> checkLogits(std::span<const float> logits);

/// Checks the logits, then draws. `position` is that of the new token in its sequence.
Result<int32_t> sampleToken(std::span<const float> logits, const Sampling &sampling, uint64_t sequence,
                            uint64_t position);

/// A number in [0, 1) from a counter, 53 bits: three rounds of splitmix64's finaliser (Steele, Lea, Flood 2014), one
/// for each of the arguments.
double uniformFromCounter(uint64_t seed, uint64_t sequence, uint64_t position);

} // namespace glm
