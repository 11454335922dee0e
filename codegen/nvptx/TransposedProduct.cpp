#include "codegen/nvptx/TransposedProduct.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kTerms = 16; ///< of an instruction
constexpr int64_t kPart = 8;   ///< columns of one access, and instructions that share it
constexpr int64_t kHalf = TransposedProduct::kTileColumns / 2;
/// Floats from one row of partial sums to the next: lanes that write rows 2q and 2q + 1 at once meet in no bank.
constexpr int64_t kPartialStride = TransposedProduct::kTileColumns + 4;
constexpr int64_t kPartialSize = TransposedProduct::kTileRows * kPartialStride;

} // namespace

bool TransposedProduct::takes(Type activation, RankedTensorType weight, int64_t terms) {
  return activation.isBF16() && !isPacked(weight) && weight.getElementType().isBF16() && terms % 2 == 0 &&
         weight.getShape().back() % kPart == 0;
}

TransposedProduct::TransposedProduct(KernelBuilder &builder, Warp &warp)
    : builder(builder), warp(warp), partial(warp.shared(kWarps * kPartialSize, builder.getF32Type())) {}

void TransposedProduct::run(const Operands &operands, Value tile, Store store) {
  builder.loop(builder.index(0), builder.rows(), TransposedProduct::kTileRows, [&](Value first) {
    SmallVector<Value> sums = sumTerms(operands, tile, first);
    reduce(tile, first, operands.weight.columns, sums, store);
  });
}

SmallVector<Value> TransposedProduct::sumTerms(const Operands &operands, Value tile, Value first) {
  Value last = builder.sub(builder.rows(), builder.index(1));
  Value row = builder.min(builder.add(first, warp.group()), last);
  SmallVector<Value> zeros(kPart, builder.splat(builder.f32(0.0f), 4));
  Value steps = builder.index(llvm::divideCeil(operands.terms, kTerms));
  return builder.fold(warp.warp(), steps, kWarps, zeros, [&](Value step, ValueRange carried) {
    SmallVector<Value> sums(carried);
    Value k = builder.mul(step, builder.index(kTerms));
    Value low = loadInput(operands, row, k), high = loadInput(operands, row, builder.add(k, builder.index(8)));
    for (auto [instruction, factors] : llvm::enumerate(loadWeight(operands, tile, k)))
      sums[instruction] = warp.mma(factors, {low, high}, sums[instruction]);
    return sums;
  });
}

Value TransposedProduct::loadInput(const Operands &operands, Value row, Value k) {
  Value term = builder.add(k, builder.mul(warp.quad(), builder.index(2)));
  // Terms come in pairs: beyond the last the weight is read again, times zero.
  Value valid = builder.less(term, builder.index(operands.terms));
  Value place = builder.add(operands.column, builder.min(term, builder.index(operands.terms - 2)));
  return builder.select(valid, warp.word(warp.loadWords(operands.input, {row, place}, 2), 0), builder.i32(0));
}

SmallVector<SmallVector<Value, 4>> TransposedProduct::loadWeight(const Operands &operands, Value tile, Value k) {
  Value lastTerm = builder.index(operands.terms - 1), lastPart = builder.index(operands.weight.columns - kPart);
  auto load = [&](int64_t term, int64_t half) {
    Value number = builder.add(builder.add(k, builder.mul(warp.quad(), builder.index(2))), builder.index(term));
    Value row = builder.add(operands.firstRow, builder.min(number, lastTerm));
    Value column =
        builder.add(builder.mul(tile, builder.index(kTileColumns)),
                    builder.add(builder.mul(warp.group(), builder.index(kPart)), builder.index(half * kHalf)));
    return warp.loadWords(operands.weight.data, {row, builder.min(column, lastPart)}, kPart);
  };
  SmallVector<SmallVector<Value, 4>> factors(kPart);
  // In the order of an instruction's words: both halves of columns for the first pair of terms, then for the second.
  for (int64_t term : {0, 8})
    for (int64_t half : {0, 1}) {
      for (auto [factor, pair] : llvm::zip_equal(factors, warp.pairs(load(term, half), load(term + 1, half))))
        factor.push_back(pair);
    }
  return factors;
}

void TransposedProduct::reduce(Value tile, Value first, int64_t columns, ArrayRef<Value> sums, Store store) {
  auto at = [&](Value warpNumber, Value row, Value place) {
    return builder.add(builder.mul(warpNumber, builder.index(kPartialSize)),
                       builder.add(builder.mul(row, builder.index(kPartialStride)), place));
  };
  for (auto [j, sum] : llvm::enumerate(sums))
    for (int64_t i = 0; i < 4; ++i) {
      Value row = builder.add(builder.mul(warp.quad(), builder.index(2)), builder.index(i % 2));
      // Column 8 g + j lies at place 8 j + g: lanes write side by side.
      Value place = builder.add(warp.group(), builder.index(i / 2 * kHalf + static_cast<int64_t>(j) * kPart));
      builder.store(vector::ExtractOp::create(builder, sum, i), partial, at(warp.warp(), row, place));
    }
  warp.barrier();
  builder.loop(builder.index(0), builder.index(TransposedProduct::kTileRows), 1, [&](Value row) {
    Value inner = warp.thread(), column = builder.add(builder.mul(tile, builder.index(kTileColumns)), inner);
    Value number = builder.add(first, row);
    builder.when(builder.both(builder.less(number, builder.rows()), builder.less(column, builder.index(columns))), [&] {
      Value inHalf = builder.rem(inner, builder.index(kHalf));
      Value place =
          builder.add(builder.sub(inner, inHalf),
                      builder.add(builder.mul(builder.rem(inHalf, builder.index(kPart)), builder.index(kPart)),
                                  builder.div(inHalf, builder.index(kPart))));
      store(number, column, warp.sumWarps([&](Value other) { return builder.load(partial, at(other, row, place)); }));
    });
  });
  // The next rows write the same memory.
  warp.barrier();
}

} // namespace glm
