#include "frontend/plan/StepWorkspace.h"

#include "frontend/plan/CacheLayout.h"

#include <algorithm>

namespace glm {
namespace {

constexpr int64_t kFloat = 4, kIndex = 4; ///< bytes

/// Bytes of one row at the moments that compete.
class RowBytes {
public:
  RowBytes(const ModelConfig &c, const StepShape &shape)
      : c(c), e(shape.elementBytes), context(shape.context), ranks(shape.ranks) {}

  int64_t most() const { return std::max({scores(), attention(), experts(), dense()}); }

private:
  int64_t heads() const { return (c.heads + ranks - 1) / ranks; }
  int64_t residual() const { return c.hiddenSize * kFloat; }
  int64_t angles() const { return c.qkRopeHeadDim * kFloat; }
  int64_t chosen() const { return std::min(c.indexTopk, context) * kIndex; }
  int64_t queries() const { return heads() * c.qkHeadDim() * e; }

  int64_t scores() const {
    return context * kFloat + queries() + c.indexHeads * (c.indexHeadDim * e + kFloat) + residual() + chosen() +
           angles();
  }
  int64_t attention() const { return 2 * heads() * c.kvLoraRank * e + queries() + residual() + chosen() + angles(); }
  int64_t experts() const {
    if (std::find(c.sparseMlp.begin(), c.sparseMlp.end(), true) == c.sparseMlp.end())
      return 0;
    int64_t chosenExpert = c.hiddenSize * kFloat + c.moeIntermediateSize / ranks * e + 2 * kFloat;
    return c.expertsPerToken * chosenExpert + c.hiddenSize * e + residual() + chosen() + angles();
  }
  int64_t dense() const { return c.intermediateSize / ranks * e + 2 * residual() + chosen() + angles(); }

  const ModelConfig &c;
  int64_t e, context, ranks;
};

} // namespace

uint64_t stepWorkspace(const ModelConfig &config, const StepShape &shape) {
  int64_t pages = pagedLength(shape.context) / kPageSize;
  int64_t inputs = shape.rows * 4 * kIndex + shape.sequences * pages * kIndex;
  int64_t logits = shape.rows * config.vocabSize * kFloat;
  return inputs + logits + shape.rows * RowBytes(config, shape).most();
}

} // namespace glm
