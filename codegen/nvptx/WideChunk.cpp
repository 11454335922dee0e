#include "codegen/nvptx/WideChunk.h"

#include "codegen/nvptx/TensorProduct.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace glm {

using Chunk = WideChunk;

SmallVector<TensorProduct::Part> TensorProduct::loadWideChunk(const ProductWeights &weights, const Rows &rows,
                                                              Value number) {
  constexpr int64_t kLaneColumns = Chunk::kUnitColumns / Chunk::kQuads,
                    kUnitScales = Chunk::kUnitColumns / Chunk::kBlock;
  Value columns = builder.index(weights.matrices.front().columns);
  Value begin = builder.mul(number, builder.index(Chunk::kColumns));
  Value last = builder.sub(columns, builder.index(Chunk::kUnitColumns));
  SmallVector<Part> parts;
  for (int64_t unit = 0; unit < Chunk::kUnits; ++unit) {
    // A unit beyond the last column is the last one again, times zero.
    Value first = builder.add(begin, builder.index(unit * Chunk::kUnitColumns));
    Value own = builder.add(builder.min(first, last), builder.mul(warp.quad(), builder.index(kLaneColumns)));
    for (int64_t k = 0; k < kLaneColumns; k += Chunk::kBlock)
      parts.push_back({builder.add(own, builder.index(k)), builder.less(first, columns), {}, {}});
  }
  Value scaled = builder.min(builder.add(begin, builder.mul(warp.quad(), builder.index(Chunk::kUnitColumns))), last);
  auto load = [&](const WeightMatrix &weight, Value row, SmallVector<Stored, 2> Part::*side) {
    Value words = warp.loadWords(weight.scales, {row, builder.div(scaled, builder.index(Chunk::kBlock))}, kUnitScales);
    SmallVector<Value, Chunk::kUnits> codes;
    for (int64_t unit = 0; unit < Chunk::kUnits; ++unit)
      codes.push_back(
          warp.loadWords(weight.data, {row, builder.div(parts[2 * unit].k, builder.index(2))}, kLaneColumns / 2));
    Words scales = exchangeScales(words);
    for (auto [i, part] : llvm::enumerate(parts)) {
      int64_t first[] = {static_cast<int64_t>(i % 2) * 2};
      Value half = vector::ExtractStridedSliceOp::create(builder, codes[i / 2], first, ArrayRef<int64_t>{2},
                                                         ArrayRef<int64_t>{1});
      (part.*side).push_back({half, scales[i]});
    }
  };
  for (const WeightMatrix &weight : weights.matrices) {
    load(weight, rows.low, &Part::low);
    load(weight, rows.high, &Part::high);
  }
  return parts;
}

// With p[u][q] for the two scales of lane q in unit u, 16 bits: lane u has p[u][0 .. 3], and lane q gets p[0 .. 3][q].
TensorProduct::Words TensorProduct::exchangeScales(Value scales) {
  Value isHigh = builder.less(builder.index(1), warp.quad());
  Value isOdd = builder.equal(builder.rem(warp.quad(), builder.index(2)), builder.index(1));
  // Lanes 0 and 1 keep their first words, and get those of lanes 2 and 3, which keep and get second ones.
  Value first = warp.word(scales, 0), second = warp.word(scales, 1);
  Value other = warp.shuffleBits(builder.select(isHigh, first, second), 2);
  Value early = builder.select(isHigh, other, first), late = builder.select(isHigh, second, other);
  // Even lanes keep and get low halves, odd ones high halves.
  auto [lows, highs] = warp.halves(early, late);
  Value kept = builder.select(isOdd, highs, lows), got = warp.shuffleBits(builder.select(isOdd, lows, highs), 1);
  Value even = builder.select(isOdd, got, kept), odd = builder.select(isOdd, kept, got);
  Words bytes;
  for (int64_t unit = 0; unit < Chunk::kUnits; ++unit)
    for (int64_t block = 0; block < 2; ++block)
      bytes.push_back(arith::TruncIOp::create(builder, builder.getI8Type(),
                                              warp.shiftRight(unit % 2 ? odd : even, unit / 2 * 16 + block * 8)));
  return bytes;
}

} // namespace glm
