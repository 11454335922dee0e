// Of KernelBuilder: arithmetic on scalars and vectors, loads that widen, stores that narrow.
#include "codegen/builder/KernelBuilder.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace glm {
namespace {

bool isFloat(Value value) { return isa<FloatType>(getElementTypeOrSelf(value)); }

/// `element`, in as many lanes as `like` has.
Type sameLanes(Type like, Type element) {
  auto vector = dyn_cast<VectorType>(like);
  return vector ? Type(VectorType::get(vector.getShape(), element)) : element;
}

} // namespace

Value KernelBuilder::index(int64_t value) { return arith::ConstantIndexOp::create(*this, value); }
Value KernelBuilder::i32(int32_t value) { return arith::ConstantOp::create(*this, getI32IntegerAttr(value)); }
Value KernelBuilder::f32(float value) { return arith::ConstantOp::create(*this, getF32FloatAttr(value)); }

Value KernelBuilder::splat(Value value, int64_t lanes) {
  return vector::BroadcastOp::create(*this, VectorType::get({lanes}, value.getType()), value);
}

Value KernelBuilder::f32Like(Value like, float value) {
  TypedAttr attribute = getF32FloatAttr(value);
  if (auto vector = dyn_cast<VectorType>(like.getType()))
    attribute = DenseElementsAttr::get(VectorType::get(vector.getShape(), getF32Type()), value);
  return arith::ConstantOp::create(*this, attribute);
}

Value KernelBuilder::i32Like(Value like, int32_t value) {
  TypedAttr attribute = getI32IntegerAttr(value);
  if (auto vector = dyn_cast<VectorType>(like.getType()))
    attribute = DenseElementsAttr::get(VectorType::get(vector.getShape(), getI32Type()), value);
  return arith::ConstantOp::create(*this, attribute);
}

Value KernelBuilder::add(Value a, Value b) {
  return isFloat(a) ? arith::AddFOp::create(*this, a, b).getResult() : arith::AddIOp::create(*this, a, b).getResult();
}

Value KernelBuilder::sub(Value a, Value b) {
  return isFloat(a) ? arith::SubFOp::create(*this, a, b).getResult() : arith::SubIOp::create(*this, a, b).getResult();
}

Value KernelBuilder::mul(Value a, Value b) {
  return isFloat(a) ? arith::MulFOp::create(*this, a, b).getResult() : arith::MulIOp::create(*this, a, b).getResult();
}

Value KernelBuilder::div(Value a, Value b) {
  return isFloat(a) ? arith::DivFOp::create(*this, a, b).getResult() : arith::DivUIOp::create(*this, a, b).getResult();
}

Value KernelBuilder::rem(Value a, Value b) { return arith::RemUIOp::create(*this, a, b); }

Value KernelBuilder::max(Value a, Value b) {
  return isFloat(a) ? arith::MaximumFOp::create(*this, a, b).getResult()
                    : arith::MaxSIOp::create(*this, a, b).getResult();
}

Value KernelBuilder::min(Value a, Value b) {
  return isFloat(a) ? arith::MinimumFOp::create(*this, a, b).getResult()
                    : arith::MinSIOp::create(*this, a, b).getResult();
}

Value KernelBuilder::less(Value a, Value b) {
  return isFloat(a) ? arith::CmpFOp::create(*this, arith::CmpFPredicate::OLT, a, b).getResult()
                    : arith::CmpIOp::create(*this, arith::CmpIPredicate::slt, a, b).getResult();
}

Value KernelBuilder::equal(Value a, Value b) {
  return isFloat(a) ? arith::CmpFOp::create(*this, arith::CmpFPredicate::OEQ, a, b).getResult()
                    : arith::CmpIOp::create(*this, arith::CmpIPredicate::eq, a, b).getResult();
}

