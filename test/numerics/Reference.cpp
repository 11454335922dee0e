#include "test/numerics/Reference.h"

#include "test/numerics/ReferenceLayer.h"

#include <fstream>
#include <stdexcept>

namespace glm::test {
namespace {

/// a += b.
void add(Matrix &a, const Matrix &b) {
  for (size_t i = 0; i < a.values.size(); ++i)
    a.values[i] += b.values[i];
}

struct Named {
  Mistake mistake;
  const char *name;
};
constexpr Named kMistakes[] = {
    {Mistake::HalfSplitIndexerRope, "half_split_indexer_rope"},
    {Mistake::GateAndUpSwapped, "gate_and_up_swapped"},
    {Mistake::CorrectionBiasDropped, "correction_bias_dropped"},
    {Mistake::CorrectionBiasInWeights, "correction_bias_in_weights"},
    {Mistake::SharedLayerOwnIndex, "shared_layer_own_index"},
    {Mistake::OneGlobalScale, "one_global_scale"},
    {Mistake::MaskAfterTopk, "mask_after_topk"},
    {Mistake::HighNibbleFirst, "high_nibble_first"},
    {Mistake::LatentNormEps, "latent_norm_eps"},
    {Mistake::SharedExpertScaled, "shared_expert_scaled"},
    {Mistake::IndexerNopeFirst, "indexer_nope_first"},
    {Mistake::HiddenBeforeNormToMtp, "hidden_before_norm_to_mtp"},
};

} // namespace

const std::vector<Mistake> &allMistakes() {
  static const std::vector<Mistake> all = [] {
    std::vector<Mistake> mistakes;
    for (const Named &entry : kMistakes)
      mistakes.push_back(entry.mistake);
    return mistakes;
  }();
  return all;
}

std::string mistakeName(Mistake mistake) {
  for (const Named &entry : kMistakes)
    if (entry.mistake == mistake)
      return entry.name;
  return "none";
}

Reference::Reference(ModelDescription description, ReferenceOptions options)
    : description(std::move(description)), options(options) {}
Reference::Reference(Reference &&) noexcept = default;
Reference::~Reference() = default;

Result<Reference> Reference::open(const std::filesystem::path &folder, const ReferenceOptions &options) {
  std::ifstream file(folder / "config.json");
  auto config = nlohmann::ordered_json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!config.is_object())
    return Error{(folder / "config.json").string() + ": file must hold a JSON object, but found none"};
  auto description = describeModel(config);
  if (!description)
    return description.error();
  auto checkpoint = Checkpoint::open(folder);
  if (!checkpoint)
    return checkpoint.error();
  Reference reference(*description, options);
  try {
    reference.load(CheckpointWeights(std::move(*checkpoint), options.mistake));
  } catch (const std::runtime_error &error) {
    return Error{error.what()};
  }
  return reference;
}

void Reference::load(const CheckpointWeights &weights) {
  embedding = weights.matrix("model.embed_tokens");
  head = weights.matrix("lm_head");
  finalNorm = weights.vector("model.norm.weight");
  int64_t count = description.layers + (options.draft ? 1 : 0);
  for (int64_t layer = 0; layer < count; ++layer)
    layers.push_back(std::make_unique<LayerWeights>(loadLayer(weights, description, layer)));
}

Matrix Reference::embed(const std::vector<int32_t> &ids) const {
  Matrix rows(static_cast<int64_t>(ids.size()), description.hiddenSize);
  for (size_t t = 0; t < ids.size(); ++t)
    std::ranges::copy(embedding.row(ids[t]), rows.row(static_cast<int64_t>(t)).begin());
  return rows;
}

void Reference::runLayer(int64_t layer, Matrix &stream, ChosenRows &chosen, ReferenceOutput &output) const {
  const LayerWeights &weights = *layers[layer];
  Matrix inputs = rmsNorm(stream, weights.inputNorm, description.normEps);
  Matrix query = queryLatent(weights.attention, options, description, inputs);
  if (description.hasIndexer(layer)) {
    chosen = choosePositions(*weights.attention.indexer, options, description, inputs, query, output.closestChoice);
    output.index[layer] = chosen;
  } else if (options.mistake == Mistake::SharedLayerOwnIndex) {
    int64_t source = layer;
    while (!description.hasIndexer(source))
      --source;
    double ignored = 1e9;
    chosen = choosePositions(*layers[source]->attention.indexer, options, description, inputs, query, ignored);
  }
  add(stream, attend(weights.attention, options, description, inputs, query, chosen));
  inputs = rmsNorm(stream, weights.postNorm, description.normEps);
  if (weights.dense)
    add(stream, gatedMlp(*weights.dense, options, inputs));
  else
    add(stream, mixture(*weights.sparse, options, description, inputs, output.experts[layer], output.closestChoice));
}

ReferenceOutput Reference::run(const std::vector<int32_t> &ids) const {
  ReferenceOutput output;
  Matrix stream = embed(ids);
  ChosenRows chosen;
  for (int64_t layer = 0; layer < description.layers; ++layer) {
    output.hidden.push_back(stream);
    runLayer(layer, stream, chosen, output);
  }
  output.hidden.push_back(rmsNorm(stream, finalNorm, description.normEps));
  output.logits = linear(output.hidden.back(), head);
  if (options.draft && ids.size() > 1)
    runDraft(ids, options.mistake == Mistake::HiddenBeforeNormToMtp ? stream : output.hidden.back(), output);
  return output;
}

void Reference::runDraft(const std::vector<int32_t> &ids, const Matrix &finalHidden, ReferenceOutput &output) const {
  const DraftWeights &weights = *layers.back()->draft;
  int64_t rows = static_cast<int64_t>(ids.size()) - 1, width = description.hiddenSize;
  // Row i sees the embedding of token i + 1 and the normed hidden state of row i, and predicts token i + 2.
  Matrix next = rmsNorm(embed({ids.begin() + 1, ids.end()}), weights.embeddingNorm, description.normEps);
  Matrix hidden = rmsNorm(finalHidden, weights.hiddenNorm, description.normEps);
  Matrix both(rows, 2 * width);
  for (int64_t i = 0; i < rows; ++i) {
    std::ranges::copy(next.row(i), both.row(i).begin());
    std::ranges::copy(hidden.row(i), both.row(i).begin() + width);
  }
  Matrix stream = linear(both, weights.combine);
  ChosenRows chosen;
  runLayer(description.layers, stream, chosen, output);
  output.draftLogits = linear(rmsNorm(stream, weights.headNorm, description.normEps), head);
}

} // namespace glm::test
