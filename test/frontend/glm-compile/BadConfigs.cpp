#include "test/frontend/glm-compile/BadInputs.h"

namespace glm::test {
namespace {

using Edit = std::function<void(const Place &)>;

Edit config(const std::string &key, const Json &value) {
  return [=](const Place &place) { place.config(key, value); };
}

/// config.json in words that no JSON writer would use.
Edit text(const std::string &from, const std::string &to) {
  return [=](const Place &place) { Place::text(place.model("config.json"), from, to); };
}

Edit generation(const std::string &key, const Json &value) {
  return [=](const Place &place) {
    Place::json(place.model("generation_config.json"), [&](Json &json) { json[key] = value; });
  };
}

std::string many(const std::string &text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i)
    result += text;
  return result;
}

Edit rope(const std::string &key, const Json &value) {
  return [=](const Place &place) {
    Place::json(place.model("config.json"), [&](Json &json) { json["rope_parameters"][key] = value; });
  };
}

} // namespace

Section badConfigs() {
  return {
      "config.json and generation_config.json",
      1,
      {
          {"cut short", Start::Wide, [](auto &p) { Place::resize(p.model("config.json"), -30); },
           R"(config.json:61: text must be JSON, but found an error at byte 1443)"},
          {"not an object", Start::Wide, [](auto &p) { Place::write(p.model("config.json"), "7"); },
           R"(config.json: file must hold one object, but found number)"},
          {"nested 100,000 deep", Start::Wide,
           [](auto &p) { Place::write(p.model("config.json"), "{\"a\":" + many("{\"a\":", 100'000)); },
           R"(config.json: nesting must be at most 64 deep, but found more)"},
          {"a key twice", Start::Wide, text("\"vocab_size\"", "\"hidden_size\""),
           R"(config.json: key hidden_size must occur once, but found it twice)"},
          {"another kind of model", Start::Wide, config("model_type", "deepseek_v3"),
           R"(config.json:5: model_type must be "glm_moe_dsa", but found "deepseek_v3")"},
          {"a width is missing", Start::Wide, config("kv_lora_rank", nullptr),
           R"(config.json: kv_lora_rank must be there, but found none)"},
          {"a number is a string", Start::Wide, config("hidden_size", "96"),
           R"(config.json:45: hidden_size must be an integer in 1 .. 16777216, but found "96")"},
          {"a number is negative", Start::Wide, config("num_hidden_layers", -5),
           R"(config.json:48: num_hidden_layers must be an integer in 1 .. 4096, but found -5)"},
          {"a number is a fraction", Start::Wide, config("hidden_size", 96.5),
           R"(config.json:45: hidden_size must be an integer in 1 .. 16777216, but found 96.5)"},
          {"a number is huge", Start::Wide, config("n_routed_experts", int64_t(1) << 60),
           R"(config.json:56: n_routed_experts must be an integer in 1 .. 65536, but found 1152921504606846976)"},
          {"a number is beyond 64 bits", Start::Wide, text("\"vocab_size\": 40", "\"vocab_size\": 1e30"),
           R"(config.json:44: vocab_size must be an integer in 1 .. 16777216, but found 1e+30)"},
          {"a number is NaN", Start::Wide, text("\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": NaN"),
           R"(config.json:29: number must be finite, but found NaN)"},
          {"a number is infinite", Start::Wide, text("\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": -Infinity"),
           R"(config.json:29: number must be finite, but found Infinity)"},
          {"a number is beyond a double", Start::Wide, text("\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\": 1e999"),
           R"(config.json:29: number must fit into a double, but found 1e999)"},
          {"an eps of 0", Start::Wide, config("rms_norm_eps", 0),
           R"(config.json:29: rms_norm_eps must be a positive number, but found 0)"},
          {"a switch is a number", Start::Wide, config("norm_topk_prob", 1),
           R"(config.json:11: norm_topk_prob must be true or false, but found 1)"},
          {"the first layer shares", Start::Wide,
           [](auto &p) {
             p.config("index_topk_freq", nullptr);
             p.config("index_skip_topk_offset", nullptr);
             p.config("indexer_types", {"shared", "full", "shared", "full", "shared"});
           },
           R"(config.json:61: indexer_types must make layer 0 full, as no layer before it could share its choice, but found shared)"},
          {"indexer_types of a wrong length", Start::Wide, config("indexer_types", {"full", "full", "shared", "full"}),
           R"(config.json:63: indexer_types must be a list of 5 layers, but found 4 entries)"},
          {"indexer_types with another word", Start::Wide,
           config("indexer_types", {"full", "full", "none", "full", "shared"}),
           R"(config.json:63: indexer_types must hold "full" or "shared", but found "none")"},
          {"indexer_types against index_topk_freq", Start::Wide,
           config("indexer_types", {"full", "full", "full", "full", "shared"}),
           R"(config.json:63: indexer_types must agree with index_topk_freq and index_skip_topk_offset, which makes layer 2 shared, but found full)"},
          {"index_topk_pattern of a wrong length", Start::Wide, config("index_topk_pattern", "FFS"),
           R"(config.json:21: index_topk_pattern must be 5 letters F or S, but found "FFS")"},
          {"mlp_layer_types of a wrong length", Start::Wide, config("mlp_layer_types", {"dense", "dense", "sparse"}),
           R"(config.json:63: mlp_layer_types must be a list of 5 layers, but found 3 entries)"},
          {"mlp_layer_types against first_k_dense_replace", Start::Wide,
           config("mlp_layer_types", {"dense", "sparse", "sparse", "sparse", "sparse"}),
           R"(config.json:63: mlp_layer_types must agree with first_k_dense_replace 2, but found another split)"},
          {"layer_types of another attention", Start::Wide,
           config("layer_types",
                  {"full_attention", "full_attention", "full_attention", "full_attention", "full_attention"}),
           R"(config.json:63: layer_types must hold indexed_attention or deepseek_sparse_attention, but found "full_attention")"},
          {"more experts per token than experts", Start::Wide, config("num_experts_per_tok", 5),
           R"(config.json:57: num_experts_per_tok must be at most n_routed_experts 4, but found 5)"},
          {"groups that do not divide the experts", Start::Wide, config("n_group", 3),
           R"(config.json:16: n_group must divide n_routed_experts 4, but found 3)"},
          {"more kept groups than groups", Start::Wide, config("topk_group", 2),
           R"(config.json:17: topk_group must be at most n_group 1, but found 2)"},
          {"groups of one expert", Start::Wide, config("n_group", 4),
           R"(config.json:16: n_group must leave two experts or more to a group, but found 4 groups of 4)"},
          {"num_experts beside another n_routed_experts", Start::Wide, config("num_experts", 8),
           R"(config.json:63: num_experts must agree with n_routed_experts 4, but found 8)"},
          {"an odd rotary width", Start::Wide, config("qk_rope_head_dim", 15),
           R"(config.json:54: qk_rope_head_dim must be even, but found 15)"},
          {"qk_head_dim against its parts", Start::Wide, config("qk_head_dim", 41),
           R"(config.json:61: qk_head_dim must agree with qk_nope_head_dim + qk_rope_head_dim 40, but found 41)"},
          {"fewer key heads than heads", Start::Wide, config("num_key_value_heads", 1),
           R"(config.json:50: num_key_value_heads must agree with num_attention_heads 5, but found 1)"},
          {"an indexer narrower than the rotation", Start::Wide, config("index_head_dim", 8),
           R"(config.json:58: index_head_dim must hold the 16 rotated columns of qk_rope_head_dim, but found 8)"},
          {"rope scaling", Start::Wide, config("rope_scaling", {{"type", "yarn"}, {"factor", 40.0}}),
           R"(config.json:64: type must be "default", the only one implemented, but found "yarn")"},
          {"rope parameters of another type", Start::Wide, rope("rope_type", "llama3"),
           R"(config.json:27: rope_type must be "default", the only one implemented, but found "llama3")"},
          {"a factor beside the default type", Start::Wide, rope("factor", 8.0),
           R"(config.json:28: factor must not be there, as scaled rotation is not implemented, but found 8.0)"},
          {"a part of the columns rotated", Start::Wide, rope("partial_rotary_factor", 0.5),
           R"(config.json:28: partial_rotary_factor must be 1, the only one implemented, but found 0.5)"},
          {"two bases of the rotation", Start::Wide, config("rope_theta", 10000),
           R"(config.json:26: rope_theta must agree with rope_parameters, 8000000, but found 10000)"},
          {"no base of the rotation", Start::Wide, config("rope_parameters", nullptr),
           R"(config.json: rope_theta must be there, within rope_parameters, but found none)"},
          {"half-split rotation", Start::Wide, config("rope_interleave", false),
           R"(config.json:24: rope_interleave must be true, the only one implemented, but found false)"},
          {"another activation", Start::Wide, config("hidden_act", "gelu"),
           R"(config.json:9: hidden_act must be "silu", the only one implemented, but found "gelu")"},
          {"attention with biases", Start::Wide, config("attention_bias", true),
           R"(config.json:7: attention_bias must be false, the only one implemented, but found true)"},
          {"another scoring of experts", Start::Wide, config("scoring_func", "softmax"),
           R"(config.json:12: scoring_func must be "sigmoid", the only one implemented, but found "softmax")"},
          {"two MTP layers", Start::Wide, config("num_nextn_predict_layers", 2),
           R"(config.json:34: num_nextn_predict_layers must be an integer in 0 .. 1, but found 2)"},
          {"a stop id beyond the vocabulary", Start::Wide, config("eos_token_id", 40),
           R"(config.json:35: eos_token_id must be an integer in 0 .. 39, but found 40)"},
          {"several things at once", Start::Wide,
           [](auto &p) {
             p.config("hidden_act", "gelu");
             p.config("attention_bias", true);
             p.config("vocab_size", "40");
             rope("rope_type", "yarn")(p);
           },
           R"(config.json:44: vocab_size must be an integer in 1 .. 16777216, but found "40"
config.json:27: rope_type must be "default", the only one implemented, but found "yarn"
config.json:9: hidden_act must be "silu", the only one implemented, but found "gelu"
config.json:7: attention_bias must be false, the only one implemented, but found true)"},
          {"config.json and a shard at once", Start::Shards,
           [](auto &p) {
             p.config("hidden_act", "gelu");
             Place::resize(p.model(kSecond), -1000);
           },
           R"(config.json:9: hidden_act must be "silu", the only one implemented, but found "gelu"
model-00002-of-00002.safetensors: file must have 736168 bytes as its header says, but found 735168 (1000 missing))"},
          {"generation_config.json: a stop id beyond the vocabulary", Start::Wide, generation("eos_token_id", {3, 77}),
           R"(generation_config.json:4: eos_token_id must be an integer in 0 .. 39, but found 77)"},
          {"generation_config.json: a negative temperature", Start::Wide, generation("temperature", -0.5),
           R"(generation_config.json:2: temperature must be a positive number, but found -0.5)"},
          {"generation_config.json: top_p beyond 1", Start::Wide, generation("top_p", 1.5),
           R"(generation_config.json:3: top_p must be at most 1, but found 1.5)"},
      },
  };
}

} // namespace glm::test
