#include "codegen/x86/Dot.h"

#include "codegen/target/Target.h"
#include "codegen/x86/Unpack.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace glm {
namespace {

constexpr int64_t kBlock = 16;                 ///< columns of a scale, and the step of the float32 loops
constexpr int64_t kWordChunk = 128;            ///< columns of one 64-byte load of packed weights
constexpr int64_t kPairChunk = 32;             ///< columns of one 64-byte load of bf16 weights
constexpr int64_t kScaleReach = kPrefetch / 8; ///< block scales are an eighth of their codes

using Sums = SmallVector<SmallVector<Value>>;

Value allocate(KernelBuilder &builder, int64_t rows, int64_t width, Type element) {
  auto type = MemRefType::get({rows, width}, element);
  return memref::AllocaOp::create(builder, type, builder.getI64IntegerAttr(64));
}

Value zeros(KernelBuilder &builder, int64_t lanes) { return builder.splat(builder.f32(0.0f), lanes); }

/// accumulator + a . b over pairs: vdpbf16ps (rounds to nearest even, flushes denormals, whatever MXCSR says).
Value dotPairs(KernelBuilder &builder, Value accumulator, Value a, Value b) {
  auto call = LLVM::CallIntrinsicOp::create(builder, accumulator.getType(),
                                            builder.getStringAttr("llvm.x86.avx512bf16.dpbf16ps.512"),
                                            ValueRange{accumulator, a, b});
  return call.getResult(0);
}

Value loadPairs(KernelBuilder &builder, Value memref, ValueRange indices) {
  return vector::LoadOp::create(builder, VectorType::get(kPairChunk, builder.getBF16Type()), memref, indices);
}

/// Accumulators of some weight rows with some rows of activations, carried through a loop.
class Grid {
public:
  Grid(size_t weights, int64_t rows, int64_t chains) : rows(rows), chains(chains), size(weights * rows * chains) {}

  SmallVector<Value> initial(KernelBuilder &builder, int64_t lanes) const {
    return SmallVector<Value>(size, zeros(builder, lanes));
  }
  size_t at(size_t weight, int64_t row, int64_t chain) const { return (weight * rows + row) * chains + chain; }

private:
  int64_t rows, chains;
  size_t size;
};

/// A loop over [0, width) in chunks whose body is written out several times: the end of a short row is then foreseen by the branch predictor.
/// Only where few rows of activations leave the code small; the order of the sums does not change.
SmallVector<Value> foldChunks(KernelBuilder &builder, int64_t width, int64_t chunk, int64_t rows,
                              SmallVector<Value> carried,
                              llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  int64_t copies = rows <= 2 ? 4 : 1, written = width / (copies * chunk) * (copies * chunk);
  auto several = [&](Value k, ValueRange sums) {
    SmallVector<Value> next(sums);
    for (int64_t copy = 0; copy < copies; ++copy)
      next = body(builder.add(k, builder.index(copy * chunk)), next);
    return next;
  };
  if (written > 0)
    carried = builder.fold(builder.index(0), builder.index(written), copies * chunk, carried, several);
  if (written < width)
    carried = builder.fold(builder.index(written), builder.index(width), chunk, carried, body);
  return carried;
}

/// Adds the sums of a second range of columns to those of a first.
void addSums(KernelBuilder &builder, Sums &sums, const Sums &more) {
  for (auto [own, other] : llvm::zip_equal(sums, more))
    for (auto [a, b] : llvm::zip_equal(own, other))
      a = builder.add(a, b);
}

/// The float32 loop over columns [begin, end), blocks of 16 and then single ones; `scratch` holds the rows in order of the columns.
/// Packed weights count as `E2M1 * (scale * global)`, as they are defined.
class Float32Loop {
public:
  Float32Loop(KernelBuilder &builder, ArrayRef<WeightRow> weights, Value scratch, int64_t rows, int64_t lanes)
      : builder(builder), weights(weights), scratch(scratch), rows(rows), lanes(lanes),
        grid(weights.size(), rows, kChains) {}

  Sums run(int64_t begin, int64_t end) {
    int64_t blocks = (end - begin) / kBlock * kBlock, unrolled = blocks / (2 * kBlock) * (2 * kBlock);
    SmallVector<Value> carried = grid.initial(builder, lanes);
    carried = overBlocks(begin, begin + unrolled, 2, carried);
    carried = overBlocks(begin + unrolled, begin + blocks, 1, carried);
    Sums sums(weights.size());
    for (size_t weight = 0; weight < weights.size(); ++weight)
      for (int64_t row = 0; row < rows; ++row)
        sums[weight].push_back(
            builder.sum(builder.add(carried[grid.at(weight, row, 0)], carried[grid.at(weight, row, 1)])));
    return begin + blocks == end ? sums : overColumns(begin + blocks, end, sums);
  }

private:
  static constexpr int64_t kChains =
      2; ///< independent sums hide the latency of additions; more would not fit into AVX2's registers

