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
// first is multiplied: memory answers slowly, and a warp asks for all it can hold.
//
// Packed weights in tiles come as they are wanted, ahead of time (TiledProduct.cpp). Those that want their input in NVFP4 too (W4A4) are multiplied
// as codes, with the scales of both sides (ScaledProduct.cpp).
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
  int64_t tilesPerBlock = 1; ///< the input is read once for all of them

  int64_t tiles() const;
  int64_t blocks() const { return tiles() / tilesPerBlock; }
};

class TensorProduct {
public:
  static constexpr int64_t kTileRows = 16; ///< of a weight

  /// Whether rows of `activation` are multiplied with these weights on `target`: bf16 with bf16 or packed, of columns that lanes can share.
  /// `together`: in one product, where their parts have to be alike.
  static bool takes(mlir::Type activation, llvm::ArrayRef<mlir::RankedTensorType> weights, bool together,
                    TargetAttr target);
  /// The same once packed weights lie in tiles.
  static bool takesInTiles(mlir::Type activation, llvm::ArrayRef<mlir::RankedTensorType> weights, bool together,
                           TargetAttr target);
  /// How many of the tiles of weights that are multiplied together, `matrices` at a time with `inputRows` rows, a block should have. `tiles` of each
  /// product of the launch, which there are `times`. No sum depends on it.
  static int64_t tilesPerBlock(bool tiled, int64_t matrices, int64_t inputRows, llvm::ArrayRef<int64_t> tiles,
                               int64_t times = 1);
  /// Warps of a block, from the columns of the weight and the tiles of the launch. At least 4: 128 threads add and store.
  static int64_t warpsFor(mlir::RankedTensorType weight, int64_t tiles);

  /// Rows that are multiplied at once where there are at most `rows`: 8, 16 or 32. Fewer leave registers to more warps; no sum depends on it.
  static int64_t inputRowsFor(int64_t rows);

  /// `matrices`: most weights at once; `inputRows`: of inputRowsFor; `tiled`: whether weights in tiles are among them.
  TensorProduct(KernelBuilder &builder, Warp &warp, int64_t matrices, int64_t inputRows, bool tiled);

  /// store(i, n, sums) for input row i and weight row n, on one thread each; sums are float32, one per weight.
  using Store = llvm::function_ref<void(mlir::Value, mlir::Value, llvm::ArrayRef<mlir::Value>)>;

  /// Multiply the tiles of block number `block` of the product with all rows of the input. Called by the whole block.
  void run(const ProductWeights &weights, mlir::Value block, const ProductInput &input, Store store);

private:
  static constexpr int64_t kStages = 2; ///< tiles that are on their way to a warp

  using Words = llvm::SmallVector<mlir::Value, 8>;

  /// Rows first .. first + 8 * tiles - 1 of the input; those beyond the last repeat it and are not stored.
  void runRows(const ProductWeights &weights, mlir::Value block, const ProductInput &input, mlir::Value first,
               int64_t tiles, Store store);

  //===-- weights as they are stored ---------------------------------------------------------------------------===//

  /// The rows that a lane reads: g and g + 8 of the weights' tile, g of each tile of the input.
  struct Rows {
    mlir::Value low, high;
    llvm::SmallVector<mlir::Value> inputs;
  };
  llvm::SmallVector<mlir::Value> inputRows(const ProductInput &input, mlir::Value first, int64_t tiles);
  Rows rowsOf(const ProductWeights &weights, mlir::Value tile, llvm::ArrayRef<mlir::Value> inputs);
  /// A vector of sums for each matrix and tile of the input, matrices first.
  llvm::SmallVector<mlir::Value> sumChunks(const ProductWeights &weights, const Rows &rows, const ProductInput &input);
  /// A lane's part of one weight row as it is stored; `scale` is that of a packed one.
  struct Stored {
    mlir::Value words, scale;
  };
  /// A lane's part of a chunk: its first k, whether the rows have it, and its part of both weight rows of each matrix.
  struct Part {
    mlir::Value k, valid;
    llvm::SmallVector<Stored, 2> low, high;
  };
  Part loadChunk(const ProductWeights &weights, const Rows &rows, mlir::Value number);
  Stored loadWeight(const WeightMatrix &matrix, mlir::Value row, mlir::Value k);
  /// Its words for the instructions, two k each.
  Words fragments(const WeightMatrix &matrix, const Stored &stored);
  /// Eight codes as four pairs of bf16, (k, k + 4) each, times a pair of scales.
  Words unpack(mlir::Value codes, mlir::Value scales);
  /// Byte `number` of a word of E4M3 as the scales of `unpack`.
  mlir::Value scalePair(mlir::Value word, int64_t number);
  /// The words of an input row in the same order of k; zeros where `valid` is false.
  Words loadInput(const WeightMatrix &matrix, const ProductInput &input, mlir::Value row, mlir::Value k,
                  mlir::Value valid);
  /// 8 neighbours of an input row: 4 words, zeros where `valid` is false; without one there is no doubt.
  Words loadEight(const ProductInput &input, mlir::Value row, mlir::Value k, mlir::Value valid);
  /// Words of neighbours as pairs (k, k + 4), as unpacked weights come.
  Words toPairs(const Words &words);

