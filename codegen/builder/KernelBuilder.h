// The verbs in which kernel bodies are written: the arguments of a launch, loops, loads that widen, stores that narrow,
// shares of work among threads, and the few functions of real numbers that the model needs.
//
// A body computes in float32. It is a function of pointers and of three numbers (runtime/artifact/KernelAbi.h): live rows,
// this thread, all threads; on a GPU the threads are those of the grid. Leading dimensions of buffers are unknown
// (`memref<?x6144xbf16>`), so that one kernel serves every bucket of rows.
#pragma once

#include "dialect/GlmDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Alignment.h"

#include <utility>

namespace glm {

/// A weight matrix [rows, columns] as a body sees it.
struct WeightMatrix {
  int64_t rows = 0;
  int64_t columns = 0;
  mlir::Type element; ///< f32, bf16, f16; f4E2M1FN if packed
  mlir::Value data;   ///< memref<rows x columns x element>; packed: memref<rows x columns/2 x i8>, low nibble first
  int64_t block = 0;  ///< packed: columns per scale
  bool tiled = false; ///< packed: `data` is memref<tiles x tiles x Nvfp4Tile::kBytes x i8>, and there are no `scales`
  mlir::Value scales; ///< packed: memref<rows x columns/block x i8>, E4M3 bits
  mlir::Value global; ///< packed: f32
  /// f32, if the rows that the matrix is multiplied with are rounded to NVFP4 (`quantized_inputs` of #glm.nvfp4); or null.
  mlir::Value inputScale;

  bool isPacked() const { return block != 0; }
};

class KernelBuilder : public mlir::ImplicitLocOpBuilder {
public:
  /// Creates the function `name` in `module` as KernelAbi.h has it for the target of the module around `op`, and stands at its end.
  /// The arguments of the launch are the operands of `op` in order, a packed weight being three (codes, block scales, global scales), or two in tiles.
  /// `threads` are those of a block on a GPU, fixed for all launches; a host's number is known when it runs.
  KernelBuilder(mlir::Operation *op, mlir::ModuleOp module, llvm::StringRef name, int64_t threads = 1);

  /// Ends the function. On a GPU the module is told how much shared memory a block needs.
  void finish();

  /// How many arguments of the launch a kernel operand is: 1 for a buffer or a wide weight, 3 for a packed one, 2 for one in tiles; one more with an
  /// input scale.
  static int64_t pointers(mlir::Value operand);

  //===-- several kernels in one launch of a GPU (glm.kernel.fused) ----------------------------------------------===//

  /// What is built by `body` belongs to blocks `first` .. `first + count - 1` of the grid, and there to the first `threads` of a block: block(),
  /// thread() and the like speak of those. Shared memory is used again by the next kernel.
  void asKernel(mlir::Value first, mlir::Value count, int64_t threads, llvm::function_ref<void()> body);
  /// What is built by `body` is computed by every block for all rows. The buffers `keep` are memory of the block then, and for what is built
  /// afterwards.
  void asPrologue(mlir::ValueRange keep, int64_t threads, llvm::function_ref<void()> body);
  bool inPrologue() const { return prologue; }
  /// The buffer from outside to which one block writes what all of them keep of `output`, or null.
  mlir::Value published(mlir::Value output);

  //===-- arguments ----------------------------------------------------------------------------------------------===//

  /// The memref of a buffer operand, leading dimension unknown.
  mlir::Value buffer(mlir::Value operand);
  /// A weight of rank 1 as a memref.
  mlir::Value vectorWeight(mlir::Value operand);
  /// A weight of rank 2, or the matrix at hand of one of rank 3 in the load program.
  WeightMatrix weight(mlir::Value operand);
  /// One expert of a weight of rank 3, reached through the table of pointers.
  WeightMatrix expertWeight(mlir::Value operand, mlir::Value expert);
  /// Memory of this thread alone, uninitialized, on its stack: memref<elements x type>.
  mlir::Value scratch(int64_t elements, mlir::Type type);
  /// Shared memory of a block of a GPU, uninitialized: a memref of `type`, which has the memory space of it.
  mlir::Value sharedMemory(mlir::MemRefType type);
  /// A table of constants: memref<values x f32>.
  mlir::Value constants(llvm::ArrayRef<float> values);

  mlir::Value block() { return blockValue; }            ///< index, on a GPU
  mlir::Value threadOfBlock() { return threadInBlock; } ///< index, on a GPU
  int64_t blockThreads() const { return ownThreads; }   ///< of a block, on a GPU
  mlir::Value blocks() { return blocksValue; }          ///< index, on a GPU

