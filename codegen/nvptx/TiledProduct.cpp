// Of TensorProduct: packed weights in tiles of 16 rows and 256 columns (#glm.nvfp4, `tiled`).
//
//     warp w   chunk w: [ tile 0 of gate | of up | tile 1 of gate | ... ], chunk w + warps: [ ...      its sequence of tiles
//     ring     [ slot 0: tile n ][ slot 1: tile n + 1 ]                                               of shared memory, each warp's own
//
// A lane copies the codes that it multiplies, and its share of the scales, which others read; so a warp waits for nobody but itself. While a tile is
// multiplied the next kStages are on their way: they cost no registers. The input of a chunk is read once for all tiles of the block.
#include "codegen/nvptx/TensorProduct.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace glm {
namespace {

using Tile = Nvfp4Tile;

constexpr int64_t kUnit = 64; ///< columns of which a lane has one access
constexpr int64_t kUnits = Tile::kColumns / kUnit;
constexpr int64_t kLaneBytes = 16;                                                ///< codes of a unit
constexpr int64_t kScaleBytes = (Tile::kBytes - Tile::kCodeBytes) / Warp::kLanes; ///< that a lane copies
constexpr int64_t kPart = 8;                                                      ///< neighbouring columns of a lane
constexpr int64_t kHalf = 32;      ///< from a lane's first part to its second
constexpr int64_t kRowScales = 16; ///< bytes of scales of a row of a tile, in two halves
/// Tiles of the input whose words stay in registers from one tile of weights to the next.
constexpr size_t kMostHeld = 2;

} // namespace

SmallVector<Value> TensorProduct::sumTiles(const ProductWeights &weights, Value firstTile, ArrayRef<Value> rows,
                                           const ProductInput &input) {
  const WeightMatrix &shape = weights.matrices.front();
  bool scaled = bool(shape.inputScale);
  auto matrices = static_cast<int64_t>(weights.matrices.size());
  Sequence sequence{weights, firstTile, weights.tilesPerBlock * matrices};
  for (int64_t step = 0; step < kStages; ++step)
    request(sequence, builder.index(0), step);
  Value left = builder.sub(builder.index(Tile::across(shape.columns)), warp.warp());
  Value rounds = builder.div(builder.add(left, builder.index(warp.warps() - 1)), builder.index(warp.warps()));
  SmallVector<Value> initial(sequence.steps * rows.size(), builder.splat(builder.f32(0.0f), 4));
  return builder.fold(builder.index(0), rounds, 1, initial, [&](Value round, ValueRange carried) {
    SmallVector<Value> sums(carried);
    auto inputsOf = [&](int64_t matrix, int64_t unit) {
      Value begin =
          builder.add(builder.mul(chunkOf(round), builder.index(Tile::kColumns)), builder.index(unit * kUnit));
      return llvm::map_to_vector(rows,
                                 [&](Value row) { return inputPart(weights.matrices[matrix], input, row, begin); });
    };
    // Codes of the input follow from the input scale of a matrix (W4A4), and fit in few registers.
    int64_t inputs = scaled ? matrices : 1;
    SmallVector<SmallVector<InputPart>> held;
    for (int64_t i = 0; i < inputs * kUnits && rows.size() <= kMostHeld; ++i)
      held.push_back(inputsOf(i / kUnits, i % kUnits));
    for (int64_t step = 0; step < sequence.steps; ++step) {
      TilePart part = takeTile(sequence, round, step);
      int64_t matrix = step % matrices % inputs;
      auto own = MutableArrayRef(sums).slice(step * rows.size(), rows.size());
      for (int64_t unit = 0; unit < kUnits; ++unit) {
        SmallVector<InputPart> factors = held.empty() ? inputsOf(matrix, unit) : held[matrix * kUnits + unit];
        scaled ? multiplyScaled(part, unit, factors, own) : multiply(part, unit, factors, own);
      }
    }
    return sums;
  });
}

Value TensorProduct::chunkOf(Value round) {
  return builder.add(warp.warp(), builder.mul(round, builder.index(warp.warps())));
}

Value TensorProduct::slotOf(const Sequence &sequence, Value round, int64_t step) {
  Value number = builder.add(builder.mul(round, builder.index(sequence.steps)), builder.index(step));
  return builder.rem(number, builder.index(kStages));
}

void TensorProduct::request(const Sequence &sequence, Value round, int64_t step) {
  round = builder.add(round, builder.index(step / sequence.steps));
  step %= sequence.steps;
  const auto &matrices = sequence.weights.matrices;
  auto count = static_cast<int64_t>(matrices.size());
  Value chunk = chunkOf(round), tile = builder.add(sequence.firstTile, builder.index(step / count));
  // Beyond the last chunk there is an empty group, so that all can be counted alike.
  Value there = builder.less(chunk, builder.index(Tile::across(matrices.front().columns)));
  builder.when(there, [&] { copyTile(matrices[step % count], tile, chunk, slotOf(sequence, round, step)); });
  warp.endCopies();
}

