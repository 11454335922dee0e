#include "codegen/schedule/Launch.h"
#include "codegen/schedule/Passes.h"
#include "codegen/target/Target.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include <map>

using namespace mlir;

namespace glm {

#define GEN_PASS_DECL_GROUPLAUNCHES
#define GEN_PASS_DEF_GROUPLAUNCHES
#include "codegen/schedule/Passes.h.inc"

namespace {

/// Memory that kernels wait for each other about: a buffer, or a cache, whatever value names it.
const void *memoryOf(Value buffer) {
  if (auto global = buffer.getDefiningOp<memref::GetGlobalOp>())
    return global.getNameAttr().getAttr().getAsOpaquePointer();
  return buffer.getAsOpaquePointer();
}

/// The levels of kernels, in the order of the program.
class Levels {
public:
  int64_t levelOf(Operation *kernel) {
    SmallVector<MemoryEffects::EffectInstance> effects;
    cast<MemoryEffectOpInterface>(kernel).getEffects(effects);
    int64_t level = 0;
    for (const MemoryEffects::EffectInstance &effect : effects) {
      Access &access = accesses[memoryOf(effect.getValue())];
      level = std::max(level, access.written + 1);
      if (isa<MemoryEffects::Write>(effect.getEffect()))
        level = std::max(level, access.read + 1);
    }
    for (const MemoryEffects::EffectInstance &effect : effects) {
      Access &access = accesses[memoryOf(effect.getValue())];
      int64_t &last = isa<MemoryEffects::Write>(effect.getEffect()) ? access.written : access.read;
      last = std::max(last, level);
    }
    return level;
  }

private:
  /// The highest levels that read and wrote a memory so far.
  struct Access {
    int64_t read = -1, written = -1;
  };
  llvm::DenseMap<const void *, Access> accesses;
};

/// Kernels that may share a launch: of one level, whose live rows are counted alike.
using Key = std::pair<int64_t, bool>;
using Members = SmallVector<Operation *>;

class GroupLaunchesPass : public impl::GroupLaunchesBase<GroupLaunchesPass> {
public:
  explicit GroupLaunchesPass(std::shared_ptr<const KernelFamilies> families)
      : families(std::move(families)), launches(*this->families) {}

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(kTargetAttr);
    if (!target || !isGpu(target))
      return;
    auto choose = [&](Operation *op) { return chooseFamily(*families, op, target); };
    if (failed(writeSchedules(getOperation(), target, choose)))
      return signalPassFailure();
    for (auto step : getOperation().getOps<func::FuncOp>())
      if (failed(group(step)))
        return signalPassFailure();
  }

private:
  LogicalResult group(func::FuncOp step) {
    Levels levels;
    std::map<Key, Members> groups;
    for (auto kernel : step.front().getOps<KernelOpInterface>())
      groups[{levels.levelOf(kernel), kernel->hasAttr(kOutputRowsAttr)}].push_back(kernel);
    Operation *end = step.front().getTerminator();
    for (auto &[key, members] : groups)
      if (failed(place(members, key.second, end)))
        return failure();
    return success();
  }

  LogicalResult place(Members &members, bool onOutputRows, Operation *end) {
    if (members.size() == 1) {
      members.front()->moveBefore(end);
      return success();
    }
    llvm::SmallDenseMap<Operation *, int64_t> blocks;
    for (Operation *member : members) {
      FailureOr<LaunchShape> shape = launches.shapeOf(member);
      if (failed(shape))
        return failure();
      blocks[member] = shape->blocks;
    }
    llvm::stable_sort(members, [&](Operation *a, Operation *b) { return blocks[a] < blocks[b]; });
    OpBuilder builder(end);
    auto fused = KernelFusedOp::create(builder, members.front()->getLoc(), Fusion::SideBySide);
    Block &body = fused.getBody().emplaceBlock();
    for (Operation *member : members)
      member->moveBefore(&body, body.end());
    if (onOutputRows)
      fused->setAttr(kOutputRowsAttr, builder.getUnitAttr());
    return success();
  }

  std::shared_ptr<const KernelFamilies> families;
  Launches launches;
};

} // namespace

std::unique_ptr<Pass> createGroupLaunchesPass(std::shared_ptr<const KernelFamilies> families) {
  return std::make_unique<GroupLaunchesPass>(std::move(families));
}

} // namespace glm