  //===-- weights in tiles -------------------------------------------------------------------------------------===//

  /// A vector of sums for each tile of the block, matrix and tile of the input, the last running fastest.
  llvm::SmallVector<mlir::Value> sumTiles(const ProductWeights &weights, mlir::Value firstTile,
                                          llvm::ArrayRef<mlir::Value> rows, const ProductInput &input);
  /// A lane's part of a tile: codes of each 64 columns, and two pieces of scales.
  struct TilePart {
    llvm::SmallVector<mlir::Value, 4> codes;
    mlir::Value scales[2];
  };
  /// Its part of 64 columns of an input row: words for the instructions, and the scales of codes (W4A4).
  struct InputPart {
    Words words;
    mlir::Value scales;
  };
  /// The tiles of a warp: in each round `steps` of one chunk, matrices running fastest, then tiles of the block.
  struct Sequence {
    const ProductWeights &weights;
    mlir::Value firstTile;
    int64_t steps;
  };
  mlir::Value chunkOf(mlir::Value round);
  /// The place in the ring of tile number `step` of a round, and its first byte there.
  mlir::Value slotOf(const Sequence &sequence, mlir::Value round, int64_t step);
  mlir::Value slotAt(mlir::Value slot);
  /// Ask for tile number `step` of a round or of those behind it.
  void request(const Sequence &sequence, mlir::Value round, int64_t step);
  void copyTile(const WeightMatrix &matrix, mlir::Value tile, mlir::Value chunk, mlir::Value slot);
  /// Wait for a tile, take it into registers, and ask for the one that comes to its place.
  TilePart takeTile(const Sequence &sequence, mlir::Value round, int64_t step);
  TilePart readTile(mlir::Value slot, bool scaled);
  InputPart inputPart(const WeightMatrix &matrix, const ProductInput &input, mlir::Value row, mlir::Value begin);
  /// sums[i] += 64 columns, number `unit` of the tile, times tile i of the input.
  void multiply(const TilePart &part, int64_t unit, llvm::ArrayRef<InputPart> inputs,
                llvm::MutableArrayRef<mlir::Value> sums);

  //===-- W4A4 (ScaledProduct.cpp) -----------------------------------------------------------------------------===//

  void multiplyScaled(const TilePart &part, int64_t unit, llvm::ArrayRef<InputPart> inputs,
                      llvm::MutableArrayRef<mlir::Value> sums);
  /// Two times 8 neighbours of an input row, from column 8 q and 32 + 8 q of 64 on, as codes, and the scales of all four blocks.
  InputPart quantizedPart(const WeightMatrix &matrix, const Words &low, const Words &high);
  /// 8 neighbours as a word of E2M1, and the E4M3 bits of the scale of the 16 to which they belong.
  struct Quantized {
    mlir::Value codes, scale;
  };
  Quantized quantize(const WeightMatrix &matrix, const Words &words);

  /// Add the sums of all warps for one tile of 8 rows and store them.
  void reduce(const ProductWeights &weights, mlir::Value tile, const ProductInput &input, mlir::Value first,
              llvm::ArrayRef<mlir::Value> sums, Store store);
  mlir::Value at(int64_t matrix, mlir::Value warpNumber, mlir::Value row, mlir::Value n);

  KernelBuilder &builder;
  Warp &warp;
  int64_t mostTiles;   ///< of 8 input rows
  mlir::Value partial; ///< shared [matrices][warps][8 rows][kPartialStride]
  mlir::Value ring;    ///< shared [warps][stages][Nvfp4Tile::kBytes], for weights in tiles
};

} // namespace glm
