#include "runtime/artifact/Streams.h"
#include "runtime/ptx/glm-ptx/Commands.h"
#include "runtime/ptx/instructions/InstructionSet.h"
#include "runtime/ptx/machine/Profile.h"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <ranges>

namespace glm::ptx {

/// The chips that have a form.
static std::string chipsWith(Feature feature) {
  auto have = chips() | std::views::filter([&](const Chip &chip) { return chip.has(feature); });
  return fmt::format("{}", fmt::join(have | std::views::transform(&Chip::name), " "));
}

Result<void> formsCommand(const FormsOptions &options) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Form *form : instructionSet().all()) {
    if (!form->pattern.starts_with(options.prefix))
      continue;
    std::string version = fmt::format("{}.{}", form->ptxVersion / 10, form->ptxVersion % 10);
    if (options.json)
      all.push_back({{"form", form->pattern},
                     {"class", nameOf(form->opClass)},
                     {"ptx_version", version},
                     {"chips", chipsWith(form->feature)}});
    else
      printResult("{:<10} {:>3}  {:<62} {}\n", nameOf(form->opClass), version, chipsWith(form->feature), form->pattern);
  }
  if (options.json)
    printResult("{}\n", all.dump(1));
  return {};
}

} // namespace glm::ptx
