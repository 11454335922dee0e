// pack_weight: a block for each tile of 16 rows and 256 columns, a thread for 16 bytes of its codes and two of its scales.
//
//     threads  [ lanes of columns 0 .. 63 | of 64 .. 127 | of 128 .. 191 | of 192 .. 255 ]     codes
//     threads  [ row 0: 8 | row 1: 8 | ... | row 15: 8 ]                                       scales
//
// A launch is of one matrix, whatever the rank of the weight.
#include "codegen/nvptx/Families.h"
#include "codegen/nvptx/Warp.h"
#include "codegen/target/Target.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace glm {
namespace {

using Tile = Nvfp4Tile;

constexpr int64_t kUnit = 64; ///< columns of a warp
constexpr int64_t kWarps = Tile::kColumns / kUnit;
constexpr int64_t kPart = 8;      ///< codes of a word
constexpr int64_t kHalf = 32;     ///< columns from a lane's first word to its second
constexpr int64_t kRowScales = 8; ///< pairs of a row

class Packing {
public:
  Packing(KernelBuilder &builder, KernelPackWeightOp op)
      : builder(builder), warp(builder, kWarps), stored(builder.weight(op.getStored())),
        tiled(builder.weight(op.getTiled())) {
    Value across = builder.index(Tile::across(stored.columns));
    down = builder.div(warp.block(), across);
    chunk = builder.rem(warp.block(), across);
    firstRow = builder.mul(down, builder.index(Tile::kRows));
    firstColumn = builder.mul(chunk, builder.index(Tile::kColumns));
  }

  void packCodes() {
    Value column = builder.add(firstColumn, builder.add(builder.mul(warp.warp(), builder.index(kUnit)),
                                                        builder.mul(warp.quad(), builder.index(kPart))));
    SmallVector<Value> words;
    for (int64_t half : {int64_t(0), kHalf})
      for (int64_t side : {0, 8})
        words.push_back(codes(builder.add(firstRow, builder.add(warp.group(), builder.index(side))),
                              builder.add(column, builder.index(half))));
    Value vector = vector::FromElementsOp::create(builder, VectorType::get({4}, builder.getI32Type()), words);
    warp.storeWords(vector, tiled.data, {down, chunk, builder.mul(warp.thread(), builder.index(16))});
  }

  void packScales() {
    Value row = builder.add(firstRow, builder.div(warp.thread(), builder.index(kRowScales)));
    Value inRow = builder.rem(warp.thread(), builder.index(kRowScales));
    Value half = builder.div(inRow, builder.index(kWarps)), unit = builder.rem(inRow, builder.index(kWarps));
    Value block = builder.add(builder.mul(chunk, builder.index(Tile::kColumns / Tile::kBlock)),
                              builder.add(builder.mul(unit, builder.index(kUnit / Tile::kBlock)), half));
    Value offset = builder.add(builder.index(Tile::kCodeBytes), builder.mul(warp.thread(), builder.index(2)));
    for (int64_t i = 0; i < 2; ++i)
      memref::StoreOp::create(builder, scale(row, builder.add(block, builder.index(2 * i))), tiled.data,
                              ValueRange{down, chunk, builder.add(offset, builder.index(i))});
  }

private:
  /// Eight codes, zeros where the matrix ends.
  Value codes(Value row, Value column) {
    Value there = inside(row, column, stored.columns);
    Value place = builder.div(builder.min(column, builder.index(stored.columns - kPart)), builder.index(2));
    return builder.select(there, warp.word(warp.loadWords(stored.data, {lastOr(row), place}, kPart / 2), 0),
                          builder.i32(0));
  }

  Value scale(Value row, Value block) {
    int64_t blocks = stored.columns / stored.block;
    Value there = inside(row, block, blocks);
    Value bits = builder.load(stored.scales, {lastOr(row), builder.min(block, builder.index(blocks - 1))});
    return builder.select(there, bits, warp.integer(builder.getI8Type(), 0));
  }

  Value inside(Value row, Value column, int64_t columns) {
    return builder.both(builder.less(row, builder.index(stored.rows)), builder.less(column, builder.index(columns)));
  }
  Value lastOr(Value row) { return builder.min(row, builder.index(stored.rows - 1)); }

  KernelBuilder &builder;
  Warp warp;
  WeightMatrix stored, tiled;
  Value down, chunk, firstRow, firstColumn;
};

class GpuPackWeightFamily : public KernelFamily {
public:
  StringRef name() const override { return "gpu_pack_weight"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    if (!isa<KernelPackWeightOp>(op) || !isGpu(target))
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), Tile::kRows, Tile::kColumns);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr) const override {
    ArrayRef<int64_t> shape = cast<RankedTensorType>(cast<KernelPackWeightOp>(op).getStored().getType()).getShape();
    return {Tile::down(shape[shape.size() - 2]) * Tile::across(shape.back()), kWarps * Warp::kLanes};
  }

  LogicalResult build(Operation *op, ScheduleAttr, KernelBuilder &builder) const override {
    Packing packing(builder, cast<KernelPackWeightOp>(op));
    packing.packCodes();
    packing.packScales();
    return success();
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGpuPackWeightFamily() { return std::make_unique<GpuPackWeightFamily>(); }

} // namespace glm
