#include "passes/model/Passes.h"

#include <fnmatch.h>

using namespace mlir;

namespace glm {
#define GEN_PASS_DEF_APPLYPRECISION
#include "passes/model/Passes.h.inc"

namespace {

//===-- Weights: stored precision is a fact ----------------------------------------------------------------------===//

/// The precision of what the checkpoint stores, as rules spell it.
std::string storedPrecision(RankedTensorType type) {
  if (isPacked(type))
    return "nvfp4";
  std::string name;
  llvm::raw_string_ostream(name) << type.getElementType();
  return name;
}

/// Whether `use` multiplies rows by the weight: rules about weights are for the matrices that a quantizer may pack.
bool isMatrixUse(OpOperand &use) {
  return isa<LinearOp, ProjectionsOp, HeadLinearOp, GatedMlpOp, MoeOp, MlaAttentionOp>(use.getOwner());
}

bool isMatrix(WeightOp weight) {
  return llvm::any_of(weight->getUses(), [](OpOperand &use) {
    return isMatrixUse(use) || (isa<DequantOp>(use.getOwner()) && llvm::any_of(use.getOwner()->getUses(), isMatrixUse));
  });
}

/// The rules about weights, in their order.
FailureOr<SmallVector<RuleAttr>> weightRules(ModuleOp module, ArrayRef<RuleAttr> rules) {
  SmallVector<RuleAttr> result;
  for (RuleAttr rule : rules) {
    if (rule.getSubject() != RuleSubject::Weights)
      continue;
    if (!llvm::is_contained({"nvfp4", "bf16", "f32", "wide", "stored"}, rule.getType()))
      return module.emitError() << "precision: type of rule \"" << rule.getPattern() << "\" (" << rule.getSource()
                                << ") must be nvfp4, bf16, f32, wide or stored, but found " << rule.getType();
    result.push_back(rule);
  }
  return result;
}

/// The module name that patterns are about; of the experts of a layer, which are stored alike, the first.
std::string moduleOf(WeightOp weight) {
  StringRef name = weight.getName();
  name.consume_back(".weight");
  auto [head, tail] = name.split("{}");
  return (head == name ? name : head + "0" + tail).str();
}

/// Refuses a packed weight where the last rule that matches it wants a wide one, and the other way round.
LogicalResult checkWeight(WeightOp weight, ArrayRef<RuleAttr> rules) {
  std::string name = moduleOf(weight);
  for (RuleAttr rule : llvm::reverse(rules)) {
    // Regular expressions (`re:`) are a spelling of checkpoints, which the frontend reads; it has judged this weight.
    if (rule.getPattern().starts_with("re:"))
      return success();
    // ModelOpt's lists are fnmatch patterns, in which a backslash is nothing special.
    if (fnmatch(rule.getPattern().str().c_str(), name.c_str(), FNM_NOESCAPE) != 0)
      continue;
    if (rule.getType() == "stored" || (rule.getType() == "nvfp4") == isPacked(weight.getType()))
      return success();
    return weight.emitError() << weight.getName() << ": precision must be " << rule.getType() << " by rule \""
                              << rule.getPattern() << "\" (" << rule.getSource() << "), but found "
                              << storedPrecision(weight.getType()) << " in the checkpoint";
  }
  return success();
}

//===-- Activations: computed precision is a rule ----------------------------------------------------------------===//

/// The type that the last rule about activations names; f32, as imported, without one.
FailureOr<FloatType> activationType(ModuleOp module, ArrayRef<RuleAttr> rules) {
  FloatType type = Float32Type::get(module.getContext());
  for (RuleAttr rule : rules) {
    if (rule.getSubject() != RuleSubject::Activations)
      continue;
    if (rule.getPattern() != "*")
      return module.emitError() << "precision: pattern of activations must be *, but found " << rule.getPattern();
    if (rule.getType() == "f32")
      type = Float32Type::get(module.getContext());
    else if (rule.getType() == "bf16" ||
             rule.getType() == "nvfp4") // where a packed weight asks for it: its type says so
      type = BFloat16Type::get(module.getContext());
    else
      return module.emitError() << "precision: activations must be bf16, f32 or nvfp4, but found " << rule.getType();
  }
  return type;
}

/// Whether this use of a row reads a number that decides something, leaves the program or goes into the residual stream,
/// so that it stays f32. Every layer adds to the stream: in bf16 its roundings would pile up over all layers.
bool readsExactly(OpOperand &use) {
  if (auto indexer = dyn_cast<IndexerOp>(use.getOwner()))
    return use.getOperandNumber() == indexer.getWeightsMutable().getOperandNumber();
  return isa<RouteOp, func::ReturnOp, arith::AddFOp>(use.getOwner());
}

/// Whether `value` holds rows of activations that a rule may narrow.
bool isActivation(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  if (!tensor || !tensor.getElementType().isF32() || llvm::any_of(value.getUses(), readsExactly))
    return false;
  // Not rows: weights. Of one precision by definition: angles, the weights that glm.route returns, the residual stream.
  return !isa_and_nonnull<WeightOp, DequantOp, RopeAnglesOp, RouteOp, arith::AddFOp>(value.getDefiningOp());
}

void retype(Value value, FloatType type) {
  if (auto cache = dyn_cast<CacheType>(value.getType())) {
    if (cache.getElementType().isF32())
      value.setType(CacheType::get(type.getContext(), cache.getWidth(), type));
  } else if (isActivation(value)) {
    value.setType(cast<RankedTensorType>(value.getType()).clone(type));
  }
}

void retype(func::FuncOp function, FloatType type) {
  function.walk([&](Operation *op) {
    for (Value result : op->getResults())
      retype(result, type);
  });
  for (Value argument : function.getArguments())
    retype(argument, type);
  auto inputs = llvm::to_vector(TypeRange(ValueRange(function.getArguments())));
  function.setType(FunctionType::get(function.getContext(), inputs, function.getResultTypes()));
}

struct ApplyPrecision : impl::ApplyPrecisionBase<ApplyPrecision> {
  void runOnOperation() override {
    SmallVector<RuleAttr> rules;
    if (auto list = getOperation()->getAttrOfType<ArrayAttr>(kPrecisionAttr))
      llvm::append_range(rules, list.getAsRange<RuleAttr>());
    auto type = activationType(getOperation(), rules);
    auto aboutWeights = weightRules(getOperation(), rules);
    if (failed(type) || failed(aboutWeights))
      return signalPassFailure();

    getOperation()->walk([&](WeightOp weight) {
      if (isMatrix(weight) && failed(checkWeight(weight, *aboutWeights)))
        signalPassFailure();
    });
    if (!type->isF32())
      for (auto function : getOperation().getOps<func::FuncOp>())
        retype(function, *type);
  }
};

} // namespace
} // namespace glm
