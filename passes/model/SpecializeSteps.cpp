#include "passes/model/Passes.h"

#include "mlir/IR/SymbolTable.h"

using namespace mlir;

namespace glm {
#define GEN_PASS_DEF_SPECIALIZESTEPS
#include "passes/model/Passes.h.inc"

namespace {

/// `type` with `rows` for each dynamic dimension: in a step, nothing but the number of rows is dynamic.
Type withRows(Type type, int64_t rows) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || tensor.hasStaticShape())
    return type;
  SmallVector<int64_t> shape(tensor.getShape());
  llvm::replace(shape, ShapedType::kDynamic, rows);
  return tensor.clone(shape);
}

void specialize(func::FuncOp function, int64_t rows) {
  function.walk([&](Operation *op) {
    for (Value result : op->getResults())
      result.setType(withRows(result.getType(), rows));
  });
  SmallVector<Type> inputs, results;
  for (Value argument : function.getArguments()) {
    argument.setType(withRows(argument.getType(), rows));
    inputs.push_back(argument.getType());
  }
  for (Type type : function.getResultTypes())
    results.push_back(withRows(type, rows));
  function.setType(FunctionType::get(function.getContext(), inputs, results));
}

struct SpecializeSteps : impl::SpecializeStepsBase<SpecializeSteps> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto step = module.lookupSymbol<func::FuncOp>("step");
    if (!step)
      return;
    auto limits = module->getAttrOfType<LimitsAttr>(kLimitsAttr);
    if (!limits) {
      module.emitError() << "module: " << kLimitsAttr << " must say how many rows a step has, but found none";
      return signalPassFailure();
    }

    OpBuilder builder(step);
    for (int64_t rows : limits.getRows()) {
      std::string name = ("step_r" + Twine(rows)).str();
      if (Operation *taken = module.lookupSymbol(name)) {
        taken->emitError() << name << ": the name must be free for the step of " << rows
                           << " rows, but found another function";
        return signalPassFailure();
      }
      auto clone = cast<func::FuncOp>(builder.clone(*step));
      clone.setName(name);
      specialize(clone, rows);
    }
    step.erase();
  }
};

} // namespace
} // namespace glm
