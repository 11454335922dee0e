#include "codegen/x86/HeadLanes.h"

#include "codegen/target/Target.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace glm {

HeadLanes::HeadLanes(KernelBuilder &builder, int64_t width, Type type, TargetAttr target)
    : builder(builder), width(width), laneCount(vectorLanes(target)),
      pairs(hasBf16Dot(target) && type.isBF16() && width % 2 == 0) {
  element = pairs ? Type(builder.getBF16Type()) : Type(builder.getF32Type());
  int64_t perStep = pairs ? 2 : 1;
  auto scratchType = MemRefType::get({width / perStep, laneCount * perStep}, element);
  scratch = memref::AllocaOp::create(builder, scratchType, builder.getI64IntegerAttr(64));
}

void HeadLanes::fill(Value source, Value row, Value firstHead, int64_t heads, int64_t stride, int64_t from, int64_t to,
                     int64_t count) {
  int64_t perStep = pairs ? 2 : 1;
  builder.loop(builder.index(0), builder.index(laneCount), 1, [&](Value lane) {
    Value head = builder.add(firstHead, lane);
    // Lanes without a head repeat the last one, times 0: no branch in the copy.
    Value live = arith::CmpIOp::create(builder, arith::CmpIPredicate::ult, head, builder.index(heads));
    Value factor = arith::SelectOp::create(builder, live, builder.f32(1.0f), builder.f32(0.0f));
    Value column = builder.add(builder.mul(builder.min(head, builder.index(heads - 1)), builder.index(stride)),
                               builder.index(from));
    builder.loop(builder.index(0), builder.index(count), 1, [&](Value i) {
      Value x = builder.mul(builder.load(source, {row, builder.add(column, i)}), factor);
      Value at = builder.add(i, builder.index(to));
      Value step = builder.div(at, builder.index(perStep)), part = builder.rem(at, builder.index(perStep));
      builder.store(x, scratch, {step, builder.add(builder.mul(lane, builder.index(perStep)), part)});
    });
  });
}

Value HeadLanes::broadcastKey(Value keys, Value row, Value step) {
  if (!pairs)
    return builder.splat(builder.load(keys, {row, step}), laneCount);
  auto pair = VectorType::get(2, builder.getBF16Type());
  Value loaded = vector::LoadOp::create(builder, pair, keys, ValueRange{row, builder.mul(step, builder.index(2))});
  Value bits = vector::BitCastOp::create(builder, VectorType::get(1, builder.getI32Type()), loaded);
  Value word = vector::ExtractOp::create(builder, bits, ArrayRef<int64_t>{0});
  Value all = vector::BroadcastOp::create(builder, VectorType::get(laneCount, builder.getI32Type()), word);
  return vector::BitCastOp::create(builder, VectorType::get(2 * laneCount, builder.getBF16Type()), all);
}

SmallVector<Value> HeadLanes::dot(Value keys, ArrayRef<Value> keyRows) {
  Value zero = builder.splat(builder.f32(0.0f), laneCount);
  SmallVector<Value> initial(keyRows.size(), zero);
  int64_t steps = pairs ? width / 2 : width;
  auto sumType = VectorType::get(laneCount, builder.getF32Type());
  return builder.fold(builder.index(0), builder.index(steps), 1, initial, [&](Value step, ValueRange sums) {
    auto queryType = VectorType::get(laneCount * (pairs ? 2 : 1), element);
    Value query = vector::LoadOp::create(builder, queryType, scratch, ValueRange{step, builder.index(0)});
    SmallVector<Value> next;
    for (auto [row, sum] : llvm::zip_equal(keyRows, sums)) {
      Value key = broadcastKey(keys, row, step);
      if (!pairs) {
        next.push_back(builder.fma(query, key, sum));
        continue;
      }
      auto call = LLVM::CallIntrinsicOp::create(
          builder, sumType, builder.getStringAttr("llvm.x86.avx512bf16.dpbf16ps.512"), ValueRange{sum, query, key});
      next.push_back(call.getResult(0));
    }
    return next;
  });
}

} // namespace glm
