// Of KernelBuilder: the few functions of real numbers that the model needs, and the numbers of packed weights.
#include "codegen/builder/KernelBuilder.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;

namespace glm {
namespace {

/// An i32 in as many lanes as `like` has.
Type i32LikeType(Value like) {
  Type i32 = IntegerType::get(like.getContext(), 32);
  auto vector = dyn_cast<VectorType>(like.getType());
  return vector ? Type(VectorType::get(vector.getShape(), i32)) : i32;
}

Type f32LikeType(Value like) {
  Type f32 = Float32Type::get(like.getContext());
  auto vector = dyn_cast<VectorType>(like.getType());
  return vector ? Type(VectorType::get(vector.getShape(), f32)) : f32;
}

} // namespace

Value KernelBuilder::sqrt(Value x) { return math::SqrtOp::create(*this, x); }

Value KernelBuilder::exp(Value x) {
  // Beyond these bounds the result is 0 or infinity anyway; within them the halves of n below are exponents of normal
  // numbers.
  x = max(min(x, f32Like(x, 90.0f)), f32Like(x, -105.0f));
  // Adding 1.5 * 2^23 leaves round(x / ln 2) in the low bits: no conversion of a NaN to an integer, which would be
  // undefined.
  Value magic = f32Like(x, 12582912.0f);
  Value shifted = fma(x, f32Like(x, 1.44269504088896341f), magic);
  Value n = sub(shifted, magic);
  // ln 2 in two parts, the first with few bits, so that n times it is exact.
  Value r = fma(n, f32Like(x, -0.693359375f), x);
  r = fma(n, f32Like(x, 2.12194440e-4f), r);
  constexpr float coefficients[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                                    4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
  Value polynomial = f32Like(x, coefficients[0]);
  for (float coefficient : ArrayRef(coefficients).drop_front())
    polynomial = fma(polynomial, r, f32Like(x, coefficient));
  Value mantissa = add(fma(polynomial, mul(r, r), r), f32Like(x, 1.0f));
  // 2^n as two factors: one alone would leave the range of normal numbers near either end.
  Type bits = i32LikeType(x);
  Value exponent = arith::SubIOp::create(*this, arith::BitcastOp::create(*this, bits, shifted),
                                         arith::BitcastOp::create(*this, bits, magic));
  Value half = arith::ShRSIOp::create(*this, exponent, i32Like(x, 1));
  auto power = [&](Value number) -> Value {
    Value field = arith::ShLIOp::create(*this, add(number, i32Like(x, 127)), i32Like(x, 23));
    return arith::BitcastOp::create(*this, x.getType(), field);
  };
  return mul(mul(mantissa, power(half)), power(sub(exponent, half)));
}

KernelBuilder::Angle KernelBuilder::sinCos(Value x) {
  auto f64 = [&](double value) -> Value { return arith::ConstantOp::create(*this, getF64FloatAttr(value)); };
  auto i64 = [&](int64_t value) -> Value { return arith::ConstantOp::create(*this, getI64IntegerAttr(value)); };
  Value wide = arith::ExtFOp::create(*this, getF64Type(), x);
  // x = n pi/2 + r with |r| <= pi/4. Adding 1.5 * 2^52 leaves n in the low bits. pi/2 in two parts: with the first alone, r would be
  // wrong where x lies near a multiple of it.
  Value magic = f64(0x1.8p52);
  Value shifted = fma(wide, f64(0x1.45f306dc9c883p-1), magic);
  Value n = sub(shifted, magic);
  Value r = fma(n, f64(-0x1.921fb54442d18p0), wide);
  r = fma(n, f64(-0x1.1a62633145c07p-54), r);
  // Taylor's series: what follows r^16 is below 2^-54 of the sum.
  Value square = mul(r, r);
  auto series = [&](int64_t lowest, int64_t highest) {
    Value sum = f64(0.0);
    for (int64_t power = highest; power >= lowest; power -= 2) {
      double coefficient = power / 2 % 2 == 0 ? 1.0 : -1.0;
      for (int64_t factor = 2; factor <= power; ++factor)
        coefficient /= static_cast<double>(factor);
      sum = fma(sum, square, f64(coefficient));
    }
    return sum;
  };
  Value sine = mul(series(1, 15), r), cosine = series(0, 16);
  Value quadrant = arith::BitcastOp::create(*this, getI64Type(), shifted);
  auto bit = [&](Value number, int64_t mask) {
    Value masked = arith::AndIOp::create(*this, number, i64(mask));
    return arith::CmpIOp::create(*this, arith::CmpIPredicate::ne, masked, i64(0)).getResult();
  };
  auto turn = [&](Value even, Value odd, Value negative) {
    Value value = select(bit(quadrant, 1), odd, even);
    value = select(negative, arith::NegFOp::create(*this, value), value);
    return arith::TruncFOp::create(*this, getF32Type(), value).getResult();
  };
  return {turn(sine, cosine, bit(quadrant, 2)), turn(cosine, sine, bit(add(quadrant, i64(1)), 2))};
}

Value KernelBuilder::sigmoid(Value x) {
  Value one = f32Like(x, 1.0f);
  return div(one, add(one, exp(arith::NegFOp::create(*this, x))));
}

Value KernelBuilder::silu(Value x) { return mul(x, sigmoid(x)); }

Value KernelBuilder::decodeE4m3(Value bits) {
  // Exponent and mantissa moved to where a float32 has them are the value times 2^-120 (biases 7 and 127), also for
  // subnormals; the copies of the sign between them are masked away.
  Value wide = arith::ExtSIOp::create(*this, i32LikeType(bits), bits);
  Value moved = arith::ShLIOp::create(*this, wide, i32Like(bits, 20));
  Value field = arith::AndIOp::create(*this, moved, i32Like(bits, static_cast<int32_t>(0x87f00000u)));
  return mul(arith::BitcastOp::create(*this, f32LikeType(bits), field), f32Like(bits, 0x1p120f));
}

Value KernelBuilder::decodeE2m1(Value code) {
  if (getElementTypeOrSelf(code).isInteger(8))
    code = arith::ExtUIOp::create(*this, i32LikeType(code), code);
  // Twice the magnitude is a small integer: digit `code & 7` of this table. No bit trick as for E4M3: 0.5 would be a
  // subnormal, and those are slow.
  Value digit = arith::ShLIOp::create(*this, arith::AndIOp::create(*this, code, i32Like(code, 7)), i32Like(code, 2));
  Value entry = arith::ShRUIOp::create(*this, i32Like(code, static_cast<int32_t>(0xc8643210u)), digit);
  Value doubled =
      arith::UIToFPOp::create(*this, f32LikeType(code), arith::AndIOp::create(*this, entry, i32Like(code, 15)));
  Value magnitude = mul(doubled, f32Like(code, 0.5f));
  Value sign = arith::ShLIOp::create(*this, arith::AndIOp::create(*this, code, i32Like(code, 8)), i32Like(code, 28));
  Value bits = arith::OrIOp::create(*this, arith::BitcastOp::create(*this, i32LikeType(code), magnitude), sign);
  return arith::BitcastOp::create(*this, f32LikeType(code), bits);
}

// Of a normal number the bits below the last kept one are rounded away by an addition; of a smaller one by adding 2^23 times its last kept bit.
Value KernelBuilder::roundE4m3(Value x) {
  x = max(min(x, f32(448.0f)), f32(0x1p-9f));
  Value small = sub(add(x, f32(0x1p14f)), f32(0x1p14f));
  return select(less(x, f32(0x1p-6f)), small, dropBits(x, 20));
}

Value KernelBuilder::roundE2m1(Value x) {
  x = max(min(x, f32(6.0f)), f32(-6.0f));
  Value bits = arith::BitcastOp::create(*this, getI32Type(), x);
  Value sign = arith::AndIOp::create(*this, bits, i32(std::numeric_limits<int32_t>::min()));
  Value magnitude = arith::BitcastOp::create(*this, getF32Type(), arith::XOrIOp::create(*this, bits, sign).getResult());
  Value small = sub(add(magnitude, f32(0x1p22f)), f32(0x1p22f));
  Value nearest = select(less(magnitude, f32(1.0f)), small, dropBits(magnitude, 22));
  Value signedBits = arith::OrIOp::create(*this, arith::BitcastOp::create(*this, getI32Type(), nearest), sign);
  return arith::BitcastOp::create(*this, getF32Type(), signedBits);
}

Value KernelBuilder::dropBits(Value x, int64_t count) {
  Value bits = arith::BitcastOp::create(*this, getI32Type(), x);
  Value last =
      arith::AndIOp::create(*this, arith::ShRUIOp::create(*this, bits, i32(static_cast<int32_t>(count))), i32(1));
  Value half = i32((1 << (count - 1)) - 1);
  Value mask = i32(static_cast<int32_t>(~0u << count));
  return arith::BitcastOp::create(*this, getF32Type(),
                                  arith::AndIOp::create(*this, add(add(bits, half), last), mask).getResult());
}

Value KernelBuilder::blockScale(Value most, Value scale) { return roundE4m3(div(div(most, f32(6.0f)), scale)); }

Value KernelBuilder::element(const WeightMatrix &weight, Value n, Value k) {
  if (!weight.isPacked())
    return load(weight.data, {n, k});
  Value byte = load(weight.data, {n, div(k, index(2))}), odd = toI32(rem(k, index(2)));
  Value scale = decodeE4m3(load(weight.scales, {n, div(k, index(weight.block))}));
  return mul(decodeNibble(byte, odd), mul(scale, weight.global));
}

Value KernelBuilder::decodeNibble(Value byte, Value odd) {
  if (!e2m1Conversion) {
    Value code = arith::ShRUIOp::create(*this, arith::ExtUIOp::create(*this, getI32Type(), byte), mul(odd, i32(4)));
    return decodeE2m1(code);
  }
  Value codes = arith::ExtUIOp::create(*this, getI16Type(), byte);
  Type pair = VectorType::get({2}, getF16Type());
  Value both =
      LLVM::CallIntrinsicOp::create(*this, pair, getStringAttr("llvm.nvvm.e2m1x2.to.f16x2.rn"), ValueRange{codes})
          .getResult(0);
  return widen(vector::ExtractOp::create(*this, both, ArrayRef<OpFoldResult>{toIndex(odd)}));
}

} // namespace glm
