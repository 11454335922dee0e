// head_gemm: heads are shared among threads.
//
// Not transposed, a head is a small product like gemm's. Transposed, the sums run over the rows of the weight: a row of weights,
// scaled by one activation, is added to a chunk of accumulators that stays in registers.
//
//     transposed:  acc[m, chunk] += x[m, k] * W[k, chunk]     k = 0 .. row_count-1, chunk by chunk of the K columns
#include "codegen/target/Target.h"
#include "codegen/x86/Families.h"
#include "codegen/x86/Product.h"
#include "codegen/x86/Unpack.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace glm {
namespace {

/// The transposed form, for one kernel.
class HeadColumns {
public:
  HeadColumns(KernelHeadGemmOp op, KernelBuilder &builder, int64_t lanes)
      : op(op), builder(builder), lanes(lanes), weight(builder.weight(op.getWeight())),
        input(builder.buffer(op.getInput())), output(builder.buffer(op.getOutput())),
        inputWidth(cast<MemRefType>(op.getInput().getType()).getDimSize(1) / op.getHeads()) {}

  void run() {
    auto [begin, end] = builder.share(builder.index(op.getHeads()));
    builder.loop(begin, end, 1, [&](Value head) {
      builder.loop(builder.index(0), builder.rows(), kTile, [&](Value first) {
        Value full = arith::CmpIOp::create(builder, arith::CmpIPredicate::uge, builder.sub(builder.rows(), first),
                                           builder.index(kTile));
        builder.when(full, [&] { runRows(head, first, kTile); });
        Value rest =
            arith::XOrIOp::create(builder, full, arith::ConstantOp::create(builder, builder.getBoolAttr(true)));
        builder.when(rest, [&] { builder.loop(first, builder.rows(), 1, [&](Value row) { runRows(head, row, 1); }); });
      });
    });
  }

private:
  static constexpr int64_t kTile = 4;

  void runRows(Value head, Value first, int64_t count) {
    // Accumulators are half of the registers: 16 of 32 with AVX-512, 8 of 16 with AVX2.
    int64_t wide = lanes * (lanes == 16 ? 16 : 8) / count, columns = weight.columns;
    int64_t step = std::max<int64_t>(lanes, 16);
    int64_t wideEnd = columns / wide * wide, stepEnd = columns / step * step;
    runColumns(head, first, count, 0, wideEnd, wide);
    runColumns(head, first, count, wideEnd, stepEnd, step);
    runColumns(head, first, count, stepEnd, columns, 1);
  }

  void runColumns(Value head, Value first, int64_t count, int64_t begin, int64_t end, int64_t chunk) {
    if (begin == end)
      return;
    builder.loop(builder.index(begin), builder.index(end), chunk, [&](Value column) {
      int64_t vectors = chunk == 1 ? 1 : chunk / lanes;
      Value zero = builder.f32(0.0f);
      SmallVector<Value> sums(count * vectors, chunk == 1 ? zero : builder.splat(zero, lanes));
      Value firstRow = builder.add(builder.mul(head, builder.index(op.getHeadRows())), builder.index(op.getRowBegin()));
      sums = builder.fold(builder.index(0), builder.index(op.getRowCount()), 1, sums, [&](Value k, ValueRange carried) {
        return addRow(head, first, count, k, builder.add(firstRow, k), column, vectors, chunk, carried);
      });
      Value outColumn = builder.add(builder.mul(head, builder.index(weight.columns)), column);
      for (int64_t row = 0; row < count; ++row)
        for (int64_t part = 0; part < vectors; ++part)
          builder.store(sums[row * vectors + part], output,
                        {builder.add(first, builder.index(row)), builder.add(outColumn, builder.index(part * lanes))});
    });
  }

