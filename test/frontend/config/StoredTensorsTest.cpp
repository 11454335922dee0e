#include "frontend/config/StoredTensors.h"

#include "test/frontend/config/SmallModel.h"

#include <cmath>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <limits>

using namespace glm;
using namespace glm::test;

namespace {

uint64_t payloadOf(const std::filesystem::path &folder) {
  auto checkpoint = Checkpoint::open(folder);
  uint64_t bytes = 0;
  for (const SafetensorsFile &file : checkpoint->files())
    for (const auto &[name, info] : file.tensors())
      bytes += info.bytes;
  return bytes;
}

uint64_t bytesOf(const StoredTensors &stored) {
  uint64_t bytes = 0;
  for (const StoredWeight &weight : stored.weights)
    bytes += weight.bytes;
  return bytes;
}

/// The message after an edit of the tensors of a model with one thing packed.
std::string refusal(const std::string &packed, const std::function<void(Tensors &)> &edit,
                    CheckpointFormat format = CheckpointFormat::ModelOpt) {
  SmallModel model([&](CheckpointRequest &request) {
    request.format = packed.empty() ? CheckpointFormat::Bf16 : format;
    request.packed = {packed};
  });
  model.editTensors(edit);
  return messageOf(model.read());
}

const std::string kDown = "model.layers.4.mlp.experts.2.down_proj"; // [96, 48]: 24 bytes of codes and 3 scales a row

TEST(StoredTensors, findsEveryTensorOfAWideModel) {
  SmallModel model;
  auto stored = model.read();
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_TRUE(stored->hasMtp);
  EXPECT_EQ(bytesOf(*stored), payloadOf(model.path()));
  EXPECT_EQ(stored->weights.front().name, "model.embed_tokens.weight");
  EXPECT_EQ(stored->weights.back().name, "model.layers.12.shared_head.norm.weight");
  const StoredWeight *experts = stored->find("model.layers.4.mlp.experts.{}.down_proj.weight");
  ASSERT_TRUE(experts);
  EXPECT_EQ(std::tuple(experts->count, experts->shape, experts->format, experts->bytes, experts->linear),
            std::tuple(4, std::vector<int64_t>{96, 48}, StoredFormat::BF16, 4u * 96 * 48 * 2, true));
  EXPECT_EQ(experts->module(), "model.layers.4.mlp.experts.{}.down_proj");
  const StoredWeight *bias = stored->find("model.layers.4.mlp.gate.e_score_correction_bias");
  ASSERT_TRUE(bias);
  EXPECT_EQ(std::tuple(bias->format, bias->linear, bias->module()),
            std::tuple(StoredFormat::F32, false, "model.layers.4.mlp.gate.e_score_correction_bias"));
  EXPECT_TRUE(stored->find("model.layers.6.self_attn.indexer.wk.weight"));
  EXPECT_FALSE(stored->find("model.layers.5.self_attn.indexer.wk.weight"));
}

TEST(StoredTensors, keepsTheOrderOfTheModel) {
  SmallModel model([](CheckpointRequest &request) {
    request.config["num_hidden_layers"] = 1;
    request.config["first_k_dense_replace"] = 0;
    request.config["num_nextn_predict_layers"] = 0;
  });
  auto stored = model.read();
  ASSERT_TRUE(stored) << stored.error().message;
  std::vector<std::string> names;
  for (const StoredWeight &weight : stored->weights)
    names.push_back(weight.name.starts_with("model.layers.0.") ? weight.name.substr(15) : weight.name);
  EXPECT_EQ(names, (std::vector<std::string>{"model.embed_tokens.weight",
                                             "input_layernorm.weight",
                                             "self_attn.q_a_proj.weight",
                                             "self_attn.q_a_layernorm.weight",
                                             "self_attn.q_b_proj.weight",
                                             "self_attn.kv_a_proj_with_mqa.weight",
                                             "self_attn.kv_a_layernorm.weight",
                                             "self_attn.kv_b_proj.weight",
                                             "self_attn.o_proj.weight",
                                             "self_attn.indexer.wq_b.weight",
                                             "self_attn.indexer.wk.weight",
                                             "self_attn.indexer.k_norm.weight",
                                             "self_attn.indexer.k_norm.bias",
                                             "self_attn.indexer.weights_proj.weight",
                                             "post_attention_layernorm.weight",
                                             "mlp.gate.weight",
                                             "mlp.gate.e_score_correction_bias",
                                             "mlp.experts.{}.gate_proj.weight",
                                             "mlp.experts.{}.up_proj.weight",
                                             "mlp.experts.{}.down_proj.weight",
                                             "mlp.shared_experts.gate_proj.weight",
                                             "mlp.shared_experts.up_proj.weight",
                                             "mlp.shared_experts.down_proj.weight",
                                             "model.norm.weight",
                                             "lm_head.weight"}));
  EXPECT_FALSE(stored->hasMtp);
}

// Whatever a tool packs and however it spells it: the same shapes, another format, and every byte counted.
TEST(StoredTensors, readsBothPackedFormats) {
  struct Case {
    CheckpointFormat format;
    StoredFormat stored;
    const char *scaleDtype;
    ScalarShape scalar;
    bool inputScales;
    int64_t shards;
  };
  for (const Case &c :
       {Case{CheckpointFormat::ModelOpt, StoredFormat::ModelOptNvfp4, "F8_E4M3", ScalarShape::ZeroDimensional, true, 1},
        Case{CheckpointFormat::ModelOpt, StoredFormat::ModelOptNvfp4, "U8", ScalarShape::One, false, 7},
        Case{CheckpointFormat::CompressedTensors, StoredFormat::CompressedTensorsNvfp4, "F8_E4M3", ScalarShape::One,
             true, 5},
        Case{CheckpointFormat::CompressedTensors, StoredFormat::CompressedTensorsNvfp4, "U8",
             ScalarShape::ZeroDimensional, false, 1}}) {
    SmallModel model([&](CheckpointRequest &request) {
      request.format = c.format;
      request.packed = {"*_proj", "*indexer.w*", "*kv_a_proj_with_mqa", "lm_head"};
      request.scaleDtype = c.scaleDtype;
      request.scalarShape = c.scalar;
      request.inputScales = c.inputScales;
      request.shards = c.shards;
    });
    auto stored = model.read();
    ASSERT_TRUE(stored) << stored.error().message;
    uint64_t packed = 0, inputScales = 0;
    for (const StoredWeight &weight : stored->weights) {
      bool expected = weight.linear && !weight.name.ends_with("mlp.gate.weight");
      EXPECT_EQ(weight.format == c.stored, expected) << weight.name;
      packed += expected ? weight.count : 0;
    }
    for (const char *name : {"lm_head.weight", "model.layers.4.self_attn.kv_b_proj.weight",
                             "model.layers.0.self_attn.indexer.weights_proj.weight", "model.layers.12.eh_proj.weight"})
      EXPECT_TRUE(isPacked(stored->find(name)->format)) << name;
    inputScales = c.inputScales ? 4 * packed : 0;
    EXPECT_EQ(bytesOf(*stored), payloadOf(model.path()) - inputScales);
    const StoredWeight *down = stored->find("model.layers.4.mlp.experts.{}.down_proj.weight");
    EXPECT_EQ(down->shape, (std::vector<int64_t>{96, 48})); // the logical one
    EXPECT_EQ(down->bytes, 4u * (96 * 24 + 96 * 3 + 4));    // codes, block scales, one global scale
  }
}

TEST(StoredTensors, acceptsEveryWideType) {
  SmallModel model([](CheckpointRequest &request) {
    request.float32 = {"*.indexer.weights_proj", "*norm"};
    request.float16 = {"*.o_proj", "model.embed_tokens"};
  });
  auto stored = model.read();
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_EQ(stored->find("model.layers.6.self_attn.indexer.weights_proj.weight")->format, StoredFormat::F32);
  EXPECT_EQ(stored->find("model.layers.6.self_attn.o_proj.weight")->format, StoredFormat::F16);
  EXPECT_EQ(stored->find("model.layers.6.self_attn.q_b_proj.weight")->format, StoredFormat::BF16);
}

TEST(StoredTensors, readsOtherPeoplesCheckpoints) {
  struct Case {
    const char *folder, *packed, *wide;
  };
  for (const Case &c :
       {Case{"share-card", "model.layers.2.mlp.up_proj.weight", "model.layers.10.mlp.experts.{}.up_proj.weight"},
        Case{"ratio-all", "model.layers.0.self_attn.kv_b_proj.weight", "model.layers.3.mlp.gate.weight"},
        Case{"groups-ct", "model.layers.0.self_attn.indexer.wk.weight", "model.layers.0.self_attn.o_proj.weight"}}) {
    std::filesystem::path folder = std::filesystem::path(GLM_TEST_GOLDEN) / c.folder;
    std::vector<std::string> warnings;
    auto config = readModelConfig(folder, warnings);
    auto checkpoint = Checkpoint::open(folder);
    ASSERT_TRUE(config && checkpoint) << messageOf(config) << messageOf(checkpoint);
    auto stored = readStoredTensors(*config, *checkpoint);
    ASSERT_TRUE(stored) << c.folder << ": " << stored.error().message;
    EXPECT_TRUE(isPacked(stored->find(c.packed)->format)) << c.folder;
    EXPECT_FALSE(isPacked(stored->find(c.wide)->format)) << c.folder;
    EXPECT_TRUE(stored->hasMtp);
  }
}

TEST(StoredTensors, mtpMayBeAbsentButNotInPieces) {
  SmallModel absent([](CheckpointRequest &request) { request.mtp = false; });
  auto stored = absent.read();
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_FALSE(stored->hasMtp);
  EXPECT_EQ(stored->weights.back().name, "lm_head.weight");

  SmallModel unused;
  unused.editJson("config.json", [](auto &json) { json["num_nextn_predict_layers"] = 0; });
  auto ignored = unused.read();
  ASSERT_TRUE(ignored) << ignored.error().message;
  EXPECT_FALSE(ignored->hasMtp);

  EXPECT_EQ(refusal("", [](Tensors &t) { t.erase("model.layers.12.eh_proj.weight"); }),
            "model.layers.12.eh_proj.weight: tensor must be in the checkpoint, but found none");
  EXPECT_EQ(refusal("", [](Tensors &t) { t.erase("model.layers.12.hnorm.weight"); }),
            "model.layers.12.hnorm.weight: tensor must be in the checkpoint, but found none");
}

TEST(StoredTensors, tiedHeadHasNoTensor) {
  SmallModel model;
  model.editJson("config.json", [](auto &json) { json["tie_word_embeddings"] = true; });
  EXPECT_EQ(messageOf(model.read()),
            "lm_head.weight: tensor must belong to a model of 12 layers, but found nothing that asks for it");
  model.editTensors([](Tensors &t) { t.erase("lm_head.weight"); });
  auto stored = model.read();
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_FALSE(stored->find("lm_head.weight"));
}

TEST(StoredTensors, refusesMissingAndUnexpected) {
  for (const char *name :
       {"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight",
        "model.layers.7.mlp.experts.3.up_proj.weight", "model.layers.7.mlp.gate.e_score_correction_bias",
        "model.layers.2.self_attn.indexer.k_norm.bias"})
    EXPECT_EQ(refusal("", [&](Tensors &t) { t.erase(name); }),
              fmt::format("{}: tensor must be in the checkpoint, but found none", name));
  for (const char *name : {"model.layers.7.mlp.experts.4.up_proj.weight", "model.layers.13.input_layernorm.weight",
                           "model.layers.7.self_attn.o_proj.bias", "model.layers.7.self_attn.o_proj.weight_scale",
                           "model.layers.7.self_attn.o_proj.input_scale"})
    EXPECT_EQ(refusal("", [&](Tensors &t) { t[name] = tensorOf("F32", {3}); }),
              fmt::format("{}: tensor must belong to a model of 12 layers, but found nothing that asks for it", name));
  EXPECT_EQ(
      refusal("", [](Tensors &t) { t["model.layers.7.self_attn.indexer.wk.weight"] = tensorOf("BF16", {32, 96}); }),
      "model.layers.7.self_attn.indexer.wk.weight: an indexer tensor must belong to a layer that owns an indexer, but "
      "found it on one that shares");
}

TEST(StoredTensors, refusesShapesAndTypes) {
  auto with = [](const char *name, Tensor tensor) {
    return refusal("", [&](Tensors &t) { t[name] = std::move(tensor); });
  };
  EXPECT_EQ(with("model.layers.3.self_attn.o_proj.weight", tensorOf("BF16", {160, 96})),
            "model.layers.3.self_attn.o_proj.weight: shape must be [96, 160], but found [160, 96]");
  EXPECT_EQ(with("model.norm.weight", tensorOf("BF16", {96, 1})),
            "model.norm.weight: shape must be [96], but found [96, 1]");
  EXPECT_EQ(with("model.norm.weight", tensorOf("U8", {96})),
            "model.norm.weight: dtype must be BF16, F16 or F32, but found U8");
  EXPECT_EQ(with("model.layers.3.self_attn.o_proj.weight", tensorOf("F8_E4M3", {96, 160})),
            "model.layers.3.self_attn.o_proj.weight: dtype must be BF16, F16, F32 or packed U8, but found F8_E4M3");
  EXPECT_EQ(with("model.layers.3.mlp.experts.3.gate_proj.weight", tensorOf("F32", {48, 96})),
            "model.layers.3.mlp.experts.3.gate_proj.weight: experts of a layer must be stored alike (bf16 in expert "
            "0), but found f32");
  EXPECT_EQ(with("model.layers.3.self_attn.o_proj.weight_packed", tensorOf("U8", {96, 80})),
            "model.layers.3.self_attn.o_proj.weight: weight must be stored once, but found "
            "model.layers.3.self_attn.o_proj.weight_packed too");
}

TEST(StoredTensors, refusesPackedWeights) {
  auto with = [](const std::string &name, Tensor tensor) {
    return refusal("*.experts.*", [&](Tensors &t) { t[kDown + name] = std::move(tensor); });
  };
  EXPECT_EQ(with(".weight", tensorOf("U8", {96, 25})),
            kDown + ".weight: expects nvfp4 values of [96, 24], but found [96, 25]");
  EXPECT_EQ(with(".weight_scale", tensorOf("F8_E4M3", {96, 4})),
            kDown + ".weight_scale: expects scale values of [96, 3], but found [96, 4]");
  EXPECT_EQ(with(".weight_scale", tensorOf("U8", {288})),
            kDown + ".weight_scale: expects scale values of [96, 3], but found [288]"); // swizzled: one dimension
  EXPECT_EQ(with(".weight_scale", tensorOf("BF16", {96, 3})),
            kDown + ".weight_scale: dtype must be F8_E4M3 or U8, but found BF16");
  EXPECT_EQ(with(".weight_scale_2", tensorOf("BF16", {})),
            kDown + ".weight_scale_2: scale must be one F32, but found BF16 []");
  EXPECT_EQ(with(".weight_scale_2", tensorOf("F32", {2})),
            kDown + ".weight_scale_2: scale must be one F32, but found F32 [2]");
  for (const char *name : {".weight_scale", ".weight_scale_2"})
    EXPECT_EQ(refusal("*.experts.*", [&](Tensors &t) { t.erase(kDown + name); }),
              kDown + name + ": a packed weight must have it, but found none");
  // q_a_proj of a model whose hidden size is no multiple of 16: nothing could have packed it.
  SmallModel odd([](CheckpointRequest &request) { request.config["hidden_size"] = 100; });
  odd.editTensors([](Tensors &t) { t["model.layers.3.self_attn.q_a_proj.weight"] = tensorOf("U8", {48, 50}); });
  EXPECT_EQ(
      messageOf(odd.read()),
      "model.layers.3.self_attn.q_a_proj.weight: a packed weight must have a multiple of 16 columns, but found 100");
}

TEST(StoredTensors, refusesGlobalScales) {
  float infinity = std::numeric_limits<float>::infinity();
  for (auto [value, found] :
       {std::pair(0.0f, "0"), std::pair(-0.5f, "-0.5"), std::pair(infinity, "inf"), std::pair(std::nanf(""), "nan")})
    for (bool zeroDimensional : {true, false}) {
      EXPECT_EQ(
          refusal("*.experts.*", [&](Tensors &t) { t[kDown + ".weight_scale_2"] = scalarOf(value, zeroDimensional); }),
          fmt::format("{}.weight_scale_2: scale must be finite and more than 0, but found {}", kDown, found));
      EXPECT_EQ(
          refusal(
              "*.experts.*", [&](Tensors &t) { t[kDown + ".weight_global_scale"] = scalarOf(value, zeroDimensional); },
              CheckpointFormat::CompressedTensors),
          fmt::format("{}.weight_global_scale: scale must be finite and more than 0, but found {}", kDown, found));
    }
  EXPECT_EQ(refusal(
                "*.experts.*", [&](Tensors &t) { t[kDown + ".weight_global_scale"] = scalarOf(1e-40f); },
                CheckpointFormat::CompressedTensors),
            kDown + ".weight_global_scale: inverse of the scale must be finite, but found 1e-40");
}

} // namespace