  SmallVector<Value> overBlocks(int64_t begin, int64_t end, int64_t unroll, SmallVector<Value> sums) {
    if (begin == end)
      return sums;
    int64_t vectors = kBlock / lanes;
    return builder.fold(
        builder.index(begin), builder.index(end), unroll * kBlock, sums, [&](Value k, ValueRange carried) {
          SmallVector<Value> next(carried);
          for (int64_t block = 0; block < unroll; ++block) {
            Value column = builder.add(k, builder.index(block * kBlock));
            Sums values;
            for (const WeightRow &weight : weights)
              values.push_back(weightBlock(weight, column));
            prefetch(column);
            for (int64_t part = 0; part < vectors; ++part)
              for (int64_t row = 0; row < rows; ++row) {
                Value x = builder.loadVector(
                    scratch, {builder.index(row), builder.add(column, builder.index(part * lanes))}, lanes);
                for (size_t weight = 0; weight < weights.size(); ++weight) {
                  Value &sum = next[grid.at(weight, row, (block * vectors + part) % kChains)];
                  sum = builder.fma(values[weight][part], x, sum);
                }
              }
          }
          return next;
        });
  }

  void prefetch(Value column) {
    for (const WeightRow &weight : weights) {
      Value at = weight.matrix->isPacked() ? builder.div(column, builder.index(2)) : column;
      prefetchBehind(builder, weight.matrix->data, weight.n, at, kPrefetch);
    }
  }

  SmallVector<Value> weightBlock(const WeightRow &row, Value column) {
    const WeightMatrix &weight = *row.matrix;
    SmallVector<Value> values;
    if (weight.isPacked()) {
      Value bits = memref::LoadOp::create(builder, weight.scales,
                                          ValueRange{row.n, builder.div(column, builder.index(weight.block))});
      Value scale = builder.splat(builder.mul(builder.decodeE4m3(bits), weight.global), lanes);
      for (Value codes : unpackBlock(builder, weight.data, row.n, builder.div(column, builder.index(2)), lanes))
        values.push_back(builder.mul(codes, scale));
      return values;
    }
    for (int64_t part = 0; part < kBlock / lanes; ++part)
      values.push_back(
          builder.loadVector(weight.data, {row.n, builder.add(column, builder.index(part * lanes))}, lanes));
    return values;
  }

  Sums overColumns(int64_t begin, int64_t end, const Sums &sums) {
    SmallVector<Value> flat;
    for (const SmallVector<Value> &own : sums)
      llvm::append_range(flat, own);
    flat = builder.fold(builder.index(begin), builder.index(end), 1, flat, [&](Value k, ValueRange carried) {
      SmallVector<Value> next;
      for (const WeightRow &weight : weights) {
        Value w = builder.element(*weight.matrix, weight.n, k);
        for (int64_t row = 0; row < rows; ++row)
          next.push_back(builder.fma(w, builder.load(scratch, {builder.index(row), k}), carried[next.size()]));
      }
      return next;
    });
    Sums result;
    for (size_t weight = 0; weight < weights.size(); ++weight)
      result.emplace_back(ArrayRef(flat).slice(weight * rows, rows));
    return result;
  }

  KernelBuilder &builder;
  ArrayRef<WeightRow> weights;
  Value scratch;
  int64_t rows, lanes;
  Grid grid;
};

/// Copies `width` columns in order, converted to the scratch's type, 16 at a time.
void copyRow(KernelBuilder &builder, Value source, Value sourceRow, Value column, Value scratch, int64_t row,
             int64_t begin, int64_t end) {
  int64_t blocks = (end - begin) / kBlock * kBlock;
  auto copy = [&](Value k, int64_t lanes) {
    Value value = lanes == 1 ? builder.load(source, {sourceRow, builder.add(column, k)})
                             : builder.loadVector(source, {sourceRow, builder.add(column, k)}, lanes);
    builder.store(value, scratch, {builder.index(row), k});
  };
  builder.loop(builder.index(begin), builder.index(begin + blocks), kBlock, [&](Value k) { copy(k, kBlock); });
  builder.loop(builder.index(begin + blocks), builder.index(end), 1, [&](Value k) { copy(k, 1); });
}

/// Everything in float32: exact mode, and chips without bf16 products.
class Float32Engine : public DotEngine {
public:
  Float32Engine(int64_t width, int64_t lanes) : width(width), lanes(lanes) {}

