#include "passes/model/Passes.h"
#include "passes/model/Remarks.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace glm {
#define GEN_PASS_DEF_FUSENORM
#include "passes/model/Passes.h.inc"

namespace {

/// Why `norm` cannot do the addition before it; empty if it can. Of several norms the first does it.
StringRef obstacle(RmsNormOp norm) {
  Operation *producer = norm.getInput().getDefiningOp();
  auto comesFirst = [&](Operation *user) { return isa<RmsNormOp>(user) && user->isBeforeInBlock(norm); };
  if (isa_and_nonnull<AddRmsNormOp>(producer) || llvm::any_of(norm.getInput().getUsers(), comesFirst))
    return "another norm of the same sum does the addition";
  if (!isa_and_nonnull<arith::AddFOp>(producer))
    return "its input is not a sum";
  if (!norm.getWeight().getDefiningOp<WeightOp>())
    return "its weight is not a glm.weight, so it may not be there where the sum is made";
  return {};
}

/// Whether somebody who reads the program would expect a fusion.
bool isCandidate(RmsNormOp norm) {
  return isa_and_nonnull<arith::AddFOp, AddRmsNormOp>(norm.getInput().getDefiningOp()) &&
         cast<OpResult>(norm.getInput()).getResultNumber() == 0;
}

struct Fuse : OpRewritePattern<RmsNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RmsNormOp norm, PatternRewriter &rewriter) const override {
    if (StringRef reason = obstacle(norm); !reason.empty())
      return rewriter.notifyMatchFailure(norm, reason);
    auto add = norm.getInput().getDefiningOp<arith::AddFOp>();
    auto weight = norm.getWeight().getDefiningOp<WeightOp>();

    // The fused op stands where the sum was made, before all of its uses; a weight has no operands and can come along.
    rewriter.setInsertionPoint(add);
    if (!weight->isBeforeInBlock(add))
      rewriter.moveOpBefore(weight, add);
    Location loc = rewriter.getFusedLoc({add.getLoc(), norm.getLoc()});
    auto fused = AddRmsNormOp::create(rewriter, loc, add.getType(), norm.getType(), add.getLhs(), add.getRhs(), weight,
                                      norm.getEpsAttr());
    fused->setDiscardableAttrs(add->getDiscardableAttrDictionary());
    rewriter.replaceOp(norm, fused.getResult());
    rewriter.replaceOp(add, fused.getSum());
    return success();
  }
};

struct FuseNorm : impl::FuseNormBase<FuseNorm> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<Fuse>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();

    getOperation()->walk([&](RmsNormOp norm) {
      if (isCandidate(norm))
        remarkMissed(norm, getArgument(), obstacle(norm));
    });
  }
};

} // namespace
} // namespace glm
