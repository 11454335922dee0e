// sparse_mla, sparse_mla_part: a block has 16 heads of a row; chosen positions go through it 32 at a time, with the softmax kept up as they come.
//
//     logits    16 heads x 8 positions a warp, over the latent and the rotated columns     -> shared [16][32]
//     softmax   8 threads a head: the largest so far, powers of e, their sum               -> shared [16][32], factors [16]
//     values    16 heads x 64 columns a slab, a warp has every fourth slab                 acc = acc * factor + P V
//
// The cache has the columns of one position side by side, an instruction wants positions: a lane reads 8 columns of 4 positions and pairs
// them in registers (TransposedProduct.h). Powers are split into two bf16 whose sum has 16 bits: a product with one would lose half of them.
//
// Parts: every part of a row's positions starts anew. A block of sparse_mla_part has one of them and writes it as it is; sparse_mla_join
// (SparseMlaJoinFamily.cpp) joins them. A block of sparse_mla joins them itself as they come, by the same rule (AttentionParts.h).
#include "codegen/linalg/AttentionParts.h"
#include "codegen/nvptx/Families.h"
#include "codegen/nvptx/Warp.h"
#include "codegen/target/Target.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kWarps = 4;
constexpr int64_t kHeadTile = 16;
constexpr int64_t kPositions = 32;                                    ///< of a round
constexpr int64_t kThreadsOfHead = kWarps * Warp::kLanes / kHeadTile; ///< in the softmax
constexpr int64_t kSlab = 64;                                         ///< columns of 8 instructions
constexpr int64_t kPart = 8;                                          ///< columns of one access
/// Floats from one head's logits to the next: neighbouring heads in other banks.
constexpr int64_t kLogitStride = kPositions + 4;

class SparseMla {
public:
  SparseMla(const LatentAttention &op, KernelBuilder &builder)
      : op(op), builder(builder), warp(builder, kWarps), latent(builder.buffer(op.latent)),
        indices(builder.buffer(op.indices)), pages(builder.buffer(op.pages)), heads(op.heads), rank(op.rank()),
        slabs(llvm::divideCeil(llvm::divideCeil(rank, kSlab), kWarps)),
        logits(warp.shared(kHeadTile * kLogitStride, builder.getF32Type())),
        factors(warp.shared(kHeadTile, builder.getF32Type())), places(warp.shared(kPositions, builder.getI32Type())) {}

  static int64_t headTiles(int64_t heads) { return llvm::divideCeil(heads, kHeadTile); }

  void build(KernelSparseMlaOp whole) {
    forMyTile(1, [&](Value) {
      Value none = builder.index(0), all = countChosen(none, builder.index(op.mostPositions()));
      State state = whole.getPartSize() ? attendInParts(all, *whole.getPartSize()) : attend(none, all);
      storeOutput(state, builder.buffer(whole.getOutput()));
    });
  }

  void build(KernelSparseMlaPartOp each) {
    Value sums = builder.buffer(each.getSums()), stats = builder.buffer(each.getStats());
    Value size = builder.index(each.getPartSize()), end = builder.index(op.mostPositions());
    forMyTile(each.countParts(), [&](Value part) {
      Value first = builder.mul(part, size);
      Value count = countChosen(first, builder.min(builder.add(first, size), end));
      State state = attend(first, builder.add(first, count));
      auto numberOf = [&](Value head) {
        return builder.add(builder.mul(head, builder.index(each.countParts())), part);
      };
      storeStats(state, stats, numberOf);
      builder.when(builder.less(builder.index(0), count), [&] { storeSums(state, sums, numberOf); });
    });
  }

private:
  /// The largest logit and the sum of powers of this thread's head; then the sums of values of this warp's slabs, by instruction.
  using State = SmallVector<Value>;

