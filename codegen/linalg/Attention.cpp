// Attention to chosen positions in the latent space: sparse_mla, whole or as sparse_mla_part and sparse_mla_join.
#include "codegen/linalg/AttentionParts.h"
#include "codegen/linalg/Columns.h"
#include "codegen/linalg/PlainBodies.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace glm {
namespace {

/// One row and head. Two passes over chosen positions: logits, then, part by part, their powers and the sum of values.
class Attention {
public:
  /// With room for `most` positions at once, in parts of at most `partSize`.
  Attention(const LatentAttention &op, int64_t most, int64_t partSize, KernelBuilder &builder)
      : op(op), builder(builder), queryLatent(builder.buffer(op.queryLatent)), query(builder.buffer(op.query)),
        latent(builder.buffer(op.latent)), indices(builder.buffer(op.indices)), slots(builder.buffer(op.slots)),
        pages(builder.buffer(op.pages)), rank(op.rank()), partSize(partSize),
        places(builder.scratch(most, builder.getIndexType())), weights(builder.scratch(most, builder.getF32Type())) {}

  /// All parts, joined into `output`; `largest` and `totals` are memory for a number of each part.
  void build(Value row, Value head, Value output, Value largest, Value totals) {
    Value count = findPlaces(row, builder.index(0), builder.index(op.mostPositions()));
    computeLogits(row, head, count);
    Value size = builder.index(partSize), zero = builder.index(0);
    Value parts = builder.div(builder.add(count, builder.index(partSize - 1)), size);
    auto positions = [&](Value part) {
      Value first = builder.mul(part, size);
      return std::pair(first, builder.min(builder.add(first, size), count));
    };
    builder.loop(zero, parts, 1, [&](Value part) {
      auto [first, last] = positions(part);
      Softmax softmax = toPowers(first, last);
      builder.store(softmax.largest, largest, part);
      builder.store(softmax.total, totals, part);
    });
    Value start = builder.mul(head, builder.index(rank));
    columns(builder, 0, rank, [&](Value column, int64_t lanes) {
      auto softmax = [&](Value part) { return Softmax{builder.load(largest, part), builder.load(totals, part)}; };
      auto sum = [&](Value part) {
        auto [first, last] = positions(part);
        return sumValues(first, last, column, lanes);
      };
      builder.store(joinParts(builder, parts, lanes, softmax, sum), output, {row, builder.add(start, column)});
    });
  }

  /// Part `part`, number `number` of all parts of the row's heads.
  void buildPart(Value row, Value head, Value part, Value number, Value sums, Value stats) {
    Value first = builder.mul(part, builder.index(partSize)), zero = builder.index(0);
    Value last = builder.min(builder.add(first, builder.index(partSize)), builder.index(op.mostPositions()));
    Value count = findPlaces(row, first, last);
    computeLogits(row, head, count);
    Softmax softmax = toPowers(zero, count);
    Value place = builder.mul(number, builder.index(2)), start = builder.mul(number, builder.index(rank));
    builder.store(softmax.largest, stats, {row, place});
    builder.store(softmax.total, stats, {row, builder.add(place, builder.index(1))});
    builder.when(builder.less(zero, count), [&] {
      columns(builder, 0, rank, [&](Value column, int64_t lanes) {
        builder.store(sumValues(zero, count, column, lanes), sums, {row, builder.add(start, column)});
      });
    });
  }

private:
  /// Where the positions chosen by entries first .. last - 1 lie in the cache; how many there are.
  Value findPlaces(Value row, Value first, Value last) {
    Value slot = builder.load(slots, row);
    return builder.fold(first, last, 1, builder.index(0), [&](Value j, ValueRange carried) {
      Value position = builder.load(indices, {row, j});
      Value there = builder.less(builder.index(-1), position);
      builder.when(there,
                   [&] { builder.store(builder.cacheRow(pages, slot, position, op.pageSize), places, carried[0]); });
      return SmallVector<Value>{builder.add(carried[0], builder.select(there, builder.index(1), builder.index(0)))};
    })[0];
  }

