#include "test/numerics/CheckpointWeights.h"

#include "test/Inputs/Nvfp4.h"
#include "test/Inputs/WeightStream.h"

#include <cstring>
#include <stdexcept>

namespace glm::test {

Checkpoint::Entry CheckpointWeights::need(const std::string &name) const {
  Checkpoint::Entry entry = checkpoint.find(name);
  if (!entry.info)
    throw std::runtime_error(name + ": tensor must be in the checkpoint, but found none");
  return entry;
}

std::vector<float> CheckpointWeights::wide(const Checkpoint::Entry &entry) const {
  std::vector<float> values(entry.info->elements());
  const uint8_t *from = entry.data();
  if (entry.info->dtype == "F32") {
    std::memcpy(values.data(), from, 4 * values.size());
    return values;
  }
  if (entry.info->dtype != "BF16" && entry.info->dtype != "F16")
    throw std::runtime_error("tensor must be BF16, F16 or F32, but found " + entry.info->dtype);
  auto widen = entry.info->dtype == "BF16" ? fromBfloat16 : fromFloat16;
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t bits;
    std::memcpy(&bits, from + 2 * i, 2);
    values[i] = widen(bits);
  }
  return values;
}

std::vector<float> CheckpointWeights::vector(const std::string &name) const { return wide(need(name)); }

float CheckpointWeights::globalScale(const std::string &module) const {
  constexpr const char *kUp = "up_proj";
  if (mistake == Mistake::OneGlobalScale && module.ends_with(kUp))
    return globalScale(module.substr(0, module.size() - std::strlen(kUp)) + "gate_proj");
  if (has(module + ".weight_scale_2"))
    return wide(need(module + ".weight_scale_2"))[0];
  return 1 / wide(need(module + ".weight_global_scale"))[0];
}

Matrix CheckpointWeights::packed(const std::string &module, const Checkpoint::Entry &codes) const {
  Matrix weight(codes.info->shape[0], codes.info->shape[1] * 2);
  const uint8_t *bytes = codes.data(), *scales = need(module + ".weight_scale").data();
  float global = globalScale(module);
  for (size_t i = 0; i < weight.values.size(); ++i) {
    bool high = (i % 2 == 1) != (mistake == Mistake::HighNibbleFirst);
    uint8_t code = high ? bytes[i / 2] >> 4 : bytes[i / 2] & 15;
    weight.values[i] = decodeE2m1(code) * (decodeE4m3(scales[i / kBlock]) * global);
  }
  return weight;
}

Matrix CheckpointWeights::matrix(const std::string &module) const {
  Checkpoint::Entry entry = checkpoint.find(module + ".weight_packed");
  if (entry.info)
    return packed(module, entry);
  entry = need(module + ".weight");
  if (entry.info->dtype == "U8")
    return packed(module, entry);
  Matrix weight(entry.info->shape[0], entry.info->shape[1]);
  weight.values = wide(entry);
  return weight;
}

} // namespace glm::test
