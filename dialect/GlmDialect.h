// The glm dialect: attributes, types and the ops of all three phases.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Attributes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialect/GlmDialect.h.inc"
#include "dialect/GlmEnums.h.inc"
#include "dialect/GlmInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/GlmAttrs.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialect/GlmTypes.h.inc"
#define GET_OP_CLASSES
#include "dialect/GlmOps.h.inc"

namespace glm {

/// Module attribute: list of #glm.rule, later entries win.
inline constexpr llvm::StringLiteral kPrecisionAttr = "glm.precision";
/// Module attribute: #glm.limits.
inline constexpr llvm::StringLiteral kLimitsAttr = "glm.limits";
/// Module attribute: #glm.target.
inline constexpr llvm::StringLiteral kTargetAttr = "glm.target";
/// Module attribute (i64, kernel and plan phase): size of the memory that inputs, output and temporaries of every program share.
inline constexpr llvm::StringLiteral kArenaBytesAttr = "glm.arena_bytes";
/// Argument and result attribute of a step: tokens, positions, slots, page_table, output_rows; logits.
inline constexpr llvm::StringLiteral kNameAttr = "glm.name";
/// Argument and allocation attribute (i64): first byte in the arena, written by plan-memory.
inline constexpr llvm::StringLiteral kOffsetAttr = "glm.offset";
/// Function attribute (unit): imported for later, such as the MTP layer; form-kernels leaves it out.
inline constexpr llvm::StringLiteral kDeferredAttr = "glm.deferred";
/// Function attribute (unit): not a step, but what is launched once, before the first one.
inline constexpr llvm::StringLiteral kLoadAttr = "glm.load";
/// Kernel op attribute: #glm.schedule.
inline constexpr llvm::StringLiteral kScheduleAttr = "glm.schedule";
/// Op attribute (model and kernel phase): the name under which the op's first result may be traced.
inline constexpr llvm::StringLiteral kTapAttr = "glm.tap";
/// Attribute of a kernel's module (unit): its work is worth more than one thread.
inline constexpr llvm::StringLiteral kParallelAttr = "glm.parallel";
/// Attributes of a GPU kernel's module (i64): threads of a block, bytes of shared memory of a block.
inline constexpr llvm::StringLiteral kThreadsAttr = "glm.threads";
inline constexpr llvm::StringLiteral kSharedBytesAttr = "glm.shared_bytes";
/// Kernel op attribute (unit): live rows are the entries of output_rows.
inline constexpr llvm::StringLiteral kOutputRowsAttr = "glm.output_rows";

/// Tiles of a packed weight (#glm.nvfp4, `tiled`).
struct Nvfp4Tile {
  static constexpr int64_t kRows = 16;
  static constexpr int64_t kColumns = 256;
  static constexpr int64_t kBlock = 16; ///< codes that have one scale
  static constexpr int64_t kCodeBytes = kRows * kColumns / 2;
  static constexpr int64_t kBytes = kCodeBytes + kRows * kColumns / kBlock;
  static constexpr int64_t down(int64_t rows) { return (rows + kRows - 1) / kRows; }
  static constexpr int64_t across(int64_t columns) { return (columns + kColumns - 1) / kColumns; }
};

/// Whether a tensor type is a packed weight.
bool isPacked(mlir::Type type);
/// Whether it is one whose products round their input to NVFP4 as well.
bool quantizesInputs(mlir::Type type);
/// Whether it is one that lies in tiles.
bool isTiled(mlir::Type type);
/// A weight's type without `quantized_inputs`.
mlir::RankedTensorType withWideInputs(mlir::Type type);
/// A packed weight's type, in tiles.
mlir::RankedTensorType inTiles(mlir::RankedTensorType type);

} // namespace glm
