// Dot products of weight rows with rows of activations: the inner loop of every product on x86.
//
// A weight row is streamed once and meets up to 8 rows of activations; each sum has its own accumulators and an order
// that depends on the width alone, so that a row's result is the same in every company.
#pragma once

#include "codegen/builder/KernelBuilder.h"

#include <memory>

namespace glm {

/// Rows of activations that meet weights at once, at most: as many sums as registers hold.
int64_t dotRows(TargetAttr target);

/// Where a weight row is: its products with the rows of a tile are wanted.
struct WeightRow {
  const WeightMatrix *matrix;
  mlir::Value n;
};

/// Bytes from a load of weights to the line that is asked for.
inline constexpr int64_t kPrefetch = 4096;

/// Asks for the cache line `bytes` behind an element of a weight, across the ends of rows: hardware prefetchers stop at every page of 4 KiB, and
/// checkpoints are mapped in such pages. Measured on Sapphire Rapids, two threads: 0.90 of the read bandwidth instead of 0.72; 2 KiB and
/// 8 KiB ahead are nearly as good.
void prefetchBehind(KernelBuilder &builder, mlir::Value memref, mlir::Value row, mlir::Value column, int64_t bytes);

/// One way to multiply. The rows of a tile are prepared once (converted, permuted) in a scratch and used for every weight row.
class DotEngine {
public:
  virtual ~DotEngine() = default;

  /// Engines of the same kind share prepared rows.
  virtual llvm::StringRef kind() const = 0;
  /// How many weight rows are taken at once with `rows` rows of activations: two share the loads of activations, and two prefetched streams
  /// read memory faster than one (decode on one core: 0.95 instead of 0.82 of its bandwidth), as long as the sums fit into the registers.
  virtual int64_t weightRows(int64_t rows) const = 0;
  /// Scratch for `rows` prepared rows, allocated at the start of the function.
  virtual mlir::Value allocateRows(KernelBuilder &builder, int64_t rows) const = 0;
  /// Prepare columns [column, column + width) of a row of `source` as row `row` of `scratch`.
  virtual void prepareRow(KernelBuilder &builder, mlir::Value source, mlir::Value sourceRow, mlir::Value column,
                          mlir::Value scratch, int64_t row) const = 0;
  /// The sums of each of `weights` with the first `rows` prepared rows, f32 scalars: weights.size() lists of `rows`. Several weight rows
  /// share the loads of the prepared rows; their sums are the same as one by one.
  virtual llvm::SmallVector<llvm::SmallVector<mlir::Value>>
  dot(KernelBuilder &builder, llvm::ArrayRef<WeightRow> weights, mlir::Value scratch, int64_t rows) const = 0;
};

/// The engine for weights of `weight` type and activations of `activation` type, `width` columns.
std::unique_ptr<DotEngine> makeDotEngine(mlir::Type weight, mlir::Type activation, int64_t width, TargetAttr target);

/// Whether that engine multiplies bf16 pairs.
bool usesBf16Dot(mlir::Type weight, mlir::Type activation, TargetAttr target);

} // namespace glm
