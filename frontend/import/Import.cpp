#include "frontend/import/Import.h"

#include "frontend/import/InverseFrequencies.h"
#include "frontend/import/LayerImporter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace glm {

namespace {

/// Builds the functions of the module.
class ModelImporter {
public:
  ModelImporter(ModuleOp module, const ModelConfig &config, const StoredTensors &stored, bool quantizedInputs)
      : builder(module.getBodyRegion()), config(config), importer(builder, config, stored, quantizedInputs),
        limits(module->getAttrOfType<LimitsAttr>(kLimitsAttr)) {}

  void importStep();
  void importMtp();
  bool failed() const { return importer.failed(); }

private:
  RankedTensorType ints() { return RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type()); }
  RankedTensorType pageTable() {
    return RankedTensorType::get({limits.getSequences(), limits.getPagesPerSequence()}, builder.getI32Type());
  }
  /// Creates a function whose first four arguments are what every step has, and moves into it.
  func::FuncOp begin(StringRef name, StringRef lastArgument, Type lastType, StringRef result);

  OpBuilder builder;
  const ModelConfig &config;
  LayerImporter importer;
  LimitsAttr limits;
};

func::FuncOp ModelImporter::begin(StringRef name, StringRef lastArgument, Type lastType, StringRef result) {
  auto named = [&](StringRef argument) {
    return builder.getDictionaryAttr(builder.getNamedAttr("glm.name", builder.getStringAttr(argument)));
  };
  importer.at("inputs");
  auto type =
      builder.getFunctionType({ints(), ints(), ints(), pageTable(), lastType}, {importer.rowsType(config.vocabSize)});
  auto function = func::FuncOp::create(builder, importer.location(), name, type);
  const StringRef arguments[] = {"tokens", "positions", "slots", "page_table", lastArgument};
  for (auto [index, argument] : llvm::enumerate(arguments))
    function.setArgAttrs(index, named(argument));
  function.setResultAttrs(0, named(result));

  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  Value positions = body->getArgument(1);
  Value angles =
      RopeAnglesOp::create(builder, importer.location(), importer.rowsType(config.qkRopeHeadDim), positions,
                           builder.getDenseF32ArrayAttr(inverseFrequencies(config.ropeTheta, config.qkRopeHeadDim)));
  importer.begin(
      {.positions = positions, .slots = body->getArgument(2), .pages = body->getArgument(3), .angles = angles});
  return function;
}

void ModelImporter::importStep() {
  OpBuilder::InsertionGuard guard(builder);
  func::FuncOp function = begin("step", "output_rows", ints(), "logits");
  importer.at("embed_tokens");
  Value hidden = importer.embed(function.getArgument(0));
  for (int64_t layer = 0; layer < config.layers; ++layer)
    hidden = importer.layer(
        {.layer = layer, .ownsIndexer = config.ownsIndexer[layer], .sparse = config.sparseMlp[layer]}, hidden);
  importer.at("norm");
  hidden = importer.rmsNorm(hidden, "model.norm.weight", config.rmsNormEps);
  importer.at("lm_head");
  hidden = SelectRowsOp::create(builder, importer.location(), hidden.getType(), hidden, function.getArgument(4));
  func::ReturnOp::create(builder, importer.location(), importer.head(hidden));
}

void ModelImporter::importMtp() {
  OpBuilder::InsertionGuard guard(builder);
  func::FuncOp function = begin("mtp", "hidden", importer.rowsType(config.hiddenSize), "draft_logits");
  function->setAttr(kDeferredAttr, builder.getUnitAttr());
  int64_t layer = config.layers;
  std::string place = "layers." + std::to_string(layer), prefix = "model." + place + ".";

  // Row i joins the hidden state of position i (after the model's final norm) with the embedding of the token after it.
  importer.at(place + ".eh_proj");
  Value embedding =
      importer.rmsNorm(importer.embed(function.getArgument(0)), prefix + "enorm.weight", config.rmsNormEps);
  Value previous = importer.rmsNorm(function.getArgument(4), prefix + "hnorm.weight", config.rmsNormEps);
  Value joined = tensor::ConcatOp::create(builder, importer.location(), importer.rowsType(2 * config.hiddenSize),
                                          /*dim=*/1, ValueRange{embedding, previous});
  Value hidden = importer.linear(joined, prefix + "eh_proj.weight");

  hidden = importer.layer({.layer = layer, .ownsIndexer = true, .sparse = true}, hidden);
  importer.at(place + ".shared_head");
  hidden = importer.rmsNorm(hidden, prefix + "shared_head.norm.weight", config.rmsNormEps);
  func::ReturnOp::create(builder, importer.location(), importer.head(hidden));
}

} // namespace

OwningOpRef<ModuleOp> importModel(MLIRContext &context, const ModelConfig &config, const StoredTensors &stored,
                                  const ImportOptions &options) {
  context.loadDialect<GlmDialect, func::FuncDialect, arith::ArithDialect, tensor::TensorDialect>();
  OwningOpRef<ModuleOp> module = ModuleOp::create(NameLoc::get(StringAttr::get(&context, "model")));
  (*module)->setAttr(kLimitsAttr,
                     LimitsAttr::get(&context, options.rows, options.sequences, options.positions, options.pageSize));
  (*module)->setAttr(kPrecisionAttr, options.precision ? options.precision : ArrayAttr::get(&context, {}));

  ModelImporter importer(*module, config, stored, options.quantizedInputs);
  importer.importStep();
  if (options.mtp && stored.hasMtp && config.mtpLayers > 0)
    importer.importMtp();
  if (importer.failed() || failed(verify(*module)))
    return nullptr;
  return module;
}

} // namespace glm
