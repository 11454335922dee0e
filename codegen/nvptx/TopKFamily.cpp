// top_k: a block has a row, exact, with the numbers of the plain body.
//
//     the k-th largest score   by digits, counted in shared memory (RadixSelect)
//     the choice               a thread has a run of positions, and knows from counts how many are chosen before it
#include "codegen/linalg/ScoreKeys.h"
#include "codegen/nvptx/Families.h"
#include "codegen/nvptx/RadixSelect.h"
#include "codegen/target/Target.h"

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kWarps = 16;

class TopK {
public:
  TopK(KernelTopKOp op, KernelBuilder &builder)
      : builder(builder), warp(builder, kWarps), scores(builder.buffer(op.getScores())),
        positions(builder.buffer(op.getPositions())), indices(builder.buffer(op.getIndices())),
        topK(op.getIndices().getType().getShape().back()), counted(builder, warp, builder.getI32Type()),
        counts(warp.shared(2 * warp.threads(), builder.getI32Type())) {}

  void build() {
    row = warp.block();
    builder.when(builder.less(row, builder.rows()), [&] {
      count = builder.add(builder.load(positions, row), builder.index(1));
      Value more = builder.less(builder.index(topK), count);
      builder.when(more, [&] { chooseBest(); });
      builder.when(builder.negation(more), [&] { chooseAll(); });
    });
  }

private:
  void chooseAll() {
    builder.loop(warp.thread(), builder.index(topK), warp.threads(), [&](Value i) {
      builder.store(builder.select(builder.less(i, count), i, builder.index(-1)), indices, {row, i});
    });
  }

  Value keyAt(Value position) { return scoreKeys(builder, builder.load(scores, {row, position}), /*lanes=*/1); }

  void chooseBest() {
    auto [last, equals] = counted.find(builder.i32(static_cast<int32_t>(topK)), [&](RadixSelect::Add add) {
      builder.loop(warp.thread(), count, warp.threads(),
                   [&](Value position) { add(keyAt(position), [&] { return builder.i32(1); }); });
    });
    writeChosen(last, builder.toIndex(equals));
  }

  /// Keys above `last`, and of its equals the first `equals`, ascending by position.
  void writeChosen(Value last, Value equals) {
    Value threads = builder.index(warp.threads());
    Value run = builder.div(builder.add(count, builder.index(warp.threads() - 1)), threads);
    Value first = builder.min(builder.mul(warp.thread(), run), count),
          end = builder.min(builder.add(first, run), count);
    auto one = [&](Value condition) { return builder.select(condition, builder.index(1), builder.index(0)); };
    SmallVector<Value> own =
        builder.fold(first, end, 1, {builder.index(0), builder.index(0)}, [&](Value position, ValueRange carried) {
          Value key = keyAt(position);
          return SmallVector<Value>{builder.add(carried[0], one(warp.compare(arith::CmpIPredicate::ugt, key, last))),
                                    builder.add(carried[1], one(warp.compare(arith::CmpIPredicate::eq, key, last)))};
        });
    Value above = warp.countBefore(own[0], counts), equal = warp.countBefore(own[1], counts);
    builder.fold(first, end, 1, {above, equal}, [&](Value position, ValueRange carried) {
      Value key = keyAt(position);
      Value isAbove = warp.compare(arith::CmpIPredicate::ugt, key, last);
      Value isEqual = warp.compare(arith::CmpIPredicate::eq, key, last);
      Value taken = builder.either(isAbove, builder.both(isEqual, builder.less(carried[1], equals)));
      builder.when(taken, [&] {
        builder.store(position, indices, {row, builder.add(carried[0], builder.min(carried[1], equals))});
      });
      return SmallVector<Value>{builder.add(carried[0], one(isAbove)), builder.add(carried[1], one(isEqual))};
    });
  }

  KernelBuilder &builder;
  Warp warp;
  Value scores, positions, indices;
  int64_t topK;
  RadixSelect counted;
  Value counts; ///< shared, two i32 a thread
  Value row, count;
};

class GpuTopKFamily : public KernelFamily {
public:
  StringRef name() const override { return "gpu_top_k"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    if (!isa<KernelTopKOp>(op) || !isGpu(target))
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), 1, kWarps * Warp::kLanes);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr) const override {
    return {cast<KernelTopKOp>(op).getIndices().getType().getDimSize(0), kWarps * Warp::kLanes, 1};
  }

  LogicalResult build(Operation *op, ScheduleAttr, KernelBuilder &builder) const override {
    TopK(cast<KernelTopKOp>(op), builder).build();
    return success();
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGpuTopKFamily() { return std::make_unique<GpuTopKFamily>(); }

} // namespace glm
