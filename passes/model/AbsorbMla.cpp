#include "passes/model/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace glm {
#define GEN_PASS_DEF_ABSORBMLA
#include "passes/model/Passes.h.inc"

namespace {

/// Widths of one head, from the shapes around a glm.mla_attention.
struct HeadWidths {
  int64_t rope, nope, value, latent;
};

HeadWidths headWidths(MlaAttentionOp attention) {
  int64_t heads = attention.getHeads(), rope = attention.getRopeWidth();
  auto lastWidth = [](Value value) { return cast<RankedTensorType>(value.getType()).getShape().back(); };
  int64_t nope = lastWidth(attention.getQuery()) / heads - rope;
  int64_t value = lastWidth(attention.getResult()) / heads;
  return {rope, nope, value, lastWidth(attention.getKvB())};
}

struct Absorb : OpRewritePattern<MlaAttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MlaAttentionOp attention, PatternRewriter &rewriter) const override {
    auto [rope, nope, value, latent] = headWidths(attention);
    auto query = cast<RankedTensorType>(attention.getQuery().getType());
    int64_t heads = attention.getHeads();
    Location loc = attention.getLoc();
    auto latentRows = RankedTensorType::get({query.getDimSize(0), heads * latent}, query.getElementType());
    Value latentQuery = HeadLinearOp::create(rewriter, loc, latentRows, attention.getQuery(), attention.getKvB(), heads,
                                             /*head_rows=*/nope + value,
                                             /*row_begin=*/0, /*row_count=*/nope, /*transposed=*/true);
    Value attended = LatentAttentionOp::create(rewriter, loc, latentRows, latentQuery, attention.getQuery(),
                                               attention.getLatent(), attention.getIndices(), attention.getSlots(),
                                               attention.getPages(), heads, rope, attention.getScale());
    auto values = HeadLinearOp::create(rewriter, loc, attention.getType(), attended, attention.getKvB(), heads,
                                       /*head_rows=*/nope + value, /*row_begin=*/nope, /*row_count=*/value,
                                       /*transposed=*/false);
    values->setDiscardableAttrs(attention->getDiscardableAttrDictionary());
    roundLatent(attention, rewriter);
    rewriter.replaceOp(attention, values);
    return success();
  }

  /// What kv_b rounds are latents (W4A4), not the queries and sums that it is multiplied with now: each latent is rounded once, where it is stored.
  static void roundLatent(MlaAttentionOp attention, PatternRewriter &rewriter) {
    auto dequant = attention.getKvB().getDefiningOp<DequantOp>();
    auto write = attention.getLatent().getDefiningOp<CacheWriteOp>();
    if (!dequant || !write || !quantizesInputs(dequant.getInput().getType()))
      return;
    auto weight = dequant.getInput().getDefiningOp<WeightOp>();
    rewriter.moveOpBefore(weight, write);
    rewriter.modifyOpInPlace(write, [&] { write.getConsumerMutable().assign(weight); });
  }
};

struct AbsorbMla : impl::AbsorbMlaBase<AbsorbMla> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<Absorb>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace glm
