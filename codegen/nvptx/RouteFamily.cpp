// route, group_rows: which experts a row goes to, and the rows of each expert; exact, with the numbers of the plain bodies.
//
//     route        a warp has a row, a block 8 of them: the best expert of all, as often as experts are wanted
//     group_rows   one block, a thread has an expert: counts its entries, then puts them behind those of the experts before it
#include "codegen/nvptx/Families.h"
#include "codegen/nvptx/Warp.h"
#include "codegen/target/Target.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kMostThreads = 1024; ///< of a block
constexpr int64_t kMostExperts =
    512; ///< whose scores the shared memory of 8 warps holds, within the 48 KiB that every chip has

class Route {
public:
  static constexpr int64_t kWarps = 8;

  Route(KernelRouteOp op, KernelBuilder &builder)
      : op(op), builder(builder), warp(builder, kWarps), experts(op.getLogits().getType().getShape().back()),
        wanted(op.getExperts().getType().getShape().back()), scores(shared(experts, builder.getF32Type())),
        choices(shared(experts, builder.getF32Type())), ranks(shared(experts, builder.getI32Type())),
        sorted(shared(wanted, builder.getF32Type())) {}

  void build() {
    if (builder.inPrologue())
      return builder.loop(warp.warp(), builder.rows(), kWarps, [&](Value each) { routeRow(each); });
    Value mine = builder.add(builder.mul(warp.block(), builder.index(kWarps)), warp.warp());
    builder.when(builder.less(mine, builder.rows()), [&] { routeRow(mine); });
  }

private:
  static constexpr int32_t kFree = 0, kChosen = 1;
  static constexpr int64_t kVector = 4; ///< LLVM reads whole vectors of so many

  /// Memory of each warp.
  struct Shared {
    Value memory;
    int64_t stride;
  };
  Shared shared(int64_t elements, Type type) {
    int64_t stride = llvm::alignTo(elements, kVector);
    return {warp.shared(kWarps * stride, type), stride};
  }
  Value place(const Shared &memory, Value number) {
    return builder.add(builder.mul(warp.warp(), builder.index(memory.stride)), number);
  }
  Value load(const Shared &memory, Value number) { return builder.load(memory.memory, place(memory, number)); }
  void store(Value value, const Shared &memory, Value number) {
    builder.store(value, memory.memory, place(memory, number));
  }

  void routeRow(Value number) {
    row = number;
    Value logits = builder.buffer(op.getLogits()), bias = builder.vectorWeight(op.getBias());
    forMyExperts([&](Value expert) {
      Value score = builder.sigmoid(builder.load(logits, {row, expert}));
      store(score, scores, expert);
      store(builder.add(score, builder.load(bias, expert)), choices, expert);
      store(builder.i32(kFree), ranks, expert);
    });
    builder.loop(warp.lane(), builder.index(sorted.stride), Warp::kLanes,
                 [&](Value j) { store(builder.f32(0.0f), sorted, j); });
    warp.syncWarp();
    for (int64_t i = 0; i < wanted; ++i)
      chooseOne();
    writeChosen();
    // The next row writes the same memory.
    warp.syncWarp();
  }

  void forMyExperts(function_ref<void(Value)> body) {
    builder.loop(warp.lane(), builder.index(experts), Warp::kLanes, body);
  }
  Value isChosen(Value expert) { return builder.equal(load(ranks, expert), builder.index(kChosen)); }

  /// Mark the largest of the free experts, the lower of equals. A NaN is taken when nothing comes before it.
  void chooseOne() {
    Value nobody = builder.index(experts), lowest = builder.f32(-std::numeric_limits<float>::infinity());
    SmallVector<Value> best = builder.fold(
        warp.lane(), builder.index(experts), Warp::kLanes, {nobody, lowest}, [&](Value expert, ValueRange carried) {
          Value value = load(choices, expert);
          Value better = builder.either(builder.equal(carried[0], nobody), builder.less(carried[1], value));
          Value open = builder.equal(load(ranks, expert), builder.index(kFree));
          Value taken = builder.both(open, better);
          return SmallVector<Value>{builder.select(taken, expert, carried[0]),
                                    builder.select(taken, value, carried[1])};
        });
    Value number = builder.toI32(best[0]), value = best[1];
    for (int64_t mask = Warp::kLanes / 2; mask > 0; mask /= 2) {
      Value otherValue = warp.shuffle(value, mask);
      Value otherNumber = warp.shuffleBits(number, mask);
      // Numbers that nothing is less than, and of equals the lower expert: the order in which one thread would meet them.
      Value nobodyHere = builder.equal(number, builder.toI32(nobody)),
            nobodyThere = builder.equal(otherNumber, builder.toI32(nobody));
      Value lower = builder.less(otherNumber, number);
      Value wins =
          builder.select(lower, builder.negation(builder.less(otherValue, value)), builder.less(value, otherValue));
      wins = builder.both(builder.either(nobodyHere, wins), builder.negation(nobodyThere));
      number = builder.select(wins, otherNumber, number);
      value = builder.select(wins, otherValue, value);
    }
    builder.when(builder.equal(warp.lane(), builder.index(0)),
                 [&] { store(builder.i32(kChosen), ranks, builder.toIndex(number)); });
    warp.syncWarp();
  }

