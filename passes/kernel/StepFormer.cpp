#include "passes/kernel/StepFormer.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace glm {
namespace {

MemRefType bufferType(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return MemRefType::get(type.getShape(), type.getElementType());
}

/// Sums stand alone until launches are fused (codegen/schedule).
constexpr Value kNoResidual;
/// Who samples is decided afterwards too.
constexpr Value kNoneSampled;

/// Whether anything after `op` reads `value`.
bool isReadAfter(Value value, Operation *op) {
  return llvm::any_of(value.getUsers(), [&](Operation *user) { return op->isBeforeInBlock(user); });
}

} // namespace

StepFormer::StepFormer(func::FuncOp step, LimitsAttr limits, SymbolTable &symbols)
    : step(step), limits(limits), symbols(symbols), builder(step.getLoc(), step) {}

LogicalResult StepFormer::form() {
  if (failed(checkStep()))
    return failure();
  createFunction();
  for (Operation &op : step.front().without_terminator())
    if (failed(formOp(&op)))
      return failure();
  builder.setLoc(step.front().getTerminator()->getLoc());
  func::ReturnOp::create(builder);
  symbols.remove(step);
  step.erase();
  symbols.insert(kernels);
  return success();
}

LogicalResult StepFormer::checkStep() {
  if (step.isExternal() || !step.getBody().hasOneBlock())
    return step.emitError("step must be one block, but found ") << step.getBody().getBlocks().size();
  if (step.getNumResults() != 1 || !step.getResultAttr(0, kNameAttr))
    return step.emitError("step must have one result with ") << kNameAttr << ", but found " << step.getResultTypes();
  for (auto [number, type] : llvm::enumerate(step.getArgumentTypes())) {
    if (!step.getArgAttr(number, kNameAttr))
      return step.emitError("argument ") << number << " must have " << kNameAttr << ", but found none";
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasStaticShape())
      return step.emitError("argument ") << number << " must have a static shape (glm-specialize-steps), but found "
                                         << type;
  }
  returned = step.front().getTerminator()->getOperand(0);
  if (isa<BlockArgument>(returned) || !cast<RankedTensorType>(returned.getType()).hasStaticShape())
    return step.emitError("result must be computed by the step and have a static shape, but found ") << returned;
  return success();
}

void StepFormer::createFunction() {
  SmallVector<Type> types =
      llvm::map_to_vector(step.getArgumentTypes(), [](Type type) { return Type(bufferType(type)); });
  types.push_back(bufferType(returned.getType()));
  kernels = func::FuncOp::create(builder, step.getSymName(), builder.getFunctionType(types, {}));
  kernels->setDiscardableAttrs(step->getDiscardableAttrDictionary());
  SmallVector<DictionaryAttr> attributes;
  step.getAllArgAttrs(attributes);
  attributes.push_back(step.getResultAttrDict(0));
  kernels.setAllArgAttrs(attributes);
  builder.setInsertionPointToStart(kernels.addEntryBlock());
  for (auto [argument, buffer] : llvm::zip(step.getArguments(), kernels.getArguments()))
    buffers[argument] = buffer;
}

LogicalResult StepFormer::formOp(Operation *op) {
  builder.setLoc(op->getLoc());
  lastLaunch = nullptr;
  if (failed(checkCaches(op)) || failed(checkRows(op)))
    return failure();
  LogicalResult formed =
      llvm::TypeSwitch<Operation *, LogicalResult>(op)
          .Case([&](CacheOp cache) { return lower(cache); })
          .Case<WeightOp, EmbedOp, RopeAnglesOp, RmsNormOp, LayerNormOp, AddRmsNormOp, arith::AddFOp, LinearOp,
                ProjectionsOp, HeadLinearOp, RopeOp, CacheWriteOp, IndexerOp, LatentAttentionOp, RouteOp, MoeOp,
                GatedMlpOp, SelectRowsOp>([&](auto known) {
            lower(known);
            return success();
          })
          .Case([](DequantOp dequant) {
            return dequant.emitError(
                "packed weight must be folded into its consumer by glm-fuse-dequant, but found it widened");
          })
          .Case([](MlaAttentionOp attention) {
            return attention.emitError(
                "attention must be in the latent space after glm-absorb-mla, but found keys and values expanded");
          })
          .Default([](Operation *other) {
            return other->emitError("model phase must hold glm ops and arith.addf, but found ") << other->getName();
          });
  if (Attribute tap = op->getAttr(kTapAttr); tap && lastLaunch)
    lastLaunch->setAttr(kTapAttr, tap);
  return formed;
}

LogicalResult StepFormer::checkCaches(Operation *op) {
  for (Value operand : op->getOperands()) {
    if (!isa<CacheType>(operand.getType()))
      continue;
    CacheState state = cacheStates.lookup(operand);
    if (state.version != writes[state.name])
      return op->emitError("cache ") << state.name << " must be used as last written, but found its value before write "
                                     << state.version + 1 << ": it is read before the step's rows are written";
  }
  return success();
}

