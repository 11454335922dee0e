// The groups of this room's forms, a file each.
#pragma once

#include "runtime/ptx/isa/Form.h"

namespace glm::ptx {

std::span<const Form> controlForms();    ///< Control.cpp
std::span<const Form> loadStoreForms();  ///< LoadStore.cpp
std::span<const Form> atomicForms();     ///< Atomics.cpp
std::span<const Form> addressForms();    ///< Addresses.cpp
std::span<const Form> barrierForms();    ///< Barriers.cpp
std::span<const Form> fenceForms();      ///< Fences.cpp
std::span<const Form> collectiveForms(); ///< Collectives.cpp

} // namespace glm::ptx
