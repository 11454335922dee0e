#include "frontend/config/StoredTensors.h"

#include "runtime/artifact/Manifest.h"

#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <tuple>
#include <unordered_set>

namespace glm {
namespace {

constexpr int64_t kBlock = 16; ///< columns of one NVFP4 block scale

/// What the model asks for: a weight before anyone looked for it.
struct Wanted {
  std::string name;
  std::vector<int64_t> shape;
  int64_t count = 1;
  bool linear = true;
};

/// The weights of a model, in its order.
class WeightList {
public:
  explicit WeightList(const ModelConfig &config) : c(config) {
    add("model.embed_tokens.weight", {c.vocabSize, c.hiddenSize}, false);
    for (int64_t layer = 0; layer < c.layers; ++layer)
      addLayer(layer, c.ownsIndexer[layer], c.sparseMlp[layer]);
    add("model.norm.weight", {c.hiddenSize}, false);
    if (!c.tieWordEmbeddings)
      add("lm_head.weight", {c.vocabSize, c.hiddenSize}, true);
    firstMtp = list.size();
    if (c.mtpLayers == 0)
      return;
    std::string prefix = fmt::format("model.layers.{}.", c.layers);
    addLayer(c.layers, true, true);
    add(prefix + "eh_proj.weight", {c.hiddenSize, 2 * c.hiddenSize}, true);
    for (const char *norm : {"enorm", "hnorm", "shared_head.norm"})
      add(prefix + norm + ".weight", {c.hiddenSize}, false);
  }

  std::vector<Wanted> list;
  size_t firstMtp = 0;

private:
  void add(std::string name, std::vector<int64_t> shape, bool linear, int64_t count = 1) {
    list.push_back({std::move(name), std::move(shape), count, linear});
  }

  void addLayer(int64_t layer, bool indexer, bool sparse) {
    std::string prefix = fmt::format("model.layers.{}.", layer);
    add(prefix + "input_layernorm.weight", {c.hiddenSize}, false);
    addAttention(prefix + "self_attn.");
    if (indexer)
      addIndexer(prefix + "self_attn.indexer.");
    add(prefix + "post_attention_layernorm.weight", {c.hiddenSize}, false);
    if (sparse)
      addExperts(prefix + "mlp.");
    else
      addMlp(prefix + "mlp.", c.intermediateSize, 1);
  }

  void addAttention(const std::string &prefix) {
    add(prefix + "q_a_proj.weight", {c.qLoraRank, c.hiddenSize}, true);
    add(prefix + "q_a_layernorm.weight", {c.qLoraRank}, false);
    add(prefix + "q_b_proj.weight", {c.heads * c.qkHeadDim(), c.qLoraRank}, true);
    add(prefix + "kv_a_proj_with_mqa.weight", {c.latentWidth(), c.hiddenSize}, true);
    add(prefix + "kv_a_layernorm.weight", {c.kvLoraRank}, false);
    add(prefix + "kv_b_proj.weight", {c.heads * (c.qkNopeHeadDim + c.vHeadDim), c.kvLoraRank}, true);
    add(prefix + "o_proj.weight", {c.hiddenSize, c.heads * c.vHeadDim}, true);
  }

  void addIndexer(const std::string &prefix) {
    add(prefix + "wq_b.weight", {c.indexHeads * c.indexHeadDim, c.qLoraRank}, true);
    add(prefix + "wk.weight", {c.indexHeadDim, c.hiddenSize}, true);
    add(prefix + "k_norm.weight", {c.indexHeadDim}, false);
    add(prefix + "k_norm.bias", {c.indexHeadDim}, false);
    add(prefix + "weights_proj.weight", {c.indexHeads, c.hiddenSize}, true);
  }

  void addExperts(const std::string &prefix) {
    add(prefix + "gate.weight", {c.experts, c.hiddenSize}, true);
    add(prefix + "gate.e_score_correction_bias", {c.experts}, false);
    addMlp(prefix + "experts.{}.", c.moeIntermediateSize, c.experts);
    addMlp(prefix + "shared_experts.", c.sharedExperts * c.moeIntermediateSize, 1);
  }

  void addMlp(const std::string &prefix, int64_t width, int64_t count) {
    add(prefix + "gate_proj.weight", {width, c.hiddenSize}, true, count);
    add(prefix + "up_proj.weight", {width, c.hiddenSize}, true, count);
    add(prefix + "down_proj.weight", {c.hiddenSize, width}, true, count);
  }