TensorProduct::TilePart TensorProduct::takeTile(const Sequence &sequence, Value round, int64_t step) {
  warp.awaitCopies(kStages - 1);
  warp.syncWarp();
  TilePart part = readTile(slotOf(sequence, round, step), bool(sequence.weights.matrices.front().inputScale));
  warp.syncWarp();
  request(sequence, round, step + kStages);
  return part;
}

Value TensorProduct::slotAt(Value slot) {
  Value number = builder.add(builder.mul(warp.warp(), builder.index(kStages)), slot);
  return builder.mul(number, builder.index(Tile::kBytes));
}

void TensorProduct::copyTile(const WeightMatrix &matrix, Value tile, Value chunk, Value slot) {
  Value place = slotAt(slot);
  auto copy = [&](int64_t begin, int64_t bytes) {
    Value offset = builder.add(builder.index(begin), builder.mul(warp.lane(), builder.index(bytes)));
    warp.copyAsync(matrix.data, {tile, chunk, offset}, ring, {builder.add(place, offset)}, bytes);
  };
  for (int64_t unit = 0; unit < kUnits; ++unit)
    copy(unit * kLaneBytes * Warp::kLanes, kLaneBytes);
  copy(Tile::kCodeBytes, kScaleBytes);
}

TensorProduct::TilePart TensorProduct::readTile(Value slot, bool scaled) {
  Value place = slotAt(slot);
  TilePart part;
  for (int64_t unit = 0; unit < kUnits; ++unit) {
    Value offset = builder.add(builder.index(unit * kLaneBytes * Warp::kLanes),
                               builder.mul(warp.lane(), builder.index(kLaneBytes)));
    part.codes.push_back(warp.loadWords(ring, {builder.add(place, offset)}, kLaneBytes));
  }
  // Scales of rows g and g + 8 for the blocks in which a lane's codes lie; of W4A4, of one of the rows for all blocks.
  Value isOdd = builder.rem(warp.quad(), builder.index(2)), half = builder.div(warp.quad(), builder.index(2));
  for (int64_t i = 0; i < 2; ++i) {
    Value row = builder.add(warp.group(), scaled ? builder.mul(isOdd, builder.index(8)) : builder.index(i * 8));
    Value piece = scaled ? builder.index(i) : half;
    Value offset =
        builder.add(builder.mul(row, builder.index(kRowScales)), builder.mul(piece, builder.index(kRowScales / 2)));
    part.scales[i] = warp.loadWords(ring, {builder.add(place, builder.add(offset, builder.index(Tile::kCodeBytes)))},
                                    kRowScales / 2);
  }
  return part;
}

TensorProduct::InputPart TensorProduct::inputPart(const WeightMatrix &matrix, const ProductInput &input, Value row,
                                                  Value begin) {
  Words halves[2];
  for (int64_t half = 0; half < 2; ++half) {
    Value k =
        builder.add(begin, builder.add(builder.mul(warp.quad(), builder.index(kPart)), builder.index(half * kHalf)));
    Value valid;
    if (matrix.columns % Tile::kColumns != 0) {
      // Beyond the last column a tile has zeros, and an input anything.
      valid = builder.less(k, builder.index(matrix.columns));
      k = builder.min(k, builder.index(matrix.columns - kPart));
    }
    halves[half] = loadEight(input, row, k, valid);
  }
  if (matrix.inputScale)
    return quantizedPart(matrix, halves[0], halves[1]);
  halves[0].append(halves[1]);
  return {toPairs(halves[0]), {}};
}

void TensorProduct::multiply(const TilePart &part, int64_t unit, ArrayRef<InputPart> inputs,
                             MutableArrayRef<Value> sums) {
  for (int64_t half = 0; half < 2; ++half) {
    Words sides[2];
    for (int64_t side = 0; side < 2; ++side) {
      int64_t number = 2 * unit + half;
      Value scales = scalePair(warp.word(part.scales[side], number / 4), number % 4);
      sides[side] = unpack(warp.word(part.codes[unit], 2 * half + side), scales);
    }
    for (int64_t step = 0; step < 4; step += 2)
      for (auto [input, sum] : llvm::zip_equal(inputs, sums))
        sum = warp.mma({sides[0][step], sides[1][step], sides[0][step + 1], sides[1][step + 1]},
                       {input.words[4 * half + step], input.words[4 * half + step + 1]}, sum);
  }
}

} // namespace glm
