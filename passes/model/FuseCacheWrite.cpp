#include "passes/model/Passes.h"
#include "passes/model/Remarks.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace glm {
#define GEN_PASS_DEF_FUSECACHEWRITE
#include "passes/model/Passes.h.inc"

namespace {

/// The norm or rotation that makes what `write` stores, or null.
Operation *producerOf(CacheWriteOp write) {
  Operation *producer = write.getInput().getDefiningOp();
  return isa_and_nonnull<RmsNormOp, LayerNormOp, RopeOp>(producer) ? producer : nullptr;
}

/// Why `write` cannot do the work of `producer`; empty if it can. A write normalises, then rotates, then stores, and
/// rounds to the type of the cache after each.
StringRef obstacle(CacheWriteOp write, Operation *producer) {
  if (!producer->hasOneUse())
    return "what it stores has other uses";
  if (getElementTypeOrSelf(producer->getResult(0).getType()) != write.getCache().getType().getElementType())
    return "what it stores is rounded to another type than the cache";
  if (write.getNorm())
    return "it normalises already, and that comes first";
  auto rope = dyn_cast<RopeOp>(producer);
  if (rope && write.getAngles())
    return "it rotates already";
  if (rope && rope.getHeads() != 1)
    return "a cache row is one head, but several are rotated";
  return {};
}

/// Moves the operands and attributes of `producer` to `write`.
void absorb(CacheWriteOp write, Operation *producer) {
  write.getInputMutable().assign(producer->getOperand(0));
  llvm::TypeSwitch<Operation *>(producer)
      .Case([&](RopeOp rope) {
        write.getAnglesMutable().assign(rope.getAngles());
        write.setRopeOffset(rope.getOffset());
        write.setRopeWidth(rope.getWidth());
      })
      .Case([&](RmsNormOp norm) {
        write.getNormWeightMutable().assign(norm.getWeight());
        write.setNorm(NormKind::Rms);
        write.setEpsAttr(norm.getEpsAttr());
      })
      .Case([&](LayerNormOp norm) {
        write.getNormWeightMutable().assign(norm.getWeight());
        write.getNormBiasMutable().assign(norm.getBias());
        write.setNorm(NormKind::Layer);
        write.setEpsAttr(norm.getEpsAttr());
      });
}

struct Fuse : OpRewritePattern<CacheWriteOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(CacheWriteOp write, PatternRewriter &rewriter) const override {
    Operation *producer = producerOf(write);
    if (!producer)
      return rewriter.notifyMatchFailure(write, "neither a norm nor a rotation makes what it stores");
    if (StringRef reason = obstacle(write, producer); !reason.empty())
      return rewriter.notifyMatchFailure(write, reason);
    rewriter.modifyOpInPlace(write, [&] { absorb(write, producer); });
    rewriter.eraseOp(producer);
    return success();
  }
};

struct FuseCacheWrite : impl::FuseCacheWriteBase<FuseCacheWrite> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<Fuse>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();

    getOperation()->walk([&](CacheWriteOp write) {
      if (Operation *producer = producerOf(write))
        remarkMissed(write, getArgument(), obstacle(write, producer));
    });
  }
};

} // namespace
} // namespace glm
