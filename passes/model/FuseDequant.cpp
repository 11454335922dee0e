#include "passes/model/Passes.h"
#include "passes/model/Remarks.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace glm {
#define GEN_PASS_DEF_FUSEDEQUANT
#include "passes/model/Passes.h.inc"

namespace {

/// Whether the op that uses `operand` reads it packed as well as wide.
bool readsPacked(OpOperand &operand) {
  unsigned number = operand.getOperandNumber();
  return llvm::TypeSwitch<Operation *, bool>(operand.getOwner())
      // Operand 0 is the rows.
      .Case<LinearOp, ProjectionsOp, HeadLinearOp, GatedMlpOp>([&](Operation *) { return number > 0; })
      .Case([&](MoeOp moe) {
        return number == moe.getGateMutable().getOperandNumber() || number == moe.getUpMutable().getOperandNumber() ||
               number == moe.getDownMutable().getOperandNumber();
      })
      .Default([](Operation *) { return false; });
}

/// Why this use of the result of `dequant` cannot read the packed weight itself; empty if it can.
std::string obstacle(DequantOp dequant, OpOperand &use) {
  if (!getElementTypeOrSelf(dequant.getType()).isF32())
    return "the wide weight is rounded to another type than f32";
  if (!readsPacked(use))
    return (use.getOwner()->getName().getStringRef() + " does not read packed weights").str();
  return {};
}

struct Fuse : OpRewritePattern<DequantOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DequantOp dequant, PatternRewriter &rewriter) const override {
    auto fusable = [&](OpOperand &use) { return obstacle(dequant, use).empty(); };
    if (llvm::none_of(dequant->getUses(), fusable))
      return rewriter.notifyMatchFailure(dequant, "no use reads packed weights");
    rewriter.replaceUsesWithIf(dequant, dequant.getInput(), fusable);
    if (dequant.use_empty())
      rewriter.eraseOp(dequant);
    return success();
  }
};

struct FuseDequant : impl::FuseDequantBase<FuseDequant> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<Fuse>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();

    getOperation()->walk([&](DequantOp dequant) {
      for (OpOperand &use : dequant->getUses())
        remarkMissed(dequant, getArgument(), obstacle(dequant, use));
    });
  }
};

} // namespace
} // namespace glm