  mlir::Value rows() { return rowsValue; }       ///< index
  mlir::Value thread() { return threadValue; }   ///< index
  mlir::Value threads() { return threadsValue; } ///< index

  //===-- control ------------------------------------------------------------------------------------------------===//

  /// This thread's part [first, second) of 0 .. count-1 in units of `grain`: contiguous, as even as possible.
  std::pair<mlir::Value, mlir::Value> share(mlir::Value count, int64_t grain = 1);
  /// for (i = lower; i < upper; i += step) body(i)
  void loop(mlir::Value lower, mlir::Value upper, int64_t step, llvm::function_ref<void(mlir::Value)> body);
  /// The same with values carried from one round to the next; returns the last.
  llvm::SmallVector<mlir::Value>
  fold(mlir::Value lower, mlir::Value upper, int64_t step, mlir::ValueRange initial,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value, mlir::ValueRange)> body);
  /// The first of 0 .. count-1 of which `holds` is true, `count` if there is none; true stays true behind it.
  mlir::Value firstOf(int64_t count, llvm::function_ref<mlir::Value(mlir::Value)> holds);
  /// if (condition) body()
  void when(mlir::Value condition, llvm::function_ref<void()> body);
  /// Wait for all threads of a GPU's block; what they wrote to shared memory is seen.
  void barrier();

  //===-- values -------------------------------------------------------------------------------------------------===//

  mlir::Value index(int64_t value);
  mlir::Value i32(int32_t value);
  mlir::Value f32(float value);
  /// A float32 vector of `lanes` times `value`.
  mlir::Value splat(mlir::Value value, int64_t lanes);

  mlir::Value add(mlir::Value a, mlir::Value b); ///< index, integer or float, scalar or vector
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value div(mlir::Value a, mlir::Value b); ///< unsigned for index and integers
  mlir::Value rem(mlir::Value a, mlir::Value b);
  mlir::Value max(mlir::Value a, mlir::Value b); ///< signed; float: maximumf, a NaN stays
  mlir::Value min(mlir::Value a, mlir::Value b);
  mlir::Value less(mlir::Value a, mlir::Value b);  ///< signed; false beside a NaN
  mlir::Value equal(mlir::Value a, mlir::Value b); ///< false beside a NaN
  mlir::Value both(mlir::Value a, mlir::Value b);  ///< of two conditions
  mlir::Value either(mlir::Value a, mlir::Value b);
  mlir::Value negation(mlir::Value condition);
  mlir::Value select(mlir::Value condition, mlir::Value yes, mlir::Value no);
  mlir::Value fma(mlir::Value a, mlir::Value b, mlir::Value c); ///< a * b + c, one rounding
  /// Sum of the lanes in a fixed tree order (halves added until one lane is left): the same on every chip.
  mlir::Value sum(mlir::Value vector);
  mlir::Value toIndex(mlir::Value integer); ///< signed: -1 stays -1
  mlir::Value toI32(mlir::Value indexValue);

  /// f16 or bf16 to f32, scalar or vector; f32 passes.
  mlir::Value widen(mlir::Value value);
  /// f32 to `element`, round to nearest even; f32 passes.
  mlir::Value narrow(mlir::Value value, mlir::Type element);
  /// The f32 that is left of a value after it was stored as `element`.
  mlir::Value round(mlir::Value value, mlir::Type element);

  /// One element, widened to f32 if it is a float, to index if it is an i32.
  mlir::Value load(mlir::Value memref, mlir::ValueRange indices);
  /// `lanes` neighbours of the last dimension, floats widened to f32; integers as they are.
  mlir::Value loadVector(mlir::Value memref, mlir::ValueRange indices, int64_t lanes);
  /// Scalar or vector, narrowed to the memref's element type; an index becomes an i32.
  void store(mlir::Value value, mlir::Value memref, mlir::ValueRange indices);

