// The key down to which amounts add up to what is wanted, by all threads of a block.
#pragma once

#include "codegen/nvptx/Warp.h"

namespace glm {

/// Keys are unsigned i32, each with an amount, and are looked for by digits of 8 bits from the highest: amounts of the keys that have
/// the digits found so far are added up by their next digit in shared memory, in whatever order, as they are integers.
class RadixSelect {
public:
  /// Amounts are i32, or i64 whose sum is below 2^63.
  RadixSelect(KernelBuilder &builder, Warp &warp, mlir::Type amount);

  /// Of one key; the amount is asked for where it counts.
  using Add = llvm::function_ref<void(mlir::Value key, llvm::function_ref<mlir::Value()> amount)>;
  struct Found {
    mlir::Value key;    ///< the largest whose amounts and those of all larger keys reach what is wanted
    mlir::Value wanted; ///< what the larger keys left of it: more than 0, at most the amounts of `key`
  };
  /// `walk` builds what calls `add` for each key of this thread; it is built once for each digit. All amounts together reach `wanted`, which
  /// is more than 0. The same for all threads; ends with a barrier.
  Found find(mlir::Value wanted, llvm::function_ref<void(Add add)> walk);

private:
  void clear();
  void count(mlir::Value prefix, int64_t shift, llvm::function_ref<void(Add add)> walk);
  void addTo(mlir::Value digit, mlir::Value amount);
  void findDigit(mlir::Value wanted, int64_t shift, mlir::Value prefix);
  /// Of places count-1, count-2, ...: the first at which `at` of those reach `wanted`, and what is left of it there.
  std::pair<mlir::Value, mlir::Value> descend(int64_t count, mlir::Value wanted,
                                              llvm::function_ref<mlir::Value(mlir::Value)> at);
  mlir::Value binAt(mlir::Value digit);
  mlir::Value load(mlir::Value memref, mlir::Value place);

  KernelBuilder &builder;
  Warp &warp;
  mlir::Type amount;
  mlir::Value low;    ///< shared [256] x i32: an amount for each digit
  mlir::Value high;   ///< the same, of an i64 its high words; or null
  mlir::Value groups; ///< shared [16]: amounts of 16 digits each
  mlir::Value prefix; ///< shared [1]
  mlir::Value left;   ///< shared [1]
};

} // namespace glm
