#include "runtime/ptx/matrix/Forms.h"

#include "runtime/ptx/matrix/Ldmatrix.h"
#include "runtime/ptx/matrix/Mma.h"
#include "runtime/ptx/matrix/MmaQuads.h"
#include "runtime/ptx/matrix/MmaScaled.h"
#include "runtime/ptx/matrix/TensorAllocate.h"
#include "runtime/ptx/matrix/TensorMma.h"
#include "runtime/ptx/matrix/TensorTransfer.h"
#include "runtime/ptx/matrix/Wgmma.h"
#include "runtime/ptx/matrix/Wmma.h"

#include <vector>

namespace glm::ptx {

std::span<const Form> matrixForms() {
  static const std::vector<Form> forms = [] {
    std::vector<Form> all;
    for (std::span<const Form> part : {ldmatrixForms(), mmaForms(), mmaQuadForms(), mmaScaledForms(), wmmaForms(),
                                       wgmmaForms(), tensorAllocateForms(), tensorTransferForms(), tensorMmaForms()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return forms;
}

} // namespace glm::ptx
