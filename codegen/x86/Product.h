// A product of tiles of rows with weights: what gemm, head_gemm and the two halves of the experts have in common.
#pragma once

#include "codegen/x86/Dot.h"

#include "llvm/ADT/StringMap.h"

namespace glm {

/// Where the rows of a product come from and go to.
struct ProductRows {
  mlir::Value first, last; ///< the range of row numbers, index
  mlir::Value source;      ///< the memref of activations
  mlir::Value column;      ///< first column of a row that takes part
  /// Row of `source` for a row number.
  std::function<mlir::Value(mlir::Value)> sourceRow;
};

/// Rows of weights that are multiplied in one pass.
struct ProductWeights {
  llvm::SmallVector<WeightMatrix> matrices; ///< of the same shape; their sums arrive together
  mlir::Value begin, end;                   ///< this thread's rows of each
};

/// Receives the sums of weight row n and row number `row`, one per matrix.
using ProductStore = llvm::function_ref<void(mlir::Value row, mlir::Value n, llvm::ArrayRef<mlir::Value> sums)>;

/// Runs products in one kernel; owns the scratch of prepared rows.
class Product {
public:
  /// To be made at the start of the function: allocates scratch for each kind of engine that `weights` need.
  Product(KernelBuilder &builder, llvm::ArrayRef<mlir::Type> weights, mlir::Type activation, int64_t width,
          TargetAttr target);

  /// For each tile of up to dotRows(target) rows: prepare them, then stream this thread's weight rows through them.
  void run(const ProductRows &rows, const ProductWeights &weights, ProductStore store);

private:
  struct Way {
    std::unique_ptr<DotEngine> engine;
    mlir::Value scratch;
  };

  Way &wayOf(mlir::Type weight);
  void storeRow(const ProductRows &rows, ProductStore store, mlir::Value first, mlir::ArrayRef<mlir::Value> numbers,
                mlir::Value n, llvm::ArrayRef<llvm::SmallVector<mlir::Value>> sums);
  void runTile(const ProductRows &rows, const ProductWeights &weights, ProductStore store, mlir::Value first,
               int64_t count);

  KernelBuilder &builder;
  mlir::Type activation;
  int64_t width;
  TargetAttr target;
  llvm::StringMap<Way> ways; ///< by kind of engine
};

} // namespace glm
