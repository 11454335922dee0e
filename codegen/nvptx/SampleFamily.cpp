// sample: a block draws the token of a row, exactly as the runtime's sampler does (runtime/exec/Sampler.h). Sums are integers: threads may add in any order.
//
//     the largest logit   one pass, with what is no number; the end for greedy rows
//     top-k               the k-th largest key, by digits that are counted (RadixSelect)
//     top-p               the key at which weights from the largest reach their share, by digits again
//     the draw            a warp has a segment of the ids; the segment that holds the random number is cut once more, a run for each thread
//
// What is kept is two numbers: keys above `last`, and of its equals the first `equals` by id.
#include "codegen/linalg/ScoreKeys.h"
#include "codegen/nvptx/Families.h"
#include "codegen/nvptx/RadixSelect.h"
#include "codegen/target/Target.h"
#include "runtime/artifact/KernelAbi.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kWarps = 16;
/// Of an id that is legal, where the codes of others are compared.
constexpr int32_t kLegal = std::numeric_limits<int32_t>::max();

class Sample {
public:
  Sample(KernelSampleOp op, KernelBuilder &builder)
      : builder(builder), warp(builder, kWarps), word(builder.getI32Type()), wide(builder.getI64Type()),
        logits(builder.buffer(op.getLogits())), sampling(builder.buffer(op.getSampling())),
        sampled(builder.buffer(op.getSampled())), ids(op.getLogits().getType().getShape().back()),
        lanes(ids % 4 == 0 ? 4 : 1), segment(llvm::alignTo(llvm::divideCeil(ids, kWarps), 4 * Warp::kLanes)),
        counted(builder, warp, word), weighed(builder, warp, wide), kept(warp.shared(2, word)),
        sums(warp.shared(kWarps, wide)), ties(warp.shared(kWarps, word)),
        scratch(warp.shared(2 * warp.threads(), wide)) {}

  void build() {
    row = warp.block();
    builder.when(builder.less(row, builder.rows()), [&] {
      Best best = findBest();
      Value scaleBits = parameter(0), isLegal = builder.equal(best.illegal, builder.i32(kLegal));
      scale = asFloat(scaleBits);
      largest = logitOf(best.key);
      Value isDrawn =
          builder.both(isLegal, builder.both(isNot(scaleBits, builder.i32(0)),
                                             builder.less(f32(-std::numeric_limits<float>::infinity()), largest)));
      byOneThread(builder.negation(isDrawn), [&] {
        Value code = builder.sub(builder.i32(-1), best.illegal);
        builder.store(builder.select(isLegal, best.id, code), sampled, row);
      });
      builder.when(isDrawn, [&] {
        keepAll();
        keepTopK();
        keepTopP();
        draw();
      });
    });
  }

private:
  //===-- one logit ---------------------------------------------------------------------------------------------===//

  Value keyOf(Value logit) { return scoreKeys(builder, logit, /*lanes=*/1); }

  /// The logit of a key, a zero without its sign.
  Value logitOf(Value key) {
    Value isNegative = builder.less(builder.i32(-1), key); // as a signed number
    Value bits =
        arith::XOrIOp::create(builder, key, builder.select(isNegative, builder.i32(-1), builder.i32(INT32_MIN)));
    return asFloat(bits);
  }

  /// sampleWeight of runtime/exec/Sampler.h: i64.
  Value weightOf(Value logit) {
    Value y = builder.mul(builder.sub(largest, logit), scale), counts = builder.less(y, f32(41.0f));
    Value scaled = builder.mul(builder.select(counts, y, f32(0.0f)), f32(0x1p25f));
    Value fixed = arith::FPToSIOp::create(builder, word, scaled);
    Value x = warp.shiftLeft(fixed, 7), rest = warp.constant(kSamplePower[4]);
    for (int power = 3; power >= 0; --power)
      rest = builder.sub(warp.constant(kSamplePower[power]), highProduct(x, rest));
    Value power = builder.sub(number(int64_t(1) << 32), toWide(highProduct(x, rest)));
    Value weight = arith::ShRUIOp::create(builder, warp.shiftLeft(power, 8), toWide(warp.shiftRight(fixed, 25)));
    return builder.select(counts, weight, number(0));
  }

  //===-- walks -------------------------------------------------------------------------------------------------===//

  using Body = function_ref<SmallVector<Value>(Value id, Value logit, ValueRange carried)>;

