#include "frontend/import/LayerImporter.h"

#include "mlir/IR/Diagnostics.h"

#include <cmath>

using namespace mlir;

namespace glm {

namespace {

Type elementType(StoredFormat format, MLIRContext *context) {
  switch (format) {
  case StoredFormat::BF16:
    return BFloat16Type::get(context);
  case StoredFormat::F16:
    return Float16Type::get(context);
  case StoredFormat::F32:
    return Float32Type::get(context);
  case StoredFormat::ModelOptNvfp4:
  case StoredFormat::CompressedTensorsNvfp4:
    return Float4E2M1FNType::get(context);
  }
  llvm_unreachable("unknown stored format");
}

/// NVFP4 has one block size: 16 values share a scale.
constexpr int64_t kNvfp4Block = 16;

/// Whether every matrix of `weight` says how its input is rounded.
bool hasInputScales(const StoredWeight &weight) {
  return weight.inputScaleBytes == static_cast<uint64_t>(weight.count) * sizeof(float);
}

/// The encoding of a packed weight, null for a wide one.
Attribute encoding(const StoredWeight &weight, bool quantizedInputs, MLIRContext *context) {
  if (!isPacked(weight.format))
    return {};
  bool modelOpt = weight.format == StoredFormat::ModelOptNvfp4;
  return Nvfp4Attr::get(context, kNvfp4Block, modelOpt ? PackedSource::ModelOpt : PackedSource::CompressedTensors,
                        quantizedInputs && hasInputScales(weight), /*tiled=*/false);
}

/// [N, K], [E, N, K] for the experts of a layer, or [width].
RankedTensorType weightType(const StoredWeight &weight, bool quantizedInputs, MLIRContext *context) {
  llvm::SmallVector<int64_t> shape;
  if (weight.name.find("{}") != std::string::npos)
    shape.push_back(weight.count);
  shape.append(weight.shape.begin(), weight.shape.end());
  return RankedTensorType::get(shape, elementType(weight.format, context), encoding(weight, quantizedInputs, context));
}

int64_t widthOf(Value rows) { return cast<RankedTensorType>(rows.getType()).getShape().back(); }

} // namespace

void LayerImporter::begin(const StepValues &values) {
  step = values;
  lastChoice = {};
}

void LayerImporter::at(const std::string &name) { loc = NameLoc::get(builder.getStringAttr(name)); }

RankedTensorType LayerImporter::rowsType(int64_t width) {
  return RankedTensorType::get({ShapedType::kDynamic, width}, builder.getF32Type());
}

Value LayerImporter::weight(const std::string &name) {
  const StoredWeight *found = stored.find(name);
  if (!found) {
    missing = true;
    emitError(loc) << name << ": weight must be in the checkpoint, but found none";
  }
  // A missing weight gets some type, so that all missing ones are named.
  RankedTensorType type = found ? weightType(*found, quantizedInputs, builder.getContext())
                                : RankedTensorType::get({1, 1}, builder.getF32Type());
  Value value = WeightOp::create(builder, loc, type, name);
  if (!glm::isPacked(type))
    return value;
  return DequantOp::create(builder, loc, RankedTensorType::get(type.getShape(), builder.getF32Type()), value);
}

Value LayerImporter::embed(Value tokens) {
  return EmbedOp::create(builder, loc, rowsType(config.hiddenSize), tokens, weight("model.embed_tokens.weight"));
}

Value LayerImporter::linear(Value rows, const std::string &name) {
  Value matrix = weight(name);
  int64_t width = cast<RankedTensorType>(matrix.getType()).getDimSize(0);
  return LinearOp::create(builder, loc, rowsType(width), rows, matrix);
}

Value LayerImporter::rmsNorm(Value rows, const std::string &name, double eps) {
  return RmsNormOp::create(builder, loc, rows.getType(), rows, weight(name), builder.getF32FloatAttr(eps));
}

Value LayerImporter::head(Value rows) {
  return linear(rows, config.tieWordEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight");
}

Value LayerImporter::rope(Value rows, int64_t heads, int64_t offset) {
  return RopeOp::create(builder, loc, rows.getType(), rows, step.angles, heads, offset, config.qkRopeHeadDim);
}

Value LayerImporter::writeCache(int64_t layer, const std::string &kind, Value rows) {
  auto type = CacheType::get(builder.getContext(), widthOf(rows), builder.getF32Type());
  Value cache = CacheOp::create(builder, loc, type, "layers." + std::to_string(layer) + "." + kind);
  return CacheWriteOp::create(builder, loc, type, cache, rows, step.positions, step.slots, step.pages,
                              /*norm_weight=*/nullptr,
                              /*norm_bias=*/nullptr, /*angles=*/nullptr, /*consumer=*/nullptr, /*norm=*/nullptr,
                              /*eps=*/nullptr, /*rope_offset=*/0,
                              /*rope_width=*/0);
}

Value LayerImporter::chosenPositions(const LayerShape &shape, const std::string &prefix, Value rows,
                                     Value queryLatent) {
  if (!shape.ownsIndexer)
    return lastChoice;
  // Each head is [rope, nope], the reverse of the attention's.
  Value query = rope(linear(queryLatent, prefix + "wq_b.weight"), config.indexHeads, /*offset=*/0);
  Value key = linear(rows, prefix + "wk.weight");
  Value normWeight = weight(prefix + "k_norm.weight"), normBias = weight(prefix + "k_norm.bias");
  key = LayerNormOp::create(builder, loc, key.getType(), key, normWeight, normBias,
                            builder.getF32FloatAttr(config.indexNormEps));
  Value keys = writeCache(shape.layer, "index", rope(key, /*heads=*/1, /*offset=*/0));
  Value weights = linear(rows, prefix + "weights_proj.weight");
  // transformers scales the products by head_dim^(-1/2) and the head weights by heads^(-1/2).
  double scale = 1 / std::sqrt(static_cast<double>(config.indexHeadDim) * static_cast<double>(config.indexHeads));
  auto type = RankedTensorType::get({ShapedType::kDynamic, config.indexTopk}, builder.getI32Type());
  auto indexer = IndexerOp::create(builder, loc, type, query, weights, keys, step.positions, step.slots, step.pages,
                                   builder.getF32FloatAttr(scale), builder.getI64IntegerAttr(config.indexTopk));
  indexer->setAttr(kTapAttr, builder.getStringAttr("index." + std::to_string(shape.layer)));
  return lastChoice = indexer.getResult();
}

Value LayerImporter::attention(const LayerShape &shape, const std::string &prefix, Value rows) {
  // The normalised query latent feeds both the queries and the indexer.
  Value queryLatent = linear(rows, prefix + "q_a_proj.weight");
  queryLatent = rmsNorm(queryLatent, prefix + "q_a_layernorm.weight", config.latentNormEps);
  Value query = rope(linear(queryLatent, prefix + "q_b_proj.weight"), config.heads, config.qkNopeHeadDim);

  // The norm covers the latent columns, the rotation the key columns behind them.
  Value latent = linear(rows, prefix + "kv_a_proj_with_mqa.weight");
  latent = rmsNorm(latent, prefix + "kv_a_layernorm.weight", config.latentNormEps);
  Value cache = writeCache(shape.layer, "latent", rope(latent, /*heads=*/1, config.kvLoraRank));

  Value chosen = chosenPositions(shape, prefix + "indexer.", rows, queryLatent);
  double scale = 1 / std::sqrt(static_cast<double>(config.qkHeadDim()));
  Value values = MlaAttentionOp::create(
      builder, loc, rowsType(config.heads * config.vHeadDim), query, weight(prefix + "kv_b_proj.weight"), cache, chosen,
      step.slots, step.pages, builder.getI64IntegerAttr(config.heads), builder.getI64IntegerAttr(config.qkRopeHeadDim),
      builder.getF32FloatAttr(scale));
  return linear(values, prefix + "o_proj.weight");
}

Value LayerImporter::gatedMlp(const std::string &prefix, Value rows) {
  Value gate = weight(prefix + "gate_proj.weight");
  Value up = weight(prefix + "up_proj.weight");
  Value down = weight(prefix + "down_proj.weight");
  return GatedMlpOp::create(builder, loc, rows.getType(), rows, gate, up, down);
}

Value LayerImporter::experts(const LayerShape &shape, const std::string &prefix, Value rows) {
  auto perExpert = [&](Type type) {
    return RankedTensorType::get({ShapedType::kDynamic, config.expertsPerToken}, type);
  };
  Value logits = linear(rows, prefix + "gate.weight");
  auto route = RouteOp::create(builder, loc, perExpert(builder.getI32Type()), perExpert(builder.getF32Type()), logits,
                               weight(prefix + "gate.e_score_correction_bias"), config.expertsPerToken,
                               config.expertGroups, config.keptGroups, config.normTopkProb,
                               llvm::APFloat(static_cast<float>(config.routedScalingFactor)));
  route->setAttr(kTapAttr, builder.getStringAttr("experts." + std::to_string(shape.layer)));
  Value shared = config.sharedExperts > 0 ? gatedMlp(prefix + "shared_experts.", rows) : nullptr;
  Value gate = weight(prefix + "experts.{}.gate_proj.weight");
  Value up = weight(prefix + "experts.{}.up_proj.weight");
  Value down = weight(prefix + "experts.{}.down_proj.weight");
  return MoeOp::create(builder, loc, rows.getType(), rows, route.getExperts(), route.getWeights(), gate, up, down,
                       shared);
}

Value LayerImporter::add(int64_t layer, Value hidden, Value delta, bool endsLayer) {
  auto sum = arith::AddFOp::create(builder, loc, hidden, delta);
  if (endsLayer)
    sum->setAttr(kTapAttr, builder.getStringAttr("hidden." + std::to_string(layer)));
  return sum;
}

Value LayerImporter::layer(const LayerShape &shape, Value hidden) {
  std::string place = "layers." + std::to_string(shape.layer), prefix = "model." + place + ".";
  at(place + ".input_layernorm");
  Value rows = rmsNorm(hidden, prefix + "input_layernorm.weight", config.rmsNormEps);
  at(place + ".self_attn");
  hidden = add(shape.layer, hidden, attention(shape, prefix + "self_attn.", rows), /*endsLayer=*/false);

  at(place + ".post_attention_layernorm");
  rows = rmsNorm(hidden, prefix + "post_attention_layernorm.weight", config.rmsNormEps);
  at(place + ".mlp");
  Value delta = shape.sparse ? experts(shape, prefix + "mlp.", rows) : gatedMlp(prefix + "mlp.", rows);
  return add(shape.layer, hidden, delta, /*endsLayer=*/true);
}

} // namespace glm
