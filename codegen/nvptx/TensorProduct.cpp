#include "codegen/nvptx/TensorProduct.h"

#include "codegen/target/Target.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kQuads = 4;      ///< lanes that share a row
constexpr int64_t kTileInputs = 8; ///< rows of activations of an instruction
constexpr int64_t kMostTiles = 4;  ///< instructions that one load of a weight feeds
constexpr int64_t kInFlight = 4;   ///< chunks, times matrices and tiles, whose weights a lane holds at once
constexpr int64_t kMostSums =
    8; ///< instructions that a block's tiles and a block's rows feed: their sums and inputs stay in registers
constexpr int64_t kFewTiles = 256; ///< two blocks for each SM of the chips that have the fewest
/// Floats from one row of partial sums to the next: lanes write rows 2q and 2q + 1 and threads read rows r and r + 4, without a bank
/// that is asked for twice.
constexpr int64_t kPartialStride = 20;
constexpr int64_t kPartialSize = kTileInputs * kPartialStride;

/// k of one lane's part of a chunk: 16 bytes of bf16, or one block of a packed weight.
int64_t partSize(bool packed) { return packed ? 16 : 8; }

int64_t chunksOf(int64_t columns, bool packed) { return llvm::divideCeil(columns, kQuads * partSize(packed)); }

} // namespace

int64_t ProductWeights::tiles() const { return llvm::divideCeil(count, TensorProduct::kTileRows); }

bool TensorProduct::takes(Type activation, ArrayRef<RankedTensorType> weights, bool together, TargetAttr target) {
  return activation.isBF16() && llvm::all_of(weights, [&](RankedTensorType weight) {
           auto packed = dyn_cast_or_null<Nvfp4Attr>(weight.getEncoding());
           int64_t part = partSize(bool(packed));
           bool typeFits = packed ? packed.getBlock() == part : weight.getElementType().isBF16();
           bool scalesFit = !quantizesInputs(weight) || (isTiled(weight) && hasBlockScaledMma(target));
           bool alike = !together || weight.getEncoding() == weights.front().getEncoding();
           return typeFits && scalesFit && alike && weight.getShape().back() % part == 0;
         });
}

bool TensorProduct::takesInTiles(Type activation, ArrayRef<RankedTensorType> weights, bool together,
                                 TargetAttr target) {
  auto tiled = llvm::map_to_vector(weights, [](RankedTensorType type) {
    auto packed = dyn_cast_or_null<Nvfp4Attr>(type.getEncoding());
    return packed && packed.getBlock() == Nvfp4Tile::kBlock ? inTiles(type) : type;
  });
  return takes(activation, tiled, together, target);
}

int64_t TensorProduct::tilesPerBlock(bool tiled, int64_t matrices, int64_t inputRows, ArrayRef<int64_t> tiles,
                                     int64_t times) {
  int64_t total = times * llvm::sum_of(tiles), count = 1;
  auto fits = [&](int64_t more) {
    bool inRegisters = more * matrices * inputRows / kTileInputs <= kMostSums;
    return inRegisters && total / more >= kFewTiles * 2 &&
           llvm::all_of(tiles, [&](int64_t own) { return own % more == 0; });
  };
  while (tiled && inputRows < kMostTiles * kTileInputs && fits(count * 2))
    count *= 2;
  return count;
}

