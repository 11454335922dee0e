#include "runtime/ptx/machine/Forms.h"

#include "runtime/ptx/machine/Groups.h"

#include <vector>

namespace glm::ptx {

std::span<const Form> machineForms() {
  static const std::vector<Form> all = [] {
    std::vector<Form> forms;
    for (std::span<const Form> group : {controlForms(), loadStoreForms(), atomicForms(), addressForms(), barrierForms(),
                                        fenceForms(), collectiveForms()})
      forms.insert(forms.end(), group.begin(), group.end());
    return forms;
  }();
  return all;
}

} // namespace glm::ptx