LogicalResult StepFormer::checkRows(Operation *op) {
  onOutputRows = isa<SelectRowsOp>(op);
  bool onStepRows = false;
  if (!onOutputRows) {
    for (Value operand : op->getOperands()) {
      auto argument = dyn_cast<BlockArgument>(operand);
      bool isPageTable =
          argument && step.getArgAttr(argument.getArgNumber(), kNameAttr) == builder.getStringAttr("page_table");
      // Weights, caches and the page table have no rows of a step.
      if (operand.getDefiningOp<WeightOp>() || isa<CacheType>(operand.getType()) || isPageTable)
        continue;
      (outputRows.contains(operand) ? onOutputRows : onStepRows) = true;
    }
    if (onOutputRows && onStepRows)
      return op->emitError("operands must all have rows of the step or all selected rows, but found both");
  }
  if (onOutputRows)
    outputRows.insert_range(op->getResults());
  return success();
}

Value StepFormer::allocate(ArrayRef<int64_t> shape, Type element) {
  return memref::AllocOp::create(builder, MemRefType::get(shape, element));
}

Value StepFormer::allocate(Value result) {
  MemRefType type = bufferType(result.getType());
  Value buffer =
      result == returned ? Value(kernels.getArguments().back()) : allocate(type.getShape(), type.getElementType());
  buffers[result] = buffer;
  return buffer;
}

Value StepFormer::reuse(Value input, Value result, Operation *op) {
  Value buffer = at(input);
  if (result == returned || isa<BlockArgument>(buffer) || buffer.getType() != bufferType(result.getType()) ||
      isReadAfter(input, op))
    return allocate(result);
  buffers[result] = buffer;
  return buffer;
}

//===-- the table ------------------------------------------------------------------------------------------------===//

void StepFormer::lower(WeightOp op) { buffers[op.getResult()] = builder.clone(*op)->getResult(0); }

LogicalResult StepFormer::lower(CacheOp op) {
  CacheType cache = op.getType();
  auto type = MemRefType::get({limits.getPages() * limits.getPageSize(), cache.getWidth()}, cache.getElementType());
  Operation *known = symbols.lookup(op.getNameAttr());
  if (!known) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(kernels);
    // A unit value marks memory that is defined here and not initialized; without one the symbol would be external.
    known = memref::GlobalOp::create(builder, op.getNameAttr(), builder.getStringAttr("private"), TypeAttr::get(type),
                                     builder.getUnitAttr(),
                                     /*constant=*/UnitAttr(), /*alignment=*/IntegerAttr());
    symbols.insert(known);
  }
  auto global = dyn_cast<memref::GlobalOp>(known);
  if (!global || global.getType() != type)
    return op.emitError("cache ") << op.getNameAttr() << " must be the same in every step, but found " << type
                                  << " beside '" << *known << "'";
  buffers[op.getResult()] = memref::GetGlobalOp::create(builder, type, op.getName());
  cacheStates[op.getResult()] = {op.getNameAttr(), 0};
  return success();
}

void StepFormer::lower(EmbedOp op) {
  launch<KernelEmbedOp>(at(op.getTokens()), kNoneSampled, at(op.getTable()), allocate(op.getResult()));
}

void StepFormer::lower(RopeAnglesOp op) {
  launch<KernelRopeAnglesOp>(at(op.getPositions()), op.getInverseFrequenciesAttr(), allocate(op.getResult()));
}

void StepFormer::lower(RmsNormOp op) {
  launch<KernelNormOp>(at(op.getInput()), /*delta=*/Value(), at(op.getWeight()), /*bias=*/Value(), /*sum=*/Value(),
                       allocate(op.getResult()), NormKind::Rms, op.getEps());
}

void StepFormer::lower(LayerNormOp op) {
  launch<KernelNormOp>(at(op.getInput()), /*delta=*/Value(), at(op.getWeight()), at(op.getBias()), /*sum=*/Value(),
                       allocate(op.getResult()), NormKind::Layer, op.getEps());
}

void StepFormer::lower(AddRmsNormOp op) {
  Value sum = reuse(op.getInput(), op.getSum(), op);
  launch<KernelNormOp>(at(op.getInput()), at(op.getDelta()), at(op.getWeight()), /*bias=*/Value(), sum,
                       allocate(op.getResult()), NormKind::Rms, op.getEps());
}

void StepFormer::lower(arith::AddFOp op) {
  launch<KernelAddOp>(at(op.getLhs()), at(op.getRhs()), allocate(op.getResult()));
}

void StepFormer::lower(LinearOp op) {
  launch<KernelGemmOp>(at(op.getInput()), at(op.getWeight()), kNoResidual, allocate(op.getResult()), Epilogue::Store);
}

void StepFormer::lower(ProjectionsOp op) {
  SmallVector<Value> weights = llvm::map_to_vector(op.getWeights(), [&](Value weight) { return at(weight); });
  SmallVector<Value> outputs = llvm::map_to_vector(op.getOutputs(), [&](Value output) { return allocate(output); });
  launch<KernelGemmOp>(at(op.getInput()), weights, kNoResidual, outputs, Epilogue::Store);
}

