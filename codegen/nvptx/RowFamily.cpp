// norm, rope, rope_cache_write, and rows that are moved or added.
//
// norm, rope_cache_write: a block has a row, its threads the columns, because a row has one sum. The others: blocks share a row.
//
//     thread 0 [ 0..7 ] thread 1 [ 8..15 ] ... thread 255 [ 2040..2047 ] thread 0, or that of the next block [ 2048..2055 ] ...
#include "codegen/linalg/ExpertSum.h"
#include "codegen/linalg/Products.h"
#include "codegen/linalg/RowNorm.h"
#include "codegen/linalg/Tokens.h"
#include "codegen/nvptx/Families.h"
#include "codegen/nvptx/Warp.h"
#include "codegen/target/Target.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kWarps = 8;
/// Pieces of a row that a thread of a norm keeps in registers.
constexpr int64_t kMostHeld = 8;

int64_t widthOf(Value buffer) { return cast<MemRefType>(buffer.getType()).getShape().back(); }

/// How a row is cut where each thread has one piece of it.
struct Pieces {
  int64_t count = 0; ///< of a row
  int64_t lanes = 1; ///< columns of a piece

  int64_t blocks() const { return llvm::divideCeil(count, kWarps * Warp::kLanes); } ///< of a row
};

/// Columns of `memref` that are 16 bytes: neighbouring lanes fill sectors.
int64_t accessOf(Value memref) {
  return 128 / cast<MemRefType>(memref.getType()).getElementType().getIntOrFloatBitWidth();
}

Pieces columnPieces(Value output) {
  int64_t width = widthOf(output), lanes = width % 8 == 0 ? accessOf(output) : 1;
  return {width / lanes, lanes};
}

Pieces pairPieces(KernelRopeOp op) { return {widthOf(op.getOutput()) / 2, 2}; }

class RowKernel {
public:
  explicit RowKernel(KernelBuilder &builder)
      : builder(builder), warp(builder, kWarps), scratch(warp.shared(kWarps, builder.getF32Type())) {}

  void build(KernelNormOp op) {
    Value input = builder.buffer(op.getInput()), output = builder.buffer(op.getOutput());
    Value published = builder.published(op.getOutput());
    Value delta = op.getDelta() ? builder.buffer(op.getDelta()) : Value();
    Value source = op.getSum() ? builder.buffer(op.getSum()) : input;
    RowNorm norm = describe(op.getNorm(), op.getEps().convertToFloat(), op.getWeight(), op.getBias());
    int64_t width = widthOf(op.getOutput());
    forMyRow([&](Value row) {
      if (delta) {
        warp.columns(0, width, width, [&](Value column, int64_t lanes) {
          Value sum =
              builder.add(warp.loadWide(input, {row, column}, lanes), warp.loadWide(delta, {row, column}, lanes));
          warp.storeWide(sum, source, {row, column});
        });
        warp.barrier();
      }
      // The sum is read back as it was rounded: the same numbers as an add and a norm of their own.
      auto read = [&](Value column, int64_t lanes) { return warp.loadWide(source, {row, column}, lanes); };
      auto write = [&](Value value, Value column, int64_t) {
        warp.storeWide(value, output, {row, column});
        if (published)
          builder.when(builder.equal(warp.block(), builder.index(0)),
                       [&] { warp.storeWide(value, published, {row, column}); });
      };
      int64_t wide = accessOf(source);
      normalise(norm, width, wide, read, write);
      auto pass = [&](Value column, int64_t lanes) { write(read(column, lanes), column, lanes); };
      warp.columns(norm.width, width, width, pass, wide);
    });
  }

  void build(KernelRopeCacheWriteOp op) {
    Value input = builder.buffer(op.getInput()), cache = builder.buffer(op.getCache());
    int64_t width = widthOf(op.getInput());
    Type activation = op.getInput().getType().getElementType();
    Value kept = warp.shared(width, builder.getF32Type());
    // What a step leaves is rounded as if it had been stored as an activation: the numbers of the unfused ops.
    auto keep = [&](Value value, Value column) { warp.storeWide(builder.round(value, activation), kept, column); };
    forMyRow([&](Value row) {
      auto read = [&](Value column, int64_t lanes) { return warp.loadWide(input, {row, column}, lanes); };
      int64_t normed = 0;
      if (op.getNormWeight()) {
        RowNorm norm = describe(*op.getNorm(), op.getEps()->convertToFloat(), op.getNormWeight(), op.getNormBias());
        normed = norm.width;
        normalise(norm, width, accessOf(input), read, [&](Value value, Value column, int64_t) { keep(value, column); });
      }
      warp.columns(normed, width, width,
                   [&](Value column, int64_t lanes) { warp.storeWide(read(column, lanes), kept, column); });
      warp.barrier();
      if (op.getAngles())
        rotate(builder.buffer(op.getAngles()), row, op.getRopeOffset(), op.getRopeWidth(), kept, keep);
      if (op.getConsumer())
        roundFor(builder.weight(op.getConsumer()), kept);
      Value place = builder.cacheRow(builder.buffer(op.getPages()), builder.load(builder.buffer(op.getSlots()), row),
                                     builder.load(builder.buffer(op.getPositions()), row), op.getPageSize());
      warp.columns(0, width, width, [&](Value column, int64_t lanes) {
        warp.storeWide(warp.loadWide(kept, column, lanes), cache, {place, column});
      });
    });
  }

