// The builder's verbs, executed: functions against double, conversions against their definition, shares of work.
#include "codegen/builder/KernelBuilder.h"
#include "test/codegen/harness/Kernel.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace glm::test {
namespace {

using namespace mlir;
using Body = std::function<void(KernelBuilder &, Value, Value, Value)>;

/// A family whose body is the test's. The op only carries three operands: floats, integers, output.
class Written final : public KernelFamily {
public:
  explicit Written(Body body) : body(std::move(body)) {}
  llvm::StringRef name() const override { return "written"; }
  std::optional<ScheduleAttr> match(Operation *op, TargetAttr) const override {
    return ScheduleAttr::get(op->getContext(), name(), 1, 1);
  }
  LogicalResult build(Operation *op, ScheduleAttr, KernelBuilder &builder) const override {
    body(builder, builder.buffer(op->getOperand(0)), builder.buffer(op->getOperand(1)),
         builder.buffer(op->getOperand(2)));
    return success();
  }

private:
  Body body;
};

/// The first `outputs` numbers that the body leaves in row 0 of its output.
std::vector<double> runBody(const Body &body, const std::vector<double> &floats, const std::vector<double> &integers,
                            int64_t outputs, const std::string &chip = "host") {
  // The op wants rows of one width, and as many of the output as there are integers.
  auto width = std::max<int64_t>({1, static_cast<int64_t>(floats.size()), outputs});
  auto rows = std::max<int64_t>(1, static_cast<int64_t>(integers.size()));
  std::vector<Operand> operands = {Operand::buffer("f32", {1, width}), Operand::buffer("i32", {rows}),
                                   Operand::buffer("f32", {rows, width})};
  operands[0].assign(floats);
  operands[1].assign(integers);
  auto kernel = Kernel::compile(Written(body), "glm.kernel.gather_rows %0 at %1 to %2 : $0, $1, $2", operands, chip);
  EXPECT_TRUE(kernel) << kernel.error().message;
  if (!kernel)
    return std::vector<double>(outputs);
  kernel->run(operands, 1, 1);
  std::vector<double> found = operands[2].values();
  found.resize(outputs);
  return found;
}

/// output[i] = function(input[i]), the first half as scalars, the second, which holds the same numbers, as vectors.
std::vector<double> applyBothWays(const std::vector<double> &inputs,
                                  const std::function<Value(KernelBuilder &, Value)> &function,
                                  const std::string &chip = "host") {
  auto count = static_cast<int64_t>(inputs.size());
  EXPECT_EQ(count % 16, 0);
  Body body = [&](KernelBuilder &builder, Value floats, Value, Value output) {
    Value zero = builder.index(0);
    builder.loop(zero, builder.index(count), 1, [&](Value i) {
      builder.store(function(builder, builder.load(floats, {zero, i})), output, {zero, i});
    });
    builder.loop(zero, builder.index(count), 16, [&](Value i) {
      builder.store(function(builder, builder.loadVector(floats, {zero, i}, 16)), output,
                    {zero, builder.add(i, builder.index(count))});
    });
  };
  return runBody(body, inputs, {}, 2 * count, chip);
}

void expectScalarsAreLanes(const std::vector<double> &both) {
  for (size_t i = 0; i < both.size() / 2; ++i) {
    auto scalar = static_cast<float>(both[i]), lane = static_cast<float>(both[i + both.size() / 2]);
    ASSERT_EQ(std::bit_cast<uint32_t>(scalar), std::bit_cast<uint32_t>(lane)) << "number " << i;
  }
}

/// Distance in units of the last place of the float nearest to `exact`.
double ulps(double found, double exact) {
  auto nearest = static_cast<float>(exact);
  double unit = static_cast<double>(std::nextafter(std::fabs(nearest), std::numeric_limits<float>::infinity())) -
                std::fabs(nearest);
  return std::fabs(found - exact) / unit;
}

TEST(KernelBuilder, ExpIsWithinOneUnitOfTheLastPlace) {
  std::vector<double> inputs;
  constexpr int count = 1 << 20;
  // All of the range in which the result is a normal number, and more densely around 0, where softmax lives.
  for (int i = 0; i < count; ++i)
    inputs.push_back(static_cast<float>(i % 2 == 0 ? -87.0 + 175.7 * i / count : -1.0 + 2.0 * i / count));
  std::vector<double> found = applyBothWays(inputs, [](KernelBuilder &builder, Value x) { return builder.exp(x); });
  expectScalarsAreLanes(found);
  double worst = 0.0;
  size_t place = 0;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (double error = ulps(found[i], std::exp(inputs[i])); error > worst) {
      worst = error;
      place = i;
    }
  EXPECT_LE(worst, 1.0) << "e^" << inputs[place] << " is " << found[place];
  RecordProperty("worst", std::to_string(worst));
}

TEST(KernelBuilder, ExpAtItsEnds) {
  double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> inputs = {0.0,   -0.0,   88.0,   88.7,    89.0,      1000.0, infinity, -87.5,
                                -95.0, -103.0, -104.5, -1000.0, -infinity, nan,    1.0,      -1.0};
  for (double &input : inputs)
    input = static_cast<float>(input);
  std::vector<double> found = applyBothWays(inputs, [](KernelBuilder &builder, Value x) { return builder.exp(x); });
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (std::isnan(inputs[i])) {
      EXPECT_TRUE(std::isnan(found[i]));
      continue;
    }
    // Gradual underflow has units of 2^-149; the last of them may round up.
    double exact = static_cast<float>(std::exp(inputs[i]));
    if (std::isinf(exact))
      EXPECT_EQ(found[i], exact) << "e^" << inputs[i];
    else
      EXPECT_NEAR(found[i], exact, exact * 0x1p-23 + 0x1p-149) << "e^" << inputs[i];
  }
}