  StringRef kind() const override { return "f32"; }
  // Activations are twice as wide as bf16 weights here: their loads are worth sharing as long as the sums fit into the registers.
  int64_t weightRows(int64_t rows) const override { return rows <= (lanes == 16 ? 4 : 2) ? 2 : 1; }
  Value allocateRows(KernelBuilder &builder, int64_t rows) const override {
    return allocate(builder, rows, width, builder.getF32Type());
  }
  void prepareRow(KernelBuilder &builder, Value source, Value sourceRow, Value column, Value scratch,
                  int64_t row) const override {
    copyRow(builder, source, sourceRow, column, scratch, row, 0, width);
  }
  Sums dot(KernelBuilder &builder, ArrayRef<WeightRow> weights, Value scratch, int64_t rows) const override {
    return Float32Loop(builder, weights, scratch, rows, lanes).run(0, width);
  }

private:
  int64_t width, lanes;
};

/// bf16 weights: 32 columns of a weight row are one load, which meets each row in one vdpbf16ps. One chain of sums per pair is enough: 64
/// bytes per latency of the product are more than a core reads from memory.
class Bf16Engine : public DotEngine {
public:
  explicit Bf16Engine(int64_t width) : width(width), pairs(width / kPairChunk * kPairChunk) {}

  StringRef kind() const override { return "bf16"; }
  int64_t weightRows(int64_t rows) const override { return 2; }
  Value allocateRows(KernelBuilder &builder, int64_t rows) const override {
    return allocate(builder, rows, width, builder.getBF16Type());
  }
  void prepareRow(KernelBuilder &builder, Value source, Value sourceRow, Value column, Value scratch,
                  int64_t row) const override {
    copyRow(builder, source, sourceRow, column, scratch, row, 0, width);
  }

  Sums dot(KernelBuilder &builder, ArrayRef<WeightRow> weights, Value scratch, int64_t rows) const override {
    Sums sums;
    if (pairs > 0)
      sums = overPairs(builder, weights, scratch, rows);
    if (pairs == width)
      return sums;
    Sums tail = Float32Loop(builder, weights, scratch, rows, 16).run(pairs, width);
    if (pairs > 0)
      addSums(builder, tail, sums);
    return tail;
  }

private:
  Sums overPairs(KernelBuilder &builder, ArrayRef<WeightRow> weights, Value scratch, int64_t rows) const {
    Grid grid(weights.size(), rows, 1);
    SmallVector<Value> carried = grid.initial(builder, 16);
    carried = foldChunks(builder, pairs, kPairChunk, rows, carried, [&](Value k, ValueRange sums) {
      SmallVector<Value> next(sums), loaded;
      for (const WeightRow &weight : weights) {
        loaded.push_back(loadPairs(builder, weight.matrix->data, {weight.n, k}));
        prefetchBehind(builder, weight.matrix->data, weight.n, k, kPrefetch);
      }
      for (int64_t row = 0; row < rows; ++row) {
        Value x = loadPairs(builder, scratch, {builder.index(row), k});
        for (size_t weight = 0; weight < weights.size(); ++weight)
          next[grid.at(weight, row, 0)] = dotPairs(builder, sums[grid.at(weight, row, 0)], loaded[weight], x);
      }
      return next;
    });
    Sums sums(weights.size());
    for (size_t weight = 0; weight < weights.size(); ++weight)
      for (int64_t row = 0; row < rows; ++row)
        sums[weight].push_back(builder.sum(carried[grid.at(weight, row, 0)]));
    return sums;
  }

  int64_t width, pairs;
};

/// NVFP4 weights: 128 columns are one load of codes; four lookups give four vectors of bf16 pairs, whose products with a row sum
/// up in lanes 2b and 2b + 1 for block b, exactly as large as E2M1 values times activations; then the block scales multiply.
///
///     words of 4 codes   w0 w1 ... w31          part i of word j = column 4j + i
///     scratch            part 0 | part 1 | part 2 | part 3, 32 activations each, permuted the same way
class Nvfp4Engine : public DotEngine {
public:
  explicit Nvfp4Engine(int64_t width) : width(width), words(width / kWordChunk * kWordChunk) {}

