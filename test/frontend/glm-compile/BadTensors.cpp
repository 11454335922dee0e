#include "test/frontend/glm-compile/BadInputs.h"

#include <bit>
#include <cstring>

namespace glm::test {
namespace {

using Edit = std::function<void(const Place &)>;

constexpr const char *kQuery = "model.layers.2.self_attn.q_a_proj";
constexpr const char *kExpert = "model.layers.2.mlp.experts.1.gate_proj";

Edit header(const std::function<void(Json &)> &edit) {
  return [=](const Place &place) { Place::header(place.model(kSingle), edit); };
}

Edit renamed(const std::string &from, const std::string &to) {
  return header([=](Json &json) {
    json[to] = json.at(from);
    json.erase(from);
  });
}

/// Give a tensor another type and shape of as many bytes.
Edit recast(const std::string &name, const std::string &dtype, const std::vector<int64_t> &shape) {
  return header([=](Json &json) {
    json.at(name)["dtype"] = dtype;
    json.at(name)["shape"] = shape;
  });
}

std::string bytesOf(float value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

Edit scalar(const std::string &name, float value) {
  return [=](const Place &place) { Place::tensor(place.model(kSingle), name, 0, bytesOf(value)); };
}

Edit config(const std::string &key, const Json &value) {
  return [=](const Place &place) { place.config(key, value); };
}

/// The owners of indexers as a list, without the rule that says the same.
Edit indexers(const Json &types) {
  return [=](const Place &place) {
    place.config("index_topk_freq", nullptr);
    place.config("index_skip_topk_offset", nullptr);
    place.config("indexer_types", types);
  };
}

} // namespace

Section badTensors() {
  const std::string query = std::string(kQuery), expert = std::string(kExpert);
  return {
      "tensors",
      1,
      {
          {"missing", Start::Wide, renamed("model.layers.1.mlp.up_proj.weight", "model.layers.1.mlp.up.weight"),
           R"(model.layers.1.mlp.up_proj.weight: tensor must be in the checkpoint, but found none)"},
          {"missing, and another one too many", Start::Wide,
           renamed("model.layers.4.input_layernorm.weight", "model.layers.9.input_layernorm.weight"),
           R"(model.layers.4.input_layernorm.weight: tensor must be in the checkpoint, but found none)"},
          {"unexpected", Start::Wide, header([](Json &json) {
             json["model.layers.1.mlp.extra.weight"] = {{"dtype", "U8"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
           }),
           R"(model.layers.1.mlp.extra.weight: tensor must belong to a model of 5 layers, but found nothing that asks for it)"},
          {"of a wrong dtype", Start::Wide, recast("model.norm.weight", "I16", {96}),
           R"(model.norm.weight: dtype must be BF16, F16 or F32, but found I16)"},
          {"packed where no matrix is", Start::Wide, recast("model.norm.weight", "U8", {192}),
           R"(model.norm.weight: dtype must be BF16, F16 or F32, but found U8)"},
          {"of a wrong shape", Start::Wide, recast(query + ".weight", "BF16", {96, 48}),
           R"(model.layers.2.self_attn.q_a_proj.weight: shape must be [48, 96], but found [96, 48])"},
          {"another width in config.json", Start::Wide, config("hidden_size", 112),
           R"(model.embed_tokens.weight: shape must be [40, 112], but found [40, 96])"},
          {"4096 layers in config.json", Start::Wide, config("num_hidden_layers", 4096),
           R"(model.layers.6.input_layernorm.weight: tensor must be in the checkpoint, but found none)"},
          {"65536 experts in config.json", Start::Wide, config("n_routed_experts", 65536),
           R"(model.layers.2.mlp.gate.weight: shape must be [65536, 96], but found [4, 96])"},
          {"fewer experts than config.json says", Start::Wide, config("n_routed_experts", 5),
           R"(model.layers.2.mlp.gate.weight: shape must be [5, 96], but found [4, 96])"},
          {"more experts than config.json says", Start::Wide, config("n_routed_experts", 3),
           R"(model.layers.2.mlp.gate.weight: shape must be [3, 96], but found [4, 96])"},
          {"an indexer's on a layer that shares", Start::Wide, indexers({"full", "full", "shared", "shared", "shared"}),
           R"(model.layers.3.self_attn.indexer.k_norm.bias: an indexer tensor must belong to a layer that owns an indexer, but found it on one that shares)"},
          {"an indexer's missing on a layer that owns one", Start::Wide,
           indexers({"full", "full", "full", "full", "shared"}),
           R"(model.layers.2.self_attn.indexer.wq_b.weight: tensor must be in the checkpoint, but found none)"},
          {"a part of the MTP layer missing", Start::Wide,
           renamed("model.layers.5.eh_proj.weight", "model.layers.5.eh.weight"),
           R"(model.layers.5.eh_proj.weight: tensor must be in the checkpoint, but found none)"},
          {"packed, of a width that 16 does not divide", Start::Wide,
           [](auto &p) {
             p.make({{"intermediate_size", 184}});
             recast("model.layers.0.mlp.down_proj.weight", "U8", {96, 368})(p);
           },
           R"(model.layers.0.mlp.down_proj.weight: a packed weight must have a multiple of 16 columns, but found 184)"},
          {"packed, without block scales", Start::Packed, renamed(query + ".weight_scale", query + ".weight_scales"),
           R"(model.layers.2.self_attn.q_a_proj.weight_scale: a packed weight must have it, but found none)"},
          {"packed, block scales of a wrong shape", Start::Packed, recast(query + ".weight_scale", "F8_E4M3", {96, 3}),
           R"(model.layers.2.self_attn.q_a_proj.weight_scale: expects scale values of [48, 6], but found [96, 3])"},
          {"packed, block scales of a wrong dtype", Start::Packed, recast(query + ".weight_scale", "F8_E5M2", {48, 6}),
           R"(model.layers.2.self_attn.q_a_proj.weight_scale: dtype must be F8_E4M3 or U8, but found F8_E5M2)"},
          {"packed, codes of a wrong shape", Start::Packed, recast(query + ".weight", "U8", {24, 96}),
           R"(model.layers.2.self_attn.q_a_proj.weight: expects nvfp4 values of [48, 48], but found [24, 96])"},
          {"packed, without weight_scale_2", Start::Packed,
           renamed(query + ".weight_scale_2", query + ".weight_scale_3"),
           R"(model.layers.2.self_attn.q_a_proj.weight_scale_2: a packed weight must have it, but found none)"},
          {"packed, a global scale that is no F32", Start::Packed, recast(query + ".weight_scale_2", "U8", {4}),
           R"(model.layers.2.self_attn.q_a_proj.weight_scale_2: scale must be one F32, but found U8 [4])"},
          {"stored packed and wide at once", Start::CompressedTensors, renamed("model.norm.weight", expert + ".weight"),
           R"(model.layers.2.mlp.experts.1.gate_proj.weight: weight must be stored once, but found model.layers.2.mlp.experts.1.gate_proj.weight_packed too)"},
          {"one expert stored in another way", Start::Packed, recast(expert + ".weight", "BF16", {48, 24}),
           R"(model.layers.2.mlp.experts.1.gate_proj.weight: experts of a layer must be stored alike (nvfp4 in expert 0), but found bf16)"},
      },
  };
}

Section badValues() {
  const std::string scale = std::string(kQuery) + ".weight_scale_2",
                    inverse = std::string(kExpert) + ".weight_global_scale";
  return {
      "scalars, read before anything is compiled",
      1,
      {
          {"a global scale of 0", Start::Packed, scalar(scale, 0),
           R"(model.layers.2.self_attn.q_a_proj.weight_scale_2: scale must be finite and more than 0, but found 0)"},
          {"a global scale of infinity", Start::Packed, scalar(scale, std::numeric_limits<float>::infinity()),
           R"(model.layers.2.self_attn.q_a_proj.weight_scale_2: scale must be finite and more than 0, but found inf)"},
          {"a global scale that is NaN", Start::Packed, scalar(scale, std::numeric_limits<float>::quiet_NaN()),
           R"(model.layers.2.self_attn.q_a_proj.weight_scale_2: scale must be finite and more than 0, but found nan)"},
          {"a negative global scale", Start::Packed, scalar(scale, -0.5f),
           R"(model.layers.2.self_attn.q_a_proj.weight_scale_2: scale must be finite and more than 0, but found -0.5)"},
          {"an inverse global scale of 0", Start::CompressedTensors, scalar(inverse, 0),
           R"(model.layers.2.mlp.experts.1.gate_proj.weight_global_scale: scale must be finite and more than 0, but found 0)"},
          {"an inverse global scale whose inverse overflows", Start::CompressedTensors, scalar(inverse, 1e-39f),
           R"(model.layers.2.mlp.experts.1.gate_proj.weight_global_scale: inverse of the scale must be finite, but found 1e-39)"},
      },
  };
}

} // namespace glm::test