TEST(KernelBuilder, SinesAndCosinesAreTheNearest) {
  std::vector<double> inputs;
  constexpr int count = 1 << 16;
  for (int i = 0; i < count; ++i) {
    // Positions times frequencies, and more densely what lies near multiples of pi / 2, where a sine or a cosine is nearly 0.
    double spread = std::ldexp(static_cast<double>(i * 2654435761u % 1048573) / 1048573.0, i % 21);
    double near = static_cast<double>(i * 40503u % 600000) * 1.5707963267948966 * (1.0 + std::ldexp(i % 5 - 2, -24));
    inputs.push_back(static_cast<float>(i % 2 == 0 ? spread : near) * (i % 3 == 0 ? -1.0 : 1.0));
  }
  std::vector<double> found = runBody(
      [&](KernelBuilder &builder, Value floats, Value, Value output) {
        Value zero = builder.index(0);
        builder.loop(zero, builder.index(count), 1, [&](Value i) {
          auto [sine, cosine] = builder.sinCos(builder.load(floats, {zero, i}));
          builder.store(sine, output, {zero, i});
          builder.store(cosine, output, {zero, builder.add(i, builder.index(count))});
        });
      },
      inputs, {}, 2 * count);
  double worst = 0.0;
  for (int i = 0; i < count; ++i)
    worst = std::max({worst, ulps(found[i], std::sin(inputs[i])), ulps(found[i + count], std::cos(inputs[i]))});
  // Half a unit is what rounding to float32 costs.
  EXPECT_LE(worst, 0.5 + 1e-6);
}

TEST(KernelBuilder, SigmoidAndSilu) {
  std::vector<double> inputs;
  for (int i = 0; i < 4096; ++i)
    inputs.push_back(static_cast<float>(-110.0 + 220.0 * i / 4096));
  auto sigmoid = applyBothWays(inputs, [](KernelBuilder &builder, Value x) { return builder.sigmoid(x); });
  auto silu = applyBothWays(inputs, [](KernelBuilder &builder, Value x) { return builder.silu(x); });
  expectScalarsAreLanes(sigmoid);
  expectScalarsAreLanes(silu);
  for (size_t i = 0; i < inputs.size(); ++i) {
    // One unit of the exponential, half a unit each of sum, quotient and product; below 2^-126 units no longer shrink.
    double exact = 1.0 / (1.0 + std::exp(-inputs[i]));
    EXPECT_NEAR(sigmoid[i], exact, exact * 0x1.8p-22 + 0x1p-126) << inputs[i];
    EXPECT_NEAR(silu[i], inputs[i] * exact, std::fabs(inputs[i] * exact) * 0x1p-21 + 0x1p-119) << inputs[i];
  }
}

TEST(KernelBuilder, SameBitsOnEachChip) {
  std::vector<double> inputs;
  for (int i = 0; i < 4096; ++i)
    inputs.push_back(static_cast<float>(-110.0 + 220.0 * i / 4096));
  auto silu = [](KernelBuilder &builder, Value x) { return builder.round(builder.silu(x), builder.getBF16Type()); };
  EXPECT_EQ(applyBothWays(inputs, silu, "host"), applyBothWays(inputs, silu, "x86-64-v3"));
}

