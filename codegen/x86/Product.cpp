#include "codegen/x86/Product.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace glm {

Product::Product(KernelBuilder &builder, ArrayRef<Type> weights, Type activation, int64_t width, TargetAttr target)
    : builder(builder), activation(activation), width(width), target(target) {
  for (Type weight : weights) {
    std::unique_ptr<DotEngine> engine = makeDotEngine(weight, activation, width, target);
    Way &way = ways[engine->kind()];
    if (way.engine)
      continue;
    way.scratch = engine->allocateRows(builder);
    way.engine = std::move(engine);
  }
}

Product::Way &Product::wayOf(Type weight) { return ways[makeDotEngine(weight, activation, width, target)->kind()]; }

void Product::run(const ProductRows &rows, const ProductWeights &weights, ProductStore store) {
  builder.loop(rows.first, rows.last, kDotRows, [&](Value first) {
    Value left = builder.sub(rows.last, first);
    // The smallest tile that holds the rest: each has its own loop over the weights, so that one pass is enough.
    for (int64_t count = 1, below = 0; count <= kDotRows; below = count, count *= 2) {
      auto more = arith::CmpIOp::create(builder, arith::CmpIPredicate::ugt, left, builder.index(below));
      Value chosen = more;
      if (count < kDotRows) {
        Value fits = arith::CmpIOp::create(builder, arith::CmpIPredicate::ule, left, builder.index(count));
        chosen = arith::AndIOp::create(builder, more, fits);
      }
      builder.when(chosen, [&] { runTile(rows, weights, store, first, count); });
    }
  });
}

void Product::runTile(const ProductRows &rows, const ProductWeights &weights, ProductStore store, Value first, int64_t count) {
  Way &way = wayOf(weights.matrices.front().element);
  Value final = builder.sub(rows.last, builder.index(1));
  SmallVector<Value> numbers;
  for (int64_t row = 0; row < count; ++row) {
    // A tile that is not full repeats its last row: the loops need no ends, and what is too much is not stored.
    numbers.push_back(builder.min(builder.add(first, builder.index(row)), final));
    way.engine->prepareRow(builder, rows.source, rows.sourceRow(numbers.back()), rows.column, way.scratch, row);
  }
  builder.loop(weights.begin, weights.end, 1, [&](Value n) {
    SmallVector<SmallVector<Value>> sums;
    for (const WeightMatrix &matrix : weights.matrices)
      sums.push_back(way.engine->dot(builder, matrix, n, way.scratch, count));
    for (int64_t row = 0; row < count; ++row) {
      SmallVector<Value> own;
      for (const SmallVector<Value> &matrix : sums)
        own.push_back(matrix[row]);
      Value live = arith::CmpIOp::create(builder, arith::CmpIPredicate::ult, builder.add(first, builder.index(row)), rows.last);
      builder.when(live, [&] { store(numbers[row], n, own); });
    }
  });
}

} // namespace glm