  /// Pairs of columns, those of a head's rotated part turned, the others as they are.
  void build(KernelRopeOp op) {
    Value input = builder.buffer(op.getInput()), output = builder.buffer(op.getOutput()),
          angles = builder.buffer(op.getAngles());
    int64_t headPairs = widthOf(op.getOutput()) / static_cast<int64_t>(op.getHeads()) / 2;
    int64_t begin = op.getOffset() / 2, pairs = op.getWidth() / 2;
    forMyPiece(pairPieces(op), [&](Value row, Value even) {
      Value odd = builder.add(even, builder.index(1));
      Value x = builder.load(input, {row, even}), y = builder.load(input, {row, odd});
      Value inHead = builder.rem(builder.div(even, builder.index(2)), builder.index(headPairs));
      Value turns = builder.both(builder.less(builder.index(begin - 1), inHead),
                                 builder.less(inHead, builder.index(begin + pairs)));
      Value pair = builder.select(turns, builder.sub(inHead, builder.index(begin)), builder.index(0));
      auto [newX, newY] = turn(angles, row, pair, pairs, x, y);
      builder.store(builder.select(turns, newX, x), output, {row, even});
      builder.store(builder.select(turns, newY, y), output, {row, odd});
    });
  }

  static bool takes(KernelRopeOp op) {
    return widthOf(op.getOutput()) / static_cast<int64_t>(op.getHeads()) % 2 == 0 && op.getOffset() % 2 == 0;
  }

  void build(KernelEmbedOp op) {
    gather(builder.weight(op.getTable()).data, op.getOutput(), [&](Value row) { return tokenOf(builder, op, row); });
  }

  void build(KernelGatherRowsOp op) {
    Value rows = builder.buffer(op.getRows());
    gather(builder.buffer(op.getInput()), op.getOutput(), [&](Value row) { return builder.load(rows, row); });
  }

  void build(KernelAddOp op) {
    Value lhs = builder.buffer(op.getLhs()), rhs = builder.buffer(op.getRhs());
    forColumns(op.getOutput(), [&](Value row, Value column, int64_t lanes) {
      return builder.add(warp.loadWide(lhs, {row, column}, lanes), warp.loadWide(rhs, {row, column}, lanes));
    });
  }

  void build(KernelMoeCombineOp op) {
    ExpertSum sum(builder, op.getInput(), op.getWeights(), op.getShared(), op.getResidual());
    forColumns(op.getOutput(), [&](Value row, Value column, int64_t lanes) {
      auto load = [&](Value memref, ValueRange place) { return warp.loadWide(memref, place, lanes); };
      return sum.at(row, column, lanes, load);
    });
  }

private:
  /// Rows of `from`, for each row of the output that of the number which `numberOf` gives.
  void gather(Value from, Value output, function_ref<Value(Value)> numberOf) {
    forColumns(output, [&](Value row, Value column, int64_t lanes) {
      return warp.loadWide(from, {numberOf(row), column}, lanes);
    });
  }

  /// All columns of `operand` from a function of row, column and lanes.
  void forColumns(Value operand, function_ref<Value(Value, Value, int64_t)> value) {
    Value output = builder.buffer(operand);
    Pieces pieces = columnPieces(operand);
    forMyPiece(pieces, [&](Value row, Value column) {
      warp.storeWide(value(row, column, pieces.lanes), output, {row, column});
    });
  }

  /// body(row, column) for the first column of this thread's piece.
  void forMyPiece(Pieces pieces, function_ref<void(Value, Value)> body) {
    Value blocks = builder.index(pieces.blocks());
    Value row = builder.div(warp.block(), blocks), part = builder.rem(warp.block(), blocks);
    Value piece = builder.add(builder.mul(part, builder.index(warp.threads())), warp.thread());
    builder.when(builder.both(builder.less(row, builder.rows()), builder.less(piece, builder.index(pieces.count))),
                 [&] { body(row, builder.mul(piece, builder.index(pieces.lanes))); });
  }

  Value inLanes(Value value, int64_t lanes) { return lanes == 1 ? value : builder.splat(value, lanes); }