  SmallVector<Value> addRow(Value head, Value first, int64_t count, Value k, Value weightRow, Value column,
                            int64_t vectors, int64_t chunk, ValueRange carried) {
    SmallVector<Value> values = chunk == 1 ? SmallVector<Value>{builder.element(weight, weightRow, column)}
                                           : weights(weightRow, column, vectors);
    Value inColumn = builder.add(builder.mul(head, builder.index(inputWidth)), k);
    SmallVector<Value> next;
    for (int64_t row = 0; row < count; ++row) {
      Value x = builder.load(input, {builder.add(first, builder.index(row)), inColumn});
      Value factor = chunk == 1 ? x : builder.splat(x, lanes);
      for (int64_t part = 0; part < vectors; ++part)
        next.push_back(builder.fma(values[part], factor, carried[row * vectors + part]));
    }
    return next;
  }

  SmallVector<Value> weights(Value row, Value column, int64_t vectors) {
    SmallVector<Value> values;
    if (!weight.isPacked()) {
      for (int64_t part = 0; part < vectors; ++part) {
        Value at = builder.add(column, builder.index(part * lanes));
        values.push_back(builder.loadVector(weight.data, {row, at}, lanes));
        if (part % 2 == 0) // two vectors of bf16 are a cache line
          prefetchBehind(builder, weight.data, row, at, kPrefetch);
      }
      return values;
    }
    for (int64_t block = 0; block < vectors * lanes / 16; ++block) {
      Value at = builder.add(column, builder.index(block * 16));
      Value bits =
          memref::LoadOp::create(builder, weight.scales, ValueRange{row, builder.div(at, builder.index(weight.block))});
      Value scale = builder.splat(builder.mul(builder.decodeE4m3(bits), weight.global), lanes);
      for (Value codes : unpackBlock(builder, weight.data, row, builder.div(at, builder.index(2)), lanes))
        values.push_back(builder.mul(codes, scale));
    }
    return values;
  }

  KernelHeadGemmOp op;
  KernelBuilder &builder;
  int64_t lanes;
  WeightMatrix weight;
  Value input, output;
  int64_t inputWidth;
};

class HeadGemmFamily : public KernelFamily {
public:
  StringRef name() const override { return "x86_head_gemm"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    if (!isa<KernelHeadGemmOp>(op) || isGpu(target))
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), dotRows(target), 1);
  }

  LogicalResult build(Operation *op, ScheduleAttr schedule, KernelBuilder &builder) const override {
    auto head = cast<KernelHeadGemmOp>(op);
    auto target = op->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(kTargetAttr);
    if (head.getTransposed())
      HeadColumns(head, builder, vectorLanes(target)).run();
    else
      buildRows(head, builder, target);
    return success();
  }

private:
  static void buildRows(KernelHeadGemmOp op, KernelBuilder &builder, TargetAttr target) {
    auto inputType = cast<MemRefType>(op.getInput().getType());
    Type element = getElementTypeOrSelf(op.getWeight().getType());
    WeightMatrix weight = builder.weight(op.getWeight());
    Product product(builder, {element}, inputType.getElementType(), weight.columns, target);
    Value input = builder.buffer(op.getInput()), output = builder.buffer(op.getOutput());
    int64_t inputWidth = inputType.getDimSize(1) / op.getHeads();
    auto [begin, end] = builder.share(builder.index(op.getHeads()));
    builder.loop(begin, end, 1, [&](Value head) {
      Value firstRow = builder.add(builder.mul(head, builder.index(op.getHeadRows())), builder.index(op.getRowBegin()));
      Value lastRow = builder.add(firstRow, builder.index(op.getRowCount()));
      Value outColumn = builder.mul(head, builder.index(op.getRowCount()));
      ProductRows rows{builder.index(0), builder.rows(), input, builder.mul(head, builder.index(inputWidth)),
                       [](Value row) { return row; }};
      product.run(rows, {{weight}, firstRow, lastRow}, [&](Value row, Value n, ArrayRef<Value> sums) {
        builder.store(sums[0], output, {row, builder.add(outColumn, builder.sub(n, firstRow))});
      });
    });
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeHeadGemmFamily() { return std::make_unique<HeadGemmFamily>(); }

} // namespace glm