  /// Leaves the logits in `weights`.
  void computeLogits(Value row, Value head, Value count) {
    Value latentStart = builder.mul(head, builder.index(rank));
    Value ropeStart =
        builder.add(builder.mul(head, builder.index(op.queryWidth())), builder.index(op.queryWidth() - op.ropeWidth));
    builder.loop(builder.index(0), count, 1, [&](Value j) {
      Value place = builder.load(places, j);
      Value content = dot(builder, rank, queryLatent, {row, latentStart}, latent, {place, builder.index(0)});
      Value order = dot(builder, op.ropeWidth, query, {row, ropeStart}, latent, {place, builder.index(rank)});
      builder.store(builder.mul(builder.add(content, order), builder.f32(op.scale)), weights, j);
    });
  }

  /// Turns the logits first .. last - 1 in `weights` to powers of e.
  Softmax toPowers(Value first, Value last) {
    Softmax none = Softmax::none(builder);
    Value largest = builder.fold(first, last, 1, none.largest, [&](Value j, ValueRange carried) {
      return SmallVector<Value>{builder.max(carried[0], builder.load(weights, j))};
    })[0];
    Value total = builder.fold(first, last, 1, none.total, [&](Value j, ValueRange carried) {
      Value power = builder.exp(builder.sub(builder.load(weights, j), largest));
      builder.store(power, weights, j);
      return SmallVector<Value>{builder.add(carried[0], power)};
    })[0];
    return {largest, total};
  }

  Value sumValues(Value first, Value last, Value column, int64_t lanes) {
    Value zero = inLanes(builder, builder.f32(0.0f), lanes);
    return builder.fold(first, last, 1, zero, [&](Value j, ValueRange carried) {
      Value value = loadLanes(builder, latent, {builder.load(places, j), column}, lanes);
      return SmallVector<Value>{builder.fma(inLanes(builder, builder.load(weights, j), lanes), value, carried[0])};
    })[0];
  }

  LatentAttention op;
  KernelBuilder &builder;
  Value queryLatent, query, latent, indices, slots, pages;
  int64_t rank, partSize;
  Value places;  ///< rows of the cache
  Value weights; ///< logits, then powers of e
};

} // namespace

void buildPlain(KernelSparseMlaOp op, KernelBuilder &builder) {
  LatentAttention operands = latentAttention(op);
  int64_t most = operands.mostPositions(), partSize = op.getPartSize().value_or(most);
  Attention attention(operands, most, partSize, builder);
  int64_t parts = llvm::divideCeilSigned(most, partSize);
  Value largest = builder.scratch(parts, builder.getF32Type()), totals = builder.scratch(parts, builder.getF32Type());
  Value heads = builder.index(operands.heads), output = builder.buffer(op.getOutput());
  auto [first, last] = builder.share(builder.mul(builder.rows(), heads));
  builder.loop(first, last, 1, [&](Value item) {
    attention.build(builder.div(item, heads), builder.rem(item, heads), output, largest, totals);
  });
}

void buildPlain(KernelSparseMlaPartOp op, KernelBuilder &builder) {
  LatentAttention operands = latentAttention(op);
  int64_t partSize = op.getPartSize();
  Attention attention(operands, partSize, partSize, builder);
  Value parts = builder.index(op.countParts()), all = builder.index(operands.heads * op.countParts());
  Value sums = builder.buffer(op.getSums()), stats = builder.buffer(op.getStats());
  auto [first, last] = builder.share(builder.mul(builder.rows(), all));
  builder.loop(first, last, 1, [&](Value item) {
    Value number = builder.rem(item, all);
    attention.buildPart(builder.div(item, all), builder.div(number, parts), builder.rem(number, parts), number, sums,
                        stats);
  });
}

void buildPlain(KernelSparseMlaJoinOp op, KernelBuilder &builder) {
  int64_t rank = LatentAttention::widthOf(op.getOutput()) / static_cast<int64_t>(op.getHeads());
  Value output = builder.buffer(op.getOutput()), heads = builder.index(op.getHeads());
  auto [first, last] = builder.share(builder.mul(builder.rows(), heads));
  builder.loop(first, last, 1, [&](Value item) {
    Value row = builder.div(item, heads), head = builder.rem(item, heads);
    Value start = builder.mul(head, builder.index(rank));
    columns(builder, 0, rank, [&](Value column, int64_t lanes) {
      auto load = [&](Value sums, ValueRange place) { return loadLanes(builder, sums, place, lanes); };
      builder.store(joinColumns(joinedParts(op), builder, row, head, column, lanes, load), output,
                    {row, builder.add(start, column)});
    });
  });
}

} // namespace glm
