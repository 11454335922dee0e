#include "test/Inputs/WeightStream.h"

#include <bit>
#include <cmath>

namespace glm::test {
namespace {

bool endsWith(const std::string &text, const std::string &end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// value = offset + x * factor.
struct Affine {
  double offset = 0;
  double factor = 1;
};

Affine roleOf(const LogicalTensor &tensor) {
  if (endsWith(tensor.name, "e_score_correction_bias"))
    return {0, 0.05};
  if (endsWith(tensor.name, "norm.weight"))
    return {1, 0.3};
  if (endsWith(tensor.name, "k_norm.bias"))
    return {0, 0.3};
  if (endsWith(tensor.name, "embed_tokens.weight"))
    return {0, 1};
  return {0, 1.2 / std::pow(static_cast<double>(tensor.shape.back()), 0.5)};
}

} // namespace

Stream::Stream(uint64_t seed, const std::string &name) : state(0xCBF29CE484222325) {
  for (unsigned char byte : name)
    state = (state ^ byte) * 0x100000001B3;
  state += seed * 0xD1342543DE82EF95;
}

uint64_t Stream::bits(uint64_t index) const {
  uint64_t z = state + (index + 1) * 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

double Stream::normal(uint64_t index) const {
  uint64_t z = bits(index);
  int64_t lanes = static_cast<int64_t>((z & 0xFFFF) + (z >> 16 & 0xFFFF) + (z >> 32 & 0xFFFF) + (z >> 48)) - 131070;
  return static_cast<double>(lanes) * (1 / 37837.227);
}

void fillWeights(uint64_t seed, const LogicalTensor &tensor, int64_t begin, int64_t count, float *values) {
  Stream stream(seed, tensor.name);
  Affine role = roleOf(tensor);
  // Adding an offset of zero changes no value, so that one formula serves all roles.
  for (int64_t i = 0; i < count; ++i)
    values[i] = static_cast<float>(role.offset + stream.normal(begin + i) * role.factor);
}

void fillWeightsFast(uint64_t seed, const LogicalTensor &tensor, int64_t begin, int64_t count, float *values) {
  Stream stream(seed, tensor.name);
  Affine role = roleOf(tensor);
  // A uniform int16 has standard deviation 65536 / sqrt(12).
  float factor = static_cast<float>(role.factor * std::sqrt(12.0) / 65536), offset = static_cast<float>(role.offset);
  for (int64_t i = 0; i < count; ++i) {
    int64_t index = begin + i;
    int16_t lane = static_cast<int16_t>(stream.bits(index / 4) >> (index % 4 * 16));
    values[i] = offset + lane * factor;
  }
}

std::vector<int32_t> drawPrompt(uint64_t seed, int64_t number, int64_t length, int64_t vocabulary) {
  Stream stream(seed, "prompt." + std::to_string(number));
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < length; ++i)
    ids.push_back(static_cast<int32_t>(static_cast<int64_t>(std::fabs(stream.normal(i) * 1e6)) % vocabulary));
  return ids;
}

uint16_t toBfloat16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

float fromBfloat16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

uint16_t toFloat16(float value) { return std::bit_cast<uint16_t>(static_cast<_Float16>(value)); }

float fromFloat16(uint16_t bits) { return static_cast<float>(std::bit_cast<_Float16>(bits)); }

} // namespace glm::test
