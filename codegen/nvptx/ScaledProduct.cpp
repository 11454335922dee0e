// Of TensorProduct: codes of weights times codes of the input, with the scales of both (W4A4).
//
//     k ->     0..7   8..15  16..23  24..31 | 32..39   ...    56..63      a chunk, one instruction
//     lane     q = 0    1      2       3    |   0       1       2  3      rows g, g + 8 of the weights, g of the input
//     scales  [   block 0   ][   block 1   ] [   block 2   ][ block 3 ]
//
// PTX ISA, "mma.sync with block scaling", kind::mxf4nvf4, scale_vec::4X: byte b of a word of scales belongs to block b. Lanes q = 0 and 1 hold
// those of rows g and g + 8, lane q = 0 those of input row g (thread-id 0).
#include "codegen/nvptx/TensorProduct.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kChunk = 64; ///< k of an instruction
constexpr int64_t kPart = 8;   ///< k of a lane's word
constexpr int64_t kHalf = 32;  ///< from a lane's first word to its second
constexpr int64_t kBlocks = 4; ///< scales of a chunk

} // namespace

SmallVector<Value> TensorProduct::sumScaledChunks(const ProductWeights &weights, const Rows &rows,
                                                  const ProductInput &input) {
  int64_t columns = weights.matrices.front().columns;
  size_t tiles = rows.inputs.size();
  SmallVector<Value> initial(weights.matrices.size() * tiles, builder.splat(builder.f32(0.0f), 4));
  Value chunks = builder.index(llvm::divideCeilSigned(columns, kChunk));
  Value isOdd = builder.equal(builder.rem(warp.quad(), builder.index(2)), builder.index(1));
  Value scaledRow = builder.select(isOdd, rows.high, rows.low);
  return builder.fold(warp.warp(), chunks, warp.warps(), initial, [&](Value chunk, ValueRange carried) {
    SmallVector<Value> sums(carried);
    Value begin = builder.mul(chunk, builder.index(kChunk));
    // Lanes beyond the last column read it again, and multiply nothing with nothing.
    SmallVector<Value, 2> places, valid;
    for (int64_t half : {int64_t(0), kHalf}) {
      Value k = builder.add(begin, builder.add(builder.mul(warp.quad(), builder.index(kPart)), builder.index(half)));
      valid.push_back(builder.less(k, builder.index(columns)));
      places.push_back(builder.min(k, builder.index(columns - kPart)));
    }
    SmallVector<SmallVector<Value, 2>> x;
    for (Value row : rows.inputs) {
      auto &own = x.emplace_back();
      for (Value place : places)
        own.push_back(warp.loadWords(input.input, {row, builder.add(input.column, place)}, kPart));
    }
    for (auto [matrix, weight] : llvm::enumerate(weights.matrices)) {
      SmallVector<Value, 4> codes;
      for (auto [place, inside] : llvm::zip_equal(places, valid))
        for (Value row : {rows.low, rows.high}) {
          Value word = warp.loadWords(weight.data, {row, builder.div(place, builder.index(2))}, kPart / 2);
          codes.push_back(builder.select(inside, warp.word(word, 0), builder.i32(0)));
        }
      Value scales = loadScales(weight, scaledRow, builder.mul(chunk, builder.index(kBlocks)));
      for (size_t i = 0; i < tiles; ++i) {
        Quantized first = quantize(weight, x[i][0], valid[0]), second = quantize(weight, x[i][1], valid[1]);
        // Blocks 0 and 2 of this lane, 1 and 3 of the lane two on.
        Value own = warp.orBits(first.scale, warp.shiftLeft(second.scale, 16));
        Value all = warp.orBits(own, warp.shiftLeft(warp.shuffleBits(own, 2), 8));
        Value &sum = sums[matrix * tiles + i];
        sum = warp.scaledMma(codes, scales, {first.codes, second.codes}, all, sum);
      }
    }
    return sums;
  });
}

Value TensorProduct::loadScales(const WeightMatrix &matrix, Value row, Value block) {
  int64_t count = matrix.columns / matrix.block;
  // A row of whole words starts at a word.
  if (count % kBlocks == 0)
    return warp.word(warp.loadWords(matrix.scales, {row, block}, kBlocks), 0);
  Value scales = builder.i32(0);
  for (int64_t i = 0; i < kBlocks; ++i) {
    Value place = builder.min(builder.add(block, builder.index(i)), builder.index(count - 1));
    Value byte = arith::ExtUIOp::create(builder, builder.getI32Type(), builder.load(matrix.scales, {row, place}));
    scales = warp.orBits(scales, warp.shiftLeft(byte, 8 * i));
  }
  return scales;
}

TensorProduct::Quantized TensorProduct::quantize(const WeightMatrix &matrix, Value words, Value valid) {
  SmallVector<Value, kPart> values;
  Value most = builder.f32(0.0f);
  for (int64_t i = 0; i < kPart / 2; ++i) {
    Value word = builder.select(valid, warp.word(words, i), builder.i32(0));
    for (Value value : {warp.lowHalf(word), warp.highHalf(word)}) {
      values.push_back(value);
      most = builder.max(most, builder.max(value, builder.sub(builder.f32(0.0f), value)));
    }
  }
  // A block is two lanes'.
  most = builder.max(most, warp.shuffle(most, 1));
  Value scale = builder.blockScale(most, matrix.inputScale);
  Value factor = builder.div(builder.f32(1.0f), builder.mul(scale, matrix.inputScale)), codes = builder.i32(0);
  for (int64_t i = 0; i < kPart; i += 2) {
    Value byte = warp.packE2m1(builder.mul(values[i], factor), builder.mul(values[i + 1], factor));
    codes = warp.orBits(codes, warp.shiftLeft(byte, 4 * i));
  }
  return {codes, warp.packE4m3(scale)};
}

} // namespace glm
