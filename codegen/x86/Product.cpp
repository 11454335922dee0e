#include "codegen/x86/Product.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace glm {

Product::Product(KernelBuilder &builder, ArrayRef<Type> weights, Type activation, int64_t width, TargetAttr target)
    : builder(builder), activation(activation), width(width), target(target) {
  for (Type weight : weights) {
    std::unique_ptr<DotEngine> engine = makeDotEngine(weight, activation, width, target);
    Way &way = ways[engine->kind()];
    if (way.engine)
      continue;
    way.scratch = engine->allocateRows(builder, dotRows(target));
    way.engine = std::move(engine);
  }
}

Product::Way &Product::wayOf(Type weight) { return ways[makeDotEngine(weight, activation, width, target)->kind()]; }

void Product::run(const ProductRows &rows, const ProductWeights &weights, ProductStore store) {
  int64_t most = dotRows(target);
  builder.loop(rows.first, rows.last, most, [&](Value first) {
    Value left = builder.sub(rows.last, first);
    // The smallest tile that holds the rest: each has its own loop over the weights, so that one pass is enough.
    for (int64_t count = 1, below = 0; count <= most; below = count, count *= 2) {
      auto more = arith::CmpIOp::create(builder, arith::CmpIPredicate::ugt, left, builder.index(below));
      Value chosen = more;
      if (count < most) {
        Value fits = arith::CmpIOp::create(builder, arith::CmpIPredicate::ule, left, builder.index(count));
        chosen = arith::AndIOp::create(builder, more, fits);
      }
      builder.when(chosen, [&] { runTile(rows, weights, store, first, count); });
    }
  });
}

void Product::runTile(const ProductRows &rows, const ProductWeights &weights, ProductStore store, Value first,
                      int64_t count) {
  // Halves of a gated product may be stored in different types.
  llvm::SmallSetVector<Way *, 2> kinds;
  for (const WeightMatrix &matrix : weights.matrices)
    kinds.insert(&wayOf(matrix.element));
  Value final = builder.sub(rows.last, builder.index(1));
  SmallVector<Value> numbers;
  for (int64_t row = 0; row < count; ++row) {
    // A tile that is not full repeats its last row: the loops need no ends, and what is too much is not stored.
    numbers.push_back(builder.min(builder.add(first, builder.index(row)), final));
    for (Way *way : kinds)
      way->engine->prepareRow(builder, rows.source, rows.sourceRow(numbers.back()), rows.column, way->scratch, row);
  }
  bool together = kinds.size() == 1 && kinds.front()->engine->weightRows(count) > 1;
  int64_t step = together && weights.matrices.size() == 1 ? 2 : 1;
  builder.loop(weights.begin, weights.end, step, [&](Value n) {
    SmallVector<Value> ns = {n};
    if (step == 2)
      ns.push_back(builder.min(builder.add(n, builder.index(1)), builder.sub(weights.end, builder.index(1))));
    SmallVector<WeightRow> weightRows;
    for (const WeightMatrix &matrix : weights.matrices)
      for (Value own : ns)
        weightRows.push_back({&matrix, own});
    SmallVector<SmallVector<Value>> sums;
    if (together)
      sums = kinds.front()->engine->dot(builder, weightRows, kinds.front()->scratch, count);
    else
      for (const WeightRow &row : weightRows) {
        Way &way = wayOf(row.matrix->element);
        sums.push_back(way.engine->dot(builder, row, way.scratch, count).front());
      }
    // The last of an odd number of weight rows is stored twice: the same numbers.
    for (size_t i = 0; i < ns.size(); ++i)
      storeRow(rows, store, first, numbers, ns[i], step == 2 ? ArrayRef(sums).slice(i, 1) : ArrayRef(sums));
  });
}

void Product::storeRow(const ProductRows &rows, ProductStore store, Value first, ArrayRef<Value> numbers, Value n,
                       ArrayRef<SmallVector<Value>> sums) {
  for (auto [row, number] : llvm::enumerate(numbers)) {
    SmallVector<Value> own;
    for (const SmallVector<Value> &matrix : sums)
      own.push_back(matrix[row]);
    Value live =
        arith::CmpIOp::create(builder, arith::CmpIPredicate::ult, builder.add(first, builder.index(row)), rows.last);
    builder.when(live, [&] { store(number, n, own); });
  }
}

} // namespace glm
