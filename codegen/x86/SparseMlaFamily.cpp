// sparse_mla: (row, group of heads) pairs are shared among threads. Three passes over the chosen positions, in ascending order:
//
//     logits[s, heads in lanes] = scale * (q . c[s]), 4 keys at once        scratch, top_k x lanes
//     p = exp(logits - max), lane by lane, and their sum
//     out[4 heads, chunk of columns] += p[s, head] * c[s, chunk]            accumulators in registers
#include "codegen/target/Target.h"
#include "codegen/x86/Families.h"
#include "codegen/x86/HeadLanes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kKeys = 4;  ///< keys at once in the first pass
constexpr int64_t kHeads = 4; ///< heads at once in the last pass: each value is loaded once for all of them

class SparseMla {
public:
  SparseMla(KernelSparseMlaOp op, KernelBuilder &builder, TargetAttr target)
      : op(op), builder(builder), heads(op.getHeads()) {
    auto queryType = cast<MemRefType>(op.getQuery().getType()), keyType = cast<MemRefType>(op.getLatent().getType());
    keyWidth = keyType.getDimSize(1);
    valueWidth = keyWidth - op.getRopeWidth();
    queryWidth = queryType.getDimSize(1) / heads;
    topK = cast<MemRefType>(op.getIndices().getType()).getDimSize(1);
    bool same = queryType.getElementType() == keyType.getElementType() &&
                cast<MemRefType>(op.getQueryLatent().getType()).getElementType() == keyType.getElementType();
    queries.emplace(builder, keyWidth, same ? keyType.getElementType() : builder.getF32Type(), target);
    lanes = queries->lanes();
    scratch = memref::AllocaOp::create(builder, MemRefType::get({topK, lanes}, builder.getF32Type()),
                                       builder.getI64IntegerAttr(64));
    keyRows = memref::AllocaOp::create(builder, MemRefType::get({topK}, builder.getIndexType()));
    totals = memref::AllocaOp::create(builder, MemRefType::get({lanes}, builder.getF32Type()),
                                      builder.getI64IntegerAttr(64));
    latent = builder.buffer(op.getLatent());
    output = builder.buffer(op.getOutput());
  }

  void run() {
    int64_t groups = (heads + lanes - 1) / lanes;
    auto [begin, end] = builder.share(builder.mul(builder.rows(), builder.index(groups)));
    builder.loop(begin, end, 1, [&](Value unit) {
      Value row = builder.div(unit, builder.index(groups));
      Value firstHead = builder.mul(builder.rem(unit, builder.index(groups)), builder.index(lanes));
      Value count = findKeys(row);
      queries->fill(builder.buffer(op.getQueryLatent()), row, firstHead, heads, valueWidth, 0, 0, valueWidth);
      queries->fill(builder.buffer(op.getQuery()), row, firstHead, heads, queryWidth, queryWidth - op.getRopeWidth(),
                    valueWidth, op.getRopeWidth());
      Value largest = computeLogits(count);
      computeWeights(count, largest);
      addValues(row, firstHead, count);
    });
  }

private:
  /// Rows of the cache for the chosen positions; returns how many there are.
  Value findKeys(Value row) {
    Value indices = builder.buffer(op.getIndices()), pages = builder.buffer(op.getPages());
    Value slot = builder.load(builder.buffer(op.getSlots()), {row});
    Value zero = builder.index(0);
    return builder.fold(zero, builder.index(topK), 1, zero, [&](Value i, ValueRange carried) -> SmallVector<Value> {
      Value position = memref::LoadOp::create(builder, indices, ValueRange{row, i});
      Value chosen = arith::CmpIOp::create(builder, arith::CmpIPredicate::sge, position, builder.i32(0));
      builder.when(chosen, [&] {
        memref::StoreOp::create(builder, builder.cacheRow(pages, slot, builder.toIndex(position), op.getPageSize()),
                                keyRows, ValueRange{i});
      });
      // -1 stands only behind the last position.
      return {arith::SelectOp::create(builder, chosen, builder.add(i, builder.index(1)), carried[0])};
    })[0];
  }

  Value computeLogits(Value count) {
    Value scale = builder.splat(builder.f32(op.getScale().convertToFloat()), lanes);
    Value lowest = builder.splat(builder.f32(-std::numeric_limits<float>::infinity()), lanes);
    Value final = builder.sub(count, builder.index(1));
    return builder.fold(builder.index(0), count, kKeys, lowest,
                        [&](Value first, ValueRange carried) -> SmallVector<Value> {
                          SmallVector<Value> numbers, rows;
                          for (int64_t key = 0; key < kKeys; ++key) {
                            // The last block repeats its last key: written again, the same number.
                            numbers.push_back(builder.min(builder.add(first, builder.index(key)), final));
                            rows.push_back(memref::LoadOp::create(builder, keyRows, ValueRange{numbers.back()}));
                          }
                          Value largest = carried[0];
                          for (auto [number, products] : llvm::zip_equal(numbers, queries->dot(latent, rows))) {
                            Value logits = builder.mul(products, scale);
                            builder.store(logits, scratch, {number, builder.index(0)});
                            largest = builder.max(largest, logits);
                          }
                          return {largest};
                        })[0];
  }