  StringRef kind() const override { return "nvfp4"; }
  int64_t weightRows(int64_t rows) const override { return 2; }
  Value allocateRows(KernelBuilder &builder, int64_t rows) const override {
    return allocate(builder, rows, width, builder.getBF16Type());
  }

  void prepareRow(KernelBuilder &builder, Value source, Value sourceRow, Value column, Value scratch,
                  int64_t row) const override {
    auto chunk = VectorType::get(kWordChunk, builder.getBF16Type());
    builder.loop(builder.index(0), builder.index(words), kWordChunk, [&](Value k) {
      Value x = vector::LoadOp::create(builder, chunk, source, ValueRange{sourceRow, builder.add(column, k)});
      for (int64_t part = 0; part < 4; ++part) {
        SmallVector<int64_t> order;
        for (int64_t word = 0; word < kPairChunk; ++word)
          order.push_back(4 * word + part);
        Value own = vector::ShuffleOp::create(builder, x, x, order);
        vector::StoreOp::create(builder, own, scratch,
                                ValueRange{builder.index(row), builder.add(k, builder.index(part * kPairChunk))});
      }
    });
    copyRow(builder, source, sourceRow, column, scratch, row, words, width);
  }

  Sums dot(KernelBuilder &builder, ArrayRef<WeightRow> weights, Value scratch, int64_t rows) const override {
    Sums sums;
    if (words > 0)
      sums = overWords(builder, weights, scratch, rows);
    if (words == width)
      return sums;
    Sums tail = Float32Loop(builder, weights, scratch, rows, 16).run(words, width);
    if (words > 0)
      addSums(builder, tail, sums);
    return tail;
  }

private:
  Sums overWords(KernelBuilder &builder, ArrayRef<WeightRow> weights, Value scratch, int64_t rows) const {
    Grid grid(weights.size(), rows, 1);
    SmallVector<Value> carried = grid.initial(builder, 16);
    carried = foldChunks(builder, words, kWordChunk, rows, carried, [&](Value k, ValueRange sums) {
      Sums parts;
      SmallVector<Value> scales, next(sums);
      for (const WeightRow &weight : weights) {
        Value byte = builder.div(k, builder.index(2)), scale = builder.div(k, builder.index(kBlock));
        parts.push_back(unpackWords(builder, weight.matrix->data, weight.n, byte));
        scales.push_back(spreadScales(builder, weight.matrix->scales, weight.n, scale, kWordChunk / kBlock, 16));
        prefetchBehind(builder, weight.matrix->data, weight.n, byte, kPrefetch);
        prefetchBehind(builder, weight.matrix->scales, weight.n, scale, kScaleReach);
      }
      for (int64_t row = 0; row < rows; ++row) {
        SmallVector<Value> products(weights.size(), zeros(builder, 16));
        for (int64_t part = 0; part < 4; ++part) {
          Value x = loadPairs(builder, scratch, {builder.index(row), builder.add(k, builder.index(part * kPairChunk))});
          for (size_t weight = 0; weight < weights.size(); ++weight)
            products[weight] = dotPairs(builder, products[weight], parts[weight][part], x);
        }
        for (size_t weight = 0; weight < weights.size(); ++weight) {
          Value &sum = next[grid.at(weight, row, 0)];
          sum = builder.fma(products[weight], scales[weight], sum);
        }
      }
      return next;
    });
    Sums sums(weights.size());
    for (size_t weight = 0; weight < weights.size(); ++weight) {
      // 2^8 undoes the factor of spreadScales.
      Value factor = builder.mul(weights[weight].matrix->global, builder.f32(256.0f));
      for (int64_t row = 0; row < rows; ++row)
        sums[weight].push_back(builder.mul(builder.sum(carried[grid.at(weight, row, 0)]), factor));
    }
    return sums;
  }

  int64_t width, words;
};

/// NVFP4 weights and bf16 activations without bf16 products: the same idea in float32. A chunk is as many 16-bit words as two float32 registers have
/// lanes; the products of its four parts sum up lane by lane, four neighbouring lanes being a block, before the block scales multiply.
class Nvfp4HalfEngine : public DotEngine {
public:
  Nvfp4HalfEngine(int64_t width, int64_t lanes)
      : width(width), lanes(lanes), words(2 * lanes), chunks(width / (4 * words) * (4 * words)) {}

  StringRef kind() const override { return "nvfp4_half"; }
  int64_t weightRows(int64_t rows) const override { return 1; }
  Value allocateRows(KernelBuilder &builder, int64_t rows) const override {
    return allocate(builder, rows, width, builder.getF32Type());
  }

