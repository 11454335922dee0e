// Shapes and formats that nobody chose: glm-compile and glm-run against the plain reference.
#include "test/Inputs/Presets.h"
#include "test/Inputs/WeightStream.h"
#include "test/numerics/Goldens.h"
#include "test/numerics/Metrics.h"
#include "test/numerics/Programs.h"
#include "test/numerics/Reference.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace glm::test {
namespace {

// Both sides compute in float32 with other summation orders, as in the golden tests: the same bound.
constexpr double kBound = 1e-4;
// A choice closer than this (in units of the scores' spread) may fall either way; such a checkpoint would test luck.
constexpr double kMargin = 2e-5;
const std::vector<int64_t> kLengths = {1, 38, 83}; // below and beyond every index_topk drawn

/// Draws by rules; the sequence of std::mt19937_64 is fixed by the standard, that of its distributions is not.
class Draw {
public:
  explicit Draw(uint64_t seed) : engine(seed) {}
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine() % static_cast<uint64_t>(high - low + 1));
  }
  bool coin() { return between(0, 1) == 1; }
  template <typename T>
  T of(std::vector<T> values) {
    return values[between(0, static_cast<int64_t>(values.size()) - 1)];
  }

private:
  std::mt19937_64 engine;
};

void set(CheckpointRequest &request, const std::string &key, const std::string &value) {
  auto done = setKey(request.config, key + "=" + value);
  ASSERT_TRUE(done) << done.error().message;
}

void set(CheckpointRequest &request, const std::string &key, int64_t value) {
  set(request, key, std::to_string(value));
}

void drawWidths(Draw &draw, CheckpointRequest &request) {
  // A packed matrix has inputs in blocks of 16; a wide one may have any number.
  bool blocks = request.format != CheckpointFormat::Bf16;
  auto width = [&](int64_t low, int64_t high) {
    return blocks ? 16 * draw.between(low / 16, high / 16) : draw.between(low, high);
  };
  set(request, "vocab_size", draw.between(101, 400));
  set(request, "hidden_size", width(48, 130));
  set(request, "intermediate_size", width(64, 200));
  set(request, "moe_intermediate_size", width(16, 70));
  set(request, "num_attention_heads", draw.between(1, 7));
  set(request, "q_lora_rank", width(16, 70));
  set(request, "kv_lora_rank", width(16, 50));
  set(request, "v_head_dim", width(16, 50));
  int64_t rope = 2 * draw.between(2, 9);
  set(request, "qk_nope_head_dim", draw.between(5, 40));
  set(request, "qk_rope_head_dim", rope);
  set(request, "index_n_heads", draw.between(1, 20));
  set(request, "index_head_dim", rope + draw.between(1, 30));
  set(request, "index_topk", draw.between(3, 30));
}

void drawExperts(Draw &draw, CheckpointRequest &request) {
  int64_t groups = draw.between(1, 3), width = draw.between(2, 5), kept = draw.between(1, groups);
  set(request, "n_group", groups);
  set(request, "topk_group", kept);
  set(request, "n_routed_experts", groups * width);
  set(request, "num_experts_per_tok", draw.between(1, kept * width));
  set(request, "n_shared_experts", draw.between(1, 2));
  set(request, "norm_topk_prob", draw.coin() ? "true" : "false");
  set(request, "routed_scaling_factor", draw.of<std::string>({"1.0", "1.7", "2.5"}));
}

void drawLayers(Draw &draw, CheckpointRequest &request) {
  int64_t layers = draw.between(3, 7);
  set(request, "num_hidden_layers", layers);
  set(request, "num_nextn_predict_layers", draw.between(0, 1));
  if (draw.coin()) {
    set(request, "index_topk_freq", draw.between(1, 4));
    set(request, "index_skip_topk_offset", draw.between(1, 3));
    set(request, "first_k_dense_replace", draw.between(0, 2));
  } else {
    nlohmann::ordered_json indexers = {"full"}, mlps = {"sparse"};
    while (static_cast<int64_t>(indexers.size()) < layers) {
      indexers.push_back(draw.coin() ? "full" : "shared");
      mlps.push_back(draw.coin() ? "dense" : "sparse");
    }
    set(request, "indexer_types", indexers.dump());
    set(request, "mlp_layer_types", mlps.dump());
    for (const char *key : {"index_topk_freq", "index_skip_topk_offset", "first_k_dense_replace"})
      set(request, key, "");
  }
  set(request, "rms_norm_eps", draw.of<std::string>({"1e-06", "1e-05", "0.001"}));
  set(request, "rope_parameters",
      fmt::format(R"({{"rope_theta": {}, "rope_type": "default"}})",
                  draw.of<std::string>({"10000.0", "1000000", "8000000"})));
}

