#include "runtime/ptx/arithmetic/Operands.h"

#include <algorithm>

namespace glm::ptx {

Result<Slot> destinationRegister(Builder &builder, const Operand &operand, Type type) {
  Result<Slot> slot = builder.destination(operand, type);
  if (slot && *slot == kNoSlot)
    return builder.error("needs a register to write to", "_");
  return slot;
}

Result<void> takeOperands(Builder &builder, Op &op, Type destination, std::initializer_list<Type> sources) {
  if (Result<void> fits = builder.expectOperands(1 + sources.size(), 1 + sources.size()); !fits)
    return fits;
  Result<Slot> to = destinationRegister(builder, builder.operand(0), destination);
  if (!to)
    return to.error();
  op.slots[0] = *to;
  std::vector<Slot> more;
  size_t index = 1;
  for (Type type : sources) {
    Result<Slot> from = builder.source(index, type);
    if (!from)
      return from.error();
    if (index < 4)
      op.slots[index] = *from;
    else
      more.push_back(*from);
    ++index;
  }
  if (!more.empty())
    builder.setMore(op, more);
  return {};
}

uint32_t indexOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return static_cast<uint32_t>(std::ranges::find(words, word) - words.begin());
}

} // namespace glm::ptx