  void forMyRow(function_ref<void(Value)> body) {
    if (builder.inPrologue())
      return builder.loop(builder.index(0), builder.rows(), 1, body);
    builder.when(builder.less(warp.block(), builder.rows()), [&] { body(warp.block()); });
  }

  RowNorm describe(NormKind kind, float eps, Value weight, Value bias) {
    return {kind, eps, cast<ShapedType>(weight.getType()).getDimSize(0), builder.vectorWeight(weight),
            bias ? builder.vectorWeight(bias) : Value()};
  }

  /// The mean over this row's first columns of what `term` makes of them.
  Value meanOf(const RowNorm &norm, int64_t lanes, ReadColumns term) {
    // Sums of a thread go from one of its pieces to the next; a piece is added as a tree.
    Value first = builder.mul(warp.thread(), builder.index(lanes)), zero = builder.f32(0.0f);
    Value own = builder.fold(first, builder.index(norm.width), warp.threads() * lanes, zero,
                             [&](Value column, ValueRange carried) {
                               return SmallVector<Value>{builder.add(carried[0], sumPiece(term(column, lanes)))};
                             })[0];
    return meanOfBlock(own, norm);
  }

  Value sumPiece(Value piece) { return isa<VectorType>(piece.getType()) ? builder.sum(piece) : piece; }
  Value meanOfBlock(Value own, const RowNorm &norm) {
    return builder.div(warp.sumBlock(own, scratch), builder.f32(static_cast<float>(norm.width)));
  }

  void normalise(const RowNorm &norm, int64_t width, int64_t wide, ReadColumns read, WriteColumns write) {
    int64_t lanes = norm.width % wide == 0 && width % wide == 0 ? wide : 1, round = warp.threads() * lanes;
    if (norm.width % round == 0 && norm.width / round <= kMostHeld)
      return normaliseHeld(norm, lanes, read, write);
    Value center = norm.kind == NormKind::Layer ? meanOf(norm, lanes, read) : Value();
    auto centered = [&](Value column, int64_t lanes) {
      Value x = read(column, lanes);
      return center ? builder.sub(x, inLanes(center, lanes)) : x;
    };
    Value variance = meanOf(norm, lanes, [&](Value column, int64_t lanes) {
      Value x = centered(column, lanes);
      return builder.mul(x, x);
    });
    Value factor = factorOf(norm, variance);
    auto each = [&](Value column, int64_t lanes) {
      write(scaled(centered(column, lanes), factor, loadScale(norm, column, lanes)), column, lanes);
    };
    warp.columns(0, norm.width, width, each, wide);
  }

  /// The same numbers where each thread has the same few pieces: everything is read once, and asked for before the first sum.
  void normaliseHeld(const RowNorm &norm, int64_t lanes, ReadColumns read, WriteColumns write) {
    SmallVector<Value> columns, values;
    SmallVector<Scale> scales;
    for (int64_t begin = 0; begin < norm.width; begin += warp.threads() * lanes) {
      columns.push_back(builder.add(builder.index(begin), builder.mul(warp.thread(), builder.index(lanes))));
      values.push_back(read(columns.back(), lanes));
      scales.push_back(loadScale(norm, columns.back(), lanes));
    }
    auto mean = [&](function_ref<Value(Value)> term) {
      Value own = builder.f32(0.0f);
      for (Value x : values)
        own = builder.add(own, sumPiece(term(x)));
      return meanOfBlock(own, norm);
    };
    if (norm.kind == NormKind::Layer) {
      Value center = mean([](Value x) { return x; });
      for (Value &x : values)
        x = builder.sub(x, inLanes(center, lanes));
    }
    Value factor = factorOf(norm, mean([&](Value x) { return builder.mul(x, x); }));
    for (auto [column, x, own] : llvm::zip_equal(columns, values, scales))
      write(scaled(x, factor, own), column, lanes);
  }

  Value factorOf(const RowNorm &norm, Value variance) {
    return builder.div(builder.f32(1.0f), builder.sqrt(builder.add(variance, builder.f32(norm.eps))));
  }

  struct Scale {
    Value weight, bias;
  };
  Scale loadScale(const RowNorm &norm, Value column, int64_t lanes) {
    return {warp.loadWide(norm.weight, column, lanes), norm.bias ? warp.loadWide(norm.bias, column, lanes) : Value()};
  }
  Value scaled(Value x, Value factor, const Scale &own) {
    int64_t lanes = isa<VectorType>(x.getType()) ? cast<VectorType>(x.getType()).getNumElements() : 1;
    Value y = builder.mul(builder.mul(x, inLanes(factor, lanes)), own.weight);
    return own.bias ? builder.add(y, own.bias) : y;
  }

