#include "codegen/nvptx/TensorProduct.h"

#include "codegen/nvptx/WideChunk.h"
#include "codegen/target/Target.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kQuads = WideChunk::kQuads;
constexpr int64_t kTileInputs = 8; ///< rows of activations of an instruction
constexpr int64_t kMostTiles = 4;  ///< instructions that one load of a weight feeds
constexpr int64_t kInFlight = 4;   ///< chunks, times matrices and tiles, whose weights a lane holds at once
constexpr int64_t kFewTiles = 256; ///< two blocks for each SM of the chips that have the fewest
/// Floats from one row of partial sums to the next: lanes write rows 2q and 2q + 1 and threads read rows r and r + 4, without a bank
/// that is asked for twice.
constexpr int64_t kPartialStride = 20;
constexpr int64_t kPartialSize = kTileInputs * kPartialStride;

/// k of one lane's part of a chunk: 16 bytes of bf16, or one block of a packed weight.
int64_t partSize(bool packed) { return packed ? 16 : 8; }

bool isWide(int64_t columns, bool packed) { return packed && WideChunk::fits(columns); }

int64_t chunksOf(int64_t columns, bool packed) {
  return llvm::divideCeil(columns, isWide(columns, packed) ? WideChunk::kColumns : kQuads * partSize(packed));
}

} // namespace

int64_t ProductWeights::tiles() const { return llvm::divideCeil(count, TensorProduct::kTileRows); }

bool TensorProduct::takes(Type activation, ArrayRef<RankedTensorType> weights, bool together, TargetAttr target) {
  return activation.isBF16() && llvm::all_of(weights, [&](RankedTensorType weight) {
           auto packed = dyn_cast_or_null<Nvfp4Attr>(weight.getEncoding());
           int64_t part = partSize(bool(packed));
           bool typeFits = packed ? packed.getBlock() == part : weight.getElementType().isBF16();
           bool scalesFit = !quantizesInputs(weight) || hasBlockScaledMma(target);
           bool alike = !together || weight.getEncoding() == weights.front().getEncoding();
           return typeFits && scalesFit && alike && weight.getShape().back() % part == 0;
         });
}

int64_t TensorProduct::warpsFor(RankedTensorType weight, int64_t tiles) {
  // A warp wants several chunks of its own, or the sums of warps cost more than the products. Few tiles leave SMs to one block, which has to
  // ask for as much as two; unpacking needs too many registers for it.
  int64_t columns = weight.getShape().back();
  if (isWide(columns, isPacked(weight)) && !quantizesInputs(weight))
    return 4; // A chunk is four; registers leave no room for more of them.
  int64_t chunks = llvm::divideCeil(columns, kQuads * partSize(isPacked(weight)));
  if (tiles < kFewTiles && chunks >= 64 && !isPacked(weight))
    return 16;
  return chunks >= 32 ? 8 : 4;
}

int64_t TensorProduct::inputRowsFor(int64_t rows) {
  int64_t tiles = 1;
  while (tiles < kMostTiles && tiles * kTileInputs < rows)
    tiles *= 2;
  return tiles * kTileInputs;
}

TensorProduct::TensorProduct(KernelBuilder &builder, Warp &warp, int64_t matrices, int64_t inputRows)
    : builder(builder), warp(warp), mostTiles(inputRows / kTileInputs),
      partial(warp.shared(matrices * warp.warps() * kPartialSize, builder.getF32Type())) {}

void TensorProduct::run(const ProductWeights &weights, Value tile, const ProductInput &input, Store store) {
  builder.loop(builder.index(0), input.count, mostTiles * kTileInputs, [&](Value first) {
    Value left = builder.min(builder.sub(input.count, first), builder.index(mostTiles * kTileInputs));
    // Tokens come one or a few at a time, or as a prompt: a loop for 1, 2 and 4 tiles, with the same sums.
    for (int64_t tiles = 1; tiles <= mostTiles; tiles *= 2) {
      Value fits = builder.less(left, builder.index(tiles * kTileInputs + 1));
      Value fewerDoNot = builder.less(builder.index(tiles / 2 * kTileInputs), left);
      builder.when(builder.both(fits, fewerDoNot), [&] { runRows(weights, tile, input, first, tiles, store); });
    }
  });
}

void TensorProduct::runRows(const ProductWeights &weights, Value tile, const ProductInput &input, Value first,
                            int64_t tiles, Store store) {
  Rows rows = rowsOf(weights, tile, input, first, tiles);
  SmallVector<Value> sums =
      weights.matrices.front().inputScale ? sumScaledChunks(weights, rows, input) : sumChunks(weights, rows, input);
  for (int64_t i = 0; i < tiles; ++i) {
    Value begin = builder.add(first, builder.index(i * kTileInputs));
    builder.when(builder.less(begin, input.count), [&] {
      SmallVector<Value, 2> own;
      for (size_t matrix = 0; matrix < weights.matrices.size(); ++matrix)
        own.push_back(sums[matrix * tiles + i]);
      reduce(weights, tile, input, begin, own, store);
    });
  }
}

