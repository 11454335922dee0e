// One step, from tensors to buffers: the table that says which kernels compute a model op.
#pragma once

#include "passes/kernel/Passes.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/DenseSet.h"

namespace glm {

/// Turns one function. Static shapes and one block are expected; what is found instead is an error at the op.
class StepFormer {
public:
  /// `symbols` are those of the module: caches are shared by its steps.
  StepFormer(mlir::func::FuncOp step, LimitsAttr limits, mlir::SymbolTable &symbols);

  /// Puts a function on buffers in the place of the step.
  mlir::LogicalResult form();

private:
  mlir::LogicalResult checkStep();
  void createFunction();
  mlir::LogicalResult formOp(mlir::Operation *op);

  /// Every cache operand is its cache as last written.
  mlir::LogicalResult checkCaches(mlir::Operation *op);
  /// Every operand has rows of the step, or every one rows of the output; the op's results then have the same.
  mlir::LogicalResult checkRows(mlir::Operation *op);

  void lower(WeightOp op);
  mlir::LogicalResult lower(CacheOp op);
  void lower(EmbedOp op);
  void lower(RopeAnglesOp op);
  void lower(RmsNormOp op);
  void lower(LayerNormOp op);
  void lower(AddRmsNormOp op);
  void lower(mlir::arith::AddFOp op);
  void lower(LinearOp op);
  void lower(ProjectionsOp op);
  void lower(HeadLinearOp op);
  void lower(RopeOp op);
  void lower(CacheWriteOp op);
  void lower(IndexerOp op);
  void lower(LatentAttentionOp op);
  void lower(RouteOp op);
  void lower(MoeOp op);
  void lower(GatedMlpOp op);
  void lower(SelectRowsOp op);

  /// The buffer or weight that holds a value; none for an absent operand.
  mlir::Value at(mlir::Value value) const { return buffers.lookup(value); }
  /// A new buffer for a result: the step's output argument if the step returns it.
  mlir::Value allocate(mlir::Value result);
  mlir::Value allocate(llvm::ArrayRef<int64_t> shape, mlir::Type element);
  /// The buffer of `input` for `result` where `op` is the last to read it, else a new one.
  mlir::Value reuse(mlir::Value input, mlir::Value result, mlir::Operation *op);

  /// Entries of a route by expert.
  struct Groups {
    mlir::Value offsets; ///< [experts + 1]
    mlir::Value entries; ///< [rows * top_k]
  };
  /// Grouped for the first layer of experts that asks, shared by all that use the same route.
  Groups group(MoeOp op);

  /// The next launch of the op at hand.
  template <typename Kernel, typename... Arguments>
  void launch(Arguments &&...arguments) {
    lastLaunch = Kernel::create(builder, std::forward<Arguments>(arguments)...);
    if (onOutputRows)
      lastLaunch->setAttr(kOutputRowsAttr, builder.getUnitAttr());
  }

  /// A cache as some op left it: `version` counts the writes before.
  struct CacheState {
    mlir::StringAttr name;
    int64_t version;
  };

  mlir::func::FuncOp step;
  mlir::func::FuncOp kernels;
  LimitsAttr limits;
  mlir::SymbolTable &symbols;
  mlir::ImplicitLocOpBuilder builder;

  mlir::Value returned; ///< the step's result
  mlir::DenseMap<mlir::Value, mlir::Value> buffers;
  mlir::DenseMap<mlir::Value, CacheState> cacheStates;
  mlir::DenseMap<mlir::StringAttr, int64_t> writes;               ///< of each cache, so far
  mlir::DenseMap<std::pair<mlir::Value, int64_t>, Groups> groups; ///< by the chosen experts and how many there are
  llvm::DenseSet<mlir::Value> outputRows;                         ///< values whose rows are those of the output
  bool onOutputRows = false;                                      ///< the op at hand computes such rows
  mlir::Operation *lastLaunch = nullptr;
};

} // namespace glm