  const ModelConfig &c;
};

std::string shapeText(const std::vector<int64_t> &shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

/// Finds the tensors of weights and checks them; remembers which were used.
class Finder {
public:
  Finder(const Checkpoint &checkpoint, ScalarValues values) : checkpoint(checkpoint), values(values) {}

  Result<StoredWeight> find(const Wanted &wanted) {
    StoredWeight weight{wanted.name, wanted.count, wanted.shape, StoredFormat::BF16, 0, wanted.linear, 0};
    for (int64_t number = 0; number < wanted.count; ++number) {
      std::string name = expandPattern(wanted.name, number);
      auto format = formatOf(wanted, name);
      if (!format)
        return format.error();
      if (number > 0 && *format != weight.format)
        return Error{fmt::format("{}: experts of a layer must be stored alike ({} in expert 0), but found {}", name,
                                 precisionName(weight.format), precisionName(*format))};
      weight.format = *format;
      auto bytes = isPacked(*format) ? checkPacked(wanted, name, *format) : checkWide(wanted, name);
      if (!bytes)
        return bytes.error();
      weight.bytes += *bytes;
      if (isPacked(*format))
        weight.inputScaleBytes += inputScaleBytes(name, *format);
    }
    return weight;
  }

  /// Every tensor must have been used; the MTP layer need not be, where the config has none.
  Result<void> checkAllUsed(const ModelConfig &config) const {
    const std::string *first = nullptr; // in the order of names, so that the message does not depend on the shards
    std::string mtpPrefix = fmt::format("model.layers.{}.", config.layers);
    for (const SafetensorsFile &file : checkpoint.files())
      for (const auto &[name, info] : file.tensors())
        if (!used.contains(&info) && !(config.mtpLayers == 0 && name.starts_with(mtpPrefix)) &&
            (!first || name < *first))
          first = &name;
    if (!first)
      return {};
    if (first->find(".self_attn.indexer.") != std::string::npos)
      return Error{fmt::format(
          "{}: an indexer tensor must belong to a layer that owns an indexer, but found it on one that shares",
          *first)};
    return Error{fmt::format("{}: tensor must belong to a model of {} layers, but found nothing that asks for it",
                             *first, config.layers)};
  }

private:
  const TensorInfo *look(const std::string &name) {
    const TensorInfo *info = checkpoint.find(name).info;
    if (info)
      used.insert(info);
    return info;
  }

  static std::string moduleOf(const std::string &name) { return name.substr(0, name.rfind('.')); }

  Result<StoredFormat> formatOf(const Wanted &wanted, const std::string &name) {
    std::string module = moduleOf(name);
    const TensorInfo *plain = checkpoint.find(name).info;
    const TensorInfo *packed = wanted.linear ? checkpoint.find(module + ".weight_packed").info : nullptr;
    if (plain && packed)
      return Error{fmt::format("{}: weight must be stored once, but found {}.weight_packed too", name, module)};
    if (packed)
      return StoredFormat::CompressedTensorsNvfp4;
    if (!plain)
      return Error{fmt::format("{}: tensor must be in the checkpoint, but found none", name)};
    if (plain->dtype == "BF16")
      return StoredFormat::BF16;
    if (plain->dtype == "F16")
      return StoredFormat::F16;
    if (plain->dtype == "F32")
      return StoredFormat::F32;
    if (plain->dtype == "U8" && wanted.linear)
      return StoredFormat::ModelOptNvfp4;
    std::string rule = wanted.linear ? "must be BF16, F16, F32 or packed U8" : "must be BF16, F16 or F32";
    return Error{fmt::format("{}: dtype {}, but found {}", name, rule, plain->dtype)};
  }

  Result<uint64_t> checkWide(const Wanted &wanted, const std::string &name) {
    const TensorInfo *info = look(name);
    if (info->shape != wanted.shape)
      return Error{
          fmt::format("{}: shape must be {}, but found {}", name, shapeText(wanted.shape), shapeText(info->shape))};
    return info->bytes;
  }

  Result<uint64_t> checkPacked(const Wanted &wanted, const std::string &name, StoredFormat format) {
    std::string module = moduleOf(name);
    bool modelOpt = format == StoredFormat::ModelOptNvfp4;
    int64_t rows = wanted.shape[0], columns = wanted.shape[1];
    if (columns % kBlock)
      return Error{
          fmt::format("{}: a packed weight must have a multiple of {} columns, but found {}", name, kBlock, columns)};
    std::string codes = modelOpt ? name : module + ".weight_packed",
                global = module + (modelOpt ? ".weight_scale_2" : ".weight_global_scale");
    uint64_t bytes = 0;
    for (const auto &[tensor, shape, scale] :
         {std::tuple(codes, std::vector<int64_t>{rows, columns / 2}, false),
          std::tuple(module + ".weight_scale", std::vector<int64_t>{rows, columns / kBlock}, true)}) {
      const TensorInfo *info = look(tensor);
      if (!info)
        return Error{fmt::format("{}: a packed weight must have it, but found none", tensor)};
      if (info->dtype != "U8" && !(scale && info->dtype == "F8_E4M3"))
        return Error{
            fmt::format("{}: dtype must be {}, but found {}", tensor, scale ? "F8_E4M3 or U8" : "U8", info->dtype)};
      if (info->shape != shape)
        return Error{fmt::format("{}: expects {} values of {}, but found {}", tensor, scale ? "scale" : "nvfp4",
                                 shapeText(shape), shapeText(info->shape))};
      bytes += info->bytes;
    }
    auto scalar = checkScalar(global, !modelOpt);
    if (!scalar)
      return scalar.error();
    return bytes + *scalar;
  }

  /// A fact that only activations in nvfp4 ask for; it may be absent, and belongs to no weight's bytes.
  uint64_t inputScaleBytes(const std::string &name, StoredFormat format) {
    const char *suffix = format == StoredFormat::ModelOptNvfp4 ? ".input_scale" : ".input_global_scale";
    const TensorInfo *info = look(moduleOf(name) + suffix);
    return info ? info->bytes : 0;
  }

  /// Global scales are read now: one that is wrong ruins a whole matrix.
  Result<uint64_t> checkScalar(const std::string &name, bool inverse) {
    Checkpoint::Entry entry = checkpoint.find(name);
    if (!entry.info)
      return Error{fmt::format("{}: a packed weight must have it, but found none", name)};
    used.insert(entry.info);
    bool shaped = entry.info->shape.empty() || entry.info->shape == std::vector<int64_t>{1};
    if (entry.info->dtype != "F32" || !shaped)
      return Error{fmt::format("{}: scale must be one F32, but found {} {}", name, entry.info->dtype,
                               shapeText(entry.info->shape))};
    if (values == ScalarValues::Unread)
      return entry.info->bytes;
    float value = 0;
    std::memcpy(&value, entry.data(), sizeof value);
    if (!std::isfinite(value) || value <= 0)
      return Error{fmt::format("{}: scale must be finite and more than 0, but found {}", name, value)};
    if (inverse && !std::isfinite(1 / value))
      return Error{fmt::format("{}: inverse of the scale must be finite, but found {}", name, value)};
    return entry.info->bytes;
  }

  const Checkpoint &checkpoint;
  ScalarValues values;
  std::unordered_set<const TensorInfo *> used;
};

} // namespace

bool isPacked(StoredFormat format) {
  return format == StoredFormat::ModelOptNvfp4 || format == StoredFormat::CompressedTensorsNvfp4;
}

std::string precisionName(StoredFormat format) {
  switch (format) {
  case StoredFormat::BF16:
    return "bf16";
  case StoredFormat::F16:
    return "f16";
  case StoredFormat::F32:
    return "f32";
  default:
    return "nvfp4";
  }
}

std::string StoredWeight::module() const { return name.ends_with(".weight") ? name.substr(0, name.size() - 7) : name; }

const StoredWeight *StoredTensors::find(const std::string &name) const {
  for (const StoredWeight &weight : weights)
    if (weight.name == name)
      return &weight;
  return nullptr;
}

Result<StoredTensors> readStoredTensors(const ModelConfig &config, const Checkpoint &checkpoint, ScalarValues values) {
  WeightList wanted(config);
  Finder finder(checkpoint, values);
  StoredTensors stored;
  std::string mtpPrefix = fmt::format("model.layers.{}.", config.layers);
  // A folder without the layer is complete: many exports drop it. One that has a part of it is not.
  for (const SafetensorsFile &file : checkpoint.files()) {
    auto first = file.tensors().lower_bound(mtpPrefix);
    stored.hasMtp |= config.mtpLayers > 0 && first != file.tensors().end() && first->first.starts_with(mtpPrefix);
  }
  size_t count = stored.hasMtp ? wanted.list.size() : wanted.firstMtp;
  for (size_t i = 0; i < count; ++i) {
    auto weight = finder.find(wanted.list[i]);
    if (!weight)
      return weight.error();
    stored.weights.push_back(std::move(*weight));
  }
  if (auto used = finder.checkAllUsed(config); !used)
    return used.error();
  return stored;
}

} // namespace glm
