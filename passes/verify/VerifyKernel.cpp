#include "passes/verify/Passes.h"

using namespace mlir;

namespace glm {

#define GEN_PASS_DEF_VERIFYKERNELPASS
#include "passes/verify/Passes.h.inc"

namespace {

/// Manifest.h: every buffer starts at a multiple of a cache line.
constexpr int64_t kAlignment = 64;

/// A buffer of one step: its bytes in the arena, and the launches [first, last] between which they count.
struct Placed {
  Value value;
  int64_t begin;
  int64_t end;
  int64_t first = 0;
  int64_t last = -1;
  bool isWritten = false;

  bool clashesWith(const Placed &other) const {
    return first <= other.last && other.first <= last && begin < other.end && other.begin < end;
  }
};

int64_t bytesOf(MemRefType type) { return type.getNumElements() * type.getElementTypeBitWidth() / 8; }

LogicalResult verifyType(Operation *op, Type type) {
  auto buffer = dyn_cast<MemRefType>(type);
  if (!buffer || !buffer.hasStaticShape() || !buffer.getLayout().isIdentity())
    return op->emitError("buffer must be a memref of static shape, but found ") << type;
  Type element = buffer.getElementType();
  if (!element.isF32() && !element.isBF16() && !element.isInteger(32))
    return op->emitError("buffer must hold f32, bf16 or i32, but found ") << element;
  return success();
}

/// Checks one step.
class StepVerifier {
public:
  StepVerifier(func::FuncOp step, int64_t arenaBytes) : step(step), arenaBytes(arenaBytes) {}

  LogicalResult verify() {
    if (step.isExternal() || !step.getBody().hasOneBlock() || step.getNumResults() != 0)
      return step.emitError("step must be one block without results, but found ") << step.getFunctionType();
    for (BlockArgument argument : step.getArguments())
      if (failed(placeArgument(argument)))
        return failure();
    for (Operation &op : step.front().without_terminator())
      if (failed(verifyOp(&op)))
        return failure();
    return verifyPlaces();
  }

  /// Where the argument of that name is.
  const llvm::DenseMap<Attribute, int64_t> &argumentPlaces() const { return places; }

private:
  LogicalResult placeArgument(BlockArgument argument) {
    unsigned number = argument.getArgNumber();
    auto name = step.getArgAttrOfType<StringAttr>(number, kNameAttr);
    if (!name)
      return step.emitError("argument ") << number << " must have " << kNameAttr << ", but found none";
    if (failed(verifyType(step, argument.getType())) ||
        failed(place(step, argument, step.getArgAttr(number, kOffsetAttr))))
      return failure();
    places[name] = buffers.back().begin;
    // The runtime writes inputs before the first launch and reads the output after the last: nothing else may use those bytes.
    buffers.back().last = std::numeric_limits<int64_t>::max();
    buffers.back().isWritten = name != "logits";
    return success();
  }

  LogicalResult place(Operation *op, Value value, Attribute offset) {
    auto begin = dyn_cast_or_null<IntegerAttr>(offset);
    if (!begin)
      return op->emitError("buffer must have ") << kOffsetAttr << " (glm-plan-memory), but found none";
    int64_t end = begin.getInt() + bytesOf(cast<MemRefType>(value.getType()));
    if (begin.getInt() < 0 || begin.getInt() % kAlignment != 0)
      return op->emitError("offset must be a multiple of ") << kAlignment << ", but found " << begin.getInt();
    if (end > arenaBytes)
      return op->emitError("buffer must lie within the arena of ")
             << arenaBytes << " bytes, but found its end at " << end;
    numbers[value] = buffers.size();
    buffers.push_back({value, begin.getInt(), end});
    return success();
  }

  LogicalResult verifyOp(Operation *op) {
    if (isa<WeightOp, memref::GetGlobalOp>(op))
      return success();
    if (auto allocation = dyn_cast<memref::AllocOp>(op)) {
      if (failed(verifyType(op, allocation.getType())))
        return failure();
      return place(op, allocation, op->getAttr(kOffsetAttr));
    }
    if (isa<KernelOpInterface>(op))
      return verifyLaunch(op);
    return op->emitError("kernel phase must hold kernel ops, buffers and weights, but found ") << op->getName();
  }

  LogicalResult verifyLaunch(Operation *op) {
    SmallVector<MemoryEffects::EffectInstance> effects;
    cast<MemoryEffectOpInterface>(op).getEffects(effects);
    for (bool isRead : {true, false}) {
      for (const MemoryEffects::EffectInstance &effect : effects)
        if (isa<MemoryEffects::Read>(effect.getEffect()) == isRead && failed(touch(op, effect.getValue(), isRead)))
          return failure();
    }
    ++launches;
    return success();
  }

  LogicalResult touch(Operation *op, Value value, bool isRead) {
    auto entry = numbers.find(value);
    if (entry == numbers.end())
      return success();
    Placed &buffer = buffers[entry->second];
    if (isRead && !buffer.isWritten)
      return op->emitError("buffer must be written before it is read, but found it read first by ") << op->getName();
    if (!isa<BlockArgument>(value)) {
      buffer.first = buffer.isWritten ? buffer.first : launches;
      buffer.last = launches;
    }
    buffer.isWritten = true;
    return success();
  }

  LogicalResult verifyPlaces() {
    for (size_t number = 0; number < buffers.size(); ++number) {
      for (size_t other = 0; other < number; ++other) {
        if (!buffers[number].clashesWith(buffers[other]))
          continue;
        const Placed &a = buffers[other], &b = buffers[number];
        return emitError(b.value.getLoc(), "buffers alive at the same launch must not share bytes, but found [")
               << a.begin << ", " << a.end << ") and [" << b.begin << ", " << b.end << ")";
      }
    }
    return success();
  }

  func::FuncOp step;
  int64_t arenaBytes;
  SmallVector<Placed> buffers;
  llvm::DenseMap<Value, size_t> numbers; ///< of a buffer in `buffers`
  llvm::DenseMap<Attribute, int64_t> places;
  int64_t launches = 0;
};

class VerifyKernelPass : public impl::VerifyKernelPassBase<VerifyKernelPass> {
  void runOnOperation() override {
    if (failed(verify()))
      signalPassFailure();
  }

  LogicalResult verify() {
    ModuleOp module = getOperation();
    auto arenaBytes = module->getAttrOfType<IntegerAttr>(kArenaBytesAttr);
    if (!arenaBytes)
      return module.emitError("module must have ") << kArenaBytesAttr << " (glm-plan-memory), but found none";
    llvm::DenseMap<Attribute, int64_t> places;
    for (Operation &op : *module.getBody()) {
      if (auto cache = dyn_cast<memref::GlobalOp>(op)) {
        if (failed(verifyType(cache, cache.getType())))
          return failure();
        continue;
      }
      auto step = dyn_cast<func::FuncOp>(op);
      if (!step)
        return op.emitError("kernel phase must hold steps and caches, but found ") << op.getName();
      StepVerifier verifier(step, arenaBytes.getInt());
      if (failed(verifier.verify()))
        return failure();
      for (auto [name, offset] : verifier.argumentPlaces())
        if (auto [known, isNew] = places.try_emplace(name, offset); !isNew && known->second != offset)
          return step.emitError("argument ")
                 << name << " must have one offset in all steps, but found " << known->second << " and " << offset;
    }
    return success();
  }
};

} // namespace
} // namespace glm