int64_t TensorProduct::warpsFor(RankedTensorType weight, int64_t tiles) {
  // A warp wants several chunks of its own, or the sums of warps cost more than the products. Few tiles leave SMs to one block, which has to
  // ask for as much as two; unpacking needs too many registers for it.
  if (isTiled(weight))
    return 4; // Each has a ring of its own in shared memory.
  int64_t chunks = chunksOf(weight.getShape().back(), isPacked(weight));
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

TensorProduct::TensorProduct(KernelBuilder &builder, Warp &warp, int64_t matrices, int64_t inputRows, bool tiled)
    : builder(builder), warp(warp), mostTiles(inputRows / kTileInputs),
      partial(warp.shared(matrices * warp.warps() * kPartialSize, builder.getF32Type())) {
  if (tiled)
    ring = warp.shared(warp.warps() * kStages * Nvfp4Tile::kBytes, builder.getI8Type());
}

void TensorProduct::run(const ProductWeights &weights, Value block, const ProductInput &input, Store store) {
  builder.loop(builder.index(0), input.count, mostTiles * kTileInputs, [&](Value first) {
    Value left = builder.min(builder.sub(input.count, first), builder.index(mostTiles * kTileInputs));
    // Tokens come one or a few at a time, or as a prompt: a loop for 1, 2 and 4 tiles, with the same sums.
    for (int64_t tiles = 1; tiles <= mostTiles; tiles *= 2) {
      Value fits = builder.less(left, builder.index(tiles * kTileInputs + 1));
      Value fewerDoNot = builder.less(builder.index(tiles / 2 * kTileInputs), left);
      builder.when(builder.both(fits, fewerDoNot), [&] { runRows(weights, block, input, first, tiles, store); });
    }
  });
}

void TensorProduct::runRows(const ProductWeights &weights, Value block, const ProductInput &input, Value first,
                            int64_t tiles, Store store) {
  SmallVector<Value> rows = inputRows(input, first, tiles);
  Value firstTile = builder.mul(block, builder.index(weights.tilesPerBlock));
  SmallVector<Value> sums = weights.matrices.front().tiled
                                ? sumTiles(weights, firstTile, rows, input)
                                : sumChunks(weights, rowsOf(weights, firstTile, rows), input);
  size_t matrices = weights.matrices.size();
  for (int64_t tile = 0; tile < weights.tilesPerBlock; ++tile)
    for (int64_t i = 0; i < tiles; ++i) {
      Value begin = builder.add(first, builder.index(i * kTileInputs));
      builder.when(builder.less(begin, input.count), [&] {
        SmallVector<Value, 2> own;
        for (size_t matrix = 0; matrix < matrices; ++matrix)
          own.push_back(sums[(tile * matrices + matrix) * tiles + i]);
        reduce(weights, builder.add(firstTile, builder.index(tile)), input, begin, own, store);
      });
    }
}

SmallVector<Value> TensorProduct::inputRows(const ProductInput &input, Value first, int64_t tiles) {
  Value last = builder.sub(input.count, builder.index(1));
  SmallVector<Value> rows;
  for (int64_t i = 0; i < tiles; ++i) {
    Value number = builder.add(first, builder.add(warp.group(), builder.index(i * kTileInputs)));
    rows.push_back(input.rowOf(builder.min(number, last)));
  }
  return rows;
}

TensorProduct::Rows TensorProduct::rowsOf(const ProductWeights &weights, Value tile, ArrayRef<Value> inputs) {
  Value lastRow = builder.index(weights.count - 1);
  auto weightRow = [&](int64_t offset) {
    Value n =
        builder.add(builder.mul(tile, builder.index(kTileRows)), builder.add(warp.group(), builder.index(offset)));
    return builder.add(weights.firstRow, builder.min(n, lastRow));
  };
  return {weightRow(0), weightRow(8), SmallVector<Value>(inputs)};
}

SmallVector<Value> TensorProduct::sumChunks(const ProductWeights &weights, const Rows &rows,
                                            const ProductInput &input) {
  const WeightMatrix &shape = weights.matrices.front();
  size_t tiles = rows.inputs.size(), matrices = weights.matrices.size();
  int64_t together = std::max<int64_t>(1, kInFlight / static_cast<int64_t>(tiles * matrices));
  SmallVector<Value> initial(matrices * tiles, builder.splat(builder.f32(0.0f), 4));
  Value chunks = builder.index(chunksOf(shape.columns, shape.isPacked()));
  return builder.fold(warp.warp(), chunks, warp.warps() * together, initial, [&](Value first, ValueRange carried) {
    SmallVector<Value> sums(carried);
    SmallVector<Part> parts;
    for (int64_t i = 0; i < together; ++i) {
      Value number = builder.add(first, builder.index(i * warp.warps()));
      parts.push_back(loadChunk(weights, rows, number));
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

TensorProduct::Part TensorProduct::loadChunk(const ProductWeights &weights, const Rows &rows, Value number) {
  const WeightMatrix &shape = weights.matrices.front();
  int64_t size = partSize(shape.isPacked());
  Value k = builder.mul(builder.add(builder.mul(number, builder.index(kQuads)), warp.quad()), builder.index(size));
  // Lanes beyond the last column read it again, times zero: a weight that is no number spoils the row anyway.
  Part part{builder.min(k, builder.index(shape.columns - size)), builder.less(k, builder.index(shape.columns)), {}, {}};
  for (const WeightMatrix &weight : weights.matrices) {
    part.low.push_back(loadWeight(weight, rows.low, part.k));
    part.high.push_back(loadWeight(weight, rows.high, part.k));
  }
  return part;
}

TensorProduct::Stored TensorProduct::loadWeight(const WeightMatrix &matrix, Value row, Value k) {
  if (!matrix.isPacked())
    return {warp.loadWords(matrix.data, {row, k}, partSize(false)), {}};
  return {warp.loadWords(matrix.data, {row, builder.div(k, builder.index(2))}, partSize(true) / 2),
          builder.load(matrix.scales, {row, builder.div(k, builder.index(matrix.block))})};
}

TensorProduct::Words TensorProduct::fragments(const WeightMatrix &matrix, const Stored &stored) {
  Words words;
  if (!matrix.isPacked()) {
    for (int64_t i = 0; i < partSize(false) / 2; ++i)
      words.push_back(warp.word(stored.words, i));
    return words;
  }
  Value scales = scalePair(arith::ExtUIOp::create(builder, builder.getI32Type(), stored.scale), 0);
  for (int64_t half = 0; half < 2; ++half)
    words.append(unpack(warp.word(stored.words, half), scales));
  return words;
}

// A code moved to the top of a 16-bit lane is sign, exponent and mantissa; with the last two where a bf16 has its lowest they are the
// value times 2^-126, also for 0.5. The scale comes times 2^118, the largest power with which it is finite: products are exact, times 2^-8.
TensorProduct::Words TensorProduct::unpack(Value codes, Value scales) {
  Words words;
  for (int64_t i = 0; i < 4; ++i) {
    // Codes i and i + 4 of 8 become a pair with one shift.
    Value pair = warp.shiftLeft(codes, 12 - 4 * i);
    Value magnitude = warp.shiftRight(warp.bits(pair, warp.constant(0x70007000)), 6);
    Value value = warp.orBits(warp.bits(pair, warp.constant(0x80008000)), magnitude);
    words.push_back(warp.mulBf16x2(value, scales));
  }
  return words;
}

// E4M3 of no sign has exponent and mantissa where a bf16 has them once it is moved by 4 bits, and is the value times 2^-120, subnormal or not.
Value TensorProduct::scalePair(Value word, int64_t number) {
  constexpr uint32_t kTwoTo127 = 0x7f007f00, kTwoTo111 = 0x77007700; // pairs of bf16
  auto byte = static_cast<uint32_t>(number);
  Value pair = warp.shiftLeft(warp.permute(word, builder.i32(0), 0x4040 | byte << 8 | byte), 4);
  return warp.mulBf16x2(warp.mulBf16x2(pair, warp.constant(kTwoTo127)), warp.constant(kTwoTo111));
}

TensorProduct::Words TensorProduct::loadInput(const WeightMatrix &matrix, const ProductInput &input, Value row, Value k,
                                              Value valid) {
  Words words;
  for (int64_t begin = 0; begin < partSize(matrix.isPacked()); begin += 8)
    words.append(loadEight(input, row, builder.add(k, builder.index(begin)), valid));
  return matrix.isPacked() ? toPairs(words) : words;
}

TensorProduct::Words TensorProduct::loadEight(const ProductInput &input, Value row, Value k, Value valid) {
  Value loaded = warp.loadWords(input.input, {row, builder.add(input.column, k)}, 8);
  Words words;
  for (int64_t i = 0; i < 4; ++i)
    words.push_back(valid ? builder.select(valid, warp.word(loaded, i), builder.i32(0)) : warp.word(loaded, i));
  return words;
}

TensorProduct::Words TensorProduct::toPairs(const Words &words) {
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
