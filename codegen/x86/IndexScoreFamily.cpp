// index_score: a row's positions are shared among threads, 4 keys at a time meet all heads of a group.
//
//     heads -> lanes       score[s] = scale * sum over lanes of w * max(0, q . k[s]), groups of heads added lane by lane first
#include "codegen/target/Target.h"
#include "codegen/x86/Families.h"
#include "codegen/x86/HeadLanes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kKeys = 4; ///< keys at once: as many chains as hide the latency of the products

class IndexScore {
public:
  IndexScore(KernelIndexScoreOp op, KernelBuilder &builder, TargetAttr target) : op(op), builder(builder) {
    auto queryType = cast<MemRefType>(op.getQuery().getType()), keyType = cast<MemRefType>(op.getKeys().getType());
    heads = cast<MemRefType>(op.getWeights().getType()).getDimSize(1);
    width = keyType.getDimSize(1);
    // Pairs need both sides in bf16.
    Type element =
        queryType.getElementType() == keyType.getElementType() ? queryType.getElementType() : builder.getF32Type();
    int64_t lanes = vectorLanes(target);
    for (int64_t first = 0; first < heads; first += lanes)
      groups.emplace_back(builder, width, element, target);
    auto weightType = MemRefType::get({static_cast<int64_t>(groups.size()) * lanes}, builder.getF32Type());
    headWeights = memref::AllocaOp::create(builder, weightType, builder.getI64IntegerAttr(64));
  }

  void run() {
    Value query = builder.buffer(op.getQuery()), weights = builder.buffer(op.getWeights()),
          positions = builder.buffer(op.getPositions());
    Value slots = builder.buffer(op.getSlots());
    builder.loop(builder.index(0), builder.rows(), 1, [&](Value row) {
      Value count = builder.add(builder.load(positions, {row}), builder.index(1));
      auto [begin, end] = builder.share(count, kKeys);
      builder.when(arith::CmpIOp::create(builder, arith::CmpIPredicate::ult, begin, end), [&] {
        fill(query, weights, row);
        Value slot = builder.load(slots, {row});
        builder.loop(begin, end, kKeys, [&](Value first) { scoreKeys(row, slot, first, end); });
      });
    });
  }

private:
  void fill(Value query, Value weights, Value row) {
    int64_t lanes = groups.front().lanes(), padded = groups.size() * lanes;
    for (auto [number, group] : llvm::enumerate(groups))
      group.fill(query, row, builder.index(number * lanes), heads, width, 0, 0, width);
    builder.loop(builder.index(0), builder.index(heads), 1,
                 [&](Value head) { builder.store(builder.load(weights, {row, head}), headWeights, {head}); });
    builder.loop(builder.index(heads), builder.index(padded), 1,
                 [&](Value head) { builder.store(builder.f32(0.0f), headWeights, {head}); });
  }

  void scoreKeys(Value row, Value slot, Value first, Value end) {
    Value keys = builder.buffer(op.getKeys()), pages = builder.buffer(op.getPages()),
          scores = builder.buffer(op.getScores());
    Value final = builder.sub(end, builder.index(1));
    SmallVector<Value> keyRows;
    for (int64_t key = 0; key < kKeys; ++key) {
      // The last block repeats its last key instead of ending early.
      Value position = builder.min(builder.add(first, builder.index(key)), final);
      keyRows.push_back(builder.cacheRow(pages, slot, position, op.getPageSize()));
    }
    int64_t lanes = groups.front().lanes();
    Value zero = builder.splat(builder.f32(0.0f), lanes);
    SmallVector<Value> totals(kKeys, zero);
    for (auto [number, group] : llvm::enumerate(groups)) {
      Value weight = builder.loadVector(headWeights, {builder.index(number * lanes)}, lanes);
      for (auto [total, products] : llvm::zip_equal(totals, group.dot(keys, keyRows)))
        total = builder.fma(builder.max(products, zero), weight, total);
    }
    Value scale = builder.f32(op.getScale().convertToFloat());
    for (int64_t key = 0; key < kKeys; ++key) {
      Value position = builder.add(first, builder.index(key));
      builder.when(arith::CmpIOp::create(builder, arith::CmpIPredicate::ult, position, end),
                   [&] { builder.store(builder.mul(builder.sum(totals[key]), scale), scores, {row, position}); });
    }
  }

  KernelIndexScoreOp op;
  KernelBuilder &builder;
  int64_t heads = 0, width = 0;
  SmallVector<HeadLanes> groups;
  Value headWeights;
};

class IndexScoreFamily : public KernelFamily {
public:
  StringRef name() const override { return "x86_index_score"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    if (!isa<KernelIndexScoreOp>(op) || isGpu(target))
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), 1, kKeys);
  }

  LogicalResult build(Operation *op, ScheduleAttr schedule, KernelBuilder &builder) const override {
    auto target = op->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(kTargetAttr);
    IndexScore(cast<KernelIndexScoreOp>(op), builder, target).run();
    return success();
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeIndexScoreFamily() { return std::make_unique<IndexScoreFamily>(); }

} // namespace glm
