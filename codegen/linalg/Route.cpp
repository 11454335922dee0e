// Which experts a row goes to: route.
#include "codegen/linalg/Columns.h"
#include "codegen/linalg/PlainBodies.h"

#include <limits>

using namespace mlir;

namespace glm {
namespace {

/// How an expert or a group stands in the choice.
enum Standing : int32_t { Free = 0, Out = 1, Chosen = 2 };

class Route {
public:
  Route(KernelRouteOp op, KernelBuilder &builder) : op(op), builder(builder) {
    logits = builder.buffer(op.getLogits());
    bias = builder.vectorWeight(op.getBias());
    outExperts = builder.buffer(op.getExperts());
    outWeights = builder.buffer(op.getWeights());
    experts = op.getLogits().getType().getShape().back();
    topK = op.getExperts().getType().getShape().back();
    groups = op.getGroups();
    scores = builder.scratch(experts, builder.getF32Type());
    choices = builder.scratch(experts, builder.getF32Type());
    standings = builder.scratch(experts, builder.getI32Type());
    if (groups > 1) {
      groupChoices = builder.scratch(groups, builder.getF32Type());
      groupStandings = builder.scratch(groups, builder.getI32Type());
    }
  }

  void build(Value row) {
    columns(builder, 0, experts, [&](Value expert, int64_t lanes) {
      Value score = builder.sigmoid(loadLanes(builder, logits, {row, expert}, lanes));
      builder.store(score, scores, expert);
      builder.store(builder.add(score, loadLanes(builder, bias, expert, lanes)), choices, expert);
    });
    setAll(standings, 0, experts, Free);
    if (groups > 1)
      dropGroups();
    choose(choices, standings, experts, topK);
    writeChosen(row);
  }

private:
  void setAll(Value memory, int64_t begin, int64_t end, Standing standing) {
    builder.loop(builder.index(begin), builder.index(end), 1,
                 [&](Value i) { builder.store(builder.i32(standing), memory, i); });
  }

  /// Mark the `wanted` largest of the free ones, the lower of equals. A NaN is taken when nothing comes before it: the
  /// marks are always distinct and always as many.
  void choose(Value values, Value marks, int64_t count, int64_t wanted) {
    builder.loop(builder.index(0), builder.index(wanted), 1, [&](Value) {
      Value nobody = builder.index(-1);
      SmallVector<Value> initial = {nobody, builder.f32(-std::numeric_limits<float>::infinity())};
      SmallVector<Value> best =
          builder.fold(builder.index(0), builder.index(count), 1, initial, [&](Value i, ValueRange carried) {
            Value value = builder.load(values, i);
            Value better = builder.either(builder.equal(carried[0], nobody), builder.less(carried[1], value));
            Value taken = builder.both(better, builder.equal(builder.load(marks, i), builder.index(Free)));
            return SmallVector<Value>{builder.select(taken, i, carried[0]), builder.select(taken, value, carried[1])};
          });
      builder.store(builder.i32(Chosen), marks, best[0]);
    });
  }

  /// Only the experts of the best groups stay free. A group is as good as the sum of its two best choices.
  void dropGroups() {
    Value size = builder.index(experts / groups);
    Value lowest = builder.f32(-std::numeric_limits<float>::infinity());
    builder.loop(builder.index(0), builder.index(groups), 1, [&](Value group) {
      Value begin = builder.mul(group, size);
      SmallVector<Value> best =
          builder.fold(begin, builder.add(begin, size), 1, {lowest, lowest}, [&](Value expert, ValueRange carried) {
            Value choice = builder.load(choices, expert);
            return SmallVector<Value>{builder.max(carried[0], choice),
                                      builder.max(carried[1], builder.min(carried[0], choice))};
          });
      builder.store(builder.add(best[0], best[1]), groupChoices, group);
    });
    setAll(groupStandings, 0, groups, Free);
    choose(groupChoices, groupStandings, groups, op.getKeptGroups());
    builder.loop(builder.index(0), builder.index(experts), 1, [&](Value expert) {
      Value kept = builder.equal(builder.load(groupStandings, builder.div(expert, size)), builder.index(Chosen));
      builder.store(builder.select(kept, builder.i32(Free), builder.i32(Out)), standings, expert);
    });
  }

  /// Chosen experts in ascending order, then their weights.
  void writeChosen(Value row) {
    SmallVector<Value> initial = {builder.index(0), builder.f32(0.0f)};
    SmallVector<Value> ends =
        builder.fold(builder.index(0), builder.index(experts), 1, initial, [&](Value expert, ValueRange carried) {
          Value chosen = builder.equal(builder.load(standings, expert), builder.index(Chosen));
          Value score = builder.load(scores, expert);
          builder.when(chosen, [&] {
            builder.store(expert, outExperts, {row, carried[0]});
            builder.store(score, outWeights, {row, carried[0]});
          });
          return SmallVector<Value>{builder.add(carried[0], builder.select(chosen, builder.index(1), builder.index(0))),
                                    builder.select(chosen, builder.add(carried[1], score), carried[1])};
        });
    Value sum = builder.add(ends[1], builder.f32(1e-20f));
    Value scaling = builder.f32(op.getScaling().convertToFloat());
    builder.loop(builder.index(0), builder.index(topK), 1, [&](Value j) {
      Value weight = builder.load(outWeights, {row, j});
      if (op.getNormalize())
        weight = builder.div(weight, sum);
      builder.store(builder.mul(weight, scaling), outWeights, {row, j});
    });
  }

  KernelRouteOp op;
  KernelBuilder &builder;
  Value logits, bias, outExperts, outWeights;
  int64_t experts = 0, topK = 0, groups = 0;
  Value scores;                       ///< [experts] sigmoid of the logits
  Value choices;                      ///< [experts] scores + bias
  Value standings;                    ///< [experts]
  Value groupChoices, groupStandings; ///< [groups]
};

} // namespace

void buildPlain(KernelRouteOp op, KernelBuilder &builder) {
  Route route(op, builder);
  auto [first, last] = builder.share(builder.rows());
  builder.loop(first, last, 1, [&](Value row) { route.build(row); });
}

} // namespace glm
