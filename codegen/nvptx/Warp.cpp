#include "codegen/nvptx/Warp.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace glm {

Warp::Warp(KernelBuilder &builder, int64_t warps)
    : builder(builder), warpCount(warps), threadIndex(builder.threadOfBlock()) {
  warpIndex = builder.div(threadIndex, builder.index(kLanes));
  laneIndex = builder.rem(threadIndex, builder.index(kLanes));
  groupIndex = builder.div(laneIndex, builder.index(4));
  quadIndex = builder.rem(laneIndex, builder.index(4));
}

void Warp::syncWarp() {
  LLVM::CallIntrinsicOp::create(builder, builder.getStringAttr("llvm.nvvm.bar.warp.sync"), ValueRange{constant(~0u)});
}

Value Warp::shared(int64_t elements, Type type) {
  return builder.sharedMemory(
      MemRefType::get({elements}, type, MemRefLayoutAttrInterface(),
                      builder.getI64IntegerAttr(static_cast<int64_t>(NVVM::NVVMMemorySpace::Shared))));
}

Value Warp::loadWords(Value memref, ValueRange indices, int64_t count) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  int64_t bytes = count * element.getIntOrFloatBitWidth() / 8;
  Value vector = vector::LoadOp::create(builder, VectorType::get({count}, element), memref, indices,
                                        /*nontemporal=*/false, llvm::MaybeAlign(bytes));
  return vector::BitCastOp::create(builder, VectorType::get({bytes / 4}, builder.getI32Type()), vector);
}

void Warp::storeWords(Value words, Value memref, ValueRange indices) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  int64_t bytes = cast<VectorType>(words.getType()).getNumElements() * 4;
  auto type = VectorType::get({bytes * 8 / element.getIntOrFloatBitWidth()}, element);
  vector::StoreOp::create(builder, vector::BitCastOp::create(builder, type, words), memref, indices,
                          /*nontemporal=*/false, llvm::MaybeAlign(bytes));
}

Value Warp::pointerTo(Value memref, ValueRange indices) {
  auto type = cast<MemRefType>(memref.getType());
  Value offset = builder.index(0);
  for (auto [size, index] : llvm::zip_equal(type.getShape(), indices))
    offset = builder.add(builder.mul(offset, builder.index(size)), index);
  auto wide = [&](Value number) -> Value { return arith::IndexCastOp::create(builder, builder.getI64Type(), number); };
  auto pointer = [&](NVVM::NVVMMemorySpace space) {
    return LLVM::LLVMPointerType::get(builder.getContext(), static_cast<unsigned>(space));
  };
  bool isGlobal = !type.getMemorySpace();
  Type space = pointer(isGlobal ? NVVM::NVVMMemorySpace::Global : NVVM::NVVMMemorySpace::Shared);
  Value first = wide(memref::ExtractAlignedPointerAsIndexOp::create(builder, memref));
  Value base = LLVM::IntToPtrOp::create(builder, isGlobal ? pointer(NVVM::NVVMMemorySpace::Generic) : space, first);
  if (isGlobal)
    base = LLVM::AddrSpaceCastOp::create(builder, space, base);
  return LLVM::GEPOp::create(builder, space, builder.getI8Type(), base, ArrayRef<LLVM::GEPArg>{wide(offset)});
}

void Warp::copyAsync(Value from, ValueRange fromIndices, Value to, ValueRange toIndices, int64_t bytes) {
  Value source = pointerTo(from, fromIndices), target = pointerTo(to, toIndices);
  // Whole copies pass by the first-level cache: nobody reads them twice.
  StringRef intrinsic =
      bytes == 16 ? "llvm.nvvm.cp.async.cg.shared.global.16" : "llvm.nvvm.cp.async.ca.shared.global.8";
  LLVM::CallIntrinsicOp::create(builder, builder.getStringAttr(intrinsic), ValueRange{target, source});
}

void Warp::endCopies() {
  LLVM::CallIntrinsicOp::create(builder, builder.getStringAttr("llvm.nvvm.cp.async.commit.group"), ValueRange{});
}

void Warp::awaitCopies(int64_t groups) {
  LLVM::CallIntrinsicOp::create(builder, builder.getStringAttr("llvm.nvvm.cp.async.wait.group"),
                                ValueRange{builder.i32(static_cast<int32_t>(groups))});
}

