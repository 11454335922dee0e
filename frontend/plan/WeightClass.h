// What a weight is for: the classes in which sizes are reported.
#pragma once

#include "frontend/config/ModelConfig.h"
#include "frontend/config/StoredTensors.h"

#include <array>
#include <string>

namespace glm {

enum class WeightClass {
  RoutedExperts,
  SharedExperts,
  Attention, ///< the five projections of a layer
  Indexer,   ///< its three projections
  Dense,     ///< MLPs of layers without experts
  Routers,   ///< with their correction biases
  Embeddings,
  Head,
  Norms, ///< of attention and indexer too, with their biases
  Mtp,   ///< everything of the MTP layer
};

inline constexpr std::array<WeightClass, 10> kWeightClasses = {WeightClass::RoutedExperts, WeightClass::SharedExperts,
                                                               WeightClass::Attention,     WeightClass::Indexer,
                                                               WeightClass::Dense,         WeightClass::Routers,
                                                               WeightClass::Embeddings,    WeightClass::Head,
                                                               WeightClass::Norms,         WeightClass::Mtp};

/// "routed_experts", ...: the keys of --plan=json.
const char *className(WeightClass weightClass);

WeightClass classOf(const StoredWeight &weight, const ModelConfig &config);

} // namespace glm
