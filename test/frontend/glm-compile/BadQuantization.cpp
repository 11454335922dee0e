#include "test/frontend/glm-compile/BadInputs.h"

namespace glm::test {
namespace {

using Edit = std::function<void(const Place &)>;

Edit side(const std::function<void(Json &)> &edit) {
  return [=](const Place &place) {
    Place::json(place.model("hf_quant_config.json"), [&](Json &json) { edit(json["quantization"]); });
  };
}

/// Edit config.json's quantization_config.
Edit inner(const std::function<void(Json &)> &edit) {
  return [=](const Place &place) {
    Place::json(place.model("config.json"), [&](Json &json) { edit(json["quantization_config"]); });
  };
}

/// Compiled with a file of rules.
BadInput rules(const std::string &what, const std::string &file, const std::string &said) {
  return {what,
          Start::Wide,
          [=](const Place &place) { Place::write(place.root() / "rules.json", file); },
          said,
          {GLM_COMPILE, "model", "-o", "out.glm", "--precision=rules.json"}};
}

} // namespace

Section badQuantization() {
  return {
      "quantization configs and precision rules",
      1,
      {
          {"an unknown method", Start::CompressedTensors, inner([](Json &json) { json["quant_method"] = "fp8"; }),
           R"(config.json:64: quant_method must be modelopt or compressed-tensors, but found "fp8")"},
          {"an unknown format", Start::CompressedTensors, inner([](Json &json) { json["format"] = "pack-quantized"; }),
           R"(config.json:65: format must be nvfp4-pack-quantized, but found "pack-quantized")"},
          {"an unknown algorithm", Start::Card, side([](Json &json) { json["quant_algo"] = "NVFP4_AWQ"; }),
           R"(hf_quant_config.json:7: quant_algo must be NVFP4 or W4A16_NVFP4, but found "NVFP4_AWQ")"},
          {"blocks of another size", Start::Card, side([](Json &json) { json["group_size"] = 32; }),
           R"(hf_quant_config.json:9: group_size must be 16, but found 32)"},
          {"codes of another kind", Start::CompressedTensors,
           inner([](Json &json) { json["config_groups"]["group_0"]["weights"]["type"] = "int"; }),
           R"(config.json:91: weights of group_0 must be 4-bit floats, but found {"dynamic":false,"group_size":16,"num_bits":4,"scale_dtype":"torch.float8_e4m3fn)"},
          {"codes with zero points", Start::CompressedTensors,
           inner([](Json &json) { json["config_groups"]["group_0"]["weights"]["symmetric"] = false; }),
           R"(config.json:95: symmetric must be true, but found false)"},
          {"rotated weights", Start::CompressedTensors,
           inner([](Json &json) { json["transform_config"] = {{"config_groups", {{"R1", {{"type", "hadamard"}}}}}}; }),
           R"(config.json:70: transform_config must be empty, the only one implemented, but found {"config_groups":{"R1":{"type":"hadamard"}}})"},
          {"sparse weights", Start::CompressedTensors,
           inner([](Json &json) { json["sparsity_config"] = {{"format", "sparse-24-bitmask"}}; }),
           R"(config.json:69: sparsity_config must be empty, the only one implemented, but found {"format":"sparse-24-bitmask"})"},
          {"both files, another method", Start::Card, inner([](Json &json) {
             json = {{"quant_method", "compressed-tensors"}, {"format", "nvfp4-pack-quantized"}};
           }),
           R"(config.json:64: quant_method must agree with hf_quant_config.json, modelopt, but found compressed-tensors)"},
          {"an exclude list that is no list", Start::Card,
           side([](Json &json) { json["exclude_modules"] = "lm_head"; }),
           R"(hf_quant_config.json:10: exclude_modules must be a list of module names, but found string)"},
          {"an exclude list with a number", Start::Card, side([](Json &json) { json["exclude_modules"] = {1}; }),
           R"(hf_quant_config.json:10: exclude_modules must hold strings, but found 1)"},
          {"an expression that is none", Start::CompressedTensors,
           inner([](Json &json) { json["ignore"] = {"re:.*[mlp"}; }),
           R"(config.json:72: pattern re:.*[mlp must be a regular expression, but found missing terminating ] for character class at 6)"},
          {"an expression that comes to no end", Start::CompressedTensors,
           inner([](Json &json) { json["ignore"] = {"re:(.*)*(.*)*(.*)*x$"}; }),
           R"(config.json:72: pattern re:(.*)*(.*)*(.*)*x$ must be decided in 1000000 steps for model.layers.0.self_attn.indexer.wq_b, but found match limit exceeded)"},
          {"excluded by name but stored packed", Start::Card,
           side([](Json &json) { json["exclude_modules"] = {"*.layers.2.mlp.experts.*"}; }),
           R"(model.layers.2.mlp.experts.{0..3}.gate_proj: rule *.layers.2.mlp.experts.* = wide (hf_quant_config.json:11) asks for wide, but found nvfp4 in the checkpoint (--print-precision lists 8 more))"},
          rules("rules: no list", R"({"rule": []})",
                R"(rules.json:1: key must be one of rules, comment, but found rule)"),
          rules("rules: an unknown key", R"({"rules": [{"pattern": "*", "type": "stored", "layer": 3}]})",
                R"(rules.json:1: key must be one of pattern, type, comment, but found layer)"),
          rules("rules: an unknown type", R"({"rules": [{"pattern": "*", "type": "fp8"}]})",
                R"(rules.json:1: type of rule * must be nvfp4, bf16, f32, wide or stored, but found fp8)"),
          rules(
              "rules: packed where the file is wide", R"({"rules": [{"pattern": "lm_head", "type": "nvfp4"}]})",
              R"(lm_head: rule lm_head = nvfp4 (rules.json:1) asks for packed, but found bf16 in the checkpoint (glm-quantize makes a packed one))"),
          {"rules: no such file or policy",
           Start::Wide,
           [](auto &) {},
           R"(--precision: policy must be checkpoint, card, nvidia or a file, but found lorbus)",
           {GLM_COMPILE, "model", "-o", "out.glm", "--precision=lorbus"}},
      },
  };
}

Section warnings() {
  const std::vector<std::string> look = {GLM_COMPILE, "model", "--print-precision=json"};
  return {
      "warned of, and done",
      0,
      {
          {"a key of config.json that nobody knows", Start::Wide,
           [](auto &p) { p.config("attn_logit_softcapping", 30.0); },
           R"(config.json:63: key attn_logit_softcapping is unknown and was not used: 30.0)", look},
          {"a quantized cache, asked for by the checkpoint", Start::Card,
           side([](Json &json) { json["kv_cache_quant_algo"] = "FP8"; }),
           R"(hf_quant_config.json:8: kv_cache_quant_algo was not followed (--kv-cache chooses the type of the cache): "FP8")",
           look},
          {"a key of hf_quant_config.json that nobody knows", Start::Card,
           side([](Json &json) { json["smooth"] = 0.5; }),
           R"(hf_quant_config.json:23: key smooth is unknown and was not used: 0.5)", look},
          {"linears that are wide, and excluded by nobody", Start::Card,
           [](auto &p) {
             side([](Json &json) { json["exclude_modules"] = {"lm_head"}; })(p);
             p.config("quantization_config", nullptr);
           },
           R"(hf_quant_config.json: 101 wide linears are named by no exclude list or rule, such as model.layers.0.self_attn.q_a_proj: computed as they are stored)",
           look},
      },
  };
}

} // namespace glm::test
