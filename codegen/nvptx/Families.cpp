#include "codegen/nvptx/Families.h"

namespace glm {

void addGpuFamilies(KernelFamilies &families) {
  families.push_back(makeGpuGemmFamily());
  families.push_back(makeGpuHeadGemmFamily());
  families.push_back(makeGpuMoeFamily());
  families.push_back(makeGpuIndexScoreFamily());
  families.push_back(makeGpuSparseMlaFamily());
  families.push_back(makeGpuSparseMlaJoinFamily());
  families.push_back(makeGpuSparseMlaValuesFamily());
  families.push_back(makeGpuRowFamily());
  families.push_back(makeGpuTopKFamily());
  families.push_back(makeGpuRouteFamily());
  families.push_back(makeGpuSampleFamily());
  families.push_back(makeGpuPackWeightFamily());
}

} // namespace glm