Value KernelBuilder::both(Value a, Value b) { return arith::AndIOp::create(*this, a, b); }
Value KernelBuilder::either(Value a, Value b) { return arith::OrIOp::create(*this, a, b); }
Value KernelBuilder::negation(Value condition) {
  return arith::XOrIOp::create(*this, condition, arith::ConstantOp::create(*this, getBoolAttr(true)));
}
Value KernelBuilder::select(Value condition, Value yes, Value no) {
  return arith::SelectOp::create(*this, condition, yes, no);
}
Value KernelBuilder::fma(Value a, Value b, Value c) { return math::FmaOp::create(*this, a, b, c); }

Value KernelBuilder::sum(Value vector) {
  for (int64_t lanes = cast<VectorType>(vector.getType()).getNumElements(); lanes > 1; lanes /= 2) {
    Value low = vector::ExtractStridedSliceOp::create(*this, vector, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{lanes / 2},
                                                      ArrayRef<int64_t>{1});
    Value high = vector::ExtractStridedSliceOp::create(*this, vector, ArrayRef<int64_t>{lanes / 2},
                                                       ArrayRef<int64_t>{lanes / 2}, ArrayRef<int64_t>{1});
    vector = add(low, high);
  }
  return vector::ExtractOp::create(*this, vector, 0);
}

Value KernelBuilder::toIndex(Value integer) { return arith::IndexCastOp::create(*this, getIndexType(), integer); }
Value KernelBuilder::toI32(Value indexValue) { return arith::IndexCastOp::create(*this, getI32Type(), indexValue); }

Value KernelBuilder::widen(Value value) {
  if (getElementTypeOrSelf(value).isF32())
    return value;
  return arith::ExtFOp::create(*this, sameLanes(value.getType(), getF32Type()), value);
}

Value KernelBuilder::narrow(Value value, Type element) {
  if (element.isF32())
    return value;
  return arith::TruncFOp::create(*this, sameLanes(value.getType(), element), value);
}

Value KernelBuilder::round(Value value, Type element) { return widen(narrow(value, element)); }

Value KernelBuilder::load(Value memref, ValueRange indices) {
  Value value = memref::LoadOp::create(*this, memref, indices, /*nontemporal=*/false, alignmentOf(memref));
  if (isFloat(value))
    return widen(value);
  return value.getType().isInteger(32) ? toIndex(value) : value;
}

Value KernelBuilder::loadVector(Value memref, ValueRange indices, int64_t lanes) {
  auto type = VectorType::get({lanes}, cast<MemRefType>(memref.getType()).getElementType());
  Value value = vector::LoadOp::create(*this, type, memref, indices, /*nontemporal=*/false, alignmentOf(memref));
  return isFloat(value) ? widen(value) : value;
}

// Buffers are aligned to their elements. Tensors of a checkpoint, which a static shape tells apart (buffer() leaves the leading
// dimension open), are too where they were copied to a device; where the file is mapped they lie at any byte.
llvm::MaybeAlign KernelBuilder::alignmentOf(Value memref) const {
  bool anywhere = !gpu && cast<MemRefType>(memref.getType()).hasStaticShape();
  return anywhere ? llvm::MaybeAlign(1) : llvm::MaybeAlign();
}

void KernelBuilder::store(Value value, Value memref, ValueRange indices) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  if (isFloat(value))
    value = narrow(value, element);
  else if (isa<IndexType>(value.getType()) && element.isInteger(32))
    value = toI32(value);
  if (isa<VectorType>(value.getType()))
    vector::StoreOp::create(*this, value, memref, indices, /*nontemporal=*/false, alignmentOf(memref));
  else
    memref::StoreOp::create(*this, value, memref, indices, /*nontemporal=*/false, alignmentOf(memref));
}

Value KernelBuilder::cacheRow(Value pages, Value slot, Value position, int64_t pageSize) {
  Value size = index(pageSize);
  Value page = load(pages, {slot, div(position, size)});
  return add(mul(page, size), rem(position, size));
}

} // namespace glm