  mlir::Value sqrt(mlir::Value x); ///< correctly rounded
  /// e^x for f32 scalars and vectors, within 1 ulp, the same bits for a scalar as for a lane. Cephes expf: x = n ln 2 + r,
  /// a polynomial of degree 7 in r, then 2^n by exponent bits. Gradual underflow, infinity above 88.72, a NaN stays.
  mlir::Value exp(mlir::Value x);
  struct Angle {
    mlir::Value sine, cosine;
  };
  /// Of an f32 scalar, |x| at most 2^30: computed in float64, so that one in some 10^7 is not the nearest float32. No library is asked: the
  /// same bits on every chip.
  Angle sinCos(mlir::Value x);
  mlir::Value sigmoid(mlir::Value x); ///< 1 / (1 + e^-x)
  mlir::Value silu(mlir::Value x);    ///< x * sigmoid(x)
  /// E4M3 bits (i8, scalar or vector) to f32, exact, subnormals included. The NaN codes 0x7f and 0xff, which the loader refuses,
  /// read as 480 and -480.
  mlir::Value decodeE4m3(mlir::Value bits);
  /// An E2M1 code (i8 or i32 with the code in the low 4 bits, scalar or vector) to f32.
  mlir::Value decodeE2m1(mlir::Value code);
  /// A positive f32 scalar to the nearest number of E4M3, ties to even; 2^-9 at least and 448 at most, so that none is zero.
  mlir::Value roundE4m3(mlir::Value x);
  /// An f32 scalar to the nearest number of E2M1, ties to even, 6 at most.
  mlir::Value roundE2m1(mlir::Value x);
  /// The scale of a block of NVFP4 whose largest magnitude is `most`, without the matrix's own `scale`: E4M3(most / 6 / scale).
  mlir::Value blockScale(mlir::Value most, mlir::Value scale);
  /// weight[n, k] as f32: `E2M1 * (scale * global)` if packed.
  mlir::Value element(const WeightMatrix &weight, mlir::Value n, mlir::Value k);

  /// The row of a paged cache that holds `position` of `slot`.
  mlir::Value cacheRow(mlir::Value pages, mlir::Value slot, mlir::Value position, int64_t pageSize);

private:
  /// `func.func @name(!llvm.ptr, i64, i64, i64)`: the pointers of `op` are loaded from a table.
  void enterHostFunction(mlir::Operation *op, llvm::StringRef name);
  /// `func.func @name(!llvm.ptr, ..., !llvm.ptr)`: the pointers of `op`, then that of the number of rows.
  void enterGpuKernel(mlir::Operation *op, llvm::StringRef name, int64_t threads);
  mlir::Value outerBuffer(mlir::Value operand);
  /// The grid and the block as the kernel at hand sees them.
  void enterBlocks(mlir::Value block, mlir::Value blocks, int64_t threads);
  /// The same while `body` is built, for the first `threads` of a block.
  void withThreads(mlir::Value block, mlir::Value blocks, int64_t threads, llvm::function_ref<void()> body);
  /// Keep what `next` gives for each argument of the launch. An operand that occurs twice is one buffer: any of its pointers will do.
  void keepPointers(mlir::Operation *op, llvm::function_ref<mlir::Value()> next);
  /// A pointer to memory of the device, as LLVM cannot see when it comes out of a table.
  mlir::Value toGlobal(mlir::Value pointer);
  /// What may be assumed of an address in `memref`, beyond the alignment of its elements.
  llvm::MaybeAlign alignmentOf(mlir::Value memref) const;

  /// A memref of `type` at `pointer`; the descriptor folds away when memrefs become pointers.
  mlir::Value view(mlir::Value pointer, mlir::MemRefType type);
  /// Element `number` of a table of pointers.
  mlir::Value pointerAt(mlir::Value table, mlir::Value number);
  /// Matrix `number` of a weight: `pointer` makes an address of an argument of the launch, scalars lie side by side.
  WeightMatrix matrixAt(mlir::Value operand, llvm::function_ref<mlir::Value(mlir::Value)> pointer, mlir::Value number);
  /// The E2M1 code in the low half of a byte (i8), or in the high half if `odd` (i32) is 1, as f32.
  mlir::Value decodeNibble(mlir::Value byte, mlir::Value odd);
  /// A positive f32 without the last `count` bits of its mantissa, rounded to nearest, ties to even.
  mlir::Value dropBits(mlir::Value x, int64_t count);
  /// An f32 constant like `like`, a scalar or a vector of any type.
  mlir::Value f32Like(mlir::Value like, float value);
  mlir::Value i32Like(mlir::Value like, int32_t value);

  bool gpu = false, e2m1Conversion = false, prologue = false;
  int64_t ownThreads = 1, allThreads = 1;
  mlir::Value blockValue, blocksValue, threadInBlock;
  int64_t sharedBytes = 0;                       ///< of the kernel at hand, so far
  int64_t mostSharedBytes = 0;                   ///< of the kernels of the launch
  llvm::DenseMap<mlir::Value, mlir::Value> kept; ///< buffer operands that a prologue leaves in shared memory
  mlir::func::FuncOp function;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value, 4>> pointersOf; ///< operand to its arguments
  mlir::Value rowsValue, threadValue, threadsValue;
};

} // namespace glm
