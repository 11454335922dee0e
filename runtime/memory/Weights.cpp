#include "runtime/memory/Weights.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unordered_set>

namespace glm {

static std::string describe(const std::string &dtype, const std::vector<int64_t> &shape) {
  return fmt::format("{} [{}]", dtype, fmt::join(shape, ", "));
}

static bool acceptsDtype(const std::string &expected, const std::string &found) {
  return expected == found || (expected == "F8_E4M3" && found == "U8");
}

static bool acceptsShape(const Weight &weight, const std::vector<int64_t> &found) {
  if (weight.form == WeightForm::Scalars)
    return found.empty() || found == std::vector<int64_t>{1};
  return weight.shape == found;
}

static Result<Checkpoint::Entry> findTensor(const Weight &weight, int64_t index, const Checkpoint &checkpoint) {
  std::string name = expandPattern(weight.name, index);
  Checkpoint::Entry entry = checkpoint.find(name);
  std::string expected =
      weight.form == WeightForm::Scalars ? weight.dtype + " [] or [1]" : describe(weight.dtype, weight.shape);
  if (!entry.info)
    return Error{fmt::format("{}: the program expects {}, but found no such tensor in the checkpoint", name, expected)};
  if (!acceptsDtype(weight.dtype, entry.info->dtype) || !acceptsShape(weight, entry.info->shape))
    return Error{fmt::format("{}: the program expects {}, but found {}", name, expected,
                             describe(entry.info->dtype, entry.info->shape))};
  return entry;
}

static float halfToFloat(uint16_t half) {
  int exponent = half >> 10 & 31;
  int mantissa = half & 1023;
  float magnitude = exponent == 31  ? (mantissa ? NAN : INFINITY)
                    : exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                                    : std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

/// A number of the file as float32; offsets in a safetensors file need not be aligned.
static Result<float> readScalar(const std::string &name, const Checkpoint::Entry &entry) {
  const std::string &dtype = entry.info->dtype;
  uint16_t half = 0;
  float value = 0;
  if (dtype == "F32") {
    std::memcpy(&value, entry.data(), sizeof value);
    return value;
  }
  std::memcpy(&half, entry.data(), std::min<uint64_t>(sizeof half, entry.info->bytes));
  if (dtype == "BF16")
    return std::bit_cast<float>(static_cast<uint32_t>(half) << 16);
  if (dtype == "F16")
    return halfToFloat(half);
  return Error{fmt::format("{}: a scalar must be F32, BF16 or F16, but found {}", name, dtype)};
}

static Result<float> gatherScalar(const Weight &weight, int64_t index, const Checkpoint::Entry &entry) {
  std::string name = expandPattern(weight.name, index);
  Result<float> stored = readScalar(name, entry);
  if (!stored)
    return stored;
  if (!std::isfinite(*stored) || *stored <= 0)
    return Error{fmt::format("{}: the scale must be finite and greater than 0, but found {}", name, *stored)};
  if (!weight.reciprocal)
    return stored;
  float inverse = 1.0f / *stored;
  if (!std::isfinite(inverse) || inverse <= 0)
    return Error{fmt::format("{}: the inverse of the scale must be finite and greater than 0, but found {} for {}",
                             name, inverse, *stored)};
  return inverse;
}

Result<Weights> Weights::resolve(const Manifest &manifest, const Checkpoint &checkpoint) {
  Weights weights;
  weights.manifest = &manifest;
  size_t count = manifest.weights.size();
  weights.entries.resize(count);
  weights.numbers.resize(count);
  weights.pieces.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const Weight &weight = manifest.weights[i];
    for (int64_t index = 0; index < weight.count && !weight.filled; ++index) {
      Result<Checkpoint::Entry> entry = findTensor(weight, index, checkpoint);
      if (!entry)
        return entry.error();
      weights.entries[i].push_back(*entry);
      if (weight.form != WeightForm::Scalars)
        continue;
      Result<float> scalar = gatherScalar(weight, index, *entry);
      if (!scalar)
        return scalar.error();
      weights.numbers[i].push_back(*scalar);
    }
  }
  return weights;
}

uint64_t Weights::bytes(int64_t weight) const {
  if (!numbers[weight].empty())
    return numbers[weight].size() * sizeof(float);
  const Weight &described = manifest->weights[weight];
  uint64_t sum = described.filled ? described.count * described.shape.front() : 0;
  for (const Checkpoint::Entry &entry : entries[weight])
    sum += entry.info->bytes;
  return sum;
}

uint64_t residentBytes(const Manifest &manifest, const Weights &weights) {
  std::unordered_set<const TensorInfo *> seen;
  uint64_t sum = 0;
  for (size_t i = 0; i < manifest.weights.size(); ++i)
    for (const Checkpoint::Entry &entry : weights.tensors(i))
      if (seen.insert(entry.info).second)
        sum += entry.info->bytes;
  return sum;
}

} // namespace glm
