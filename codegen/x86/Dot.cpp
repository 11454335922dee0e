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

constexpr int64_t kBlock = 16;      ///< columns of a scale, and the step of the float32 loops
constexpr int64_t kWordChunk = 128; ///< columns of one 64-byte load of packed weights
constexpr int64_t kPairChunk = 32;  ///< columns of one 64-byte load of bf16 weights

Value allocate(KernelBuilder &builder, int64_t width, Type element) {
  auto type = MemRefType::get({kDotRows, width}, element);
  return memref::AllocaOp::create(builder, type, builder.getI64IntegerAttr(64));
}

Value zeros(KernelBuilder &builder, int64_t lanes) { return builder.splat(builder.f32(0.0f), lanes); }

/// accumulator + a . b over pairs: vdpbf16ps (rounds to nearest even, flushes denormals, whatever MXCSR says).
Value dotPairs(KernelBuilder &builder, Value accumulator, Value a, Value b) {
  auto call = LLVM::CallIntrinsicOp::create(builder, accumulator.getType(), builder.getStringAttr("llvm.x86.avx512bf16.dpbf16ps.512"),
                                            ValueRange{accumulator, a, b});
  return call.getResult(0);
}

Value loadPairs(KernelBuilder &builder, Value memref, ValueRange indices) {
  return vector::LoadOp::create(builder, VectorType::get(kPairChunk, builder.getBF16Type()), memref, indices);
}

/// The float32 loop over columns [begin, end), blocks of 16 and then single ones; `scratch` holds the rows in order of the columns.
/// Packed weights count as `E2M1 * (scale * global)`, as they are defined. Returns a sum per row.
class Float32Loop {
public:
  Float32Loop(KernelBuilder &builder, const WeightMatrix &weight, Value n, Value scratch, int64_t rows, int64_t lanes)
      : builder(builder), weight(weight), n(n), scratch(scratch), rows(rows), lanes(lanes) {}

  SmallVector<Value> run(int64_t begin, int64_t end) {
    int64_t blocks = (end - begin) / kBlock * kBlock;
    int64_t unrolled = blocks / (4 * kBlock) * (4 * kBlock);
    // Four independent chains hide the latency of the additions.
    SmallVector<Value> sums(rows * chains(), zeros(builder, lanes));
    sums = overBlocks(begin, begin + unrolled, 4, sums);
    sums = overBlocks(begin + unrolled, begin + blocks, 1, sums);
    SmallVector<Value> results;
    for (int64_t row = 0; row < rows; ++row)
      results.push_back(builder.sum(joined(sums, row)));
    return begin + blocks == end ? results : overColumns(begin + blocks, end, results);
  }

private:
  int64_t vectors() const { return kBlock / lanes; }
  int64_t chains() const { return 4; }

  Value joined(ArrayRef<Value> sums, int64_t row) {
    ArrayRef<Value> own = sums.slice(row * chains(), chains());
    return builder.add(builder.add(own[0], own[1]), builder.add(own[2], own[3]));
  }

  SmallVector<Value> overBlocks(int64_t begin, int64_t end, int64_t unroll, SmallVector<Value> sums) {
    if (begin == end)
      return sums;
    return builder.fold(builder.index(begin), builder.index(end), unroll * kBlock, sums, [&](Value k, ValueRange carried) {
      SmallVector<Value> next(carried);
      for (int64_t block = 0; block < unroll; ++block) {
        Value column = builder.add(k, builder.index(block * kBlock));
        SmallVector<Value> values = weightBlock(column);
        for (int64_t part = 0; part < vectors(); ++part)
          for (int64_t row = 0; row < rows; ++row) {
            Value x = builder.loadVector(scratch, {builder.index(row), builder.add(column, builder.index(part * lanes))}, lanes);
            Value &sum = next[row * chains() + (block * vectors() + part) % chains()];
            sum = builder.fma(values[part], x, sum);
          }
      }
      return next;
    });
  }

