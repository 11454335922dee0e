#include "passes/model/Passes.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace glm {
#define GEN_PASS_DEF_VERIFYMODEL
#include "passes/model/Passes.h.inc"

namespace {

/// Types of the weights and caches seen so far, by name.
class NamedTypes {
public:
  /// Refuses a second type for `name`.
  LogicalResult record(Operation *op, StringRef kind, StringRef name, Type type) {
    auto [entry, isNew] = types.try_emplace(name, type);
    if (isNew || entry->second == type)
      return success();
    return op->emitError() << name << ": " << kind << " must have one type, but found " << type << " and "
                           << entry->second;
  }

private:
  llvm::StringMap<Type> types;
};

LogicalResult verifyArguments(func::FuncOp function) {
  for (unsigned index = 0; index < function.getNumArguments(); ++index)
    if (!function.getArgAttrOfType<StringAttr>(index, "glm.name"))
      return function.emitError() << function.getName() << ": argument " << index
                                  << " must have a glm.name, but found none";
  return success();
}

/// A step returns the logits and nothing else.
LogicalResult verifyResult(func::FuncOp function) {
  if (function.getNumResults() != 1)
    return function.emitError() << function.getName() << ": a step must have one result, but found "
                                << function.getNumResults();
  auto name = function.getResultAttrOfType<StringAttr>(0, "glm.name");
  if (!name || name != "logits")
    return function.emitError() << function.getName() << ": result must be named logits, but found "
                                << (name ? name.getValue() : StringRef("no name"));
  return success();
}

LogicalResult verifyStaticShapes(Operation *op) {
  for (Type type : op->getResultTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(type); tensor && !tensor.hasStaticShape())
      return op->emitError() << op->getName() << ": shapes of a step must be static, but found " << type;
  return success();
}

/// Rows of a step are written before any of them is read: a reader takes what the write returns.
LogicalResult verifyRead(Operation *op, Value cache) {
  if (cache.getDefiningOp<CacheWriteOp>())
    return success();
  return op->emitError() << op->getName()
                         << ": a cache must be read after the step's rows are written, but found one read before";
}

/// A second write would run against readers of the first, which share its memory.
LogicalResult verifyWrite(CacheWriteOp write) {
  if (!write.getCache().getDefiningOp<CacheOp>())
    return write.emitError() << write->getName()
                             << ": a cache must be written once in a step, but found a second write";
  if (!write.getCache().hasOneUse())
    return write.emitError() << write->getName() << ": a cache must be used by its write only, but found another use";
  return success();
}

LogicalResult verifyOp(Operation *op, NamedTypes &weights, NamedTypes &caches,
                       llvm::StringMap<Operation *> &cachesOfStep) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](WeightOp weight) { return weights.record(op, "weight", weight.getName(), weight.getType()); })
      .Case([&](CacheOp cache) -> LogicalResult {
        if (!cachesOfStep.try_emplace(cache.getName(), op).second)
          return op->emitError() << cache.getName() << ": cache must be named once in a step, but found it twice";
        return caches.record(op, "cache", cache.getName(), cache.getType());
      })
      .Case([&](DequantOp dequant) {
        return op->emitError() << "glm.dequant: packed weights must be read where they are used, but found a wide copy "
                               << dequant.getType();
      })
      .Case([&](MlaAttentionOp) {
        return op->emitError()
               << "glm.mla_attention: attention must be in the latent space, but found expanded keys and values";
      })
      .Case([&](EmbedOp embed) -> LogicalResult {
        if (!isPacked(embed.getTable().getType()))
          return success();
        return op->emitError() << "glm.embed: the table must be wide, but found " << embed.getTable().getType();
      })
      .Case([&](CacheWriteOp write) { return verifyWrite(write); })
      .Case([&](IndexerOp indexer) { return verifyRead(op, indexer.getKeys()); })
      .Case([&](LatentAttentionOp attention) { return verifyRead(op, attention.getLatent()); })
      .Default([](Operation *) { return success(); });
}

struct VerifyModel : impl::VerifyModelBase<VerifyModel> {
  void runOnOperation() override {
    if (failed(verify()))
      signalPassFailure();
  }

  /// All that is wrong is reported, not only the first.
  LogicalResult verify() {
    ModuleOp module = getOperation();
    LogicalResult result = success();
    auto check = [&](LogicalResult part) { result = success(succeeded(result) && succeeded(part)); };
    if (!module->getAttrOfType<LimitsAttr>(kLimitsAttr))
      check(module.emitError() << "module: " << kLimitsAttr << " must be there, but found none");

    NamedTypes weights, caches;
    bool hasStep = false;
    for (auto function : module.getOps<func::FuncOp>()) {
      bool deferred = function->hasAttr(kDeferredAttr);
      check(verifyArguments(function));
      if (!deferred)
        check(verifyResult(function));
      hasStep |= !deferred;
      llvm::StringMap<Operation *> cachesOfStep;
      function.walk([&](Operation *op) {
        check(verifyOp(op, weights, caches, cachesOfStep));
        if (!deferred)
          check(verifyStaticShapes(op));
      });
    }
    if (!hasStep)
      check(module.emitError() << "module: there must be a step to run, but found none");
    return result;
  }
};

} // namespace
} // namespace glm