  /// (x, y) turned by angle `pair` of a row, which has its cosines and then its sines.
  std::pair<Value, Value> turn(Value angles, Value row, Value pair, int64_t pairs, Value x, Value y) {
    Value cosine = builder.load(angles, {row, pair});
    Value sine = builder.load(angles, {row, builder.add(pair, builder.index(pairs))});
    return {builder.sub(builder.mul(x, cosine), builder.mul(y, sine)),
            builder.add(builder.mul(y, cosine), builder.mul(x, sine))};
  }

  /// A pair of columns a thread, in shared memory.
  void rotate(Value angles, Value row, int64_t offset, int64_t width, Value kept,
              function_ref<void(Value, Value)> keep) {
    builder.loop(warp.thread(), builder.index(width / 2), warp.threads(), [&](Value pair) {
      Value even = builder.add(builder.index(offset), builder.mul(pair, builder.index(2)));
      Value odd = builder.add(even, builder.index(1));
      auto [x, y] = turn(angles, row, pair, width / 2, builder.load(kept, even), builder.load(kept, odd));
      keep(x, even);
      keep(y, odd);
    });
    warp.barrier();
  }

  /// A block of NVFP4 a thread, in shared memory.
  void roundFor(const WeightMatrix &consumer, Value kept) {
    builder.loop(warp.thread(), builder.index(consumer.columns / consumer.block), warp.threads(),
                 [&](Value block) { roundBlock(builder, consumer, kept, block); });
    warp.barrier();
  }

  KernelBuilder &builder;
  Warp warp;
  Value scratch; ///< shared, a float a warp
};

class GpuRowFamily : public KernelFamily {
public:
  StringRef name() const override { return "gpu_row"; }

  std::optional<ScheduleAttr> match(Operation *op, TargetAttr target) const override {
    // Sums along a row have another order than those of the plain bodies, which the exact mode keeps on every chip.
    bool takes =
        llvm::TypeSwitch<Operation *, bool>(op)
            .Case<KernelNormOp, KernelRopeCacheWriteOp>([](auto each) { return hasBf16(each); })
            .Case([](KernelRopeOp rope) { return RowKernel::takes(rope); })
            .Case<KernelEmbedOp, KernelGatherRowsOp, KernelAddOp, KernelMoeCombineOp>([](auto) { return true; })
            .Default([](Operation *) { return false; });
    if (!takes || !isGpu(target))
      return std::nullopt;
    return ScheduleAttr::get(op->getContext(), name(), 1, kWarps * Warp::kLanes);
  }

  LaunchShape launchShape(Operation *op, ScheduleAttr) const override {
    int64_t rows = isa<KernelRopeCacheWriteOp>(op) ? rowsOf(op->getOperand(0)) : rowsOf(outputOf(op));
    int64_t blocks = llvm::TypeSwitch<Operation *, int64_t>(op)
                         .Case<KernelNormOp, KernelRopeCacheWriteOp>([](auto) { return 1; })
                         .Case([](KernelRopeOp rope) { return pairPieces(rope).blocks(); })
                         .Default([](Operation *each) { return columnPieces(outputOf(each)).blocks(); });
    return {rows * blocks, kWarps * Warp::kLanes, blocks};
  }

  bool fitsPrologue(Operation *op) const override {
    auto norm = dyn_cast<KernelNormOp>(op);
    return norm && !norm.getDelta();
  }

  LogicalResult build(Operation *op, ScheduleAttr, KernelBuilder &builder) const override {
    RowKernel kernel(builder);
    llvm::TypeSwitch<Operation *>(op)
        .Case<KernelNormOp, KernelRopeOp, KernelRopeCacheWriteOp, KernelEmbedOp, KernelGatherRowsOp, KernelAddOp,
              KernelMoeCombineOp>([&](auto each) { kernel.build(each); });
    return success();
  }

private:
  static int64_t rowsOf(Value buffer) { return cast<MemRefType>(buffer.getType()).getDimSize(0); }

  static Value outputOf(Operation *op) {
    return llvm::TypeSwitch<Operation *, Value>(op)
        .Case<KernelNormOp, KernelRopeOp, KernelEmbedOp, KernelGatherRowsOp, KernelAddOp, KernelMoeCombineOp>(
            [](auto each) { return each.getOutput(); });
  }

  static bool hasBf16(Operation *op) {
    return llvm::any_of(op->getOperands(), [](Value operand) {
      auto buffer = dyn_cast<MemRefType>(operand.getType());
      return buffer && buffer.getElementType().isBF16();
    });
  }
};

} // namespace

std::unique_ptr<KernelFamily> makeGpuRowFamily() { return std::make_unique<GpuRowFamily>(); }

} // namespace glm