  SmallVector<Value> weightBlock(Value column) {
    SmallVector<Value> values;
    if (weight.isPacked()) {
      Value bits = memref::LoadOp::create(builder, weight.scales, ValueRange{n, builder.div(column, builder.index(weight.block))});
      Value scale = builder.splat(builder.mul(builder.decodeE4m3(bits), weight.global), lanes);
      for (Value codes : unpackBlock(builder, weight.data, n, builder.div(column, builder.index(2)), lanes))
        values.push_back(builder.mul(codes, scale));
      return values;
    }
    for (int64_t part = 0; part < vectors(); ++part)
      values.push_back(builder.loadVector(weight.data, {n, builder.add(column, builder.index(part * lanes))}, lanes));
    return values;
  }

  SmallVector<Value> overColumns(int64_t begin, int64_t end, SmallVector<Value> sums) {
    return builder.fold(builder.index(begin), builder.index(end), 1, sums, [&](Value k, ValueRange carried) {
      Value w = builder.element(weight, n, k);
      SmallVector<Value> next;
      for (int64_t row = 0; row < rows; ++row)
        next.push_back(builder.fma(w, builder.load(scratch, {builder.index(row), k}), carried[row]));
      return next;
    });
  }

  KernelBuilder &builder;
  const WeightMatrix &weight;
  Value n, scratch;
  int64_t rows, lanes;
};

