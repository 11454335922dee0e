#include "test/frontend/import/SampleModels.h"

#include "dialect/GlmDialect.h"
#include "frontend/import/Import.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"

#include <chrono>
#include <cstdio>
#include <gtest/gtest.h>
#include <map>
#include <set>

using namespace mlir;
using namespace glm;
using namespace glm::test;

namespace {

class Import : public testing::Test {
protected:
  func::FuncOp importFunction(const ModelConfig &config, const StoredTensors &stored, StringRef name) {
    module = importModel(context, config, stored, options);
    return module ? module->lookupSymbol<func::FuncOp>(name) : func::FuncOp();
  }
  func::FuncOp importSmall(StringRef name = "step") {
    return importFunction(smallConfig(), storedWeights(smallConfig(), true), name);
  }

  MLIRContext context;
  ImportOptions options{.rows = {1, 8}, .sequences = 2, .positions = 100, .pageSize = 16, .precision = {}, .mtp = true};
  OwningOpRef<ModuleOp> module;
};

std::string placeOf(Operation *op) {
  auto name = dyn_cast<NameLoc>(op->getLoc());
  return name ? name.getName().str() : "";
}

/// The ops of a place such as "layers.1.mlp", weights left out, one line each: "glm.linear q_a_proj 36".
std::string opsAt(func::FuncOp function, StringRef place) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  function.walk([&](Operation *op) {
    if (placeOf(op) != place || isa<WeightOp, CacheOp>(op))
      return;
    stream << op->getName().getStringRef();
    for (Value operand : op->getOperands())
      if (auto weight = operand.getDefiningOp<WeightOp>()) {
        StringRef name = weight.getName();
        name.consume_back(".weight");
        stream << " " << name.rsplit('.').second;
      }
    if (auto tensor =
            op->getNumResults() > 0 ? dyn_cast<RankedTensorType>(op->getResult(0).getType()) : RankedTensorType())
      stream << " " << tensor.getShape().back();
    stream << "\n";
  });
  return text;
}

template <typename Op>
SmallVector<Op> opsOf(func::FuncOp function) {
  return llvm::to_vector(function.getOps<Op>());
}