  /// The ids begin .. end-1 by `workers`, of whom this thread is number `worker`; each sees its ids in rising order.
  SmallVector<Value> walk(Value begin, Value end, Value worker, int64_t workers, ValueRange initial, Body body) {
    Value first = builder.add(begin, builder.mul(worker, builder.index(lanes)));
    return builder.fold(first, end, workers * lanes, initial, [&](Value id, ValueRange carried) {
      Value loaded = warp.loadWide(logits, {row, id}, lanes);
      SmallVector<Value> state(carried);
      for (int64_t lane = 0; lane < lanes; ++lane) {
        Value logit = lanes == 1 ? loaded : vector::ExtractOp::create(builder, loaded, lane).getResult();
        state = body(builder.add(id, builder.index(lane)), logit, state);
      }
      return state;
    });
  }

  SmallVector<Value> walkAll(ValueRange initial, Body body) {
    return walk(builder.index(0), builder.index(ids), warp.thread(), warp.threads(), initial, body);
  }

  //===-- the largest logit -------------------------------------------------------------------------------------===//

  struct Best {
    Value key, id,
        illegal; ///< i32; the lowest id of the largest logit; 2 * id + infinite of the first that is no number, or kLegal
  };

  Best findBest() {
    SmallVector<Value> own = walkAll({builder.i32(0), builder.i32(0), builder.i32(kLegal)}, [&](Value id, Value logit,
                                                                                                ValueRange carried) {
      Value key = keyOf(logit), number = builder.toI32(id);
      Value isBetter = warp.compare(arith::CmpIPredicate::ugt, key, carried[0]);
      Value isInfinite = builder.equal(logit, f32(std::numeric_limits<float>::infinity()));
      Value isIllegal =
          arith::CmpFOp::create(builder, arith::CmpFPredicate::UGT, logit, f32(std::numeric_limits<float>::max()));
      Value code = warp.orBits(warp.shiftLeft(number, 1), arith::ExtUIOp::create(builder, word, isInfinite));
      return SmallVector<Value>{builder.select(isBetter, key, carried[0]), builder.select(isBetter, number, carried[1]),
                                builder.select(isIllegal, builder.min(carried[2], code), carried[2])};
    });
    // Of equal keys the one with the lower id is the larger number.
    Value turned = arith::XOrIOp::create(builder, own[1], builder.i32(-1));
    Value rank = warp.combineBlock(warp.orBits(warp.shiftLeft(toWide(own[0]), 32), toWide(turned)), sums,
                                   [&](Value a, Value b) -> Value { return arith::MaxUIOp::create(builder, a, b); });
    Value illegal = warp.combineBlock(own[2], ties, [&](Value a, Value b) { return builder.min(a, b); });
    return {toWord(warp.shiftRight(rank, 32)), arith::XOrIOp::create(builder, toWord(rank), builder.i32(-1)), illegal};
  }

  //===-- what is kept ------------------------------------------------------------------------------------------===//

  struct Kept {
    Value last, equals, weight; ///< i32, i32; i64, of one of the equals
  };

  Kept loadKept() {
    Value last = load(kept, builder.index(0));
    return {last, load(kept, builder.index(1)), weightOf(logitOf(last))};
  }

  void storeKept(Value last, Value equals) {
    byOneThread({}, [&] {
      builder.store(last, kept, builder.index(0));
      builder.store(equals, kept, builder.index(1));
    });
  }

  /// Every legal key is above 0.
  void keepAll() {
    storeKept(builder.i32(0), builder.i32(0));
    warp.barrier();
  }

  void keepTopK() {
    Value topK = parameter(1), none = builder.i32(0);
    Value isAsked = builder.both(isNot(topK, none), warp.compare(arith::CmpIPredicate::ult, topK, builder.i32(ids)));
    builder.when(isAsked, [&] {
      auto [last, equals] = counted.find(topK, [&](RadixSelect::Add add) {
        walkAll({}, [&](Value, Value logit, ValueRange) {
          add(keyOf(logit), [&] { return builder.i32(1); });
          return SmallVector<Value>();
        });
      });
      storeKept(last, equals);
    });
    warp.barrier();
  }

