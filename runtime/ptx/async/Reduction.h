// Reductions of the asynchronous copies: destination[i] = destination[i] op source[i].
//
// Source: PTX ISA, cp.reduce.async.bulk, cp.reduce.async.bulk.tensor, red.async; the operations as in atom.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace glm::ptx {

enum class ReductionOp : uint8_t { Add, Min, Max, Inc, Dec, And, Or, Xor };

enum class ReductionType : uint8_t { U32, S32, U64, S64, F16, BF16, F32, F32Ftz, F64 };

/// The operation that a word of an instruction names; nothing for any other word.
std::optional<ReductionOp> reductionNamed(std::string_view word);
std::string_view nameOf(ReductionOp op);
/// "u32", "b64", ...; bits count as unsigned.
std::optional<ReductionType> reductionTypeNamed(std::string_view word);

/// Applies an operation to `bytes` bytes, a multiple of the type's width, to which `destination` is aligned; each element is an
/// atomic of the host. Sums of floats round to nearest even, one
/// element at a time; f16 and bf16 keep subnormals, F32Ftz flushes them.
using Reduce = void (*)(std::byte *destination, const std::byte *source, uint64_t bytes);

/// Null where the operation is not defined for the type.
Reduce reductionOf(ReductionOp op, ReductionType type);

} // namespace glm::ptx