/// output[i] = function(integers[i]) as scalars, then as vectors of 16, of integers that are cut to `bits`.
std::vector<double> decodeAll(const std::vector<double> &integers, unsigned bits,
                              const std::function<Value(KernelBuilder &, Value)> &function) {
  auto count = static_cast<int64_t>(integers.size());
  Body body = [&](KernelBuilder &builder, Value, Value codes, Value output) {
    Value zero = builder.index(0);
    auto cut = [&](Value code) -> Value {
      if (bits == 32)
        return code;
      Type type = builder.getIntegerType(bits);
      if (auto vector = dyn_cast<VectorType>(code.getType()))
        type = VectorType::get(vector.getShape(), type);
      return arith::TruncIOp::create(builder, type, code);
    };
    builder.loop(zero, builder.index(count), 1, [&](Value i) {
      builder.store(function(builder, cut(builder.toI32(builder.load(codes, i)))), output, {zero, i});
    });
    builder.loop(zero, builder.index(count), 16, [&](Value i) {
      builder.store(function(builder, cut(builder.loadVector(codes, i, 16))), output,
                    {zero, builder.add(i, builder.index(count))});
    });
  };
  return runBody(body, {}, integers, 2 * count);
}

TEST(KernelBuilder, DecodesEveryE4m3) {
  std::vector<double> codes;
  for (int code = 0; code < 256; ++code)
    codes.push_back(code);
  std::vector<double> found =
      decodeAll(codes, 8, [](KernelBuilder &builder, Value code) { return builder.decodeE4m3(code); });
  expectScalarsAreLanes(found);
  for (int code = 0; code < 256; ++code) {
    // OCP OFP8 1.0: bias 7, subnormals in steps of 2^-9; 0x7f is a NaN there and 480 here.
    int exponent = (code >> 3) & 15, mantissa = code & 7;
    double magnitude = exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(8 + mantissa, exponent - 10);
    EXPECT_EQ(found[code], code & 128 ? -magnitude : magnitude) << "code " << code;
    EXPECT_EQ(std::signbit(found[code]), (code & 128) != 0) << "code " << code;
  }
}

TEST(KernelBuilder, DecodesEveryE2m1) {
  constexpr double magnitudes[] = {0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0};
  std::vector<double> codes;
  for (int code = 0; code < 64; ++code)
    codes.push_back(code); // what is above the low 4 bits is the neighbour's
  for (unsigned bits : {8u, 32u}) {
    std::vector<double> found =
        decodeAll(codes, bits, [](KernelBuilder &builder, Value code) { return builder.decodeE2m1(code); });
    expectScalarsAreLanes(found);
    for (int code = 0; code < 64; ++code) {
      EXPECT_EQ(found[code], code & 8 ? -magnitudes[code & 7] : magnitudes[code & 7]) << "code " << code;
      EXPECT_EQ(std::signbit(found[code]), (code & 8) != 0) << "code " << code;
    }
  }
}

/// The nearest of `numbers`, which ascend: of two as near the one at an even place.
double nearestOf(const std::vector<double> &numbers, double value) {
  size_t best = 0;
  for (size_t i = 1; i < numbers.size(); ++i) {
    double there = std::fabs(numbers[i] - value), here = std::fabs(numbers[best] - value);
    if (there < here || (there == here && i % 2 == 0))
      best = i;
  }
  return numbers[best];
}

/// Random numbers of every size, those of the list, and what lies between two of them.
std::vector<double> numbersAround(const std::vector<double> &numbers) {
  std::vector<double> inputs;
  Random random(33);
  for (size_t i = 0; i + 1 < numbers.size(); ++i) {
    double middle = (numbers[i] + numbers[i + 1]) / 2;
    inputs.insert(inputs.end(), {numbers[i], middle, std::nextafterf(middle, 0.0f), std::nextafterf(middle, 1e9f)});
  }
  for (int i = 0; i < 500; ++i)
    inputs.push_back(static_cast<float>(std::ldexp(random.uniform(0.5, 1.0), static_cast<int>(random.below(24)) - 13)));
  return inputs;
}

std::vector<double> roundAll(const std::vector<double> &inputs,
                             const std::function<Value(KernelBuilder &, Value)> &function) {
  auto count = static_cast<int64_t>(inputs.size());
  Body body = [&](KernelBuilder &builder, Value floats, Value, Value output) {
    Value zero = builder.index(0);
    builder.loop(zero, builder.index(count), 1, [&](Value i) {
      builder.store(function(builder, builder.load(floats, {zero, i})), output, {zero, i});
    });
  };
  return runBody(body, inputs, {}, count);
}

TEST(KernelBuilder, RoundsToE4m3) {
  // Place 0 is a zero that nothing becomes: parity of a place is that of the last bit.
  std::vector<double> numbers = {-1e9};
  for (int code = 1; code < 127; ++code)
    numbers.push_back(code < 8 ? std::ldexp(code, -9) : std::ldexp(8 + code % 8, code / 8 - 10));
  std::vector<double> inputs = numbersAround({numbers.begin() + 1, numbers.end()});
  std::vector<double> found = roundAll(inputs, [](KernelBuilder &builder, Value x) { return builder.roundE4m3(x); });
  for (size_t i = 0; i < inputs.size(); ++i)
    EXPECT_EQ(found[i], nearestOf(numbers, inputs[i])) << inputs[i];
}

