// From the logits of one row to a token.
//
// The order is temperature, then top-k, then top-p, as transformers and llama.cpp's defaults have it:
//   p_i ~ exp((logit_i - max) / temperature)
//   top-k keeps the k likeliest ids, the lower id first among equals
//   top-p keeps the likeliest of those until their share of what top-k kept reaches top_p
//   the token is drawn from the kept ids, in rising order, by the inverse of their cumulative distribution
// The random number is a function of (seed, sequence, position) and of nothing else, so that neither batching nor
// the order of steps changes a result.
//
// A GPU samples its rows itself (glm.kernel.sample) and has to find the same tokens, whatever the order in which its threads
// add. So weights are integers (sampleWeight), and every sum, comparison and product of them is exact. With the weights w of
// the ids that top-k kept, `total` their sum and p = top_p * 2^32, an integer:
//   an id stands before another if its logit is larger (zeros of both signs are equal), or equal and its number lower
//   top-p keeps the first ids, as few as have a sum of at least max(1, floor(total * p / 2^32))
//   the token is the first kept id, by number, at which the sum of weights exceeds floor(random * rest / 2^64), where `rest`
//   is the sum of all that is left and `random` has 64 bits
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

/// What one draw depends on beside the logits: five words, as glm.kernel.sample reads them.
struct SamplingWords {
  uint32_t scale = 0;      ///< bits of the float32 nearest to log2(e) / temperature, a normal number; 0: greedy
  uint32_t topK = 0;       ///< at most 2^31 - 1; 0, or as many as there are ids: all
  uint32_t topP = 0;       ///< in units of 2^-32, to the nearest, 1 at least; 0: all
  uint32_t randomHigh = 0; ///< the random number
  uint32_t randomLow = 0;

  bool operator==(const SamplingWords &) const = default;
};

/// `position` is that of the new token in its sequence.
SamplingWords samplingWords(const Sampling &sampling, uint64_t sequence, uint64_t position);

/// 2^40 * 2^-(below * scale), an integer, for a logit that is `below` the largest one: 2^40 for the largest, 0 from 2^-41 on.
/// y = below * scale is rounded to float32 (as `below` was), then cut to a multiple of 2^-25 = n + x with n an integer; the
/// weight is floor(2^40 * p(x) / 2^n), where p is a polynomial of degree 5 for 2^-x on [0, 1) with p(0) = 1 in numbers of 32
/// bits behind the point. Its coefficients are those of the least relative error, 8.4e-8, by Remez' exchange with the constant
/// one held; with the cut of y that makes 1.1e-7, beside what the rounding of y itself costs (y * 4.2e-8).
uint64_t sampleWeight(float below, float scale);

/// Logits must not contain NaN or +inf; -inf is an id that cannot be drawn. The message says what was found and leaves
/// the place to the caller.
Result<void> checkLogits(std::span<const float> logits);

/// What is wrong with the logits of a row for which a device chose a negative number: -1 - (2 * id + (1 if +inf, 0 if NaN)) of the first
/// that is wrong (glm.kernel.sample).
Error sampledError(int32_t sampled);

/// Checks the logits, then draws. `position` is that of the new token in its sequence. Greedy, or if the largest logit is
/// -inf: the lowest id of the largest.
Result<int32_t> sampleToken(std::span<const float> logits, const Sampling &sampling, uint64_t sequence,
                            uint64_t position);

/// A number of 64 bits from a counter: three rounds of splitmix64's finaliser (Steele, Lea, Flood 2014), one for each of the
/// arguments.
uint64_t randomFromCounter(uint64_t seed, uint64_t sequence, uint64_t position);

} // namespace glm