std::string spelled(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// The ops between a value and the rows of its step, such as "glm.rope glm.rms_norm glm.linear".
std::string chain(Value value, int length) {
  std::string text;
  for (; length > 0 && value.getDefiningOp(); --length, value = value.getDefiningOp()->getOperand(0))
    text += value.getDefiningOp()->getName().getStringRef().str() + " ";
  return text;
}

TEST_F(Import, namesInputsAndResult) {
  func::FuncOp step = importSmall();
  std::vector<std::string> names;
  for (unsigned i = 0; i < step.getNumArguments(); ++i)
    names.push_back(step.getArgAttrOfType<StringAttr>(i, "glm.name").str());
  EXPECT_EQ(names, (std::vector<std::string>{"tokens", "positions", "slots", "page_table", "output_rows"}));
  EXPECT_EQ(step.getResultAttrOfType<StringAttr>(0, "glm.name"), "logits");
  // 100 positions are 7 pages of 16.
  EXPECT_EQ(spelled(step.getFunctionType()),
            "(tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<2x7xi32>, tensor<?xi32>) -> tensor<?x97xf32>");
  auto limits = (*module)->getAttrOfType<LimitsAttr>(kLimitsAttr);
  EXPECT_EQ(limits.getMaxRows(), 8);
  EXPECT_EQ(limits.getPages(), 14);
}

TEST_F(Import, denseLayer) {
  func::FuncOp step = importSmall();
  EXPECT_EQ(opsAt(step, "embed_tokens"), "glm.embed embed_tokens 48\n");
  EXPECT_EQ(opsAt(step, "layers.0.input_layernorm"), "glm.rms_norm input_layernorm 48\n");
  EXPECT_EQ(opsAt(step, "layers.0.self_attn"), "glm.linear q_a_proj 36\n"
                                               "glm.rms_norm q_a_layernorm 36\n"
                                               "glm.linear q_b_proj 42\n"
                                               "glm.rope 42\n"
                                               "glm.linear kv_a_proj_with_mqa 24\n"
                                               "glm.rms_norm kv_a_layernorm 24\n"
                                               "glm.rope 24\n"
                                               "glm.cache_write\n"
                                               "glm.linear wq_b 64\n"
                                               "glm.rope 64\n"
                                               "glm.linear wk 16\n"
                                               "glm.layer_norm k_norm bias 16\n"
                                               "glm.rope 16\n"
                                               "glm.cache_write\n"
                                               "glm.linear weights_proj 4\n"
                                               "glm.indexer 7\n"
                                               "glm.mla_attention kv_b_proj 42\n"
                                               "glm.linear o_proj 48\n"
                                               "arith.addf 48\n");
  EXPECT_EQ(opsAt(step, "layers.0.post_attention_layernorm"), "glm.rms_norm post_attention_layernorm 48\n");
  EXPECT_EQ(opsAt(step, "layers.0.mlp"), "glm.gated_mlp gate_proj up_proj down_proj 48\n"
                                         "arith.addf 48\n");
}

TEST_F(Import, sparseLayer) {
  func::FuncOp step = importSmall();
  EXPECT_EQ(opsAt(step, "layers.1.mlp"), "glm.linear gate 5\n"
                                         "glm.route e_score_correction_bias 2\n"
                                         "glm.gated_mlp gate_proj up_proj down_proj 48\n"
                                         "glm.moe gate_proj up_proj down_proj 48\n"
                                         "arith.addf 48\n");
  MoeOp moe = opsOf<MoeOp>(step)[0];
  EXPECT_EQ(spelled(moe.getGate().getType()), "tensor<5x32x48xbf16>");
  EXPECT_EQ(moe.getGate().getDefiningOp<WeightOp>().getName(), "model.layers.1.mlp.experts.{}.gate_proj.weight");
  EXPECT_EQ(spelled(moe.getDown().getType()), "tensor<5x48x32xbf16>");
  EXPECT_TRUE(moe.getShared().getDefiningOp<GatedMlpOp>());
  RouteOp route = opsOf<RouteOp>(step)[0];
  EXPECT_EQ(moe.getExperts(), route.getExperts());
  EXPECT_EQ(moe.getWeights(), route.getWeights());
  EXPECT_TRUE(route.getNormalize());
  EXPECT_EQ(route.getScaling().convertToFloat(), 2.5f);
  EXPECT_EQ(spelled(route.getBias().getType()), "tensor<5xf32>");
}

TEST_F(Import, sharingLayerUsesTheChoiceBeforeIt) {
  func::FuncOp step = importSmall();
  auto indexers = opsOf<IndexerOp>(step);
  auto attentions = opsOf<MlaAttentionOp>(step);
  ASSERT_EQ(indexers.size(), 2u);
  ASSERT_EQ(attentions.size(), 3u);
  EXPECT_EQ(attentions[0].getIndices(), indexers[0].getResult());
  EXPECT_EQ(attentions[1].getIndices(), indexers[1].getResult());
  EXPECT_EQ(attentions[2].getIndices(), indexers[1].getResult());
  EXPECT_EQ(opsAt(step, "layers.2.self_attn").find("glm.indexer"), std::string::npos);
}

TEST_F(Import, followsTheIndexSource) {
  ModelConfig config = publishedConfig();
  func::FuncOp step = importFunction(config, storedWeights(config, false), "step");
  auto attentions = opsOf<MlaAttentionOp>(step);
  ASSERT_EQ(attentions.size(), 78u);
  for (int64_t layer = 0; layer < 78; ++layer)
    EXPECT_EQ(placeOf(attentions[layer].getIndices().getDefiningOp()),
              "layers." + std::to_string(layer < 3 ? layer : 2 + (layer - 2) / 4 * 4) + ".self_attn");
}

TEST_F(Import, rotatesTheRightColumns) {
  func::FuncOp step = importSmall();
  auto ropes = opsOf<RopeOp>(step);
  // Query heads are [nope 10, rope 4]; the latent row is [20, rope 4]; index heads and keys are [rope 4, nope 12].
  std::vector<std::vector<int64_t>> found, expected = {{3, 10, 4}, {1, 20, 4}, {4, 0, 4}, {1, 0, 4}};
  for (int i = 0; i < 4; ++i)
    found.push_back({static_cast<int64_t>(ropes[i].getHeads()), static_cast<int64_t>(ropes[i].getOffset()),
                     static_cast<int64_t>(ropes[i].getWidth())});
  EXPECT_EQ(found, expected);
  auto angles = opsOf<RopeAnglesOp>(step);
  ASSERT_EQ(angles.size(), 1u);
  EXPECT_EQ(angles[0].getPositions(), step.getArgument(1));
  EXPECT_EQ(angles[0].getInverseFrequencies(), (ArrayRef<float>{1.0f, 0.01f}));
}

TEST_F(Import, cachesNormedAndRotatedKeys) {
  func::FuncOp step = importSmall();
  auto writes = opsOf<CacheWriteOp>(step);
  ASSERT_EQ(writes.size(), 5u);
  EXPECT_EQ(chain(writes[0].getInput(), 4), "glm.rope glm.rms_norm glm.linear glm.rms_norm ");
  EXPECT_EQ(chain(writes[1].getInput(), 4), "glm.rope glm.layer_norm glm.linear glm.rms_norm ");
  std::vector<std::string> caches;
  for (CacheWriteOp write : writes)
    caches.push_back(write.getCache().getDefiningOp<CacheOp>().getName().str() + " " + spelled(write.getType()));
  EXPECT_EQ(caches,
            (std::vector<std::string>{"layers.0.latent !glm.cache<24 x f32>", "layers.0.index !glm.cache<16 x f32>",
                                      "layers.1.latent !glm.cache<24 x f32>", "layers.1.index !glm.cache<16 x f32>",
                                      "layers.2.latent !glm.cache<24 x f32>"}));
  // Rows are written before any of them is read.
  EXPECT_EQ(opsOf<IndexerOp>(step)[0].getKeys(), writes[1].getResult());
  EXPECT_EQ(opsOf<MlaAttentionOp>(step)[0].getLatent(), writes[0].getResult());
}

TEST_F(Import, indexerReadsTheNormedQueryLatent) {
  func::FuncOp step = importSmall();
  IndexerOp indexer = opsOf<IndexerOp>(step)[0];
  EXPECT_EQ(chain(indexer.getQuery(), 5), "glm.rope glm.linear glm.rms_norm glm.linear glm.rms_norm ");
  EXPECT_EQ(chain(indexer.getWeights(), 2), "glm.linear glm.rms_norm ");
  // The same latent as the queries'.
  Value queries = opsOf<MlaAttentionOp>(step)[0].getQuery();
  auto latentOf = [](Value query) {
    return query.getDefiningOp<RopeOp>().getInput().getDefiningOp<LinearOp>().getInput();
  };
  EXPECT_EQ(latentOf(indexer.getQuery()), latentOf(queries));
}

TEST_F(Import, scalesAndEpsilons) {
  func::FuncOp step = importSmall();
  EXPECT_EQ(opsOf<IndexerOp>(step)[0].getScale().convertToFloat(), 0.125f);                   // 16^(-1/2) 4^(-1/2)
  EXPECT_FLOAT_EQ(opsOf<MlaAttentionOp>(step)[0].getScale().convertToFloat(), 0.2672612419f); // 14^(-1/2)
  std::vector<float> eps;
  for (RmsNormOp norm : opsOf<RmsNormOp>(step))
    eps.push_back(norm.getEps().convertToFloat());
  ASSERT_EQ(eps.size(), 13u);
  EXPECT_EQ(std::vector<float>(eps.begin(), eps.begin() + 4), (std::vector<float>{1e-5f, 1e-6f, 1e-6f, 1e-5f}));
  EXPECT_EQ(opsOf<LayerNormOp>(step)[0].getEps().convertToFloat(), 1e-6f);
}

TEST_F(Import, addsToTheResidualStream) {
  func::FuncOp step = importSmall();
  auto sums = opsOf<arith::AddFOp>(step);
  ASSERT_EQ(sums.size(), 6u);
  EXPECT_TRUE(sums[0].getLhs().getDefiningOp<EmbedOp>());
  for (size_t i = 1; i < sums.size(); ++i)
    EXPECT_EQ(sums[i].getLhs(), sums[i - 1].getResult());
}

TEST_F(Import, tapsWhatPeopleCompare) {
  std::vector<std::string> taps;
  importSmall().walk([&](Operation *op) {
    if (auto tap = op->getAttrOfType<StringAttr>(kTapAttr))
      taps.push_back(tap.str());
  });
  EXPECT_EQ(taps, (std::vector<std::string>{"index.0", "hidden.0", "index.1", "experts.1", "hidden.1", "experts.2",
                                            "hidden.2"}));
}

TEST_F(Import, headSeesSelectedRowsOnly) {
  func::FuncOp step = importSmall();
  EXPECT_EQ(opsAt(step, "norm"), "glm.rms_norm norm 48\n");
  Operation *terminator = step.front().getTerminator();
  EXPECT_EQ(chain(terminator->getOperand(0), 4), "glm.linear glm.select_rows glm.rms_norm arith.addf ");
  EXPECT_EQ(opsOf<SelectRowsOp>(step)[0].getRows(), step.getArgument(4));
}

TEST_F(Import, usesEachWeightOnce) {
  ModelConfig config = smallConfig();
  StoredTensors stored = storedWeights(config, true);
  std::multiset<std::string> expected, found;
  for (const StoredWeight &weight : stored.weights)
    expected.insert(weight.name);
  // The MTP layer shares the embedding and the head.
  expected.insert({"model.embed_tokens.weight", "lm_head.weight"});
  module = importModel(context, config, stored, options);
  module->walk([&](WeightOp weight) {
    found.insert(weight.getName().str());
    EXPECT_TRUE(weight->hasOneUse()) << weight.getName().str();
  });
  EXPECT_EQ(found, expected);
}

TEST_F(Import, packedWeightsAreWidenedFirst) {
  ModelConfig config = smallConfig();
  for (auto [format, source] : {std::pair(StoredFormat::ModelOptNvfp4, "modelopt"),
                                std::pair(StoredFormat::CompressedTensorsNvfp4, "compressed_tensors")}) {
    func::FuncOp step = importFunction(config, storedWeights(config, false, format), "step");
    MoeOp moe = opsOf<MoeOp>(step)[0];
    auto dequant = moe.getUp().getDefiningOp<DequantOp>();
    ASSERT_TRUE(dequant);
    EXPECT_EQ(spelled(dequant.getType()), "tensor<5x32x48xf32>");
    EXPECT_EQ(spelled(dequant.getInput().getType()),
              "tensor<5x32x48xf4E2M1FN, #glm.nvfp4<block = 16, source = " + std::string(source) + ">>");
    EXPECT_EQ(opsOf<DequantOp>(step).size(), 6u);
  }
}

TEST_F(Import, mtpJoinsEmbeddingAndHidden) {
  func::FuncOp mtp = importSmall("mtp");
  ASSERT_TRUE(mtp);
  EXPECT_TRUE(mtp->hasAttr(kDeferredAttr));
  EXPECT_EQ(mtp.getArgAttrOfType<StringAttr>(4, "glm.name"), "hidden");
  EXPECT_EQ(mtp.getResultAttrOfType<StringAttr>(0, "glm.name"), "draft_logits");
  auto join = opsOf<tensor::ConcatOp>(mtp)[0];
  EXPECT_EQ(chain(join.getInputs()[0], 2), "glm.rms_norm glm.embed ");
  EXPECT_EQ(join.getInputs()[1].getDefiningOp<RmsNormOp>().getInput(), mtp.getArgument(4));
  EXPECT_EQ(join.getInputs()[0].getDefiningOp<RmsNormOp>().getWeight().getDefiningOp<WeightOp>().getName(),
            "model.layers.3.enorm.weight");
  EXPECT_EQ(spelled(join.getType()), "tensor<?x96xf32>");
  EXPECT_EQ(opsAt(mtp, "layers.3.eh_proj"), "glm.embed embed_tokens 48\n"
                                            "glm.rms_norm enorm 48\n"
                                            "glm.rms_norm hnorm 48\n"
                                            "tensor.concat 96\n"
                                            "glm.linear eh_proj 48\n");
  // A layer like the others, with an indexer and caches of its own.
  EXPECT_EQ(opsAt(mtp, "layers.3.self_attn"), opsAt(module->lookupSymbol<func::FuncOp>("step"), "layers.1.self_attn"));
  EXPECT_EQ(opsAt(mtp, "layers.3.mlp"), opsAt(module->lookupSymbol<func::FuncOp>("step"), "layers.1.mlp"));
  EXPECT_EQ(opsOf<CacheOp>(mtp)[0].getName(), "layers.3.latent");
  EXPECT_EQ(chain(mtp.front().getTerminator()->getOperand(0), 3), "glm.linear glm.rms_norm arith.addf ");
}

TEST_F(Import, mtpIsOptional) {
  EXPECT_FALSE(importFunction(smallConfig(), storedWeights(smallConfig(), false), "mtp"));
  options.mtp = false;
  EXPECT_FALSE(importSmall("mtp"));
}

TEST_F(Import, tiedHeadReadsTheEmbedding) {
  ModelConfig config = smallConfig();
  config.tieWordEmbeddings = true;
  func::FuncOp step = importFunction(config, storedWeights(config, false), "step");
  EXPECT_EQ(opsAt(step, "lm_head"), "glm.select_rows 48\nglm.linear embed_tokens 97\nfunc.return\n");
}

TEST_F(Import, layersWithoutSharedExperts) {
  ModelConfig config = smallConfig();
  config.sharedExperts = 0;
  func::FuncOp step = importFunction(config, storedWeights(config, false), "step");
  EXPECT_FALSE(opsOf<MoeOp>(step)[0].getShared());
}

TEST_F(Import, carriesPrecisionRules) {
  context.loadDialect<GlmDialect>();
  auto rule = RuleAttr::get(&context, RuleSubject::Activations, "*", "bf16", "--activations");
  options.precision = ArrayAttr::get(&context, {rule});
  importSmall();
  EXPECT_EQ((*module)->getAttr(kPrecisionAttr), options.precision);
}

TEST_F(Import, namesEveryMissingWeight) {
  std::vector<std::string> messages;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) { messages.push_back(diagnostic.str()); });
  StoredTensors stored = storedWeights(smallConfig(), false);
  llvm::erase_if(stored.weights, [](const StoredWeight &weight) {
    return weight.name.find("layers.1.self_attn.o_proj") != std::string::npos || weight.name == "model.norm.weight";
  });
  EXPECT_FALSE(importModel(context, smallConfig(), stored, options));
  EXPECT_EQ(messages, (std::vector<std::string>{
                          "model.layers.1.self_attn.o_proj.weight: weight must be in the checkpoint, but found none",
                          "model.norm.weight: weight must be in the checkpoint, but found none"}));
}

TEST_F(Import, publishedModel) {
  ModelConfig config = publishedConfig();
  StoredTensors stored = storedWeights(config, true, StoredFormat::ModelOptNvfp4);
  auto start = std::chrono::steady_clock::now();
  func::FuncOp step = importFunction(config, stored, "step");
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  ASSERT_TRUE(step);
  std::printf("imported 78 layers and MTP in %.3f s\n", seconds.count());

  std::map<std::string, int> perPlace;
  step.walk([&](Operation *op) { ++perPlace[StringRef(placeOf(op)).rsplit('.').first.str()]; });
  EXPECT_EQ(perPlace["layers.0"], 42); // dense, with an indexer
  EXPECT_EQ(perPlace["layers.3"], 39); // sparse, sharing
  EXPECT_EQ(perPlace["layers.6"], 53); // sparse, with an indexer
  EXPECT_EQ(opsOf<IndexerOp>(step).size(), 21u);
  EXPECT_EQ(opsOf<DequantOp>(step).size(), 3u * 75);
}

} // namespace
