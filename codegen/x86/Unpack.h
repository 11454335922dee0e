// E2M1 codes and E4M3 scales in vector registers.
#pragma once

#include "codegen/builder/KernelBuilder.h"

namespace glm {

/// 16 packed weights (8 bytes of `codes` at [row, byte]) as float32 vectors of `lanes` (8 or 16), in order of the columns.
llvm::SmallVector<mlir::Value> unpackBlock(KernelBuilder &builder, mlir::Value codes, mlir::Value row, mlir::Value byte,
                                           int64_t lanes);

/// 128 packed weights (64 bytes at [row, byte]) as four vector<32xbf16>: word j of part i is column 4j + i.
///
/// vpermw only looks at the low 5 bits of a word, so that a table with the 16 values twice is indexed by the packed word itself,
/// shifted right by 0, 4, 8 and 12: no mask, no interleaving.
llvm::SmallVector<mlir::Value> unpackWords(KernelBuilder &builder, mlir::Value codes, mlir::Value row,
                                           mlir::Value byte);

/// 4 * `words` packed weights (2 * `words` bytes at [row, byte]; 16 or 32 words) as four float32 vectors of `words` lanes, 2^-14 times the values:
/// lane j of part i is column 4j + i. Shifted to bits 9 .. 11, an E2M1 magnitude is a float16 with the same exponent and mantissa, subnormal
/// included, so that the conversion of half precision (F16C) does the rest.
llvm::SmallVector<mlir::Value> unpackHalves(KernelBuilder &builder, mlir::Value codes, mlir::Value row,
                                            mlir::Value byte, int64_t words);

/// Block scales (bytes of `scales` at [row, column]), each in `lanes` / `count` neighbouring lanes, as float32 times 2^-8.
///
/// An E4M3 byte shifted left by 7 is the float16 of 2^-8 times its value, subnormals included, and converts exactly.
mlir::Value spreadScales(KernelBuilder &builder, mlir::Value scales, mlir::Value row, mlir::Value column, int64_t count,
                         int64_t lanes);

} // namespace glm