void StepFormer::lower(HeadLinearOp op) {
  launch<KernelHeadGemmOp>(at(op.getInput()), at(op.getWeight()), allocate(op.getResult()), op.getHeads(),
                           op.getHeadRows(), op.getRowBegin(), op.getRowCount(), op.getTransposed());
}

void StepFormer::lower(RopeOp op) {
  Value output = reuse(op.getInput(), op.getResult(), op);
  launch<KernelRopeOp>(at(op.getInput()), at(op.getAngles()), output, op.getHeads(), op.getOffset(), op.getWidth());
}

void StepFormer::lower(CacheWriteOp op) {
  launch<KernelRopeCacheWriteOp>(at(op.getInput()), at(op.getCache()), at(op.getPositions()), at(op.getSlots()),
                                 at(op.getPages()), at(op.getNormWeight()), at(op.getNormBias()), at(op.getAngles()),
                                 at(op.getConsumer()), builder.getI64IntegerAttr(limits.getPageSize()),
                                 op.getNormAttr(), op.getEpsAttr(), op.getRopeOffsetAttr(), op.getRopeWidthAttr());
  buffers[op.getResult()] = at(op.getCache());
  StringAttr name = cacheStates.lookup(op.getCache()).name;
  cacheStates[op.getResult()] = {name, ++writes[name]};
}

void StepFormer::lower(IndexerOp op) {
  int64_t rows = cast<RankedTensorType>(op.getQuery().getType()).getDimSize(0);
  Value scores = allocate({rows, limits.getPositions()}, builder.getF32Type());
  launch<KernelIndexScoreOp>(at(op.getQuery()), at(op.getWeights()), at(op.getKeys()), at(op.getPositions()),
                             at(op.getSlots()), at(op.getPages()), scores, limits.getPageSize(), op.getScale());
  launch<KernelTopKOp>(scores, at(op.getPositions()), allocate(op.getResult()));
}

void StepFormer::lower(LatentAttentionOp op) {
  launch<KernelSparseMlaOp>(at(op.getQueryLatent()), at(op.getQuery()), at(op.getLatent()), at(op.getIndices()),
                            at(op.getSlots()), at(op.getPages()), allocate(op.getResult()), limits.getPageSize(),
                            op.getHeads(), op.getRopeWidth(), op.getScale(), /*partSize=*/IntegerAttr());
}

void StepFormer::lower(RouteOp op) {
  Value experts = allocate(op.getExperts()), weights = allocate(op.getWeights());
  launch<KernelRouteOp>(at(op.getLogits()), at(op.getBias()), experts, weights, op.getGroups(), op.getKeptGroups(),
                        op.getNormalize(), op.getScaling());
}

StepFormer::Groups StepFormer::group(MoeOp op) {
  int64_t experts = cast<RankedTensorType>(op.getGate().getType()).getDimSize(0);
  Groups &known = groups[{op.getExperts(), experts}];
  if (known.entries)
    return known;
  Type element = builder.getI32Type();
  known = {allocate({experts + 1}, element),
           allocate({cast<RankedTensorType>(op.getExperts().getType()).getNumElements()}, element)};
  launch<KernelGroupRowsOp>(at(op.getExperts()), known.offsets, known.entries);
  return known;
}

void StepFormer::lower(MoeOp op) {
  auto chosen = cast<RankedTensorType>(op.getExperts().getType());
  auto gate = cast<RankedTensorType>(op.getGate().getType());
  auto input = cast<RankedTensorType>(op.getInput().getType());
  auto [offsets, entries] = group(op);
  Value inner = allocate({chosen.getNumElements(), gate.getDimSize(1)}, input.getElementType());
  launch<KernelMoeGateUpOp>(at(op.getInput()), offsets, entries, at(op.getGate()), at(op.getUp()), inner,
                            chosen.getDimSize(1));
  // Each entry in float32, so that the weighted sum of a row is rounded once.
  Value parts = allocate({chosen.getNumElements(), input.getDimSize(1)}, builder.getF32Type());
  launch<KernelMoeDownOp>(inner, offsets, entries, at(op.getDown()), parts);
  launch<KernelMoeCombineOp>(parts, at(op.getWeights()), at(op.getShared()), kNoResidual, allocate(op.getResult()));
}

void StepFormer::lower(GatedMlpOp op) {
  auto input = cast<RankedTensorType>(op.getInput().getType());
  int64_t width = cast<RankedTensorType>(op.getGate().getType()).getDimSize(0);
  Value inner = allocate({input.getDimSize(0), width}, input.getElementType());
  launch<KernelGemmOp>(at(op.getInput()), ValueRange{at(op.getGate()), at(op.getUp())}, kNoResidual, inner,
                       Epilogue::SiluMul);
  launch<KernelGemmOp>(inner, at(op.getDown()), kNoResidual, allocate(op.getResult()), Epilogue::Store);
}

void StepFormer::lower(SelectRowsOp op) {
  launch<KernelGatherRowsOp>(at(op.getInput()), at(op.getRows()), allocate(op.getResult()));
}

} // namespace glm
