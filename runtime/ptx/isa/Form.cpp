#include "runtime/ptx/isa/Form.h"

namespace glm::ptx {

FormTable::FormTable(std::span<const std::span<const Form>> tables) {
  for (std::span<const Form> table : tables)
    for (const Form &form : table) {
      rows.push_back(&form);
      byMnemonic[form.pattern.substr(0, form.pattern.find_first_of(".["))].push_back(&form);
    }
}

std::span<const Form *const> FormTable::named(std::string_view mnemonic) const {
  auto found = byMnemonic.find(mnemonic);
  return found == byMnemonic.end() ? std::span<const Form *const>{} : found->second;
}

} // namespace glm::ptx
