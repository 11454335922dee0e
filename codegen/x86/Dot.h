// Dot products of weight rows with rows of activations: the inner loop of every product on x86.
//
// A weight row is streamed once and meets 1, 2, 4 or 8 rows of activations; each sum has its own accumulators and an order
// that depends on the width alone, so that a row's result is the same in every company.
#pragma once

#include "codegen/builder/KernelBuilder.h"

#include <memory>

namespace glm {

/// Rows of activations that meet a weight row at once, at most.
inline constexpr int64_t kDotRows = 8;

/// One way to multiply. The rows of a tile are prepared once (converted, permuted) in a scratch and used for every weight row.
class DotEngine {
public:
  virtual ~DotEngine() = default;

  /// Engines of the same kind share prepared rows.
  virtual llvm::StringRef kind() const = 0;
  /// Scratch for kDotRows prepared rows, allocated at the start of the function.
  virtual mlir::Value allocateRows(KernelBuilder &builder) const = 0;
  /// Prepare columns [column, column + width) of a row of `source` as row `row` of `scratch`.
  virtual void prepareRow(KernelBuilder &builder, mlir::Value source, mlir::Value sourceRow, mlir::Value column, mlir::Value scratch,
                          int64_t row) const = 0;
  /// The sums of weight row `n` with the first `rows` prepared rows: f32 scalars.
  virtual llvm::SmallVector<mlir::Value> dot(KernelBuilder &builder, const WeightMatrix &weight, mlir::Value n, mlir::Value scratch,
                                             int64_t rows) const = 0;
};

/// The engine for weights of `weight` type and activations of `activation` type, `width` columns.
std::unique_ptr<DotEngine> makeDotEngine(mlir::Type weight, mlir::Type activation, int64_t width, TargetAttr target);

/// Whether that engine multiplies bf16 pairs.
bool usesBf16Dot(mlir::Type weight, mlir::Type activation, TargetAttr target);

} // namespace glm
