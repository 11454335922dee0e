// Products of weights and rows of bf16 activations on tensor cores, packed weights unpacked in registers.
//
// A block has 16 rows of one or two weights; its warps share K, and their sums are added in their order, so that a row's result follows
// from the weight alone. Weights are the left factor: 8 rows of activations fill an instruction.
//
//                K ->    chunk 0            chunk 1           warp w has chunks w, w + warps, ...
//     weight 16 [ q0 | q1 | q2 | q3 ][ q0 | q1 | ...          lane (g, q): rows g and g + 8, one access for its part of a chunk
//     input   8 [ q0 | q1 | q2 | q3 ][ q0 | q1 | ...          lane (g, q): row g
//
// A sum does not care which k is which: the k of a lane's part are those of its fragments, in the order of memory, so that nothing goes
// through shared memory on the way. A part is 8 bf16 or 16 codes of a packed weight, which have one scale. Several chunks are loaded before the
// first is multiplied: memory answers slowly, and a warp asks for all it can hold. Of long packed rows a lane has eight parts of a chunk, so
// that scales are read by the word (WideChunk.cpp).
//
// Packed weights that want their input in NVFP4 too (W4A4): codes are multiplied as they are, with the scales of both sides
// (ScaledProduct.cpp).
#pragma once

#include "codegen/nvptx/Warp.h"

#include <functional>

namespace glm {

/// Rows of activations: `count` of them, row i being row `rowOf(i)` of `input`, from `column` on.
struct ProductInput {
  mlir::Value input; ///< memref<? x width x bf16>
  mlir::Value column;
  mlir::Value count;
  std::function<mlir::Value(mlir::Value)> rowOf;
};

/// `count` rows of weights of one shape, from `firstRow` on: each is multiplied with the same input.
struct ProductWeights {
  llvm::SmallVector<WeightMatrix, 2> matrices;
  mlir::Value firstRow;
  int64_t count = 0;

  int64_t tiles() const;
};

class TensorProduct {
public:
  static constexpr int64_t kTileRows = 16; ///< of a weight

  /// Whether rows of `activation` are multiplied with these weights on `target`: bf16 with bf16 or packed, of columns that lanes can share.
  /// `together`: in one product, where their parts have to be alike.
  static bool takes(mlir::Type activation, llvm::ArrayRef<mlir::RankedTensorType> weights, bool together,
                    TargetAttr target);
  /// Warps of a block, from the columns of the weight and the tiles of the launch. At least 4: 128 threads add and store.
  static int64_t warpsFor(mlir::RankedTensorType weight, int64_t tiles);

  /// Rows that are multiplied at once where there are at most `rows`: 8, 16 or 32. Fewer leave registers to more warps; no sum depends on it.
  static int64_t inputRowsFor(int64_t rows);

  /// `matrices`: most weights at once; `inputRows`: of inputRowsFor.
  TensorProduct(KernelBuilder &builder, Warp &warp, int64_t matrices, int64_t inputRows);

  /// store(i, n, sums) for input row i and weight row n, on one thread each; sums are float32, one per weight.
  using Store = llvm::function_ref<void(mlir::Value, mlir::Value, llvm::ArrayRef<mlir::Value>)>;

  /// Multiply 16 rows of the weights, from `tile * 16` on, with all rows of the input. Called by the whole block.
  void run(const ProductWeights &weights, mlir::Value tile, const ProductInput &input, Store store);

private:
  using Words = llvm::SmallVector<mlir::Value, 8>;

  /// Rows first .. first + 8 * tiles - 1 of the input; those beyond the last repeat it and are not stored.
  void runRows(const ProductWeights &weights, mlir::Value tile, const ProductInput &input, mlir::Value first,
               int64_t tiles, Store store);
  /// The rows that a lane reads: g and g + 8 of the weights' tile, g of each tile of the input.
  struct Rows {
    mlir::Value low, high;
    llvm::SmallVector<mlir::Value> inputs;
  };
  Rows rowsOf(const ProductWeights &weights, mlir::Value tile, const ProductInput &input, mlir::Value first,
              int64_t tiles);
  /// A vector of sums for each matrix and tile, matrices first.
  llvm::SmallVector<mlir::Value> sumChunks(const ProductWeights &weights, const Rows &rows, const ProductInput &input);
  llvm::SmallVector<mlir::Value> sumScaledChunks(const ProductWeights &weights, const Rows &rows,
                                                 const ProductInput &input);
  /// A lane's part of one weight row as it is stored; `scale` is that of a packed one.
  struct Stored {
    mlir::Value words, scale;
  };
  /// A lane's part of a chunk: its first k, whether the rows have it, and its part of both weight rows of each matrix.
  struct Part {
    mlir::Value k, valid;
    llvm::SmallVector<Stored, 2> low, high;
  };
  llvm::SmallVector<Part> loadChunk(const ProductWeights &weights, const Rows &rows, mlir::Value number);
  llvm::SmallVector<Part> loadWideChunk(const ProductWeights &weights, const Rows &rows, mlir::Value number);
  Stored loadWeight(const WeightMatrix &matrix, mlir::Value row, mlir::Value k);
  /// The scales of a lane's parts of one row of a wide chunk, from the words that each lane of the quad has loaded.
  Words exchangeScales(mlir::Value scales);
  /// Its words for the instructions, two k each.
  Words fragments(const WeightMatrix &matrix, const Stored &stored);
  /// 8 neighbours of an input row from `k` on as a word of E2M1, and the E4M3 bits of the scale of the 16 to which they belong, for a matrix.
  struct Quantized {
    mlir::Value codes, scale;
  };
  Quantized quantize(const WeightMatrix &matrix, mlir::Value words, mlir::Value valid);
  /// Four E4M3 scales of a weight row, from block number `block` on.
  mlir::Value loadScales(const WeightMatrix &matrix, mlir::Value row, mlir::Value block);
  /// The words of an input row in the same order of k; zeros where `valid` is false.
  Words loadInput(const WeightMatrix &matrix, const ProductInput &input, mlir::Value row, mlir::Value k,
                  mlir::Value valid);
  /// Add the sums of all warps for one tile of 8 rows and store them.
  void reduce(const ProductWeights &weights, mlir::Value tile, const ProductInput &input, mlir::Value first,
              llvm::ArrayRef<mlir::Value> sums, Store store);
  mlir::Value at(int64_t matrix, mlir::Value warpNumber, mlir::Value row, mlir::Value n);

  KernelBuilder &builder;
  Warp &warp;
  int64_t mostTiles;   ///< of 8 input rows
  mlir::Value partial; ///< shared [matrices][warps][8 rows][kPartialStride]
};

} // namespace glm
