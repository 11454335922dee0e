// sparse_mla: a block has 16 heads of a row; chosen positions go through it 32 at a time, with the softmax kept up as they come.
//
//     logits    16 heads x 8 positions a warp, over the latent and the rotated columns     -> shared [16][32]
//     softmax   8 threads a head: the largest so far, powers of e, their sum               -> shared [16][32], factors [16]
//     values    16 heads x 64 columns a slab, a warp has every fourth slab                 acc = acc * factor + P V
//
// The cache has the columns of one position side by side, an instruction wants positions: a lane reads 8 columns of 4 positions and pairs
// them in registers (TransposedProduct.h). Powers are split into two bf16 whose sum has 16 bits: a product with one would lose half of them.
#include "codegen/nvptx/Families.h"
#include "codegen/nvptx/Warp.h"
#include "codegen/target/Target.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
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
  SparseMla(KernelSparseMlaOp op, KernelBuilder &builder)
      : op(op), builder(builder), warp(builder, kWarps), latent(builder.buffer(op.getLatent())),
        indices(builder.buffer(op.getIndices())), pages(builder.buffer(op.getPages())), heads(op.getHeads()),
        rank(op.getOutput().getType().getShape().back() / heads), topK(op.getIndices().getType().getShape().back()),
        slabs(llvm::divideCeil(llvm::divideCeil(rank, kSlab), kWarps)),
        logits(warp.shared(kHeadTile * kLogitStride, builder.getF32Type())),
        factors(warp.shared(kHeadTile, builder.getF32Type())), places(warp.shared(kPositions, builder.getI32Type())) {}

  static int64_t headTiles(KernelSparseMlaOp op) {
    return llvm::divideCeil(static_cast<int64_t>(op.getHeads()), kHeadTile);
  }

  void build() {
    Value tiles = builder.index(headTiles(op));
    row = builder.div(warp.block(), tiles);
    firstHead = builder.mul(builder.rem(warp.block(), tiles), builder.index(kHeadTile));
    builder.when(builder.less(row, builder.rows()), [&] { buildRow(); });
  }