  void keepTopP() {
    Value topP = parameter(2);
    builder.when(isNot(topP, builder.i32(0)), [&] {
      Kept first = loadKept();
      Value total = sumKept(first), share = toWide(topP), lowWord = toWide(toWord(total));
      Value target =
          builder.add(builder.mul(warp.shiftRight(total, 32), share), warp.shiftRight(builder.mul(lowWord, share), 32));
      // Equals that top-k dropped are weighed too: they stand behind all that it kept, whose weights reach the target.
      auto [last, wanted] = weighed.find(builder.max(target, number(1)), [&](RadixSelect::Add add) {
        walkAll({}, [&](Value, Value logit, ValueRange) {
          Value key = keyOf(logit);
          builder.when(warp.compare(arith::CmpIPredicate::uge, key, first.last),
                       [&] { add(key, [&] { return weightOf(logit); }); });
          return SmallVector<Value>();
        });
      });
      byOneThread({}, [&] {
        Value weight = weightOf(logitOf(last));
        Value equals = builder.div(builder.add(wanted, builder.sub(weight, number(1))), weight);
        builder.store(last, kept, builder.index(0));
        builder.store(toWord(equals), kept, builder.index(1));
      });
    });
    warp.barrier();
  }

  //===-- sums --------------------------------------------------------------------------------------------------===//

  /// The sum of weights above `last` (i64) and the number of its equals (i32) after one more id.
  SmallVector<Value> addUp(const Kept &what, Value logit, ValueRange carried) {
    Value key = keyOf(logit), isAbove = warp.compare(arith::CmpIPredicate::ugt, key, what.last);
    Value isEqual = arith::ExtUIOp::create(builder, word, builder.equal(key, what.last));
    Value weight = builder.select(isAbove, weightOf(logit), number(0));
    return {builder.add(carried[0], weight), builder.add(carried[1], isEqual)};
  }

  /// The weight of ids of whom `above` is the sum above `last`, and `equal` equals that have `before` of them before.
  Value weightOfKept(const Kept &what, Value above, Value equal, Value before) {
    Value taken = builder.min(builder.max(builder.sub(what.equals, before), builder.i32(0)), equal);
    return builder.add(above, builder.mul(toWide(taken), what.weight));
  }

  /// Leaves what each warp's segment adds up to in `sums` and `ties`; the sum of all that is kept.
  Value sumKept(const Kept &what) {
    Value begin = builder.mul(warp.warp(), builder.index(segment));
    Value end = builder.min(builder.add(begin, builder.index(segment)), builder.index(ids));
    SmallVector<Value> own = walk(begin, end, warp.lane(), Warp::kLanes, {number(0), builder.i32(0)},
                                  [&](Value, Value logit, ValueRange carried) { return addUp(what, logit, carried); });
    auto add = [&](Value a, Value b) { return builder.add(a, b); };
    for (Value &value : own)
      value = warp.combineLanes(value, Warp::kLanes, add);
    builder.when(builder.equal(warp.lane(), builder.index(0)), [&] {
      builder.store(own[0], sums, warp.warp());
      builder.store(own[1], ties, warp.warp());
    });
    warp.barrier();
    return overSegments(what, {}, [](Value, ValueRange, Value, ValueRange) { return SmallVector<Value>(); })[0];
  }

  /// next(segment, (weight, equals) before it, weight up to its end, carried) over all segments; the weight of all, all equals and what was
  /// carried.
  SmallVector<Value> overSegments(const Kept &what, ArrayRef<Value> initial,
                                  function_ref<SmallVector<Value>(Value, ValueRange, Value, ValueRange)> next) {
    SmallVector<Value> state = {number(0), builder.i32(0)};
    state.append(initial.begin(), initial.end());
    return builder.fold(builder.index(0), builder.index(kWarps), 1, state, [&](Value number, ValueRange carried) {
      Value equal = load(ties, number);
      Value own = weightOfKept(what, load(sums, number), equal, carried[1]);
      SmallVector<Value> after = {builder.add(carried[0], own), builder.add(carried[1], equal)};
      after.append(next(number, carried.take_front(2), after[0], carried.drop_front(2)));
      return after;
    });
  }

  //===-- the draw ----------------------------------------------------------------------------------------------===//

  void draw() {
    Kept what = loadKept();
    Value total = sumKept(what);
    Value random = warp.orBits(warp.shiftLeft(toWide(parameter(3)), 32), toWide(parameter(4)));
    Value point = highProduct(random, total);
    Value zero = builder.index(0);
    // The segment whose weights hold the point, and weight and equals before it.
    SmallVector<Value> found = overSegments(what, {zero, number(0), builder.i32(0)},
                                            [&](Value number, ValueRange before, Value after, ValueRange carried) {
                                              Value isHere = holds(point, before[0], after);
                                              return SmallVector<Value>{builder.select(isHere, number, carried[0]),
                                                                        builder.select(isHere, before[0], carried[1]),
                                                                        builder.select(isHere, before[1], carried[2])};
                                            });
    drawFrom(what, found[2], found[3], found[4], point);
  }