Value Warp::word(Value words, int64_t number) { return vector::ExtractOp::create(builder, words, number); }

Value Warp::permute(Value a, Value b, uint32_t selector) {
  return LLVM::CallIntrinsicOp::create(builder, builder.getI32Type(), builder.getStringAttr("llvm.nvvm.prmt"),
                                       ValueRange{a, b, constant(selector)})
      .getResult(0);
}

Warp::Halves Warp::halves(Value a, Value b) { return {permute(a, b, 0x5410), permute(a, b, 0x7632)}; }

SmallVector<Value, 8> Warp::pairs(Value even, Value odd) {
  SmallVector<Value, 8> words;
  for (int64_t i = 0; i < 4; ++i) {
    auto [low, high] = halves(word(even, i), word(odd, i));
    words.append({low, high});
  }
  return words;
}

Value Warp::bits(Value a, Value mask) { return arith::AndIOp::create(builder, a, mask); }
Value Warp::orBits(Value a, Value b) { return arith::OrIOp::create(builder, a, b); }
Value Warp::constant(uint32_t value) { return builder.i32(static_cast<int32_t>(value)); }

Value Warp::integer(Type type, int64_t value) {
  return arith::ConstantOp::create(builder, builder.getIntegerAttr(type, value));
}

Value Warp::compare(arith::CmpIPredicate predicate, Value a, Value b) {
  return arith::CmpIOp::create(builder, predicate, a, b);
}

Value Warp::shiftLeft(Value a, int64_t by) {
  return by == 0 ? a : arith::ShLIOp::create(builder, a, integer(a.getType(), by)).getResult();
}

Value Warp::shiftRight(Value a, int64_t by) {
  return by == 0 ? a : arith::ShRUIOp::create(builder, a, integer(a.getType(), by)).getResult();
}

Value Warp::mulBf16x2(Value a, Value b) {
  auto pair = VectorType::get({2}, builder.getBF16Type()), word = VectorType::get({1}, builder.getI32Type());
  auto toPair = [&](Value bits) -> Value {
    return vector::BitCastOp::create(builder, pair, vector::BroadcastOp::create(builder, word, bits));
  };
  Value product = arith::MulFOp::create(builder, toPair(a), toPair(b));
  return vector::ExtractOp::create(builder, vector::BitCastOp::create(builder, word, product), 0);
}

Value Warp::shuffle(Value value, int64_t mask) {
  Value operands[] = {constant(0xffffffff), value, builder.i32(static_cast<int32_t>(mask)), builder.i32(kLanes - 1)};
  return LLVM::CallIntrinsicOp::create(builder, builder.getF32Type(),
                                       builder.getStringAttr("llvm.nvvm.shfl.sync.bfly.f32"), operands)
      .getResult(0);
}

Value Warp::shuffleBits(Value value, int64_t mask) {
  if (Type wide = value.getType(); wide.isInteger(64)) {
    auto half = [&](int64_t shift) -> Value {
      Value word = arith::TruncIOp::create(builder, builder.getI32Type(), shiftRight(value, shift));
      return arith::ExtUIOp::create(builder, wide, shuffleBits(word, mask));
    };
    Value low = half(0), high = half(32);
    return orBits(low, shiftLeft(high, 32));
  }
  Value moved = shuffle(arith::BitcastOp::create(builder, builder.getF32Type(), value), mask);
  return arith::BitcastOp::create(builder, builder.getI32Type(), moved);
}

Value Warp::sumLanes(Value value, int64_t low, int64_t high) {
  for (int64_t mask = high; mask >= low; mask /= 2)
    value = builder.add(value, shuffle(value, mask));
  return value;
}

Value Warp::maxLanes(Value value, int64_t low, int64_t high) {
  for (int64_t mask = high; mask >= low; mask /= 2)
    value = builder.max(value, shuffle(value, mask));
  return value;
}

Value Warp::combineLanes(Value value, int64_t lanes, function_ref<Value(Value, Value)> combine) {
  for (int64_t mask = lanes / 2; mask > 0; mask /= 2)
    value = combine(value, shuffleBits(value, mask));
  return value;
}