  void prepareRow(KernelBuilder &builder, Value source, Value sourceRow, Value column, Value scratch,
                  int64_t row) const override {
    builder.loop(builder.index(0), builder.index(chunks), 4 * words, [&](Value k) {
      Value x = builder.loadVector(source, {sourceRow, builder.add(column, k)}, 4 * words);
      for (int64_t part = 0; part < 4; ++part) {
        SmallVector<int64_t> order;
        for (int64_t word = 0; word < words; ++word)
          order.push_back(4 * word + part);
        Value own = vector::ShuffleOp::create(builder, x, x, order);
        builder.store(own, scratch, {builder.index(row), builder.add(k, builder.index(part * words))});
      }
    });
    copyRow(builder, source, sourceRow, column, scratch, row, chunks, width);
  }

  Sums dot(KernelBuilder &builder, ArrayRef<WeightRow> weights, Value scratch, int64_t rows) const override {
    Sums sums;
    if (chunks > 0)
      for (const WeightRow &weight : weights)
        sums.push_back(overChunks(builder, weight, scratch, rows));
    if (chunks == width)
      return sums;
    Sums tail = Float32Loop(builder, weights, scratch, rows, lanes).run(chunks, width);
    if (chunks > 0)
      addSums(builder, tail, sums);
    return tail;
  }

private:
  SmallVector<Value> overChunks(KernelBuilder &builder, const WeightRow &weight, Value scratch, int64_t rows) const {
    SmallVector<Value> carried(rows, zeros(builder, words));
    carried = foldChunks(builder, chunks, 4 * words, rows, carried, [&](Value k, ValueRange sums) {
      Value byte = builder.div(k, builder.index(2)), scale = builder.div(k, builder.index(kBlock));
      SmallVector<Value> parts = unpackHalves(builder, weight.matrix->data, weight.n, byte, words);
      Value scales = spreadScales(builder, weight.matrix->scales, weight.n, scale, words / 4, words);
      prefetchBehind(builder, weight.matrix->data, weight.n, byte, kPrefetch);
      prefetchBehind(builder, weight.matrix->scales, weight.n, scale, kScaleReach);
      SmallVector<Value> next;
      for (int64_t row = 0; row < rows; ++row) {
        Value products;
        for (int64_t part = 0; part < 4; ++part) {
          Value x =
              builder.loadVector(scratch, {builder.index(row), builder.add(k, builder.index(part * words))}, words);
          products = part == 0 ? builder.mul(parts[0], x) : builder.fma(parts[part], x, products);
        }
        next.push_back(builder.fma(products, scales, sums[row]));
      }
      return next;
    });
    // 2^14 undoes the factor of unpackHalves, 2^8 that of spreadScales.
    Value factor = builder.mul(weight.matrix->global, builder.f32(4194304.0f));
    SmallVector<Value> sums;
    for (Value sum : carried)
      sums.push_back(builder.mul(builder.sum(sum), factor));
    return sums;
  }

  int64_t width, lanes, words, chunks;
};

} // namespace

void prefetchBehind(KernelBuilder &builder, Value memref, Value row, Value column, int64_t bytes) {
  int64_t elementBits = cast<MemRefType>(memref.getType()).getElementTypeBitWidth();
  Value ahead = builder.add(column, builder.index(bytes * 8 / elementBits));
  memref::PrefetchOp::create(builder, memref, ValueRange{row, ahead}, /*isWrite=*/false, /*localityHint=*/3,
                             /*isDataCache=*/true);
}

int64_t dotRows(TargetAttr target) { return vectorLanes(target) == 16 ? 8 : 4; }

bool usesBf16Dot(Type weight, Type activation, TargetAttr target) {
  return hasBf16Dot(target) && activation.isBF16() && (weight.isBF16() || isa<Float4E2M1FNType>(weight));
}

std::unique_ptr<DotEngine> makeDotEngine(Type weight, Type activation, int64_t width, TargetAttr target) {
  if (!usesBf16Dot(weight, activation, target)) {
    // With float32 activations, a packed weight counts as it is defined; with rounded ones, block sums are as good and much quicker.
    if (activation.isBF16() && isa<Float4E2M1FNType>(weight))
      return std::make_unique<Nvfp4HalfEngine>(width, vectorLanes(target));
    return std::make_unique<Float32Engine>(width, vectorLanes(target));
  }
  if (weight.isBF16())
    return std::make_unique<Bf16Engine>(width);
  return std::make_unique<Nvfp4Engine>(width);
}

} // namespace glm
