#include "test/frontend/config/SmallModel.h"

#include "test/Inputs/Presets.h"

#include <cstring>

namespace glm::test {

nlohmann::ordered_json smallConfig() { return preset("tiny")->config; }

Tensor tensorOf(const std::string &dtype, std::vector<int64_t> shape) {
  uint64_t count = dtypeBytes(dtype);
  for (int64_t size : shape)
    count *= size;
  Tensor tensor{dtype, std::move(shape), std::vector<uint8_t>(count)};
  for (uint64_t i = 0; i < count; ++i)
    tensor.bytes[i] = static_cast<uint8_t>(i * 37 + 11);
  return tensor;
}

Tensor scalarOf(float value, bool zeroDimensional) {
  Tensor tensor{"F32", {}, std::vector<uint8_t>(sizeof value)};
  if (!zeroDimensional)
    tensor.shape = {1};
  std::memcpy(tensor.bytes.data(), &value, sizeof value);
  return tensor;
}

SmallModel::SmallModel(const std::function<void(CheckpointRequest &)> &change) {
  CheckpointRequest request = *preset("tiny");
  request.config["vocab_size"] = 40;
  request.config["n_routed_experts"] = 4;
  request.config["num_experts_per_tok"] = 2;
  request.fastWeights = true;
  if (change)
    change(request);
  if (Result<void> made = makeCheckpoint(request, path()); !made)
    throw std::runtime_error(made.error().message);
}

void SmallModel::editTensors(const std::function<void(Tensors &)> &edit) const {
  Tensors tensors;
  {
    auto file = SafetensorsFile::open(path() / "model.safetensors");
    if (!file)
      throw std::runtime_error(file.error().message);
    for (const auto &[name, info] : file->tensors())
      tensors[name] = {info.dtype, info.shape, std::vector<uint8_t>(file->data(info), file->data(info) + info.bytes)};
  }
  edit(tensors);
  SafetensorsWriter writer;
  for (const auto &[name, tensor] : tensors)
    writer.add(name, tensor.dtype, tensor.shape, tensor.bytes);
  if (Result<void> written = writer.write(path() / "model.safetensors"); !written)
    throw std::runtime_error(written.error().message);
}

void SmallModel::editJson(const std::string &name, const std::function<void(nlohmann::ordered_json &)> &edit) const {
  nlohmann::ordered_json json;
  std::ifstream(path() / name) >> json;
  edit(json);
  std::ofstream(path() / name) << json.dump(1);
}

Result<StoredTensors> SmallModel::read() {
  std::vector<std::string> warnings;
  auto read = readModelConfig(path(), warnings);
  if (!read)
    throw std::runtime_error(read.error().message);
  config = *read;
  auto checkpoint = Checkpoint::open(path());
  if (!checkpoint)
    throw std::runtime_error(checkpoint.error().message);
  return readStoredTensors(config, *checkpoint);
}

} // namespace glm::test