Value Warp::packBf16(Value low, Value high) {
  Value pair = builder.splat(low, 2);
  pair = builder.narrow(vector::InsertOp::create(builder, high, pair, 1), builder.getBF16Type());
  return vector::ExtractOp::create(
      builder, vector::BitCastOp::create(builder, VectorType::get({1}, builder.getI32Type()), pair), 0);
}

Value Warp::packPair(StringRef intrinsic, Value low, Value high) {
  Value pair = LLVM::CallIntrinsicOp::create(builder, builder.getI16Type(), builder.getStringAttr(intrinsic),
                                             ValueRange{high, low})
                   .getResult(0);
  return arith::ExtUIOp::create(builder, builder.getI32Type(), pair);
}

Value Warp::packE2m1(Value low, Value high) { return packPair("llvm.nvvm.ff.to.e2m1x2.rn.satfinite", low, high); }

Value Warp::packE4m3(Value value) { return packPair("llvm.nvvm.ff.to.e4m3x2.rn", value, builder.f32(0.0f)); }

Value Warp::lowHalf(Value word) { return arith::BitcastOp::create(builder, builder.getF32Type(), shiftLeft(word, 16)); }

Value Warp::highHalf(Value word) {
  return arith::BitcastOp::create(builder, builder.getF32Type(), bits(word, constant(0xffff0000)));
}

Value Warp::loadWide(Value memref, ValueRange indices, int64_t lanes) {
  if (lanes == 1)
    return builder.load(memref, indices);
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  int64_t bytes = lanes * element.getIntOrFloatBitWidth() / 8;
  return builder.widen(vector::LoadOp::create(builder, VectorType::get({lanes}, element), memref, indices,
                                              /*nontemporal=*/false, llvm::MaybeAlign(std::min<int64_t>(bytes, 16))));
}

void Warp::storeWide(Value value, Value memref, ValueRange indices) {
  auto type = dyn_cast<VectorType>(value.getType());
  if (!type)
    return builder.store(value, memref, indices);
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  int64_t bytes = type.getNumElements() * element.getIntOrFloatBitWidth() / 8;
  vector::StoreOp::create(builder, builder.narrow(value, element), memref, indices, /*nontemporal=*/false,
                          llvm::MaybeAlign(std::min<int64_t>(bytes, 16)));
}

void Warp::columns(int64_t begin, int64_t end, int64_t width, function_ref<void(Value, int64_t)> body, int64_t wide) {
  int64_t lanes = begin % wide == 0 && end % wide == 0 && width % wide == 0 ? wide : 1;
  Value first = builder.add(builder.index(begin), builder.mul(threadIndex, builder.index(lanes)));
  builder.loop(first, builder.index(end), threads() * lanes, [&](Value column) { body(column, lanes); });
}

Value Warp::sumBlock(Value value, Value scratch) {
  value = sumLanes(value, 1, kLanes / 2);
  builder.when(builder.equal(laneIndex, builder.index(0)), [&] { builder.store(value, scratch, warpIndex); });
  barrier();
  Value sum = sumWarps([&](Value other) { return builder.load(scratch, other); });
  barrier();
  return sum;
}

Value Warp::combineBlock(Value value, Value scratch, function_ref<Value(Value, Value)> combine) {
  value = combineLanes(value, kLanes, combine);
  builder.when(builder.equal(laneIndex, builder.index(0)),
               [&] { memref::StoreOp::create(builder, value, scratch, warpIndex); });
  barrier();
  // Each warp combines what all of them left, a lane for each.
  Value place = builder.rem(laneIndex, builder.index(warpCount));
  value = combineLanes(memref::LoadOp::create(builder, scratch, place), warpCount, combine);
  barrier();
  return value;
}

// PTX ISA, "Memory Consistency Model": what the threads of a block wrote is ordered before thread 0's fence by the barrier, and what they read after the
// second barrier behind its other one; between two blocks the counter orders the fences.
Value Warp::isLastBlock(Value counters, Value place, Value count, Value scratch) {
  auto fence = [&] { LLVM::FenceOp::create(builder, LLVM::AtomicOrdering::acq_rel, "device"); };
  Value none = builder.index(0), last = builder.sub(count, builder.index(1));
  barrier();
  builder.when(builder.equal(threadIndex, none), [&] {
    fence();
    Value before = memref::AtomicRMWOp::create(builder, arith::AtomicRMWKind::addi, builder.i32(1), counters, place);
    fence();
    builder.store(builder.toIndex(before), scratch, none);
    builder.when(builder.equal(builder.toIndex(before), last), [&] { builder.store(none, counters, place); });
  });
  barrier();
  return builder.equal(builder.load(scratch, none), last);
}

