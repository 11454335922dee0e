// Weights as a function of tensor name, seed and position: the same bits as golden/make_golden.py, at any size and in
// any order.
#pragma once

#include "test/Inputs/ModelDescription.h"

#include <cstdint>
#include <string>
#include <vector>

namespace glm::test {

/// Approximately normal values of one tensor, by index:
///   state = fnv1a64(name) + seed * 0xD1342543DE82EF95
///   z = splitmix64(state + (i + 1) * 0x9E3779B97F4A7C15)  (mod 2^64)
///   value = (sum of the four uint16 of z - 131070) * (1 / 37837.227)
class Stream {
public:
  Stream(uint64_t seed, const std::string &name);

  uint64_t bits(uint64_t index) const;
  double normal(uint64_t index) const;

private:
  uint64_t state;
};

/// float32 values [begin, begin + count) of a tensor, before they are rounded to the stored type. No branch of the
/// model may be too small to be seen in the logits, hence with x from Stream: norm weights 1 + 0.3 x, LayerNorm
/// biases 0.3 x, correction biases 0.05 x, embeddings x, matrices x * (1.2 / sqrt(inputs)).
void fillWeights(uint64_t seed, const LogicalTensor &tensor, int64_t begin, int64_t count, float *values);

/// The same standard deviations from uniform numbers, four to a draw: for matrices of checkpoints of many GiB.
void fillWeightsFast(uint64_t seed, const LogicalTensor &tensor, int64_t begin, int64_t count, float *values);

/// Token ids as make_golden.py draws its prompts: int(abs(x) * 1e6) mod vocabulary, from the stream `prompt.<number>`.
std::vector<int32_t> drawPrompt(uint64_t seed, int64_t number, int64_t length, int64_t vocabulary);

/// Round to nearest even.
uint16_t toBfloat16(float value);
uint16_t toFloat16(float value);
float fromBfloat16(uint16_t bits);
float fromFloat16(uint16_t bits);

} // namespace glm::test
