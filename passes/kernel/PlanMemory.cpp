#include "passes/kernel/ArenaPlan.h"
#include "passes/kernel/Passes.h"

#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace glm {

#define GEN_PASS_DEF_PLANMEMORYPASS
#include "passes/kernel/Passes.h.inc"

namespace {

int64_t bytesOf(Type type) {
  auto buffer = cast<MemRefType>(type);
  return buffer.getNumElements() * buffer.getElementTypeBitWidth() / 8;
}

/// The temporaries of one step, and when they live.
struct Temporaries {
  SmallVector<memref::AllocOp> allocations;
  std::vector<Lifetime> lifetimes; ///< of each allocation
  llvm::DenseMap<Value, size_t> numbers;
};

/// Launch number `time` touches the buffers that it names in its effects.
LogicalResult touch(Operation *op, int64_t time, Temporaries &temporaries) {
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  if (!effects)
    return op->emitError("launch must declare its memory effects, but found none on ") << op->getName();
  SmallVector<MemoryEffects::EffectInstance> instances;
  effects.getEffects(instances);
  // Reads first: an op that works in place needs what was written before it.
  llvm::stable_sort(instances, [](const auto &a, const auto &b) {
    return isa<MemoryEffects::Read>(a.getEffect()) > isa<MemoryEffects::Read>(b.getEffect());
  });
  for (const MemoryEffects::EffectInstance &instance : instances) {
    auto allocation = instance.getValue() ? instance.getValue().getDefiningOp<memref::AllocOp>() : memref::AllocOp();
    if (!allocation)
      continue;
    auto [entry, isNew] = temporaries.numbers.try_emplace(allocation, temporaries.allocations.size());
    if (!isNew) {
      temporaries.lifetimes[entry->second].last = time;
      continue;
    }
    if (isa<MemoryEffects::Read>(instance.getEffect()))
      return op->emitError("buffer must be written before it is read, but found it read first by ") << op->getName();
    temporaries.allocations.push_back(allocation);
    temporaries.lifetimes.push_back({bytesOf(allocation.getType()), time, time});
  }
  return success();
}

class PlanMemoryPass : public impl::PlanMemoryPassBase<PlanMemoryPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(placeArguments(module)))
      return signalPassFailure();
    int64_t arenaBytes = fixedBytes;
    for (auto function : module.getOps<func::FuncOp>()) {
      FailureOr<int64_t> bytes = placeTemporaries(function);
      if (failed(bytes))
        return signalPassFailure();
      arenaBytes = std::max(arenaBytes, *bytes);
    }
    module->setAttr(kArenaBytesAttr, Builder(module).getI64IntegerAttr(arenaBytes));
  }

  /// Inputs and output, each as large as the largest program needs it.
  LogicalResult placeArguments(ModuleOp module) {
    llvm::MapVector<Attribute, int64_t> sizes;
    for (auto function : module.getOps<func::FuncOp>()) {
      for (auto [number, type] : llvm::enumerate(function.getArgumentTypes())) {
        Attribute name = function.getArgAttr(number, kNameAttr);
        if (!name)
          return function.emitError("argument ") << number << " must have " << kNameAttr << ", but found none";
        int64_t &bytes = sizes[name];
        bytes = std::max(bytes, bytesOf(type));
      }
    }
    fixedBytes = 0;
    llvm::DenseMap<Attribute, int64_t> offsets;
    for (auto [name, bytes] : sizes) {
      offsets[name] = fixedBytes;
      fixedBytes += alignToArena(bytes);
    }
    Builder builder(module);
    for (auto function : module.getOps<func::FuncOp>())
      for (unsigned number = 0; number < function.getNumArguments(); ++number)
        function.setArgAttr(number, kOffsetAttr,
                            builder.getI64IntegerAttr(offsets.lookup(function.getArgAttr(number, kNameAttr))));
    return success();
  }

  /// Offsets behind the arguments; returns the bytes of arena that this program needs.
  FailureOr<int64_t> placeTemporaries(func::FuncOp function) {
    Temporaries temporaries;
    for (auto [time, op] : llvm::enumerate(function.getOps<KernelOpInterface>()))
      if (failed(touch(op, time, temporaries)))
        return failure();
    for (auto allocation : llvm::make_early_inc_range(function.getOps<memref::AllocOp>()))
      if (allocation.use_empty())
        allocation.erase();

    ArenaPlan plan = planArena(temporaries.lifetimes);
    Builder builder(function);
    for (auto [allocation, offset] : llvm::zip(temporaries.allocations, plan.offsets))
      allocation->setAttr(kOffsetAttr, builder.getI64IntegerAttr(fixedBytes + offset));

    int64_t bytes = fixedBytes + plan.bytes, least = fixedBytes + leastArenaBytes(temporaries.lifetimes);
    remark::analysis(function.getLoc(),
                     remark::RemarkOpts::name("ArenaBytes").category(getArgument()).function(function.getSymName()))
        << remark::metric("bytes", bytes) << remark::metric("least", least)
        << remark::metric("buffers", temporaries.allocations.size());
    return bytes;
  }

  int64_t fixedBytes = 0; ///< of inputs and output, before the temporaries
};

} // namespace
} // namespace glm
