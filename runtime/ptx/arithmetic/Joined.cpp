// The tables of one feature set, joined.
#include "runtime/ptx/arithmetic/Tables.h"

#include <vector>

GLM_PTX_BEGIN_LANES

std::vector<Form> joinedForms() {
  std::vector<Form> joined;
  for (std::span<const Form> table :
       {integerForms(), carryForms(), bitForms(), moveForms(), compareForms(), floatForms(), signForms(),
        transcendForms(), halfForms(), convertForms(), narrowForms(), videoForms()})
    joined.insert(joined.end(), table.begin(), table.end());
  return joined;
}

GLM_PTX_END_LANES