  /// body(part) in the block of each row, part and tile of heads. Tiles are neighbours: they read the same positions.
  void forMyTile(int64_t parts, function_ref<void(Value)> body) {
    Value tiles = builder.index(headTiles(heads)), partOfRow = builder.div(warp.block(), tiles);
    firstHead = builder.mul(builder.rem(warp.block(), tiles), builder.index(kHeadTile));
    row = builder.div(partOfRow, builder.index(parts));
    builder.when(builder.less(row, builder.rows()), [&] {
      slot = builder.load(builder.buffer(op.slots), row);
      body(builder.rem(partOfRow, builder.index(parts)));
    });
  }

  /// How many of the entries first .. last - 1 are positions: -1 stands behind them.
  Value countChosen(Value first, Value last) {
    Value zero = builder.f32(0.0f), one = builder.f32(1.0f);
    Value mine =
        builder.fold(builder.add(first, warp.thread()), last, warp.threads(), zero, [&](Value j, ValueRange carried) {
          Value there = builder.less(builder.index(-1), builder.load(indices, {row, j}));
          return SmallVector<Value>{builder.add(carried[0], builder.select(there, one, zero))};
        })[0];
    Value sum = warp.sumBlock(mine, factors); // exact
    return builder.toIndex(arith::FPToSIOp::create(builder, builder.getI32Type(), sum));
  }

  State noPositions() {
    Softmax none = Softmax::none(builder);
    State state = {none.largest, none.total};
    state.append(slabs * kPart, builder.splat(builder.f32(0.0f), 4));
    return state;
  }

  /// Attention to the positions of entries first .. last - 1 alone.
  State attend(Value first, Value last) {
    end = last;
    return builder.fold(first, last, kPositions, noPositions(), [&](Value begin, ValueRange carried) {
      State next(carried);
      findPlaces(begin);
      computeLogits(begin);
      updateSoftmax(next[0], next[1]);
      addValues(MutableArrayRef<Value>(next).drop_front(2));
      return next;
    });
  }

  State attendInParts(Value count, int64_t partSize) {
    Value joining = warp.shared(2 * kHeadTile, builder.getF32Type());
    return builder.fold(builder.index(0), count, partSize, noPositions(), [&](Value first, ValueRange carried) {
      State part = attend(first, builder.min(builder.add(first, builder.index(partSize)), count));
      return join(State(carried), part, joining);
    });
  }

  State join(State joined, ArrayRef<Value> part, Value joining) {
    Softmax softmax{joined[0], joined[1]};
    JoinFactors ofHead = joinSoftmax(builder, softmax, {part[0], part[1]});
    forMyHead([&](Value head) {
      builder.store(ofHead.before, joining, head);
      builder.store(ofHead.next, joining, builder.add(head, builder.index(kHeadTile)));
    });
    warp.barrier();
    // The next part's rounds have barriers before they are written again.
    JoinFactors factorsOfHeads{inFragment(joining, 0), inFragment(joining, kHeadTile)};
    joined[0] = softmax.largest;
    joined[1] = softmax.total;
    for (size_t i = 2; i < joined.size(); ++i)
      joined[i] = joinSums(builder, joined[i], part[i], factorsOfHeads);
    return joined;
  }

  /// body(head) in one of the threads that keep the softmax of a head of the tile.
  void forMyHead(function_ref<void(Value)> body) {
    Value head = builder.div(warp.thread(), builder.index(kThreadsOfHead));
    Value mine = builder.rem(warp.thread(), builder.index(kThreadsOfHead));
    builder.when(builder.equal(mine, builder.index(0)), [&] { body(head); });
  }

  /// For each number of a fragment that of its head, in shared memory from `first` on: heads g, g, g + 8, g + 8.
  Value inFragment(Value memory, int64_t first) {
    Value low = builder.load(memory, builder.add(warp.group(), builder.index(first)));
    Value high = builder.load(memory, builder.add(warp.group(), builder.index(first + 8)));
    Value numbers = builder.splat(low, 4);
    for (int64_t i : {2, 3})
      numbers = vector::InsertOp::create(builder, high, numbers, i);
    return numbers;
  }

