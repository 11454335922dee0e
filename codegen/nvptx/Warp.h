// The verbs of a kernel that is written for warps: who this thread is, memory of a block, tensor cores.
//
// Names of lanes are those of the PTX ISA ("Matrix Fragments for mma.m16n8k16"): group = lane / 4, thread-in-group = lane % 4.
#pragma once

#include "codegen/builder/KernelBuilder.h"

namespace glm {

class Warp {
public:
  /// Of a block of `warps` warps.
  Warp(KernelBuilder &builder, int64_t warps);

  static constexpr int64_t kLanes = 32;

  mlir::Value block() const { return builder.block(); }   ///< index
  mlir::Value blocks() const { return builder.blocks(); } ///< index
  mlir::Value thread() const { return threadIndex; }      ///< index, in the block
  mlir::Value warp() const { return warpIndex; }          ///< index, in the block
  mlir::Value lane() const { return laneIndex; }          ///< index, 0 .. 31
  mlir::Value group() const { return groupIndex; }        ///< index, 0 .. 7
  mlir::Value quad() const { return quadIndex; }          ///< index, thread-in-group, 0 .. 3
  int64_t warps() const { return warpCount; }

  /// Wait for all threads of the block, or of the warp; what they wrote to shared memory is seen.
  void barrier() { builder.barrier(); }
  void syncWarp();
  /// Shared memory of the block: memref<elements x type, 3>.
  mlir::Value shared(int64_t elements, mlir::Type type);

  /// `count` elements of the last dimension as words: vector<count * bits / 32 x i32>. They lie at a multiple of their size.
  mlir::Value loadWords(mlir::Value memref, mlir::ValueRange indices, int64_t count);
  /// Word `number` of such a vector: i32.
  mlir::Value word(mlir::Value words, int64_t number);
  /// The low halves of two words as one word, that of `a` lowest, and the high halves: pairs of neighbours become neighbours' pairs.
  struct Halves {
    mlir::Value low, high;
  };
  Halves halves(mlir::Value a, mlir::Value b);
  /// For two rows of 8 neighbouring 16-bit numbers, as loadWords gives them: 8 words, of numbers j of both.
  llvm::SmallVector<mlir::Value, 8> pairs(mlir::Value even, mlir::Value odd);

  /// Store words as `loadWords` gives them, at a multiple of their size.
  void storeWords(mlir::Value words, mlir::Value memref, mlir::ValueRange indices);

  /// cp.async: this lane's 8 or 16 bytes from global to shared memory, both memrefs of bytes, at multiples of their number. Copies since the last
  /// `endCopies` are a group. `awaitCopies` waits until at most `groups` of this lane's are under way; others see what came after `syncWarp`.
  void copyAsync(mlir::Value from, mlir::ValueRange fromIndices, mlir::Value to, mlir::ValueRange toIndices,
                 int64_t bytes);
  void endCopies();
  void awaitCopies(int64_t groups);

  mlir::Value bits(mlir::Value a, mlir::Value mask); ///< a & mask
  mlir::Value orBits(mlir::Value a, mlir::Value b);
  mlir::Value shiftLeft(mlir::Value a, int64_t by);
  mlir::Value shiftRight(mlir::Value a, int64_t by);
  mlir::Value constant(uint32_t value); ///< i32
  mlir::Value integer(mlir::Type type, int64_t value);
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value a, mlir::Value b);
  /// Products of two pairs of bf16, each rounded once; i32 words.
  mlir::Value mulBf16x2(mlir::Value a, mlir::Value b);

  /// Whether this block is the last of `count` that come here with the same `place` of `counters` (memref<i32>), for all of its threads. The last sees what
  /// the others wrote before, and leaves the counter 0 as it was. `scratch` is shared memory for an i32.
  mlir::Value isLastBlock(mlir::Value counters, mlir::Value place, mlir::Value count, mlir::Value scratch);

  /// The sum over all warps, in their order, of what `of` gives for a warp's number.
  mlir::Value sumWarps(llvm::function_ref<mlir::Value(mlir::Value)> of);
  /// The sum of a value of each thread of the block, for all of them: lanes, then warps in their order. `scratch` is shared memory for one
  /// f32 a warp. Ends with a barrier.
  mlir::Value sumBlock(mlir::Value value, mlir::Value scratch);
  /// What `combine`, in whatever order, makes of a value (i32 or i64) of each thread of the block, for all of them. Warps are a power of two.
  /// `scratch` is shared memory for a value a warp. Ends with a barrier.
  mlir::Value combineBlock(mlir::Value value, mlir::Value scratch,
                           llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> combine);
  /// The sum of the counts (index, or i64) of the threads before this one. `scratch` is shared memory for two i32 a thread, or i64. Ends with a
  /// barrier.
  mlir::Value countBefore(mlir::Value count, mlir::Value scratch);
  /// body(column, lanes) for the columns begin .. end-1 that are this thread's: `wide` at a time where rows of `width` columns let them.
  void columns(int64_t begin, int64_t end, int64_t width, llvm::function_ref<void(mlir::Value, int64_t)> body,
               int64_t wide = 8);
  int64_t threads() const { return warpCount * kLanes; }

