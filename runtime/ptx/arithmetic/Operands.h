// Operands of the usual kind: a destination register and sources.
#pragma once

#include "runtime/ptx/isa/Builder.h"

#include <initializer_list>

namespace glm::ptx {

/// The destination register of an arithmetic instruction; `_` is refused.
Result<Slot> destinationRegister(Builder &builder, const Operand &operand, Type type);

/// Fills slots of `op`: destination first, then the sources in order (from the fourth on in `more`). Refuses another number
/// of operands.
Result<void> takeOperands(Builder &builder, Op &op, Type destination, std::initializer_list<Type> sources);

/// The index of `word` among `words`, which the pattern allowed.
uint32_t indexOf(std::string_view word, std::initializer_list<std::string_view> words);

} // namespace glm::ptx