private:
  void buildRow() {
    slot = builder.load(builder.buffer(op.getSlots()), row);
    count = countChosen();
    // Of this thread's head: the largest logit and the sum of powers; then the sums of values.
    SmallVector<Value> state = {builder.f32(-std::numeric_limits<float>::infinity()), builder.f32(0.0f)};
    state.append(slabs * kPart, builder.splat(builder.f32(0.0f), 4));
    state = builder.fold(builder.index(0), count, kPositions, state, [&](Value first, ValueRange carried) {
      SmallVector<Value> next(carried);
      findPlaces(first);
      computeLogits(first);
      updateSoftmax(next[0], next[1]);
      addValues(MutableArrayRef<Value>(next).drop_front(2));
      return next;
    });
    storeRow(state[1], ArrayRef<Value>(state).drop_front(2));
  }

  /// How many positions are chosen: the place of the first -1.
  Value countChosen() {
    return builder.firstOf(topK,
                           [&](Value j) { return builder.less(builder.load(indices, {row, j}), builder.index(0)); });
  }

  /// Rows of the cache for the positions of a round; those beyond the last repeat it.
  void findPlaces(Value first) {
    builder.when(builder.less(warp.thread(), builder.index(kPositions)), [&] {
      Value number = builder.min(builder.add(first, warp.thread()), builder.sub(count, builder.index(1)));
      Value position = builder.load(indices, {row, number});
      builder.store(builder.cacheRow(pages, slot, position, op.getPageSize()), places, warp.thread());
    });
    warp.barrier();
  }

  void computeLogits(Value first) {
    Value queryLatent = builder.buffer(op.getQueryLatent()), query = builder.buffer(op.getQuery());
    int64_t queryWidth = op.getQuery().getType().getShape().back() / heads, ropeWidth = op.getRopeWidth();
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
      Value logit =
          builder.mul(vector::ExtractOp::create(builder, sum, i), builder.f32(op.getScale().convertToFloat()));
      Value there = builder.less(builder.add(first, inRound), count);
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
    builder.when(builder.equal(mine, builder.index(0)), [&] { builder.store(factor, factors, head); });
    total = builder.fma(total, factor, warp.sumLanes(sum, 1, kThreadsOfHead / 2));
    largest = now;
    warp.barrier();
  }

  /// Sums of this warp's slabs: instruction j of slab s has columns 64 s + 8 n + j.
  void addValues(MutableArrayRef<Value> sums) {
    Value low = builder.load(factors, warp.group());
    Value high = builder.load(factors, builder.add(warp.group(), builder.index(8)));
    Value scale = builder.splat(low, 4);
    for (int64_t i : {2, 3})
      scale = vector::InsertOp::create(builder, high, scale, i);
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

  void storeRow(Value total, ArrayRef<Value> sums) {
    Value head = builder.div(warp.thread(), builder.index(kThreadsOfHead));
    Value mine = builder.rem(warp.thread(), builder.index(kThreadsOfHead));
    builder.when(builder.equal(mine, builder.index(0)), [&] { builder.store(total, factors, head); });
    warp.barrier();
    Value output = builder.buffer(op.getOutput());
    for (int64_t slab = 0; slab < slabs; ++slab)
      for (int64_t i = 0; i < 4; ++i) {
        // Fragment i: head g or g + 8, and of all 8 instructions the columns from 8 (2q) or 8 (2q + 1) on, side by side.
        Value inTile = builder.add(warp.group(), builder.index(i / 2 * 8)), headNumber = builder.add(firstHead, inTile);
        Value n = builder.add(builder.mul(warp.quad(), builder.index(2)), builder.index(i % 2));
        Value column = builder.add(slabColumn(slab), builder.mul(n, builder.index(kPart)));
        Value there =
            builder.both(builder.less(headNumber, builder.index(heads)), builder.less(column, builder.index(rank)));
        builder.when(there, [&] {
          Value values = builder.splat(builder.f32(0.0f), kPart);
          for (int64_t j = 0; j < kPart; ++j)
            values = vector::InsertOp::create(
                builder, vector::ExtractOp::create(builder, sums[slab * kPart + j], i).getResult(), values, j);
          values = builder.div(values, builder.splat(builder.load(factors, inTile), kPart));
          Value place = builder.add(builder.mul(headNumber, builder.index(rank)), column);
          warp.storeWide(values, output, {row, place});
        });
      }
  }

  KernelSparseMlaOp op;
  KernelBuilder &builder;
  Warp warp;
  Value latent, indices, pages;
  int64_t heads, rank, topK;
  int64_t slabs; ///< of a warp
  Value logits;  ///< shared [16 heads][kLogitStride], logits, then powers of e
  Value factors; ///< shared [16 heads]
  Value places;  ///< shared [kPositions], rows of the cache
  Value row, firstHead, slot, count;
};

class GpuSparseMlaFamily : public KernelFamily {
public:
  StringRef name() const override { return "gpu_sparse_mla"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    auto mla = dyn_cast<KernelSparseMlaOp>(op);
    if (!mla || !isGpu(target))
      return std::nullopt;
    int64_t heads = mla.getHeads(), rank = mla.getOutput().getType().getShape().back() / heads;
    int64_t queryWidth = mla.getQuery().getType().getShape().back() / heads;
    bool bf16 = llvm::all_of(ArrayRef<MemRefType>{mla.getQueryLatent().getType(), mla.getQuery().getType(),
                                                  mla.getLatent().getType(), mla.getOutput().getType()},
                             [](MemRefType type) { return type.getElementType().isBF16(); });
    auto aligned = [](int64_t columns) { return columns % kPart == 0; };
    if (!bf16 || !aligned(rank) || !aligned(queryWidth) || !aligned(mla.getRopeWidth()))
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), kHeadTile, kPositions);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr) const override {
    auto mla = cast<KernelSparseMlaOp>(op);
    int64_t tiles = SparseMla::headTiles(mla);
    return {mla.getOutput().getType().getDimSize(0) * tiles, kWarps * Warp::kLanes, tiles};
  }

  LogicalResult build(Operation *op, ScheduleAttr, KernelBuilder &builder) const override {
    SparseMla(cast<KernelSparseMlaOp>(op), builder).build();
    return success();
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGpuSparseMlaFamily() { return std::make_unique<GpuSparseMlaFamily>(); }

} // namespace glm