  /// The value of the lane whose number differs from this one's in the bits of `mask`: f32.
  mlir::Value shuffle(mlir::Value value, int64_t mask);
  /// The same of an i32 or i64.
  mlir::Value shuffleBits(mlir::Value value, int64_t mask);
  /// The sum, or the largest, of lanes that differ in the bits from `low` to `high`, halves first: the same for each of them.
  mlir::Value sumLanes(mlir::Value value, int64_t low, int64_t high);
  mlir::Value maxLanes(mlir::Value value, int64_t low, int64_t high);
  /// What `combine` makes of the values (i32 or i64) of lanes that differ in the bits below `lanes`, a power of two: the same for each of them.
  mlir::Value combineLanes(mlir::Value value, int64_t lanes,
                           llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> combine);
  /// Two f32 as a word of bf16, the first in its low half, each to the nearest.
  mlir::Value packBf16(mlir::Value low, mlir::Value high);
  /// Two f32 as E2M1, the first in the low nibble of a byte (an i32), each to the nearest, 6 at most.
  mlir::Value packE2m1(mlir::Value low, mlir::Value high);
  /// An f32 as the bits of E4M3 (an i32), to the nearest, 448 at most.
  mlir::Value packE4m3(mlir::Value value);
  /// The f32 in the halves of a word of bf16.
  mlir::Value lowHalf(mlir::Value word);
  mlir::Value highHalf(mlir::Value word);
  /// Neighbours of the last dimension at a multiple of their size, floats widened to f32: a scalar for one lane.
  mlir::Value loadWide(mlir::Value memref, mlir::ValueRange indices, int64_t lanes);
  /// Store a vector of f32, or a scalar, narrowed to the memref's elements, at a multiple of its size there.
  void storeWide(mlir::Value vector, mlir::Value memref, mlir::ValueRange indices);

  /// 16 rows times 8 rows over `width` columns, each row where its operand says: c + A B^T, vector<4xf32>. Rows begin at multiples of 16 bytes,
  /// and `width` is one of 8.
  struct Row {
    mlir::Value memref, row, column; ///< bf16
  };
  mlir::Value dot(const Row &low, const Row &high, const Row &right, int64_t width, mlir::Value c);

  /// mma.sync.m16n8k16, bf16 with float32 sums: c + A B. `a` are 4 words, `b` 2; c and the result are vector<4xf32>.
  mlir::Value mma(llvm::ArrayRef<mlir::Value> a, llvm::ArrayRef<mlir::Value> b, mlir::Value c);
  /// mma.sync.m16n8k64 of E2M1 with an E4M3 scale for each 16 of k, float32 sums: c + A B. Scales are words as ScaledProduct.cpp draws them.
  mlir::Value scaledMma(llvm::ArrayRef<mlir::Value> a, mlir::Value aScales, llvm::ArrayRef<mlir::Value> b,
                        mlir::Value bScales, mlir::Value c);

  /// prmt.b32: the bytes of b:a that the digits of `selector` number, the lowest digit's byte first.
  mlir::Value permute(mlir::Value a, mlir::Value b, uint32_t selector);

private:
  /// c + what the intrinsic makes of its operands and c.
  mlir::Value accumulate(llvm::StringRef intrinsic, llvm::SmallVector<mlir::Value> operands,
                         llvm::ArrayRef<mlir::Value> behind, mlir::Value c);
  /// An i16 of two small floats, as an i32.
  mlir::Value packPair(llvm::StringRef intrinsic, mlir::Value low, mlir::Value high);
  /// A pointer to an element of a memref of bytes, to shared memory or, if its type has no space, to global.
  mlir::Value pointerTo(mlir::Value memref, mlir::ValueRange indices);

  KernelBuilder &builder;
  int64_t warpCount;
  mlir::Value threadIndex, warpIndex, laneIndex, groupIndex, quadIndex;
};

} // namespace glm