  /// Chosen experts in ascending order, then their weights.
  void writeChosen() {
    Value outExperts = builder.buffer(op.getExperts()), outWeights = builder.buffer(op.getWeights());
    forMyExperts([&](Value expert) {
      builder.when(isChosen(expert), [&] {
        Value before =
            builder.fold(builder.index(0), expert, 1, builder.index(0), [&](Value other, ValueRange carried) {
              return SmallVector<Value>{builder.add(carried[0], load(ranks, other))};
            })[0];
        builder.store(expert, outExperts, {row, before});
        store(load(scores, expert), sorted, before);
      });
    });
    warp.syncWarp();
    Value sum =
        builder.fold(builder.index(0), builder.index(wanted), 1, builder.f32(0.0f), [&](Value j, ValueRange carried) {
          return SmallVector<Value>{builder.add(carried[0], load(sorted, j))};
        })[0];
    sum = builder.add(sum, builder.f32(1e-20f));
    Value scaling = builder.f32(op.getScaling().convertToFloat());
    builder.loop(warp.lane(), builder.index(wanted), Warp::kLanes, [&](Value j) {
      Value weight = load(sorted, j);
      if (op.getNormalize())
        weight = builder.div(weight, sum);
      builder.store(builder.mul(weight, scaling), outWeights, {row, j});
    });
  }

  KernelRouteOp op;
  KernelBuilder &builder;
  Warp warp;
  int64_t experts, wanted;
  Shared scores;  ///< [experts] sigmoid of the logits
  Shared choices; ///< [experts] scores + bias
  Shared ranks;   ///< [experts] free or chosen
  Shared sorted;  ///< [wanted, and zeros to a whole vector] scores of the chosen, ascending by expert
  Value row;
};

int64_t groupWarps(KernelGroupRowsOp op) {
  return llvm::divideCeil(op.getOffsets().getType().getDimSize(0) - 1, Warp::kLanes);
}

void buildGroupRows(KernelGroupRowsOp op, KernelBuilder &builder) {
  Warp warp(builder, groupWarps(op));
  Value scratch = warp.shared(2 * warp.threads(), builder.getI32Type());
  Value experts = builder.buffer(op.getExperts()), offsets = builder.buffer(op.getOffsets()),
        entries = builder.buffer(op.getEntries());
  int64_t count = op.getOffsets().getType().getDimSize(0) - 1;
  Value choices = builder.index(op.getExperts().getType().getShape().back());
  Value total = builder.mul(builder.rows(), choices), zero = builder.index(0);
  auto isMine = [&](Value entry) {
    Value expert = builder.load(experts, {builder.div(entry, choices), builder.rem(entry, choices)});
    return builder.equal(expert, warp.thread());
  };
  Value mine = builder.fold(zero, total, 1, zero, [&](Value entry, ValueRange carried) {
    return SmallVector<Value>{builder.add(carried[0], builder.select(isMine(entry), builder.index(1), zero))};
  })[0];
  Value before = warp.countBefore(mine, scratch);
  builder.when(builder.less(warp.thread(), builder.index(count)),
               [&] { builder.store(before, offsets, warp.thread()); });
  builder.when(builder.equal(warp.thread(), zero), [&] { builder.store(total, offsets, builder.index(count)); });
  builder.fold(zero, total, 1, before, [&](Value entry, ValueRange carried) {
    Value own = isMine(entry);
    builder.when(own, [&] { builder.store(entry, entries, carried[0]); });
    return SmallVector<Value>{builder.add(carried[0], builder.select(own, builder.index(1), zero))};
  });
}

class GpuRouteFamily : public KernelFamily {
public:
  StringRef name() const override { return "gpu_route"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    bool takes = llvm::TypeSwitch<Operation *, bool>(op)
                     .Case([](KernelRouteOp route) {
                       return route.getGroups() == 1 && route.getLogits().getType().getShape().back() <= kMostExperts;
                     })
                     .Case([](KernelGroupRowsOp group) { return groupWarps(group) * Warp::kLanes <= kMostThreads; })
                     .Default([](Operation *) { return false; });
    if (!takes || !isGpu(target))
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), 1, Warp::kLanes);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr) const override {
    if (auto group = dyn_cast<KernelGroupRowsOp>(op))
      return {1, groupWarps(group) * Warp::kLanes};
    int64_t rows = cast<KernelRouteOp>(op).getExperts().getType().getDimSize(0);
    return {llvm::divideCeilSigned(rows, Route::kWarps), Route::kWarps * Warp::kLanes};
  }

  /// By a kernel of one block: it writes the only copy.
  bool fitsPrologue(Operation *op) const override { return isa<KernelRouteOp>(op); }

  LogicalResult build(Operation *op, ScheduleAttr, KernelBuilder &builder) const override {
    llvm::TypeSwitch<Operation *>(op)
        .Case([&](KernelRouteOp each) { Route(each, builder).build(); })
        .Case([&](KernelGroupRowsOp each) { buildGroupRows(each, builder); });
    return success();
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGpuRouteFamily() { return std::make_unique<GpuRouteFamily>(); }

} // namespace glm