  /// Rows of the cache for the positions of a round; those beyond the last repeat it.
  void findPlaces(Value first) {
    builder.when(builder.less(warp.thread(), builder.index(kPositions)), [&] {
      Value number = builder.min(builder.add(first, warp.thread()), builder.sub(end, builder.index(1)));
      Value position = builder.load(indices, {row, number});
      builder.store(builder.cacheRow(pages, slot, position, op.pageSize), places, warp.thread());
    });
    warp.barrier();
  }

  void computeLogits(Value first) {
    Value queryLatent = builder.buffer(op.queryLatent), query = builder.buffer(op.query);
    int64_t queryWidth = op.queryWidth(), ropeWidth = op.ropeWidth;
    Value number = builder.add(builder.mul(warp.warp(), builder.index(kPart)), warp.group());
    Value place = builder.load(places, number);
    auto headOf = [&](int64_t offset) {
      Value head = builder.add(firstHead, builder.add(warp.group(), builder.index(offset)));
      return builder.min(head, builder.index(heads - 1));
    };
    auto content = [&](Value head) { return Warp::Row{queryLatent, row, builder.mul(head, builder.index(rank))}; };
    auto order = [&](Value head) {
      Value start = builder.mul(head, builder.index(queryWidth));
      return Warp::Row{query, row, builder.add(start, builder.index(queryWidth - ropeWidth))};
    };
    Value low = headOf(0), high = headOf(8), sum = builder.splat(builder.f32(0.0f), 4);
    sum = warp.dot(content(low), content(high), {latent, place, builder.index(0)}, rank, sum);
    sum = warp.dot(order(low), order(high), {latent, place, builder.index(rank)}, ropeWidth, sum);
    for (int64_t i = 0; i < 4; ++i) {
      Value head = builder.add(warp.group(), builder.index(i / 2 * 8));
      Value inRound = builder.add(builder.mul(warp.warp(), builder.index(kPart)),
                                  builder.add(builder.mul(warp.quad(), builder.index(2)), builder.index(i % 2)));
      Value logit = builder.mul(vector::ExtractOp::create(builder, sum, i), builder.f32(op.scale));
      Value there = builder.less(builder.add(first, inRound), end);
      builder.store(builder.select(there, logit, builder.f32(-std::numeric_limits<float>::infinity())), logits,
                    at(head, inRound));
    }
    warp.barrier();
  }

  Value at(Value head, Value inRound) { return builder.add(builder.mul(head, builder.index(kLogitStride)), inRound); }

  /// Powers of e in place of logits; what earlier sums are to be multiplied with in `factors`.
  void updateSoftmax(Value &largest, Value &total) {
    Value head = builder.div(warp.thread(), builder.index(kThreadsOfHead));
    Value mine = builder.rem(warp.thread(), builder.index(kThreadsOfHead));
    SmallVector<Value> own, addresses;
    Value now = largest;
    for (int64_t i = 0; i < kPositions / kThreadsOfHead; ++i) {
      addresses.push_back(at(head, builder.add(mine, builder.index(i * kThreadsOfHead))));
      own.push_back(builder.load(logits, addresses.back()));
      now = builder.max(now, own.back());
    }
    now = warp.maxLanes(now, 1, kThreadsOfHead / 2);
    Value sum = builder.f32(0.0f);
    for (auto [logit, address] : llvm::zip_equal(own, addresses)) {
      Value power = builder.exp(builder.sub(logit, now));
      builder.store(power, logits, address);
      sum = builder.add(sum, power);
    }
    Value factor = builder.exp(builder.sub(largest, now));
    forMyHead([&](Value each) { builder.store(factor, factors, each); });
    total = builder.fma(total, factor, warp.sumLanes(sum, 1, kThreadsOfHead / 2));
    largest = now;
    warp.barrier();
  }

  /// Sums of this warp's slabs: instruction j of slab s has columns 64 s + 8 n + j.
  void addValues(MutableArrayRef<Value> sums) {
    Value scale = inFragment(factors, 0);
    for (Value &sum : sums)
      sum = builder.mul(sum, scale);
    for (int64_t first = 0; first < kPositions; first += 16) {
      SmallVector<Value, 4> upper, lower;
      splitPowers(first, upper, lower);
      for (int64_t slab = 0; slab < slabs; ++slab)
        for (auto [j, right] : llvm::enumerate(loadValues(first, slab))) {
          Value &sum = sums[slab * kPart + static_cast<int64_t>(j)];
          sum = warp.mma(lower, right, warp.mma(upper, right, sum));
        }
    }
    // The next round writes places and logits.
    warp.barrier();
  }