Value Warp::sumWarps(function_ref<Value(Value)> of) {
  Value sum = of(builder.index(0));
  for (int64_t other = 1; other < warpCount; ++other)
    sum = builder.add(sum, of(builder.index(other)));
  return sum;
}

// Hillis and Steele 1986: after round r each entry is the sum of the 2^r up to it; rounds alternate between two halves.
Value Warp::countBefore(Value count, Value scratch) {
  auto at = [&](int64_t half, Value thread) { return builder.add(builder.index(half * threads()), thread); };
  int64_t half = 0;
  Value sum = count, none = integer(count.getType(), 0);
  builder.store(sum, scratch, at(half, threadIndex));
  barrier();
  for (int64_t distance = 1; distance < threads(); distance *= 2, half = 1 - half) {
    Value there = builder.less(builder.index(distance - 1), threadIndex);
    Value place = builder.max(builder.sub(threadIndex, builder.index(distance)), builder.index(0));
    sum = builder.add(sum, builder.select(there, builder.load(scratch, at(half, place)), none));
    builder.store(sum, scratch, at(1 - half, threadIndex));
    barrier();
  }
  return builder.sub(sum, count);
}

Value Warp::dot(const Row &low, const Row &high, const Row &right, int64_t width, Value c) {
  constexpr int64_t part = 8, chunk = 4 * part;
  return builder.fold(builder.index(0), builder.index(width), chunk, c, [&](Value begin, ValueRange carried) {
    Value k = builder.add(begin, builder.mul(quadIndex, builder.index(part)));
    // Lanes beyond the last column read it again, times zero.
    Value valid = builder.less(k, builder.index(width)), place = builder.min(k, builder.index(width - part));
    auto load = [&](const Row &row) { return loadWords(row.memref, {row.row, builder.add(row.column, place)}, part); };
    Value top = load(low), bottom = load(high), other = load(right), sum = carried[0];
    auto masked = [&](int64_t number) { return builder.select(valid, word(other, number), builder.i32(0)); };
    for (int64_t step = 0; step < 4; step += 2)
      sum = mma({word(top, step), word(bottom, step), word(top, step + 1), word(bottom, step + 1)},
                {masked(step), masked(step + 1)}, sum);
    return SmallVector<Value>{sum};
  })[0];
}

Value Warp::mma(ArrayRef<Value> a, ArrayRef<Value> b, Value c) {
  SmallVector<Value> operands(a);
  operands.append(b.begin(), b.end());
  return accumulate("llvm.nvvm.mma.m16n8k16.row.col.bf16", operands, {}, c);
}

Value Warp::scaledMma(ArrayRef<Value> a, Value aScales, ArrayRef<Value> b, Value bScales, Value c) {
  SmallVector<Value> operands(a);
  operands.append(b.begin(), b.end());
  Value zero = arith::ConstantOp::create(builder, builder.getI16IntegerAttr(0)); // byte-id, thread-id
  return accumulate("llvm.nvvm.mma.block.scale.m16n8k64.row.col.mxf4nvf4.scale.4x.f32.e2m1.e2m1.f32.ue4m3", operands,
                    {aScales, zero, zero, bScales, zero, zero}, c);
}

Value Warp::accumulate(StringRef intrinsic, SmallVector<Value> operands, ArrayRef<Value> behind, Value c) {
  Type f32 = builder.getF32Type();
  for (int64_t i = 0; i < 4; ++i)
    operands.push_back(vector::ExtractOp::create(builder, c, i));
  operands.append(behind.begin(), behind.end());
  Type sums = LLVM::LLVMStructType::getLiteral(builder.getContext(), {f32, f32, f32, f32});
  Value result = LLVM::CallIntrinsicOp::create(builder, sums, builder.getStringAttr(intrinsic), operands).getResult(0);
  for (int64_t i = 0; i < 4; ++i)
    c = vector::InsertOp::create(builder, LLVM::ExtractValueOp::create(builder, result, i).getResult(), c, i);
  return c;
}

} // namespace glm
