// index_score: a warp scores 8 positions of a row at once, 16 heads an instruction.
//
//     blocks      [ row 0: part 0 | part 1 | ... ][ row 1: ...        a part: positions 32 p .. 32 p + 31 for p = part, part + parts, ...
//     products    heads 16 x positions 8, over the width of a key
//     scores      relu, times the heads' weights, added over heads: tiles in order, then lanes
#include "codegen/nvptx/Families.h"
#include "codegen/nvptx/Warp.h"
#include "codegen/target/Target.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kWarps = 4;
constexpr int64_t kHeadTile = 16;
constexpr int64_t kPositionTile = 8;
constexpr int64_t kPartPositions = kWarps * kPositionTile;
/// Blocks that share a row: enough for a long context to fill a chip at one row.
constexpr int64_t kMostParts = 128;

class IndexScore {
public:
  IndexScore(KernelIndexScoreOp op, KernelBuilder &builder)
      : op(op), builder(builder), warp(builder, kWarps), query(builder.buffer(op.getQuery())),
        weights(builder.buffer(op.getWeights())), keys(builder.buffer(op.getKeys())),
        pages(builder.buffer(op.getPages())), scores(builder.buffer(op.getScores())),
        heads(op.getWeights().getType().getShape().back()), width(op.getKeys().getType().getShape().back()) {}

  void build(int64_t parts) {
    Value row = builder.div(warp.block(), builder.index(parts)), part = builder.rem(warp.block(), builder.index(parts));
    builder.when(builder.less(row, builder.rows()), [&] {
      Value slot = builder.load(builder.buffer(op.getSlots()), row);
      Value count = builder.add(builder.load(builder.buffer(op.getPositions()), row), builder.index(1));
      Value first = builder.add(builder.mul(part, builder.index(kPartPositions)),
                                builder.mul(warp.warp(), builder.index(kPositionTile)));
      builder.loop(first, count, parts * kPartPositions,
                   [&](Value position) { scorePositions(row, slot, position, count); });
    });
  }

private:
  /// 8 positions from `first` on; those beyond the last repeat it and are not stored.
  void scorePositions(Value row, Value slot, Value first, Value count) {
    Value position = builder.min(builder.add(first, warp.group()), builder.sub(count, builder.index(1)));
    Value place = builder.cacheRow(pages, slot, position, op.getPageSize());
    Value totals[] = {builder.f32(0.0f), builder.f32(0.0f)};
    for (int64_t head = 0; head < heads; head += kHeadTile) {
      auto queryOf = [&](int64_t offset) {
        return Warp::Row{query, row, builder.mul(clamped(head + offset), builder.index(width))};
      };
      Value products =
          warp.dot(queryOf(0), queryOf(8), {keys, place, builder.index(0)}, width, builder.splat(builder.f32(0.0f), 4));
      for (int64_t i = 0; i < 4; ++i) {
        // Fragment i: head g or g + 8, position 2q or 2q + 1.
        Value part =
            builder.mul(builder.f32(op.getScale().convertToFloat()), vector::ExtractOp::create(builder, products, i));
        Value &total = totals[i % 2];
        total = builder.fma(weightOf(row, head + i / 2 * 8), builder.max(part, builder.f32(0.0f)), total);
      }
    }
    for (int64_t i = 0; i < 2; ++i) {
      Value score = warp.sumLanes(totals[i], 4, 16); // over groups
      Value mine = builder.add(first, builder.add(builder.mul(warp.quad(), builder.index(2)), builder.index(i)));
      Value stores = builder.both(builder.equal(warp.group(), builder.index(0)), builder.less(mine, count));
      builder.when(stores, [&] { builder.store(score, scores, {row, mine}); });
    }
  }

  Value headOf(int64_t first) { return builder.add(warp.group(), builder.index(first)); }
  Value clamped(int64_t first) { return builder.min(headOf(first), builder.index(heads - 1)); }
  /// A head that is not there has no weight.
  Value weightOf(Value row, int64_t first) {
    return builder.select(builder.less(headOf(first), builder.index(heads)),
                          builder.load(weights, {row, clamped(first)}), builder.f32(0.0f));
  }

  KernelIndexScoreOp op;
  KernelBuilder &builder;
  Warp warp;
  Value query, weights, keys, pages, scores;
  int64_t heads, width;
};

int64_t partsOf(KernelIndexScoreOp op) {
  return std::min<int64_t>(kMostParts, llvm::divideCeil(op.getScores().getType().getShape().back(), kPartPositions));
}

class GpuIndexScoreFamily : public KernelFamily {
public:
  StringRef name() const override { return "gpu_index_score"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    auto score = dyn_cast<KernelIndexScoreOp>(op);
    if (!score || !isGpu(target) || !score.getQuery().getType().getElementType().isBF16() ||
        !score.getKeys().getType().getElementType().isBF16() || score.getKeys().getType().getShape().back() % 8 != 0)
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), kHeadTile, kPositionTile);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr) const override {
    auto score = cast<KernelIndexScoreOp>(op);
    return {score.getScores().getType().getDimSize(0) * partsOf(score), kWarps * Warp::kLanes, partsOf(score)};
  }

  LogicalResult build(Operation *op, ScheduleAttr, KernelBuilder &builder) const override {
    auto score = cast<KernelIndexScoreOp>(op);
    IndexScore(score, builder).build(partsOf(score));
    return success();
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGpuIndexScoreFamily() { return std::make_unique<GpuIndexScoreFamily>(); }

} // namespace glm
