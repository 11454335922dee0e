// The tables of this room, one set per feature set.
#pragma once

#include "runtime/ptx/isa/Form.h"
#include "runtime/ptx/number/Vector.h"

GLM_PTX_BEGIN_LANES

std::span<const Form> integerForms();   ///< Integer.cpp
std::span<const Form> carryForms();     ///< Carry.cpp
std::span<const Form> bitForms();       ///< Bits.cpp
std::span<const Form> moveForms();      ///< Move.cpp
std::span<const Form> compareForms();   ///< Compare.cpp
std::span<const Form> floatForms();     ///< Float.cpp
std::span<const Form> signForms();      ///< Sign.cpp
std::span<const Form> transcendForms(); ///< Transcend.cpp
std::span<const Form> halfForms();      ///< Half.cpp
std::span<const Form> convertForms();   ///< Convert.cpp
std::span<const Form> narrowForms();    ///< NarrowConvert.cpp

std::span<const Form> videoForms(); ///< Video.cpp

GLM_PTX_END_LANES
