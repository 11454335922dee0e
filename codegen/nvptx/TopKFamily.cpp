// top_k: a block has a row, exact, with the numbers of the plain body.
//
//     the k-th largest score   by digits of 8 bits from the highest: counted in shared memory, among scores that have the digits found so far
//     the choice               a thread has a run of positions, and knows from counts how many are chosen before it
#include "codegen/linalg/ScoreKeys.h"
#include "codegen/nvptx/Families.h"
#include "codegen/nvptx/Warp.h"
#include "codegen/target/Target.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kWarps = 16;
constexpr int64_t kDigits = 256;

Value compare(KernelBuilder &builder, arith::CmpIPredicate predicate, Value a, Value b) {
  return arith::CmpIOp::create(builder, predicate, a, b);
}

class TopK {
public:
  TopK(KernelTopKOp op, KernelBuilder &builder)
      : builder(builder), warp(builder, kWarps), scores(builder.buffer(op.getScores())),
        positions(builder.buffer(op.getPositions())), indices(builder.buffer(op.getIndices())),
        topK(op.getIndices().getType().getShape().back()), histogram(warp.shared(kDigits, builder.getI32Type())),
        found(warp.shared(2, builder.getI32Type())), counts(warp.shared(2 * warp.threads(), builder.getI32Type())) {}

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
    // The prefix of the k-th largest key, and how many keys of that prefix are still to be chosen.
    Value prefix = builder.i32(0), wanted = builder.i32(static_cast<int32_t>(topK));
    for (int64_t shift = 24; shift >= 0; shift -= 8) {
      clearHistogram();
      countDigits(prefix, shift);
      findDigit(wanted, shift, prefix);
      prefix = loadI32(found, 0);
      wanted = loadI32(found, 1);
      warp.barrier();
    }
    writeChosen(prefix, builder.toIndex(wanted));
  }

  void clearHistogram() {
    builder.loop(warp.thread(), builder.index(kDigits), warp.threads(),
                 [&](Value digit) { builder.store(builder.i32(0), histogram, digit); });
    warp.barrier();
  }

  /// Count the next digit of keys that have the prefix.
  void countDigits(Value prefix, int64_t shift) {
    builder.loop(warp.thread(), count, warp.threads(), [&](Value position) {
      Value key = keyAt(position);
      auto add = [&] {
        Value digit = warp.bits(warp.shiftRight(key, shift), builder.i32(kDigits - 1));
        memref::AtomicRMWOp::create(builder, arith::AtomicRMWKind::addi, builder.i32(1), histogram,
                                    ValueRange{builder.toIndex(digit)});
      };
      if (shift == 24)
        return add();
      Value same = compare(builder, arith::CmpIPredicate::eq, warp.shiftRight(key, shift + 8),
                           warp.shiftRight(prefix, shift + 8));
      builder.when(same, add);
    });
    warp.barrier();
  }

  /// The largest digit from which on at least `wanted` keys are: its prefix, and how many of its own keys are wanted, in `found`.
  void findDigit(Value wanted, int64_t shift, Value prefix) {
    builder.when(builder.equal(warp.thread(), builder.index(0)), [&] {
      SmallVector<Value> state = {builder.i32(kDigits - 1), wanted,
                                  arith::ConstantOp::create(builder, builder.getBoolAttr(false))};
      state = builder.fold(builder.index(0), builder.index(kDigits), 1, state, [&](Value i, ValueRange carried) {
        Value digit = builder.sub(builder.index(kDigits - 1), i);
        Value here = loadI32(histogram, digit), over = builder.less(here, carried[1]);
        Value done = builder.either(carried[2], builder.negation(over));
        return SmallVector<Value>{builder.select(carried[2], carried[0], builder.toI32(digit)),
                                  builder.select(done, carried[1], builder.sub(carried[1], here)), done};
      });
      Value next = warp.orBits(prefix, warp.shiftLeft(state[0], shift));
      builder.store(next, found, builder.index(0));
      builder.store(state[1], found, builder.index(1));
    });
    warp.barrier();
  }

  Value loadI32(Value memref, Value place) { return memref::LoadOp::create(builder, memref, ValueRange{place}); }
  Value loadI32(Value memref, int64_t place) { return loadI32(memref, builder.index(place)); }

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
          return SmallVector<Value>{
              builder.add(carried[0], one(compare(builder, arith::CmpIPredicate::ugt, key, last))),
              builder.add(carried[1], one(compare(builder, arith::CmpIPredicate::eq, key, last)))};
        });
    Value above = warp.countBefore(own[0], counts), equal = warp.countBefore(own[1], counts);
    builder.fold(first, end, 1, {above, equal}, [&](Value position, ValueRange carried) {
      Value key = keyAt(position);
      Value isAbove = compare(builder, arith::CmpIPredicate::ugt, key, last);
      Value isEqual = compare(builder, arith::CmpIPredicate::eq, key, last);
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
  Value histogram; ///< shared [256]
  Value found;     ///< shared: prefix, wanted
  Value counts;    ///< shared, two i32 a thread
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
