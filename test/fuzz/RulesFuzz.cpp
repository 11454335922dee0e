// A file of precision rules (--precision=FILE).
#include "test/fuzz/Fuzz.h"
#include "test/fuzz/Matching.h"

namespace glm::fuzz {

void run(std::string_view input) {
  auto file = parse("rules.json", input);
  if (!file)
    return;
  auto rules = parseRules(*file);
  if (!rules)
    return requireRefusal(rules.error());
  require(rules->size() == file->value["rules"].size(), "every rule is there");
  checkMatching(*rules);
}

} // namespace glm::fuzz
