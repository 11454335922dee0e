// Of TensorProduct: codes of weights in tiles times codes of the input, with the scales of both (W4A4).
//
//     k ->     0..7   8..15  16..23  24..31 | 32..39   ...    56..63      64 columns, one instruction
//     lane     q = 0    1      2       3    |   0       1       2  3      rows g, g + 8 of the weights, g of the input
//     scales  [   block 0   ][   block 1   ] [   block 2   ][ block 3 ]
//
// PTX ISA, "mma.sync with block scaling", kind::mxf4nvf4, scale_vec::4X: byte b of a word of scales belongs to block b. Lanes q = 0 and 1 hold
// those of rows g and g + 8, lane q = 0 those of input row g (thread-id 0).
#include "codegen/nvptx/TensorProduct.h"

using namespace mlir;

namespace glm {

void TensorProduct::multiplyScaled(const TilePart &part, int64_t unit, ArrayRef<InputPart> inputs,
                                   MutableArrayRef<Value> sums) {
  // The pieces of a row have blocks 0 and 2, and blocks 1 and 3, of two times 64 columns a word.
  Value scales = warp.permute(warp.word(part.scales[0], unit / 2), warp.word(part.scales[1], unit / 2),
                              unit % 2 ? 0x7362 : 0x5140);
  SmallVector<Value, 4> codes;
  for (int64_t i = 0; i < 4; ++i)
    codes.push_back(warp.word(part.codes[unit], i));
  for (auto [input, sum] : llvm::zip_equal(inputs, sums))
    sum = warp.scaledMma(codes, scales, input.words, input.scales, sum);
}

TensorProduct::InputPart TensorProduct::quantizedPart(const WeightMatrix &matrix, const Words &low, const Words &high) {
  Quantized first = quantize(matrix, low), second = quantize(matrix, high);
  // Blocks 0 and 2 of this lane, 1 and 3 of the lane two on.
  Value own = warp.orBits(first.scale, warp.shiftLeft(second.scale, 16));
  Value all = warp.orBits(own, warp.shiftLeft(warp.shuffleBits(own, 2), 8));
  return {{first.codes, second.codes}, all};
}

TensorProduct::Quantized TensorProduct::quantize(const WeightMatrix &matrix, const Words &words) {
  SmallVector<Value, 8> values;
  Value most = builder.f32(0.0f);
  for (Value word : words)
    for (Value value : {warp.lowHalf(word), warp.highHalf(word)}) {
      values.push_back(value);
      most = builder.max(most, builder.max(value, builder.sub(builder.f32(0.0f), value)));
    }
  // A block is two lanes'.
  most = builder.max(most, warp.shuffle(most, 1));
  Value scale = builder.blockScale(most, matrix.inputScale);
  Value factor = builder.div(builder.f32(1.0f), builder.mul(scale, matrix.inputScale)), codes = builder.i32(0);
  for (int64_t i = 0; i < 8; i += 2) {
    Value byte = warp.packE2m1(builder.mul(values[i], factor), builder.mul(values[i + 1], factor));
    codes = warp.orBits(codes, warp.shiftLeft(byte, 4 * i));
  }
  return {codes, warp.packE4m3(scale)};
}

} // namespace glm