  /// The left factor for positions first .. first + 15: the upper halves of the powers, and what is left of them.
  void splitPowers(int64_t first, SmallVector<Value, 4> &upper, SmallVector<Value, 4> &lower) {
    for (int64_t i = 0; i < 4; ++i) {
      // PTX ISA, "Matrix Fragments for mma.m16n8k16": rows g, g + 8, g, g + 8; columns 2q, 2q, 2q + 8, 2q + 8.
      Value head = builder.add(warp.group(), builder.index(i % 2 * 8));
      Value position = builder.add(builder.mul(warp.quad(), builder.index(2)), builder.index(first + i / 2 * 8));
      Value one = builder.load(logits, at(head, position));
      Value two = builder.load(logits, at(head, builder.add(position, builder.index(1))));
      upper.push_back(warp.packBf16(one, two));
      lower.push_back(
          warp.packBf16(builder.sub(one, warp.lowHalf(upper.back())), builder.sub(two, warp.highHalf(upper.back()))));
    }
  }

  Value slabColumn(int64_t slab) {
    Value number = builder.add(builder.mul(builder.index(slab), builder.index(kWarps)), warp.warp());
    return builder.mul(number, builder.index(kSlab));
  }

  /// The right factors of a slab's 8 instructions.
  SmallVector<SmallVector<Value, 2>> loadValues(int64_t first, int64_t slab) {
    Value column = builder.add(slabColumn(slab), builder.mul(warp.group(), builder.index(kPart)));
    column = builder.min(column, builder.index(rank - kPart));
    auto load = [&](int64_t position) {
      Value number = builder.add(builder.mul(warp.quad(), builder.index(2)), builder.index(first + position));
      return warp.loadWords(latent, {builder.load(places, number), column}, kPart);
    };
    SmallVector<SmallVector<Value, 2>> factorsOfSlab(kPart);
    for (int64_t position : {0, 8}) {
      for (auto [factor, pair] : llvm::zip_equal(factorsOfSlab, warp.pairs(load(position), load(position + 1))))
        factor.push_back(pair);
    }
    return factorsOfSlab;
  }

  void storeOutput(ArrayRef<Value> state, Value output) {
    forMyHead([&](Value head) { builder.store(state[1], factors, head); });
    warp.barrier();
    forMyColumns(state, [&](Value inTile, Value column, Value sums) {
      Value start = builder.mul(builder.add(firstHead, inTile), builder.index(rank));
      Value total = builder.splat(builder.load(factors, inTile), kPart);
      warp.storeWide(builder.div(sums, total), output, {row, builder.add(start, column)});
    });
  }

  void storeStats(ArrayRef<Value> state, Value stats, function_ref<Value(Value)> numberOf) {
    forMyHead([&](Value inTile) {
      Value head = builder.add(firstHead, inTile), place = builder.mul(numberOf(head), builder.index(2));
      builder.when(builder.less(head, builder.index(heads)), [&] {
        builder.store(state[0], stats, {row, place});
        builder.store(state[1], stats, {row, builder.add(place, builder.index(1))});
      });
    });
  }

  void storeSums(ArrayRef<Value> state, Value sums, function_ref<Value(Value)> numberOf) {
    forMyColumns(state, [&](Value inTile, Value column, Value values) {
      Value start = builder.mul(numberOf(builder.add(firstHead, inTile)), builder.index(rank));
      warp.storeWide(values, sums, {row, builder.add(start, column)});
    });
  }

