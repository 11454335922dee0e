#include "runtime/ptx/arithmetic/Forms.h"

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
  // Even joining the tables may use instructions of the set, so each is joined when it is first asked for.
  switch (set) {
  case LaneSet::Avx512: {
    static const std::vector<Form> forms = avx512::joinedForms();
    return forms;
  }
  case LaneSet::Avx2: {
    static const std::vector<Form> forms = avx2::joinedForms();
    return forms;
  }
  default: {
    static const std::vector<Form> forms = baseline::joinedForms();
    return forms;
  }
  }
}

} // namespace glm::ptx
