#include "dialect/Checks.h"

using namespace mlir;
using namespace glm;

namespace {

/// What vector loads and the runtime's arena agree on.
constexpr int64_t kBufferAlignment = 64;

template <typename OpT>
bool isSymbolOf(Operation *user, FlatSymbolRefAttr symbol, SymbolTableCollection &symbols) {
  return symbols.lookupNearestSymbolFrom<OpT>(user, symbol) != nullptr;
}

} // namespace

LogicalResult PlanWeightOp::verify() {
  Checks check(*this);
  Form form = getForm();
  auto isForm = [&](Form other) { return form == other; };
  bool isPattern = getCheckpointName().contains("{}");
  return success(
      check.holds(llvm::is_contained({"BF16", "F16", "F32", "U8", "F8_E4M3"}, getDtype()), "dtype",
                  "BF16, F16, F32, U8 or F8_E4M3", getDtype()) &&
      check.positive("count", getCount()) && (isPattern || check.equal("count", getCount(), 1, "a name without {}")) &&
      (isForm(Form::Scalars) || check.comesWith("{} in the name", isPattern, "form table", isForm(Form::Table))) &&
      (isForm(Form::Scalars) || check.positive("rank", getShape().size())) &&
      (!isForm(Form::Scalars) || check.equal("rank", getShape().size(), 0, "scalars")) &&
      llvm::all_of(getShape(), [&](int64_t size) { return check.positive("size", size); }) &&
      (!getReciprocal() || check.comesWith("reciprocal", true, "form scalars", isForm(Form::Scalars))) &&
      (!getFilled() || check.holds(!isForm(Form::Scalars), "form of what is filled", "data or table", "scalars")));
}

LogicalResult PlanBufferOp::verify() {
  Checks check(*this);
  return success(check.notNegative("offset", getOffset()) &&
                 check.multiple("offset", getOffset(), kBufferAlignment, "alignment") &&
                 (getSpace() != Space::Cache || check.equal("offset", getOffset(), 0, "memory of its own")) &&
                 check.positive("bytes", getBytes()));
}

static bool checkLaunches(Checks check, Region &body) {
  return llvm::all_of(body.front(), [&](Operation &op) {
    return check.holds(isa<PlanLaunchOp>(op), "body", "launches", op.getName().getStringRef());
  });
}

LogicalResult PlanProgramOp::verify() {
  Checks check(*this);
  return success(check.positive("rows", getRows()) && checkLaunches(check, getBody()));
}

LogicalResult PlanLoadOp::verify() { return success(checkLaunches(Checks(*this), getBody())); }

LogicalResult PlanLaunchOp::verify() {
  Checks check(*this);
  bool isTapped = getTap().has_value();
  return success(check.comesWith("tapped", getTapped().has_value(), "tap", isTapped) &&
                 check.comesWith("tap_type", getTapType().has_value(), "tap", isTapped) &&
                 check.comesWith("tap_width", getTapWidth().has_value(), "tap", isTapped) &&
                 (!getBlocks() || check.positive("blocks", *getBlocks())) &&
                 (!isTapped || (check.holds(llvm::is_contained({"I32", "F32", "BF16"}, *getTapType()), "tap_type",
                                            "I32, F32 or BF16", *getTapType()) &&
                                check.positive("tap_width", *getTapWidth()) &&
                                check.holds(llvm::is_contained(getArguments(), getTappedAttr()), "tapped",
                                            "an argument", "@" + *getTapped()))));
}

LogicalResult PlanLaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Checks check(*this);
  auto isArgument = [&](FlatSymbolRefAttr symbol) {
    return check.holds(isSymbolOf<PlanBufferOp>(*this, symbol, symbols) ||
                           isSymbolOf<PlanWeightOp>(*this, symbol, symbols),
                       "argument", "a glm.plan.buffer or glm.plan.weight", "@" + symbol.getValue());
  };
  return success(check.holds(isSymbolOf<ModuleOp>(*this, getKernelAttr(), symbols), "kernel",
                             "a module beside the program", "@" + getKernel()) &&
                 llvm::all_of(getArguments().getAsRange<FlatSymbolRefAttr>(), isArgument) &&
                 (!getTappedAttr() || check.holds(isSymbolOf<PlanBufferOp>(*this, getTappedAttr(), symbols), "tapped",
                                                  "a glm.plan.buffer", "@" + *getTapped())));
}

#define GET_OP_CLASSES
#include "dialect/GlmOps.cpp.inc"