/// Copies `width` columns in order, converted to the scratch's type, 16 at a time.
void copyRow(KernelBuilder &builder, Value source, Value sourceRow, Value column, Value scratch, int64_t row, int64_t begin, int64_t end) {
  int64_t blocks = (end - begin) / kBlock * kBlock;
  auto copy = [&](Value k, int64_t lanes) {
    Value value = lanes == 1 ? builder.load(source, {sourceRow, builder.add(column, k)}) : builder.loadVector(source, {sourceRow, builder.add(column, k)}, lanes);
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
  Value allocateRows(KernelBuilder &builder) const override { return allocate(builder, width, builder.getF32Type()); }
  void prepareRow(KernelBuilder &builder, Value source, Value sourceRow, Value column, Value scratch, int64_t row) const override {
    copyRow(builder, source, sourceRow, column, scratch, row, 0, width);
  }
  SmallVector<Value> dot(KernelBuilder &builder, const WeightMatrix &weight, Value n, Value scratch, int64_t rows) const override {
    return Float32Loop(builder, weight, n, scratch, rows, lanes).run(0, width);
  }

private:
  int64_t width, lanes;
};

/// bf16 weights: 64 columns of a weight row are two loads, each meets each row in one vdpbf16ps.
class Bf16Engine : public DotEngine {
public:
  explicit Bf16Engine(int64_t width) : width(width) {}

  StringRef kind() const override { return "bf16"; }
  Value allocateRows(KernelBuilder &builder) const override { return allocate(builder, width, builder.getBF16Type()); }
  void prepareRow(KernelBuilder &builder, Value source, Value sourceRow, Value column, Value scratch, int64_t row) const override {
    copyRow(builder, source, sourceRow, column, scratch, row, 0, width);
  }

  SmallVector<Value> dot(KernelBuilder &builder, const WeightMatrix &weight, Value n, Value scratch, int64_t rows) const override {
    int64_t pairs = width / kPairChunk * kPairChunk, unrolled = width / (2 * kPairChunk) * (2 * kPairChunk);
    SmallVector<Value> sums(2 * rows, zeros(builder, 16));
    sums = overPairs(builder, weight, n, scratch, rows, 0, unrolled, 2, sums);
    sums = overPairs(builder, weight, n, scratch, rows, unrolled, pairs, 1, sums);
    SmallVector<Value> results;
    for (int64_t row = 0; row < rows; ++row)
      results.push_back(builder.sum(builder.add(sums[2 * row], sums[2 * row + 1])));
    if (pairs == width)
      return results;
    SmallVector<Value> tail = Float32Loop(builder, weight, n, scratch, rows, 16).run(pairs, width);
    for (int64_t row = 0; row < rows; ++row)
      results[row] = builder.add(results[row], tail[row]);
    return results;
  }

private:
  static SmallVector<Value> overPairs(KernelBuilder &builder, const WeightMatrix &weight, Value n, Value scratch, int64_t rows, int64_t begin,
                                      int64_t end, int64_t unroll, SmallVector<Value> sums) {
    if (begin == end)
      return sums;
    return builder.fold(builder.index(begin), builder.index(end), unroll * kPairChunk, sums, [&](Value k, ValueRange carried) {
      SmallVector<Value> next(carried);
      for (int64_t part = 0; part < unroll; ++part) {
        Value column = builder.add(k, builder.index(part * kPairChunk));
        Value w = loadPairs(builder, weight.data, {n, column});
        for (int64_t row = 0; row < rows; ++row) {
          Value &sum = next[2 * row + part];
          sum = dotPairs(builder, sum, w, loadPairs(builder, scratch, {builder.index(row), column}));
        }
      }
      return next;
    });
  }

  int64_t width;
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
  Value allocateRows(KernelBuilder &builder) const override { return allocate(builder, width, builder.getBF16Type()); }

  void prepareRow(KernelBuilder &builder, Value source, Value sourceRow, Value column, Value scratch, int64_t row) const override {
    auto chunk = VectorType::get(kWordChunk, builder.getBF16Type());
    builder.loop(builder.index(0), builder.index(words), kWordChunk, [&](Value k) {
      Value x = vector::LoadOp::create(builder, chunk, source, ValueRange{sourceRow, builder.add(column, k)});
      for (int64_t part = 0; part < 4; ++part) {
        SmallVector<int64_t> order;
        for (int64_t word = 0; word < kPairChunk; ++word)
          order.push_back(4 * word + part);
        Value own = vector::ShuffleOp::create(builder, x, x, order);
        vector::StoreOp::create(builder, own, scratch, ValueRange{builder.index(row), builder.add(k, builder.index(part * kPairChunk))});
      }
    });
    copyRow(builder, source, sourceRow, column, scratch, row, words, width);
  }

  SmallVector<Value> dot(KernelBuilder &builder, const WeightMatrix &weight, Value n, Value scratch, int64_t rows) const override {
    SmallVector<Value> results;
    if (words > 0)
      for (Value sums : overWords(builder, weight, n, scratch, rows))
        // 2^8 undoes the factor of spreadScales.
        results.push_back(builder.mul(builder.sum(sums), builder.mul(weight.global, builder.f32(256.0f))));
    if (words == width)
      return results;
    SmallVector<Value> tail = Float32Loop(builder, weight, n, scratch, rows, 16).run(words, width);
    for (int64_t row = 0; row < rows && words > 0; ++row)
      tail[row] = builder.add(results[row], tail[row]);
    return tail;
  }

private:
  SmallVector<Value> overWords(KernelBuilder &builder, const WeightMatrix &weight, Value n, Value scratch, int64_t rows) const {
    SmallVector<Value> initial(rows, zeros(builder, 16));
    return builder.fold(builder.index(0), builder.index(words), kWordChunk, initial, [&](Value k, ValueRange carried) {
      SmallVector<Value> parts = unpackWords(builder, weight.data, n, builder.div(k, builder.index(2)));
      Value scales = spreadScales(builder, weight.scales, n, builder.div(k, builder.index(kBlock)));
      SmallVector<Value> next;
      for (int64_t row = 0; row < rows; ++row) {
        Value products = zeros(builder, 16);
        for (int64_t part = 0; part < 4; ++part) {
          Value column = builder.add(k, builder.index(part * kPairChunk));
          products = dotPairs(builder, products, parts[part], loadPairs(builder, scratch, {builder.index(row), column}));
        }
        next.push_back(builder.fma(products, scales, carried[row]));
      }
      return next;
    });
  }

  int64_t width, words;
};

} // namespace

bool usesBf16Dot(Type weight, Type activation, TargetAttr target) {
  return hasBf16Dot(target) && activation.isBF16() && (weight.isBF16() || isa<Float4E2M1FNType>(weight));
}

std::unique_ptr<DotEngine> makeDotEngine(Type weight, Type activation, int64_t width, TargetAttr target) {
  if (!usesBf16Dot(weight, activation, target))
    return std::make_unique<Float32Engine>(width, vectorLanes(target));
  if (weight.isBF16())
    return std::make_unique<Bf16Engine>(width);
  return std::make_unique<Nvfp4Engine>(width);
}

} // namespace glm
