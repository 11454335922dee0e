// config.json with its quantization_config, and hf_quant_config.json as its member `side`.
#include "test/fuzz/Fuzz.h"
#include "test/fuzz/Matching.h"

namespace glm::fuzz {

void run(std::string_view input) {
  auto file = parse("config.json", input);
  if (!file)
    return;
  auto side = takeFile(*file, "side", "hf_quant_config.json");
  auto config = parseQuantizationConfig(side ? &*side : nullptr, *file);
  if (!config)
    return requireRefusal(config.error());
  require(config->present || config->excludes.empty(), "only a quantization config has an exclude list");
  checkMatching(config->excludes);
}

} // namespace glm::fuzz