  /// body(head of the tile, column, sums of 8 neighbouring columns) for what this lane has of the sums.
  void forMyColumns(ArrayRef<Value> state, function_ref<void(Value, Value, Value)> body) {
    for (int64_t slab = 0; slab < slabs; ++slab)
      for (int64_t i = 0; i < 4; ++i) {
        // Fragment i: head g or g + 8, and of all 8 instructions the columns from 8 (2q) or 8 (2q + 1) on, side by side.
        Value inTile = builder.add(warp.group(), builder.index(i / 2 * 8));
        Value n = builder.add(builder.mul(warp.quad(), builder.index(2)), builder.index(i % 2));
        Value column = builder.add(slabColumn(slab), builder.mul(n, builder.index(kPart)));
        Value there = builder.both(builder.less(builder.add(firstHead, inTile), builder.index(heads)),
                                   builder.less(column, builder.index(rank)));
        builder.when(there, [&] {
          Value values = builder.splat(builder.f32(0.0f), kPart);
          for (int64_t j = 0; j < kPart; ++j)
            values = vector::InsertOp::create(
                builder, vector::ExtractOp::create(builder, state[2 + slab * kPart + j], i).getResult(), values, j);
          body(inTile, column, values);
        });
      }
  }

  LatentAttention op;
  KernelBuilder &builder;
  Warp warp;
  Value latent, indices, pages;
  int64_t heads, rank;
  int64_t slabs; ///< of a warp
  Value logits;  ///< shared [16 heads][kLogitStride], logits, then powers of e
  Value factors; ///< shared [16 heads]
  Value places;  ///< shared [kPositions], rows of the cache
  Value row, firstHead, slot;
  Value end; ///< the entry behind the last position that is attended to
};

/// A round is the least that a block can do; parts are larger where there would be more than these, enough for a chip with few rows. Every part
/// costs a sum of values that has to be joined.
constexpr int64_t kMostParts = 16;

class GpuSparseMlaFamily : public KernelFamily {
public:
  StringRef name() const override { return "gpu_sparse_mla"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    bool takes = llvm::TypeSwitch<Operation *, bool>(op)
                     .Case<KernelSparseMlaOp, KernelSparseMlaPartOp>(
                         [](auto mla) { return takesOperands(latentAttention(mla)); })
                     .Default([](Operation *) { return false; });
    if (!takes || !isGpu(target))
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), kHeadTile, kPositions);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr) const override {
    int64_t blocks =
        llvm::TypeSwitch<Operation *, int64_t>(op)
            .Case([](KernelSparseMlaOp mla) { return SparseMla::headTiles(mla.getHeads()); })
            .Case([](KernelSparseMlaPartOp part) { return part.countParts() * SparseMla::headTiles(part.getHeads()); });
    int64_t rows = cast<MemRefType>(op->getOperand(0).getType()).getDimSize(0);
    return {rows * blocks, kWarps * Warp::kLanes, blocks};
  }

  int64_t partSize(Operation *op) const override {
    auto mla = dyn_cast<KernelSparseMlaOp>(op);
    if (!mla)
      return 0;
    int64_t most = LatentAttention::widthOf(mla.getIndices());
    return llvm::alignTo(llvm::divideCeil(most, kMostParts), kPositions);
  }

  LogicalResult build(Operation *op, ScheduleAttr, KernelBuilder &builder) const override {
    llvm::TypeSwitch<Operation *>(op).Case<KernelSparseMlaOp, KernelSparseMlaPartOp>(
        [&](auto mla) { SparseMla(latentAttention(mla), builder).build(mla); });
    return success();
  }

private:
  static bool isAligned(int64_t columns) { return columns % kPart == 0; }
  static bool isBf16(Value buffer) { return cast<MemRefType>(buffer.getType()).getElementType().isBF16(); }

  static bool takesOperands(const LatentAttention &op) {
    return llvm::all_of(ArrayRef<Value>{op.queryLatent, op.query, op.latent}, isBf16) &&
           llvm::all_of(ArrayRef<int64_t>{op.rank(), op.queryWidth(), op.ropeWidth}, isAligned);
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGpuSparseMlaFamily() { return std::make_unique<GpuSparseMlaFamily>(); }

} // namespace glm
