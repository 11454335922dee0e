#include "passes/model/Passes.h"
#include "passes/model/Remarks.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace glm {
#define GEN_PASS_DEF_FUSEPROJECTIONS
#include "passes/model/Passes.h.inc"

namespace {

/// The type in which the checkpoint holds a weight, behind the dequant if there is one.
RankedTensorType storedType(Value weight) {
  if (auto dequant = weight.getDefiningOp<DequantOp>())
    weight = dequant.getInput();
  return cast<RankedTensorType>(weight.getType());
}

/// What linears of one op have in common: their rows, and how their weights are stored.
using Group = std::tuple<Value, Type, Attribute>;

Group groupOf(LinearOp linear) {
  RankedTensorType stored = storedType(linear.getWeight());
  return {linear.getInput(), stored.getElementType(), stored.getEncoding()};
}

/// The ops that a weight consists of, last first; empty if it is made in another way and cannot be moved up.
SmallVector<Operation *, 2> weightOps(Value weight) {
  SmallVector<Operation *, 2> ops;
  if (auto dequant = weight.getDefiningOp<DequantOp>()) {
    ops.push_back(dequant);
    weight = dequant.getInput();
  }
  if (auto named = weight.getDefiningOp<WeightOp>())
    ops.push_back(named);
  else
    ops.clear();
  return ops;
}

/// Replaces `linears` (in the order of the program) by one glm.projections where the first of them stands.
void fuse(ArrayRef<LinearOp> linears, IRRewriter &rewriter) {
  LinearOp first = linears.front();
  SmallVector<Value> weights;
  SmallVector<Type> types;
  SmallVector<Location> locations;
  for (LinearOp linear : linears) {
    // A weight has no operands: it can come along.
    SmallVector<Operation *, 2> ops = weightOps(linear.getWeight());
    for (Operation *op : llvm::reverse(ops))
      if (!op->isBeforeInBlock(first))
        rewriter.moveOpBefore(op, first);
    weights.push_back(linear.getWeight());
    types.push_back(linear.getType());
    locations.push_back(linear.getLoc());
  }
  rewriter.setInsertionPoint(first);
  auto fused = ProjectionsOp::create(rewriter, rewriter.getFusedLoc(locations), types, first.getInput(), weights);
  for (auto [linear, result] : llvm::zip_equal(linears, fused.getOutputs()))
    rewriter.replaceOp(linear, result);
}

/// Why `linear` stays alone; empty if nothing else multiplies its rows.
std::string obstacle(LinearOp linear) {
  bool hasSibling = llvm::any_of(linear.getInput().getUsers(),
                                 [&](Operation *user) { return user != linear && isa<LinearOp, ProjectionsOp>(user); });
  if (!hasSibling)
    return {};
  if (weightOps(linear.getWeight()).empty())
    return "its weight is not a glm.weight, so it may not be there where the first product is made";
  std::string reason = "no other weight of these rows is stored as ";
  llvm::raw_string_ostream stream(reason);
  RankedTensorType stored = storedType(linear.getWeight());
  stream << stored.getElementType();
  if (stored.getEncoding())
    stream << " " << stored.getEncoding();
  return reason;
}

struct FuseProjections : impl::FuseProjectionsBase<FuseProjections> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      llvm::MapVector<Group, SmallVector<LinearOp>> groups;
      for (auto linear : function.getOps<LinearOp>())
        if (!weightOps(linear.getWeight()).empty())
          groups[groupOf(linear)].push_back(linear);
      for (auto &[group, linears] : groups)
        if (linears.size() > 1)
          fuse(linears, rewriter);
      function.walk([&](LinearOp linear) {
        if (std::string reason = obstacle(linear); !reason.empty())
          remarkMissed(linear, getArgument(), reason);
      });
    }
  }
};

} // namespace
} // namespace glm
