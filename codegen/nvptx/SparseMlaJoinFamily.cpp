// sparse_mla_join: a thread has 4 neighbouring columns of a row's head and joins the parts of them, by the rule of AttentionParts.h.
#include "codegen/linalg/AttentionParts.h"
#include "codegen/nvptx/Families.h"
#include "codegen/nvptx/Warp.h"
#include "codegen/target/Target.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kWarps = 4;
constexpr int64_t kColumns = 4; ///< of a thread

int64_t blocksOfRow(KernelSparseMlaJoinOp op) {
  return llvm::divideCeil(LatentAttention::widthOf(op.getOutput()), kColumns * kWarps * Warp::kLanes);
}

class GpuSparseMlaJoinFamily : public KernelFamily {
public:
  StringRef name() const override { return "gpu_sparse_mla_join"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    auto join = dyn_cast<KernelSparseMlaJoinOp>(op);
    if (!join || !isGpu(target) || rankOf(join) % kColumns != 0)
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), 1, kColumns);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr) const override {
    auto join = cast<KernelSparseMlaJoinOp>(op);
    int64_t blocks = blocksOfRow(join);
    return {join.getOutput().getType().getDimSize(0) * blocks, kWarps * Warp::kLanes, blocks};
  }

  LogicalResult build(Operation *op, ScheduleAttr, KernelBuilder &builder) const override {
    auto join = cast<KernelSparseMlaJoinOp>(op);
    Warp warp(builder, kWarps);
    Value rank = builder.index(rankOf(join)), width = builder.index(LatentAttention::widthOf(join.getOutput()));
    Value blocks = builder.index(blocksOfRow(join)), row = builder.div(warp.block(), blocks);
    Value piece =
        builder.add(builder.mul(builder.rem(warp.block(), blocks), builder.index(warp.threads())), warp.thread());
    Value column = builder.mul(piece, builder.index(kColumns)), output = builder.buffer(join.getOutput());
    builder.when(builder.both(builder.less(row, builder.rows()), builder.less(column, width)), [&] {
      Value head = builder.div(column, rank), inHead = builder.rem(column, rank);
      auto load = [&](Value sums, ValueRange place) { return warp.loadWide(sums, place, kColumns); };
      warp.storeWide(joinColumns(joinedParts(join), builder, row, head, inHead, kColumns, load), output, {row, column});
    });
    return success();
  }

private:
  /// Columns of a head.
  static int64_t rankOf(KernelSparseMlaJoinOp op) {
    return LatentAttention::widthOf(op.getOutput()) / static_cast<int64_t>(op.getHeads());
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGpuSparseMlaJoinFamily() { return std::make_unique<GpuSparseMlaJoinFamily>(); }

} // namespace glm
