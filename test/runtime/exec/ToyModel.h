// A model of four small kernels over paged caches, for the tests of the runtime: what a row computes depends on all
// tokens of its sequence up to it, through the page table and the cache, so that a wrong slot, page, position or order
// changes the logits.
//
//   hidden  = embedding[token]                                              [W]
//   cache[page of position] = hidden
//   context = tanh(sum over p <= position of cache[p] / (1 + position - p)) [W]
//   chosen  = two experts that follow from token and position               [2]
//   mixed   = context + gain * sum over chosen e of scale[e] * expert[e]    [W]
//   logits  = mixed . embedding                                             [V]
#pragma once

#include <cstdint>

namespace glm::toy {

inline constexpr int64_t kWidth = 8;
inline constexpr int64_t kVocab = 37;
inline constexpr int64_t kExperts = 5;
inline constexpr int64_t kChosen = 2;
inline constexpr float kGain = 0.75f;
inline constexpr int64_t kPageSize = 4;

inline int64_t firstExpert(int64_t token, int64_t position) { return (token * 3 + position) % kExperts; }
inline int64_t secondExpert(int64_t token, int64_t position) {
  return (firstExpert(token, position) + 1 + token % (kExperts - 1)) % kExperts;
}

} // namespace glm::toy
