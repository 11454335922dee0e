#include "frontend/plan/WeightClass.h"

#include <fmt/format.h>
#include <string_view>
#include <utility>

namespace glm {

const char *className(WeightClass weightClass) {
  constexpr std::array<const char *, kWeightClasses.size()> names = {
      "routed_experts", "shared_experts", "attention", "indexer", "dense",
      "routers",        "embeddings",     "head",      "norms",   "mtp"};
  return names[static_cast<size_t>(weightClass)];
}

WeightClass classOf(const StoredWeight &weight, const ModelConfig &config) {
  std::string_view name = weight.name;
  if (name.starts_with(fmt::format("model.layers.{}.", config.layers)))
    return WeightClass::Mtp;
  // Norms first: those of the indexer stand below its name.
  const std::pair<std::string_view, WeightClass> parts[] = {
      {"norm.", WeightClass::Norms},
      {".indexer.", WeightClass::Indexer},
      {".self_attn.", WeightClass::Attention},
      {".mlp.experts.", WeightClass::RoutedExperts},
      {".mlp.shared_experts.", WeightClass::SharedExperts},
      {".mlp.gate.", WeightClass::Routers},
      {".mlp.", WeightClass::Dense},
      {"lm_head.", WeightClass::Head},
  };
  for (auto [part, weightClass] : parts)
    if (name.find(part) != std::string_view::npos)
      return weightClass;
  return WeightClass::Embeddings;
}

} // namespace glm
