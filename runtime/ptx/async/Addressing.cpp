#include "runtime/ptx/async/Addressing.h"

namespace glm::ptx {

namespace {

std::string_view nameOf(Space space) {
  switch (space) {
  case Space::Global:
    return "an address of global memory";
  case Space::Shared:
    return "an address of shared memory";
  case Space::Generic:
    return "a generic address";
  default:
    return "an address of its state space";
  }
}

} // namespace

Result<AddressSlot> addressSlot(Builder &builder, size_t index, Space space) {
  Result<AddressOperand> operand = builder.address(index);
  if (!operand)
    return operand.error();
  // Kernel parameters and constants have generic addresses: tensor maps are read through them.
  bool fits = operand->space == space || operand->space == Space::Generic ||
              (space == Space::Generic && operand->space != Space::Shared && operand->space != Space::Local);
  if (!fits)
    return builder.error(std::string("takes ") + std::string(nameOf(space)), nameOf(operand->space));
  return AddressSlot{operand->base, operand->wide, space == Space::Generic, operand->offset};
}

} // namespace glm::ptx
