// Dense and routed feed-forward parts of the reference.
#include "test/numerics/ReferenceLayer.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace glm::test {
namespace {

/// Groups whose two best experts sum highest stay; the others' experts are out.
void keepBestGroups(std::vector<float> &choice, const ModelDescription &model, double &closestChoice) {
  if (model.groups <= 1 || model.keptGroups >= model.groups)
    return;
  int64_t width = model.experts / model.groups;
  std::vector<float> best;
  for (int64_t group = 0; group < model.groups; ++group) {
    std::vector<float> members(choice.begin() + group * width, choice.begin() + (group + 1) * width);
    std::partial_sort(members.begin(), members.begin() + std::min<int64_t>(2, width), members.end(), std::greater<>());
    best.push_back(width > 1 ? members[0] + members[1] : members[0]);
  }
  std::vector<int32_t> kept = largest(best, model.keptGroups, closestChoice);
  for (int64_t expert = 0; expert < model.experts; ++expert)
    if (!std::binary_search(kept.begin(), kept.end(), static_cast<int32_t>(expert / width)))
      choice[expert] = -std::numeric_limits<float>::infinity();
}

/// The experts of one row among those that no group limit excluded.
std::vector<int32_t> chooseExperts(std::vector<float> choice, const ModelDescription &model, double &closestChoice) {
  keepBestGroups(choice, model, closestChoice);
  std::vector<int32_t> candidates;
  std::vector<float> scores;
  for (int64_t expert = 0; expert < model.experts; ++expert) {
    if (std::isinf(choice[expert]))
      continue;
    candidates.push_back(static_cast<int32_t>(expert));
    scores.push_back(choice[expert]);
  }
  std::vector<int32_t> chosen = largest(scores, model.expertsPerToken, closestChoice);
  for (int32_t &expert : chosen)
    expert = candidates[expert];
  return chosen;
}

struct Routing {
  std::vector<int32_t> experts;
  std::vector<double> weights;
};

Routing route(const RouterWeights &weights, const ReferenceOptions &options, const ModelDescription &model,
              std::span<const float> row, double &closestChoice) {
  std::vector<float> scores(model.experts), choice(model.experts);
  for (int64_t expert = 0; expert < model.experts; ++expert) {
    scores[expert] = static_cast<float>(1 / (1 + std::exp(-dot(row, weights.gate.row(expert)))));
    choice[expert] =
        scores[expert] + (options.mistake == Mistake::CorrectionBiasDropped ? 0 : weights.correctionBias[expert]);
  }
  Routing routing{chooseExperts(choice, model, closestChoice), {}};
  // The bias chooses, but does not weigh.
  const std::vector<float> &source = options.mistake == Mistake::CorrectionBiasInWeights ? choice : scores;
  double total = 0;
  for (int32_t expert : routing.experts)
    total += source[expert];
  for (int32_t expert : routing.experts)
    routing.weights.push_back((model.normalizeExperts ? source[expert] / (total + 1e-20) : source[expert]) *
                              model.routedScale);
  return routing;
}

} // namespace

Matrix gatedMlp(const MlpWeights &weights, const ReferenceOptions &options, const Matrix &inputs) {
  Matrix gate = linear(inputs, weights.gate), up = linear(inputs, weights.up);
  if (options.mistake == Mistake::GateAndUpSwapped)
    std::swap(gate, up);
  for (size_t i = 0; i < gate.values.size(); ++i) {
    double value = gate.values[i];
    gate.values[i] = static_cast<float>(value / (1 + std::exp(-value)) * up.values[i]);
  }
  return linear(gate, weights.down);
}

Matrix mixture(const RouterWeights &weights, const ReferenceOptions &options, const ModelDescription &model,
               const Matrix &inputs, ChosenRows &chosen, double &closestChoice) {
  std::vector<Routing> routings;
  for (int64_t t = 0; t < inputs.rows; ++t) {
    routings.push_back(route(weights, options, model, inputs.row(t), closestChoice));
    chosen.push_back(routings.back().experts);
  }
  std::vector<double> sums(inputs.values.size());
  auto add = [&](int64_t t, std::span<const float> row, double weight) {
    for (int64_t i = 0; i < inputs.columns; ++i)
      sums[t * inputs.columns + i] += row[i] * weight;
  };
  for (int64_t expert = 0; expert < model.experts; ++expert) {
    for (int64_t t = 0; t < inputs.rows; ++t) {
      const std::vector<int32_t> &experts = routings[t].experts;
      auto found = std::find(experts.begin(), experts.end(), static_cast<int32_t>(expert));
      if (found == experts.end())
        continue;
      Matrix row(1, inputs.columns);
      std::ranges::copy(inputs.row(t), row.values.begin());
      add(t, gatedMlp(weights.experts[expert], options, row).row(0), routings[t].weights[found - experts.begin()]);
    }
  }
  if (weights.shared) {
    Matrix shared = gatedMlp(*weights.shared, options, inputs);
    for (int64_t t = 0; t < inputs.rows; ++t)
      add(t, shared.row(t), options.mistake == Mistake::SharedExpertScaled ? model.routedScale : 1);
  }
  Matrix outputs(inputs.rows, inputs.columns);
  std::copy(sums.begin(), sums.end(), outputs.values.begin());
  return outputs;
}

} // namespace glm::test