TensorProduct::Rows TensorProduct::rowsOf(const ProductWeights &weights, Value tile, const ProductInput &input,
                                          Value first, int64_t tiles) {
  Value lastRow = builder.index(weights.count - 1), lastInput = builder.sub(input.count, builder.index(1));
  auto weightRow = [&](int64_t offset) {
    Value n =
        builder.add(builder.mul(tile, builder.index(kTileRows)), builder.add(warp.group(), builder.index(offset)));
    return builder.add(weights.firstRow, builder.min(n, lastRow));
  };
  Rows rows{weightRow(0), weightRow(8), {}};
  for (int64_t i = 0; i < tiles; ++i) {
    Value number = builder.add(first, builder.add(warp.group(), builder.index(i * kTileInputs)));
    rows.inputs.push_back(input.rowOf(builder.min(number, lastInput)));
  }
  return rows;
}

SmallVector<Value> TensorProduct::sumChunks(const ProductWeights &weights, const Rows &rows,
                                            const ProductInput &input) {
  const WeightMatrix &shape = weights.matrices.front();
  size_t tiles = rows.inputs.size(), matrices = weights.matrices.size();
  bool wide = isWide(shape.columns, shape.isPacked());
  int64_t together = wide ? 1 : std::max<int64_t>(1, kInFlight / static_cast<int64_t>(tiles * matrices));
  SmallVector<Value> initial(matrices * tiles, builder.splat(builder.f32(0.0f), 4));
  Value chunks = builder.index(chunksOf(shape.columns, shape.isPacked()));
  return builder.fold(warp.warp(), chunks, warp.warps() * together, initial, [&](Value first, ValueRange carried) {
    SmallVector<Value> sums(carried);
    SmallVector<Part> parts;
    for (int64_t i = 0; i < together; ++i) {
      Value number = builder.add(first, builder.index(i * warp.warps()));
      parts.append(wide ? loadWideChunk(weights, rows, number) : loadChunk(weights, rows, number));
    }
    for (const Part &part : parts) {
      // The input is near: all blocks read the same.
      SmallVector<Words> x;
      for (Value row : rows.inputs)
        x.push_back(loadInput(shape, input, row, part.k, part.valid));
      for (auto [matrix, weight] : llvm::enumerate(weights.matrices)) {
        Words top = fragments(weight, part.low[matrix]), bottom = fragments(weight, part.high[matrix]);
        for (size_t step = 0; step < top.size(); step += 2)
          for (size_t i = 0; i < tiles; ++i) {
            Value &sum = sums[matrix * tiles + i];
            sum =
                warp.mma({top[step], bottom[step], top[step + 1], bottom[step + 1]}, {x[i][step], x[i][step + 1]}, sum);
          }
      }
    }
    return sums;
  });
}

SmallVector<TensorProduct::Part> TensorProduct::loadChunk(const ProductWeights &weights, const Rows &rows,
                                                          Value number) {
  const WeightMatrix &shape = weights.matrices.front();
  int64_t size = partSize(shape.isPacked());
  Value k = builder.mul(builder.add(builder.mul(number, builder.index(kQuads)), warp.quad()), builder.index(size));
  // Lanes beyond the last column read it again, times zero: a weight that is no number spoils the row anyway.
  Part part{builder.min(k, builder.index(shape.columns - size)), builder.less(k, builder.index(shape.columns)), {}, {}};
  for (const WeightMatrix &weight : weights.matrices) {
    part.low.push_back(loadWeight(weight, rows.low, part.k));
    part.high.push_back(loadWeight(weight, rows.high, part.k));
  }
  return {part};
}

TensorProduct::Stored TensorProduct::loadWeight(const WeightMatrix &matrix, Value row, Value k) {
  if (!matrix.isPacked())
    return {warp.loadWords(matrix.data, {row, k}, partSize(false)), {}};
  return {warp.loadWords(matrix.data, {row, builder.div(k, builder.index(2))}, partSize(true) / 2),
          builder.load(matrix.scales, {row, builder.div(k, builder.index(matrix.block))})};
}