  /// The id of segment `chosen`, before which are `weight` and `equals`, at which the weights exceed the point.
  void drawFrom(const Kept &what, Value chosen, Value weight, Value equals, Value point) {
    int64_t run = llvm::divideCeil(segment, warp.threads());
    Value begin =
        builder.add(builder.mul(chosen, builder.index(segment)), builder.mul(warp.thread(), builder.index(run)));
    Value last = builder.mul(builder.add(chosen, builder.index(1)), builder.index(segment));
    Value end = builder.min(builder.add(begin, builder.index(run)), builder.min(last, builder.index(ids)));
    auto logitAt = [&](Value id) { return builder.load(logits, {row, id}); };
    SmallVector<Value> own =
        builder.fold(begin, end, 1, {number(0), builder.i32(0)},
                     [&](Value id, ValueRange carried) { return addUp(what, logitAt(id), carried); });
    Value equalsBefore = builder.add(equals, toWord(warp.countBefore(toWide(own[1]), scratch)));
    Value ownWeight = weightOfKept(what, own[0], own[1], equalsBefore);
    Value before = builder.add(weight, warp.countBefore(ownWeight, scratch));
    builder.when(holds(point, before, builder.add(before, ownWeight)), [&] {
      builder.fold(begin, end, 1, {before, equalsBefore}, [&](Value id, ValueRange carried) {
        SmallVector<Value> one = addUp(what, logitAt(id), {number(0), builder.i32(0)});
        Value after = builder.add(carried[0], weightOfKept(what, one[0], one[1], carried[1]));
        builder.when(holds(point, carried[0], after), [&] { builder.store(id, sampled, row); });
        return SmallVector<Value>{after, builder.add(carried[1], one[1])};
      });
    });
  }

  /// before <= point < after; sums stay below 2^63.
  Value holds(Value point, Value before, Value after) {
    return builder.both(builder.negation(builder.less(point, before)), builder.less(point, after));
  }

  //===-- numbers -----------------------------------------------------------------------------------------------===//

  /// body() by the first thread of the block, if `condition`, unless it is null, holds.
  void byOneThread(Value condition, function_ref<void()> body) {
    Value isFirst = builder.equal(warp.thread(), builder.index(0));
    builder.when(condition ? builder.both(isFirst, condition) : isFirst, body);
  }

  Value parameter(int64_t place) { return load(sampling, {row, builder.index(place)}); }
  Value load(Value memref, ValueRange places) { return memref::LoadOp::create(builder, memref, places); }
  Value f32(float value) { return builder.f32(value); }
  Value number(int64_t value) { return warp.integer(wide, value); }
  Value asFloat(Value bits) { return arith::BitcastOp::create(builder, builder.getF32Type(), bits); }
  Value toWide(Value value) { return arith::ExtUIOp::create(builder, wide, value); }
  Value toWord(Value value) { return arith::TruncIOp::create(builder, word, value); }
  Value isNot(Value a, Value b) { return warp.compare(arith::CmpIPredicate::ne, a, b); }
  Value highProduct(Value a, Value b) { return arith::MulUIExtendedOp::create(builder, a, b).getHigh(); }

  KernelBuilder &builder;
  Warp warp;
  Type word, wide; ///< i32, i64
  Value logits, sampling, sampled;
  int64_t ids;     ///< of the vocabulary
  int64_t lanes;   ///< ids that a thread loads at once
  int64_t segment; ///< ids of a warp
  RadixSelect counted, weighed;
  Value kept;    ///< shared: last, equals
  Value sums;    ///< shared, an i64 a warp
  Value ties;    ///< shared, an i32 a warp
  Value scratch; ///< shared, two i64 a thread
  Value row, scale, largest;
};

class GpuSampleFamily : public KernelFamily {
public:
  StringRef name() const override { return "gpu_sample"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    if (!isa<KernelSampleOp>(op) || !isGpu(target))
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), 1, kWarps * Warp::kLanes);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr) const override {
    return {cast<KernelSampleOp>(op).getLogits().getType().getDimSize(0), kWarps * Warp::kLanes, 1};
  }

  LogicalResult build(Operation *op, ScheduleAttr, KernelBuilder &builder) const override {
    Sample(cast<KernelSampleOp>(op), builder).build();
    return success();
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGpuSampleFamily() { return std::make_unique<GpuSampleFamily>(); }

} // namespace glm