CheckpointRequest drawRequest(uint64_t seed) {
  Draw draw(seed);
  CheckpointRequest request = *preset("tiny");
  request.format =
      std::vector{CheckpointFormat::Bf16, CheckpointFormat::ModelOpt, CheckpointFormat::CompressedTensors}[seed % 3];
  drawWidths(draw, request);
  drawExperts(draw, request);
  drawLayers(draw, request);
  request.shards = draw.between(1, 3);
  request.packed = {draw.of<std::string>({"all", "nvidia", "*mlp*_proj"})};
  request.tieGateUp = draw.coin();
  request.spreadScales = true;
  request.inputScales = draw.coin();
  request.scaleDtype = draw.of<std::string>({"F8_E4M3", "U8"});
  request.scalarShape = draw.of<ScalarShape>({ScalarShape::One, ScalarShape::ZeroDimensional});
  request.mtp = draw.coin();
  request.float32 = {"*weights_proj"};
  if (draw.coin())
    request.float16 = {"*o_proj"};
  return request;
}

/// A checkpoint, its prompts and what the reference says about them.
struct Case {
  std::filesystem::path folder;
  std::vector<std::vector<int32_t>> prompts;
  std::vector<ReferenceOutput> expected;
};

/// Other weights of the same shape until no choice is too close.
Case prepare(uint64_t seed) {
  CheckpointRequest request = drawRequest(seed);
  for (uint64_t attempt = 0; attempt < 64; ++attempt) {
    request.seed = 1000 * seed + attempt;
    Case prepared{scratchFolder() / fmt::format("random-{}", request.seed), {}, {}};
    if (auto done = makeCheckpoint(request, prepared.folder); !done)
      throw std::runtime_error(done.error().message);
    auto reference = Reference::open(prepared.folder, {.latentNormEps = 1e-6});
    if (!reference)
      throw std::runtime_error(reference.error().message);
    double closest = 1e9;
    for (size_t i = 0; i < kLengths.size(); ++i) {
      prepared.prompts.push_back(
          drawPrompt(request.seed, static_cast<int64_t>(i), kLengths[i], reference->model().vocabSize));
      prepared.expected.push_back(reference->run(prepared.prompts.back()));
      closest = std::min(closest, prepared.expected.back().closestChoice);
    }
    if (closest >= kMargin)
      return prepared;
  }
  throw std::runtime_error(fmt::format("shape {}: one of 64 seeds must give clear choices, but found none", seed));
}

class RandomShapes : public testing::TestWithParam<uint64_t> {};

TEST_P(RandomShapes, matchReference) {
  Case prepared = prepare(GetParam());
  std::filesystem::path artifact =
      compileOnce(prepared.folder, {"--activations=f32", "--latent-norm-eps=1e-6", "--max-model-len=128"});
  RunOutput output = runPrompts(artifact, prepared.prompts, {.trace = true});
  for (size_t i = 0; i < prepared.prompts.size(); ++i) {
    LogitDifference difference = compareLogits(prepared.expected[i].logits, output.logits[i]);
    EXPECT_LE(difference.relative(), kBound) << difference.failure(fmt::format("{}.logits", i), kBound);
    for (const auto &[kind, layers] :
         {std::pair{"index", &prepared.expected[i].index}, std::pair{"experts", &prepared.expected[i].experts}})
      for (const auto &[layer, rows] : *layers) {
        std::string name = fmt::format("{}.{}.{}", i, kind, layer);
        auto differing = differingRow(rows, toSets(output.trace->ints(name), false));
        EXPECT_FALSE(differing) << name << ": " << differing.value_or("");
      }
  }
  std::vector<Matrix> chunked = runPrompts(artifact, prepared.prompts, {.chunk = 5}).logits;
  for (size_t i = 0; i < prepared.prompts.size(); ++i)
    EXPECT_EQ(output.logits[i].values, chunked[i].values) << "--chunk=5, sequence " << i;
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomShapes, testing::Range<uint64_t>(1, 10));

} // namespace
} // namespace glm::test
