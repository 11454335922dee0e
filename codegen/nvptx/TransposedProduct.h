// Products with the columns of a weight on tensor cores: output[row, c] = sum_k input[row, k] * weight[k, c].
//
// A block has 128 columns; its warps share k. Memory has neighbouring columns side by side, an instruction wants neighbouring k: a lane
// reads 8 columns of 4 weight rows at once and pairs them in registers, which are the fragments of 8 instructions.
//
//          columns ->   8 g .. 8 g + 7            64 + 8 g .. 64 + 8 g + 7
//     k   2q, 2q + 1   [ j = 0 | 1 | ... | 7 ]   [ j = 0 | 1 | ... | 7 ]      instruction j: columns 8 g + j and 64 + 8 g + j
//     2q + 8, 2q + 9   [                     ]   [                     ]
#pragma once

#include "codegen/nvptx/Warp.h"

namespace glm {

class TransposedProduct {
public:
  static constexpr int64_t kTileRows = 8; ///< of activations
  static constexpr int64_t kTileColumns = 128;
  static constexpr int64_t kWarps = 4;

  /// Whether rows of `activation` are multiplied with this bf16 weight here: `terms` of its rows each time.
  static bool takes(mlir::Type activation, mlir::RankedTensorType weight, int64_t terms);

  TransposedProduct(KernelBuilder &builder, Warp &warp);

  struct Operands {
    WeightMatrix weight;
    mlir::Value firstRow; ///< of the weight
    int64_t terms = 0;    ///< weight rows that take part
    mlir::Value input;    ///< memref<? x width x bf16>
    mlir::Value column;   ///< of the input, where the terms start
  };
  /// store(row, column, sum) on one thread each, float32.
  using Store = llvm::function_ref<void(mlir::Value, mlir::Value, mlir::Value)>;

  /// Columns tile * 128 .. tile * 128 + 127 of all live rows. Called by the whole block.
  void run(const Operands &operands, mlir::Value tile, Store store);

private:
  /// Sums of 8 rows, from `first` on: a vector for each instruction.
  llvm::SmallVector<mlir::Value> sumTerms(const Operands &operands, mlir::Value tile, mlir::Value first);
  /// The left factors of 8 instructions from weight rows k .. k + 15 of the operands.
  llvm::SmallVector<llvm::SmallVector<mlir::Value, 4>> loadWeight(const Operands &operands, mlir::Value tile,
                                                                  mlir::Value k);
  mlir::Value loadInput(const Operands &operands, mlir::Value row, mlir::Value k);
  void reduce(mlir::Value tile, mlir::Value first, int64_t columns, llvm::ArrayRef<mlir::Value> sums, Store store);

  KernelBuilder &builder;
  Warp &warp;
  mlir::Value partial; ///< shared [kWarps][8 rows][kPartialStride]
};

} // namespace glm