// A code moved to the top of a 16-bit lane is sign, exponent and mantissa; with the last two where a bf16 has its lowest they are the
// value times 2^-126, also for 0.5. The scale comes times 2^118, the largest power with which it is finite: products are exact, times 2^-8.
TensorProduct::Words TensorProduct::fragments(const WeightMatrix &matrix, const Stored &stored) {
  if (!matrix.isPacked()) {
    Words words;
    for (int64_t i = 0; i < partSize(false) / 2; ++i)
      words.push_back(warp.word(stored.words, i));
    return words;
  }
  Value scale = builder.decodeE4m3(stored.scale);
  Value bits = arith::BitcastOp::create(builder, builder.getI32Type(), builder.mul(scale, builder.f32(0x1p118f)));
  Value both = warp.orBits(warp.bits(bits, warp.constant(0xffff0000)), warp.shiftRight(bits, 16));
  Words words;
  for (int64_t half = 0; half < 2; ++half)
    for (int64_t i = 0; i < 4; ++i) {
      // Codes i and i + 4 of 8 become a pair with one shift.
      Value codes = warp.shiftLeft(warp.word(stored.words, half), 12 - 4 * i);
      Value magnitude = warp.shiftRight(warp.bits(codes, warp.constant(0x70007000)), 6);
      Value value = warp.orBits(warp.bits(codes, warp.constant(0x80008000)), magnitude);
      words.push_back(warp.mulBf16x2(value, both));
    }
  return words;
}

TensorProduct::Words TensorProduct::loadInput(const WeightMatrix &matrix, const ProductInput &input, Value row, Value k,
                                              Value valid) {
  Value column = builder.add(input.column, k);
  Words words;
  for (int64_t begin = 0; begin < partSize(matrix.isPacked()); begin += 8) {
    Value loaded = warp.loadWords(input.input, {row, builder.add(column, builder.index(begin))}, 8);
    for (int64_t i = 0; i < 4; ++i)
      words.push_back(builder.select(valid, warp.word(loaded, i), builder.i32(0)));
  }
  if (!matrix.isPacked())
    return words;
  // Pairs (k, k + 4), as unpacked weights come.
  Words pairs;
  for (size_t i = 0; i < words.size(); i += 4)
    for (size_t j = 0; j < 2; ++j) {
      auto [low, high] = warp.halves(words[i + j], words[i + j + 2]);
      pairs.append({low, high});
    }
  return pairs;
}

Value TensorProduct::at(int64_t matrix, Value warpNumber, Value row, Value n) {
  Value slice = builder.add(builder.index(matrix * warp.warps()), warpNumber);
  return builder.add(builder.mul(slice, builder.index(kPartialSize)),
                     builder.add(builder.mul(row, builder.index(kPartialStride)), n));
}

void TensorProduct::reduce(const ProductWeights &weights, Value tile, const ProductInput &input, Value first,
                           ArrayRef<Value> sums, Store store) {
  for (auto [matrix, sum] : llvm::enumerate(sums))
    for (int64_t i = 0; i < 4; ++i) {
      // PTX ISA, "Matrix Fragments for mma.m16n8k16": c0, c1 in row g, c2, c3 in row g + 8, columns 2q and 2q + 1.
      Value row = builder.add(builder.mul(warp.quad(), builder.index(2)), builder.index(i % 2));
      Value n = builder.add(warp.group(), builder.index(i / 2 * 8));
      builder.store(vector::ExtractOp::create(builder, sum, i), partial, at(matrix, warp.warp(), row, n));
    }
  warp.barrier();
  Value inTile = builder.less(warp.thread(), builder.index(kTileRows * kTileInputs));
  builder.when(inTile, [&] {
    Value halfWarp = builder.div(warp.thread(), builder.index(kTileRows));
    Value row = builder.add(builder.div(halfWarp, builder.index(2)),
                            builder.mul(builder.rem(halfWarp, builder.index(2)), builder.index(4)));
    Value inner = builder.rem(warp.thread(), builder.index(kTileRows));
    Value n = builder.add(builder.mul(tile, builder.index(kTileRows)), inner);
    Value number = builder.add(first, row);
    builder.when(builder.both(builder.less(number, input.count), builder.less(n, builder.index(weights.count))), [&] {
      SmallVector<Value, 2> totals;
      for (auto [matrix, weight] : llvm::enumerate(weights.matrices)) {
        Value total = warp.sumWarps(
            [&, matrix = matrix](Value other) { return builder.load(partial, at(matrix, other, row, inner)); });
        if (weight.isPacked()) // what is left of the scales
          total = builder.mul(total,
                              builder.mul(weight.global, weight.inputScale ? weight.inputScale : builder.f32(0x1p8f)));
        totals.push_back(total);
      }
      store(number, n, totals);
    });
  });
  // The next tile writes the same memory.
  warp.barrier();
}

} // namespace glm
