#include "runtime/ptx/arithmetic/Forms.h"

#include <array>
#include <vector>

namespace glm::ptx {

// Joined.cpp, once per feature set.
namespace baseline {
std::vector<Form> joinedForms();
}
namespace avx2 {
std::vector<Form> joinedForms();
}
namespace avx512 {
std::vector<Form> joinedForms();
}

LaneSet bestLaneSet() {
  // The levels of the x86-64 ABI hold at least what number/Vector.h names for each set.
  static const LaneSet best = __builtin_cpu_supports("x86-64-v4")   ? LaneSet::Avx512
                              : __builtin_cpu_supports("x86-64-v3") ? LaneSet::Avx2
                                                                    : LaneSet::Baseline;
  return best;
}

std::span<const Form> arithmeticForms(LaneSet set) {
  static const std::array<std::vector<Form>, 3> forms = {baseline::joinedForms(), avx2::joinedForms(),
                                                         avx512::joinedForms()};
  return forms[static_cast<size_t>(set)];
}

} // namespace glm::ptx
