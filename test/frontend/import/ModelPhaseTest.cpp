// An imported program, through all passes of the model phase.
#include "test/frontend/import/SampleModels.h"

#include "dialect/GlmDialect.h"
#include "frontend/import/Import.h"
#include "passes/model/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>
#include <map>

using namespace mlir;
using namespace glm;
using namespace glm::test;

namespace {

class ModelPhase : public testing::Test {
protected:
  void run(const ModelConfig &config, StringRef activations) {
    context.loadDialect<GlmDialect>();
    ImportOptions options;
    options.rows = {1, 8};
    options.precision =
        ArrayAttr::get(&context, {RuleAttr::get(&context, RuleSubject::Activations, "*", activations, "--activations"),
                                  RuleAttr::get(&context, RuleSubject::Weights, "*.mlp.experts.*", "nvfp4", "card")});
    module = importModel(context, config, storedWeights(config, true, StoredFormat::ModelOptNvfp4), options);
    ASSERT_TRUE(module);
    PassManager passes(&context);
    passes.addPass(createApplyPrecision());
    passes.addPass(createAbsorbMla());
    passes.addPass(createFuseCacheWrite());
    passes.addPass(createFuseNorm());
    passes.addPass(createFuseProjections());
    passes.addPass(createFuseDequant());
    passes.addPass(createSpecializeSteps());
    passes.addPass(createVerifyModel());
    ASSERT_TRUE(succeeded(passes.run(*module)));
  }

  /// How often each op occurs in a function, weights and caches left out.
  std::map<std::string, int> counts(StringRef name) {
    std::map<std::string, int> result;
    module->lookupSymbol<func::FuncOp>(name).walk([&](Operation *op) {
      if (!isa<WeightOp, CacheOp, func::FuncOp, func::ReturnOp>(op))
        ++result[op->getName().getStringRef().str()];
    });
    return result;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(ModelPhase, leavesOneOpPerKernel) {
  run(smallConfig(), "bf16");
  // Three layers, two indexers; the first norm has no sum before it, and the query latents' have none either.
  std::map<std::string, int> expected = {
      {"glm.rope_angles", 1},
      {"glm.embed", 1},
      {"glm.rms_norm", 1 + 3},
      {"glm.add_rms_norm", 6},
      {"glm.projections", 3 + 2},
      {"glm.rope", 3 + 2},
      {"glm.cache_write", 5},
      {"glm.indexer", 2},
      {"glm.head_linear", 6},
      {"glm.latent_attention", 3},
      {"glm.route", 2},
      {"glm.moe", 2},
      {"glm.gated_mlp", 3},
      {"glm.select_rows", 1},
      // o_proj, and q_b_proj where there is no indexer; weights_proj, which is stored in another type; routers; the head.
      {"glm.linear", 3 + 1 + 2 + 2 + 1}};
  EXPECT_EQ(counts("step_r1"), expected);
  EXPECT_EQ(counts("step_r8"), expected);
}

TEST_F(ModelPhase, keepsTaps) {
  run(smallConfig(), "bf16");
  std::vector<std::string> taps;
  module->lookupSymbol<func::FuncOp>("step_r8").walk([&](Operation *op) {
    if (auto tap = op->getAttrOfType<StringAttr>(kTapAttr))
      taps.push_back(tap.str());
  });
  EXPECT_EQ(taps, (std::vector<std::string>{"index.0", "hidden.0", "index.1", "experts.1", "hidden.1", "experts.2",
                                            "hidden.2"}));
}

TEST_F(ModelPhase, narrowsEveryRowThatDecidesNothing) {
  run(smallConfig(), "bf16");
  std::map<std::string, int> exact;
  module->lookupSymbol<func::FuncOp>("step_r8").walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (auto tensor = dyn_cast<RankedTensorType>(type);
          tensor && tensor.getElementType().isF32() && !isa<WeightOp>(op))
        ++exact[op->getName().getStringRef().str()];
  });
  // Angles, route weights; two routers, two index head weights and the logits; the residual stream: the embedding, six sums and
  // what they add, three times o_proj, the dense layer and two of experts.
  EXPECT_EQ(exact, (std::map<std::string, int>{{"glm.rope_angles", 1},
                                               {"glm.route", 2},
                                               {"glm.linear", 5 + 3},
                                               {"glm.embed", 1},
                                               {"glm.add_rms_norm", 6},
                                               {"glm.gated_mlp", 1},
                                               {"glm.moe", 2}}));
}

TEST_F(ModelPhase, exactModeKeepsF32) {
  run(smallConfig(), "f32");
  module->walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      EXPECT_TRUE(isa<WeightOp>(op) || !getElementTypeOrSelf(type).isBF16()) << op->getName().getStringRef().str();
  });
}

TEST_F(ModelPhase, draftsArePartOfIt) {
  run(smallConfig(), "bf16");
  func::FuncOp mtp = module->lookupSymbol<func::FuncOp>("mtp");
  EXPECT_TRUE(getElementTypeOrSelf(mtp.getArgument(4).getType()).isBF16());
  EXPECT_EQ(counts("mtp")["glm.latent_attention"], 1);
  EXPECT_EQ(counts("mtp")["glm.moe"], 1);
}

TEST_F(ModelPhase, takesThePublishedModel) {
  run(publishedConfig(), "bf16");
  EXPECT_EQ(counts("step_r8")["glm.indexer"], 21);
  EXPECT_EQ(counts("step_r8")["glm.add_rms_norm"], 156);
}

} // namespace