TEST(KernelBuilder, RoundsToE2m1) {
  std::vector<double> numbers = {0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0}, inputs = numbersAround(numbers);
  for (size_t i = 0, count = inputs.size(); i < count; ++i)
    inputs.push_back(-inputs[i]);
  std::vector<double> found = roundAll(inputs, [](KernelBuilder &builder, Value x) { return builder.roundE2m1(x); });
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(std::fabs(found[i]), nearestOf(numbers, std::fabs(inputs[i]))) << inputs[i];
    EXPECT_EQ(std::signbit(found[i]), std::signbit(inputs[i])) << inputs[i];
  }
}

TEST(KernelBuilder, NarrowsToNearestEven) {
  std::vector<double> inputs;
  Random random(31);
  for (int i = 0; i < 4096; ++i) {
    // A third lie exactly between two bf16 numbers, a third just beside.
    uint32_t bits = static_cast<uint32_t>(random.next()) & 0x7effffffu;
    if (i % 3 != 0)
      bits = (bits & 0xffff0000u) | (i % 3 == 1 ? 0x8000u : 0x7fffu + 2 * static_cast<uint32_t>(random.below(2)));
    inputs.push_back(std::bit_cast<float>(bits) * (i % 2 == 0 ? 1.0f : -1.0f));
  }
  auto found =
      applyBothWays(inputs, [](KernelBuilder &builder, Value x) { return builder.round(x, builder.getBF16Type()); });
  expectScalarsAreLanes(found);
  for (size_t i = 0; i < inputs.size(); ++i)
    EXPECT_EQ(found[i], rounded(inputs[i], "bf16")) << inputs[i];
}

TEST(KernelBuilder, SumsHalves) {
  // Numbers of very different size: another order gives another sum.
  std::vector<double> inputs;
  Random random(32);
  for (int i = 0; i < 16; ++i)
    inputs.push_back(static_cast<float>(std::ldexp(random.uniform(-1.0, 1.0), static_cast<int>(random.below(20)))));
  Body body = [](KernelBuilder &builder, Value floats, Value, Value output) {
    Value zero = builder.index(0);
    builder.store(builder.sum(builder.loadVector(floats, {zero, zero}, 16)), output, {zero, zero});
  };
  std::vector<float> halves(inputs.begin(), inputs.end());
  for (size_t half = 8; half > 0; half /= 2)
    for (size_t i = 0; i < half; ++i)
      halves[i] += halves[i + half];
  EXPECT_EQ(runBody(body, inputs, {}, 1)[0], halves[0]);
}

TEST(KernelBuilder, SharesAreContiguousAndEven) {
  for (auto [count, grain] : {std::pair{10, 1}, {64, 16}, {100, 16}, {3, 1}, {0, 4}, {7, 8}})
    for (int64_t threads : {1, 2, 3, 5}) {
      Body body = [count = count, grain = grain](KernelBuilder &builder, Value, Value, Value output) {
        auto [first, last] = builder.share(builder.index(count), grain);
        Value place = builder.mul(builder.thread(), builder.index(2));
        builder.store(first, output, {builder.index(0), place});
        builder.store(last, output, {builder.index(0), builder.add(place, builder.index(1))});
      };
      std::vector<Operand> operands = {Operand::buffer("f32", {1, 1}), Operand::buffer("i32", {1}),
                                       Operand::buffer("i32", {1, 2 * threads})};
      auto kernel = Kernel::compile(Written(body), "glm.kernel.top_k %0 at %1 to %2 : $0, $1, $2", operands);
      ASSERT_TRUE(kernel) << kernel.error().message;
      kernel->run(operands, 1, threads);
      std::vector<double> ends = operands[2].values();
      int64_t units = (count + grain - 1) / grain, least = units / threads, before = 0;
      for (int64_t thread = 0; thread < threads; ++thread) {
        auto first = static_cast<int64_t>(ends[2 * thread]),
             last = std::max(first, static_cast<int64_t>(ends[2 * thread + 1]));
        if (first < last) {
          EXPECT_EQ(first, before);
        }
        EXPECT_EQ(first % grain, 0);
        int64_t taken = (last - first + grain - 1) / grain;
        EXPECT_TRUE(taken == least || taken == least + 1)
            << taken << " of " << units << " units for one of " << threads;
        before = std::max(before, last);
      }
      EXPECT_EQ(before, count);
    }
}

} // namespace
} // namespace glm::test
