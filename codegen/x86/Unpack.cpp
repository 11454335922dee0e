#include "codegen/x86/Unpack.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace glm {
namespace {

constexpr float kE2m1[16] = {0.0f,  0.5f,  1.0f,  1.5f,  2.0f,  3.0f,  4.0f,  6.0f,
                             -0.0f, -0.5f, -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f};

Value constantVector(KernelBuilder &builder, ArrayRef<int32_t> values) {
  auto type = VectorType::get(values.size(), builder.getI32Type());
  return arith::ConstantOp::create(builder, DenseElementsAttr::get(type, values));
}

/// Each lane's code in its low bits: lane i holds the packed word that has code i, shifted right by 4 (i mod 8).
Value codesInLanes(KernelBuilder &builder, Value words, int64_t first, int64_t lanes) {
  SmallVector<int64_t> from;
  SmallVector<int32_t> shifts;
  for (int64_t lane = first; lane < first + lanes; ++lane) {
    from.push_back(lane / 8);
    shifts.push_back(4 * (lane % 8));
  }
  Value spread = vector::ShuffleOp::create(builder, words, words, from);
  return arith::ShRUIOp::create(builder, spread, constantVector(builder, shifts));
}

/// 16 lanes: one lookup of the 16 values.
Value lookUp16(KernelBuilder &builder, Value codes) {
  auto type = VectorType::get(16, builder.getF32Type());
  Value table = arith::ConstantOp::create(builder, DenseElementsAttr::get(type, ArrayRef<float>(kE2m1)));
  auto call = LLVM::CallIntrinsicOp::create(builder, type, builder.getStringAttr("llvm.x86.avx512.permvar.sf.512"),
                                            ValueRange{table, codes});
  return call.getResult(0);
}

/// 8 lanes: the table holds the magnitudes, the sign is bit 3.
Value lookUp8(KernelBuilder &builder, Value codes) {
  auto type = VectorType::get(8, builder.getF32Type());
  auto integers = VectorType::get(8, builder.getI32Type());
  Value table = arith::ConstantOp::create(builder, DenseElementsAttr::get(type, ArrayRef<float>(kE2m1, 8)));
  auto call = LLVM::CallIntrinsicOp::create(builder, type, builder.getStringAttr("llvm.x86.avx2.permps"),
                                            ValueRange{table, codes});
  Value magnitude = arith::BitcastOp::create(builder, integers, call.getResult(0));
  Value sign = arith::ShLIOp::create(builder, codes, constantVector(builder, SmallVector<int32_t>(8, 28)));
  sign = arith::AndIOp::create(builder, sign, constantVector(builder, SmallVector<int32_t>(8, INT32_MIN)));
  return arith::BitcastOp::create(builder, type, Value(arith::XOrIOp::create(builder, magnitude, sign)));
}

} // namespace

SmallVector<Value> unpackBlock(KernelBuilder &builder, Value codes, Value row, Value byte, int64_t lanes) {
  Value bytes = vector::LoadOp::create(builder, VectorType::get(8, builder.getI8Type()), codes, ValueRange{row, byte});
  Value words = vector::BitCastOp::create(builder, VectorType::get(2, builder.getI32Type()), bytes);
  if (lanes == 16)
    return {lookUp16(builder, codesInLanes(builder, words, 0, 16))};
  return {lookUp8(builder, codesInLanes(builder, words, 0, 8)), lookUp8(builder, codesInLanes(builder, words, 8, 8))};
}

SmallVector<Value> unpackWords(KernelBuilder &builder, Value codes, Value row, Value byte) {
  auto words = VectorType::get(32, builder.getI16Type());
  SmallVector<int16_t> bits;
  for (int copy = 0; copy < 2; ++copy)
    for (float value : kE2m1)
      bits.push_back(static_cast<int16_t>(llvm::bit_cast<uint32_t>(value) >> 16));
  Value table = arith::ConstantOp::create(builder, DenseElementsAttr::get(words, ArrayRef<int16_t>(bits)));
  Value bytes = vector::LoadOp::create(builder, VectorType::get(64, builder.getI8Type()), codes, ValueRange{row, byte});
  Value packed = vector::BitCastOp::create(builder, words, bytes);
  SmallVector<Value> parts;
  for (int16_t part = 0; part < 4; ++part) {
    Value shift = arith::ConstantOp::create(builder, DenseElementsAttr::get(words, static_cast<int16_t>(4 * part)));
    Value index = part == 0 ? packed : Value(arith::ShRUIOp::create(builder, packed, shift));
    auto call = LLVM::CallIntrinsicOp::create(builder, words, builder.getStringAttr("llvm.x86.avx512.permvar.hi.512"),
                                              ValueRange{table, index});
    parts.push_back(vector::BitCastOp::create(builder, VectorType::get(32, builder.getBF16Type()), call.getResult(0)));
  }
  return parts;
}

SmallVector<Value> unpackHalves(KernelBuilder &builder, Value codes, Value row, Value byte, int64_t words) {
  auto type = VectorType::get(words, builder.getI16Type());
  auto constant = [&](int value) -> Value {
    return arith::ConstantOp::create(builder, DenseElementsAttr::get(type, static_cast<int16_t>(value)));
  };
  // Left by `places` if positive, right if negative.
  auto shifted = [&](Value value, int places) -> Value {
    if (places == 0)
      return value;
    return places > 0 ? Value(arith::ShLIOp::create(builder, value, constant(places)))
                      : Value(arith::ShRUIOp::create(builder, value, constant(-places)));
  };
  Value bytes =
      vector::LoadOp::create(builder, VectorType::get(2 * words, builder.getI8Type()), codes, ValueRange{row, byte});
  Value packed = vector::BitCastOp::create(builder, type, bytes);
  SmallVector<Value> parts;
  for (int part = 0; part < 4; ++part) {
    Value magnitude = arith::AndIOp::create(builder, shifted(packed, 9 - 4 * part), constant(0x0E00));
    Value sign = arith::AndIOp::create(builder, shifted(packed, 12 - 4 * part), constant(0x8000));
    Value bits = arith::OrIOp::create(builder, magnitude, sign);
    Value halves = arith::BitcastOp::create(builder, VectorType::get(words, builder.getF16Type()), bits);
    parts.push_back(arith::ExtFOp::create(builder, VectorType::get(words, builder.getF32Type()), halves));
  }
  return parts;
}

Value spreadScales(KernelBuilder &builder, Value scales, Value row, Value column, int64_t count, int64_t lanes) {
  Value bytes =
      vector::LoadOp::create(builder, VectorType::get(count, builder.getI8Type()), scales, ValueRange{row, column});
  SmallVector<int64_t> repeated;
  for (int64_t lane = 0; lane < lanes; ++lane)
    repeated.push_back(lane * count / lanes);
  Value spread = vector::ShuffleOp::create(builder, bytes, bytes, repeated);
  auto words = VectorType::get(lanes, builder.getI16Type());
  Value wide = arith::ExtUIOp::create(builder, words, spread);
  Value shift = arith::ConstantOp::create(builder, DenseElementsAttr::get(words, static_cast<int16_t>(7)));
  Value halves = arith::BitcastOp::create(builder, VectorType::get(lanes, builder.getF16Type()),
                                          Value(arith::ShLIOp::create(builder, wide, shift)));
  return arith::ExtFOp::create(builder, VectorType::get(lanes, builder.getF32Type()), halves);
}

} // namespace glm
