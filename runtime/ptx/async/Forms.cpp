#include "runtime/ptx/async/Forms.h"

namespace glm::ptx {

std::span<const Form> asyncForms() {
  static const std::vector<Form> all = [] {
    std::vector<Form> rows;
    for (std::span<const Form> table : {mbarrierForms(), copyForms(), bulkForms(), tensorForms(), tensorMapForms(),
                                        remoteStoreForms(), proxyForms(), cachePolicyForms(), launchControlForms()})
      rows.insert(rows.end(), table.begin(), table.end());
    return rows;
  }();
  return all;
}

} // namespace glm::ptx
