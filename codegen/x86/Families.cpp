#include "codegen/x86/Families.h"

namespace glm {

void addX86Families(KernelFamilies &families) {
  families.push_back(makeGemmFamily());
  families.push_back(makeMoeFamily());
  families.push_back(makeHeadGemmFamily());
  families.push_back(makeIndexScoreFamily());
  families.push_back(makeSparseMlaFamily());
}

} // namespace glm