  void computeWeights(Value count, Value largest) {
    Value zero = builder.splat(builder.f32(0.0f), lanes);
    Value total =
        builder.fold(builder.index(0), count, 1, zero, [&](Value s, ValueRange carried) -> SmallVector<Value> {
          Value weights = builder.exp(builder.sub(builder.loadVector(scratch, {s, builder.index(0)}, lanes), largest));
          builder.store(weights, scratch, {s, builder.index(0)});
          return {builder.add(carried[0], weights)};
        })[0];
    builder.store(total, totals, {builder.index(0)});
  }

  void addValues(Value row, Value firstHead, Value count) {
    Value left = builder.min(builder.sub(builder.index(heads), firstHead), builder.index(lanes));
    builder.loop(builder.index(0), left, kHeads, [&](Value lane) {
      int64_t wide = lanes * (lanes == 16 ? 4 : 2), wideEnd = valueWidth / wide * wide,
              laneEnd = valueWidth / lanes * lanes;
      addColumns(row, firstHead, lane, left, count, 0, wideEnd, wide);
      addColumns(row, firstHead, lane, left, count, wideEnd, laneEnd, lanes);
      addColumns(row, firstHead, lane, left, count, laneEnd, valueWidth, 1);
    });
  }

  void addColumns(Value row, Value firstHead, Value lane, Value left, Value count, int64_t begin, int64_t end,
                  int64_t chunk) {
    if (begin == end)
      return;
    int64_t vectors = chunk == 1 ? 1 : chunk / lanes, width = chunk == 1 ? 1 : lanes;
    auto spread = [&](Value scalar) { return chunk == 1 ? scalar : builder.splat(scalar, lanes); };
    builder.loop(builder.index(begin), builder.index(end), chunk, [&](Value column) {
      SmallVector<Value> initial(kHeads * vectors, spread(builder.f32(0.0f)));
      SmallVector<Value> sums = builder.fold(builder.index(0), count, 1, initial, [&](Value s, ValueRange carried) {
        Value key = memref::LoadOp::create(builder, keyRows, ValueRange{s});
        SmallVector<Value> values, next;
        for (int64_t part = 0; part < vectors; ++part) {
          Value at = builder.add(column, builder.index(part * lanes));
          values.push_back(chunk == 1 ? builder.load(latent, {key, at}) : builder.loadVector(latent, {key, at}, lanes));
        }
        for (int64_t head = 0; head < kHeads; ++head) {
          Value weight = spread(builder.load(scratch, {s, laneOf(lane, head, left)}));
          for (int64_t part = 0; part < vectors; ++part)
            next.push_back(builder.fma(weight, values[part], carried[head * vectors + part]));
        }
        return next;
      });
      for (int64_t head = 0; head < kHeads; ++head)
        storeHead(row, firstHead, builder.add(lane, builder.index(head)), laneOf(lane, head, left), left, column,
                  ArrayRef(sums).slice(head * vectors, vectors), width);
    });
  }

  /// The lane of head `head` of a block; a block that is not full repeats its last head, and does not store it.
  Value laneOf(Value lane, int64_t head, Value left) {
    return builder.min(builder.add(lane, builder.index(head)), builder.sub(left, builder.index(1)));
  }

  void storeHead(Value row, Value firstHead, Value wanted, Value lane, Value left, Value column, ArrayRef<Value> sums,
                 int64_t width) {
    builder.when(arith::CmpIOp::create(builder, arith::CmpIPredicate::ult, wanted, left), [&] {
      Value inverse = arith::DivFOp::create(builder, builder.f32(1.0f), builder.load(totals, {lane}));
      Value outColumn = builder.add(builder.mul(builder.add(firstHead, lane), builder.index(valueWidth)), column);
      for (auto [part, sum] : llvm::enumerate(sums)) {
        Value factor = width == 1 ? inverse : builder.splat(inverse, width);
        builder.store(builder.mul(sum, factor), output, {row, builder.add(outColumn, builder.index(part * width))});
      }
    });
  }

  KernelSparseMlaOp op;
  KernelBuilder &builder;
  int64_t heads, keyWidth = 0, valueWidth = 0, queryWidth = 0, topK = 0, lanes = 0;
  std::optional<HeadLanes> queries;
  Value scratch, keyRows, totals, latent, output;
};

class SparseMlaFamily : public KernelFamily {
public:
  StringRef name() const override { return "x86_sparse_mla"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    if (!isa<KernelSparseMlaOp>(op) || isGpu(target))
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), 1, kKeys);
  }

  LogicalResult build(Operation *op, ScheduleAttr schedule, KernelBuilder &builder) const override {
    auto target = op->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(kTargetAttr);
    SparseMla(cast<KernelSparseMlaOp>(op), builder, target).run();
    return success();
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeSparseMlaFamily() { return std::make_unique<SparseMlaFamily>(); }

} // namespace glm
