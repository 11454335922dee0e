// Cases of ops that move, add or turn rows.
#include "test/codegen/harness/CasesDetail.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace glm::test {

Expected near(size_t operand, std::vector<double> values, const std::string &element) {
  bool narrow = element == "bf16";
  return Expected{operand, std::move(values), narrow ? 0x1p-8 : 1e-5, narrow ? 1e-4 : 2e-5};
}

std::vector<double> liveRows(int64_t rows, int64_t total, int64_t width,
                             const std::function<double(int64_t, int64_t)> &value) {
  std::vector<double> values(total * width, kUntouched);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < width; ++column)
      values[row * width + column] = value(row, column);
  return values;
}

double siluOf(double x) { return x / (1.0 + std::exp(-x)); }

Paging::Paging(Random &random, int64_t rows, int64_t sequences, int64_t positionCount, int64_t pageSize)
    : sequences(sequences), pageSize(pageSize), pagesPerSequence((positionCount + pageSize - 1) / pageSize) {
  auto shuffled = [&](int64_t count) {
    std::vector<int64_t> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0);
    for (int64_t i = count - 1; i > 0; --i)
      std::swap(numbers[i], numbers[random.below(i + 1)]);
    return numbers;
  };
  table = shuffled(sequences * pagesPerSequence);
  std::vector<int64_t> pairs = shuffled(sequences * positionCount);
  for (int64_t row = 0; row < rows; ++row) {
    slots.push_back(pairs[row] / positionCount);
    positions.push_back(pairs[row] % positionCount);
  }
}

namespace {
Operand integers(std::vector<int64_t> shape, const std::vector<int64_t> &values) {
  return Operand::buffer("i32", std::move(shape)).set(std::vector<double>(values.begin(), values.end()));
}
} // namespace

Operand Paging::slotsOperand() const { return integers({static_cast<int64_t>(slots.size())}, slots); }
Operand Paging::positionsOperand() const { return integers({static_cast<int64_t>(positions.size())}, positions); }
Operand Paging::pagesOperand() const { return integers({sequences, pagesPerSequence}, table); }

Case embedCase(TypeName table, TypeName output, int64_t rows, int64_t vocabulary, int64_t width) {
  Random random(1);
  Case test{fmt::format("embed {} {} {}x{}", table, output, rows, width),
            "glm.kernel.embed tokens %0 table %1 to %2 : $0, $1, $2",
            {},
            rows,
            {},
            {}};
  test.operands = {Operand::buffer("i32", {rows}).randomize(random, 0, static_cast<double>(vocabulary)),
                   Operand::anyWeight(table, {vocabulary, width}).randomize(random),
                   Operand::buffer(output, {rows, width}).randomize(random)};
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto tokens = operands[0].values(), weights = operands[1].values();
    auto value = [&](int64_t row, int64_t column) {
      return rounded(weights[static_cast<int64_t>(tokens[row]) * width + column], output);
    };
    return std::vector{Expected{2, liveRows(live, rows, width, value)}};
  };
  return test;
}

Case embedSampledCase(TypeName table, TypeName output, int64_t rows, int64_t vocabulary, int64_t width) {
  Random random(1);
  Case test{fmt::format("embed sampled {} {} {}x{}", table, output, rows, width),
            "glm.kernel.embed tokens %0 or %3 table %1 to %2 : $0 or $3, $1, $2",
            {},
            rows,
            {},
            {}};
  // Every other row names an output row; one of those had no token.
  int64_t outputRows = rows + 2;
  std::vector<double> tokens(rows), sampled(outputRows);
  for (int64_t row = 0; row < rows; ++row)
    tokens[row] = static_cast<double>(row % 2 == 0 ? -1 - random.below(outputRows) : random.below(vocabulary));
  for (double &token : sampled)
    token = static_cast<double>(random.below(vocabulary));
  tokens[0] = -outputRows;
  sampled.back() = -7;
  test.operands = {
      Operand::buffer("i32", {rows}).set(tokens), Operand::anyWeight(table, {vocabulary, width}).randomize(random),
      Operand::buffer(output, {rows, width}).randomize(random), Operand::buffer("i32", {outputRows}).set(sampled)};
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto weights = operands[1].values();
    auto value = [&](int64_t row, int64_t column) {
      double token = tokens[row] < 0 ? std::max(0.0, sampled[static_cast<int64_t>(-1 - tokens[row])]) : tokens[row];
      return rounded(weights[static_cast<int64_t>(token) * width + column], output);
    };
    return std::vector{Expected{2, liveRows(live, rows, width, value)}};
  };
  return test;
}

Case gatherRowsCase(TypeName input, TypeName output, int64_t rows, int64_t width) {
  Random random(2);
  Case test{fmt::format("gather_rows {} {} {}x{}", input, output, rows, width),
            "glm.kernel.gather_rows %0 at %1 to %2 : $0, $1, $2",
            {},
            rows,
            {},
            {}};
  int64_t inputRows = 2 * rows + 1;
  test.operands = {Operand::buffer(input, {inputRows, width}).randomize(random),
                   Operand::buffer("i32", {rows}).randomize(random, 0, static_cast<double>(inputRows)),
                   Operand::buffer(output, {rows, width}).randomize(random)};
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto values = operands[0].values(), from = operands[1].values();
    auto value = [&](int64_t row, int64_t column) {
      return rounded(values[static_cast<int64_t>(from[row]) * width + column], output);
    };
    return std::vector{Expected{2, liveRows(live, rows, width, value)}};
  };
  return test;
}

Case addCase(TypeName activation, int64_t rows, int64_t width) {
  Random random(3);
  Case test{fmt::format("add {} {}x{}", activation, rows, width),
            "glm.kernel.add %0, %1 to %2 : $0, $1, $2",
            {},
            rows,
            {},
            {}};
  for (int i = 0; i < 3; ++i)
    test.operands.push_back(Operand::buffer(activation, {rows, width}).randomize(random));
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto lhs = operands[0].values(), rhs = operands[1].values();
    // One addition, rounded to float32 and then to the type: exactly so.
    auto value = [&](int64_t row, int64_t column) {
      return rounded(static_cast<float>(lhs[row * width + column] + rhs[row * width + column]), activation);
    };
    return std::vector{Expected{2, liveRows(live, rows, width, value)}};
  };
  return test;
}

namespace {

/// The norm of a row in double, the other columns as they are.
std::vector<double> normalised(std::vector<double> row, const NormShape &shape, const std::vector<double> &weight,
                               const std::vector<double> &bias, double eps) {
  double mean = 0.0, square = 0.0;
  auto count = static_cast<double>(shape.normalised);
  if (shape.kind == "layer")
    for (int64_t i = 0; i < shape.normalised; ++i)
      mean += row[i] / count;
  for (int64_t i = 0; i < shape.normalised; ++i)
    square += (row[i] - mean) * (row[i] - mean) / count;
  for (int64_t i = 0; i < shape.normalised; ++i)
    row[i] = (row[i] - mean) / std::sqrt(square + eps) * weight[i] + (bias.empty() ? 0.0 : bias[i]);
  return row;
}

} // namespace

Case normCase(TypeName activation, TypeName weight, int64_t rows, NormShape shape) {
  Random random(4);
  bool layer = shape.kind == "layer";
  constexpr double eps = 1e-2; // large enough that a kernel without it is found out
  Case test{fmt::format("norm {} {} {} {}x{} of {}{}", shape.kind, activation, weight, rows, shape.normalised,
                        shape.width, shape.delta ? " plus" : ""),
            "",
            {},
            rows,
            {},
            {}};
  // Operands: input, delta, weight, bias, sum, output; the sum lies in the input's buffer.
  test.operands = {Operand::buffer(activation, {rows, shape.width}).randomize(random, -1.5, 2.0),
                   Operand::buffer(activation, {rows, shape.width}).randomize(random),
                   Operand::weight(weight, {shape.normalised}).randomize(random, 0.5, 1.5),
                   Operand::weight(weight, {shape.normalised}).randomize(random),
                   Operand::buffer(activation, {rows, shape.width}).randomize(random)};
  std::string plus = shape.delta ? " plus %1" : "", plusType = shape.delta ? " plus $1" : "",
              bias = layer ? " bias %3" : "", biasType = layer ? " bias $3" : "";
  std::string sum = shape.delta ? " sum %0" : "", sumType = shape.delta ? " sum $0" : "";
  test.text = fmt::format("glm.kernel.norm <{}> %0{} weight %2{}{} to %4 eps {:e} : $0{}, $2{}{}, $4", shape.kind, plus,
                          bias, sum, eps, plusType, biasType, sumType);
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto input = operands[0].values(), delta = operands[1].values(), weights = operands[2].values(),
         biases = operands[3].values();
    std::vector<Expected> result(2);
    auto sums = liveRows(live, rows, shape.width, [&](int64_t row, int64_t column) {
      int64_t i = row * shape.width + column;
      return shape.delta ? rounded(static_cast<float>(input[i] + delta[i]), activation) : input[i];
    });
    result[0] = Expected{0, sums};
    std::vector<double> outputs(sums.size(), kUntouched);
    for (int64_t row = 0; row < live; ++row) {
      auto begin = sums.begin() + row * shape.width;
      auto numbers =
          normalised({begin, begin + shape.width}, shape, weights, layer ? biases : std::vector<double>(), eps);
      std::copy(numbers.begin(), numbers.end(), outputs.begin() + row * shape.width);
    }
    result[1] = near(4, outputs, activation);
    return result;
  };
  return test;
}

namespace {

/// Rotate pairs in place: angles are cosines, then sines.
void rotatePairs(double *row, const double *angles, int64_t width) {
  for (int64_t i = 0; i < width / 2; ++i) {
    double even = row[2 * i], odd = row[2 * i + 1], cosine = angles[i], sine = angles[width / 2 + i];
    row[2 * i] = even * cosine - odd * sine;
    row[2 * i + 1] = odd * cosine + even * sine;
  }
}

} // namespace

Case ropeAnglesCase(int64_t rows, int64_t pairs, int64_t positions) {
  Random random(5);
  Case test{fmt::format("rope_angles {}x{}", rows, pairs), "", {}, rows, {}, {}};
  std::vector<float> frequencies;
  std::string list;
  for (int64_t i = 0; i < pairs; ++i) {
    frequencies.push_back(static_cast<float>(1.0 / std::pow(8e6, static_cast<double>(i) / static_cast<double>(pairs))));
    list += fmt::format("{}{:.9e}", i == 0 ? "" : ", ", frequencies.back());
  }
  test.text = "glm.kernel.rope_angles %0 to %1 {inverse_frequencies = array<f32: " + list + ">} : $0, $1";
  test.operands = {Operand::buffer("i32", {rows}).randomize(random, 0, static_cast<double>(positions)),
                   Operand::buffer("f32", {rows, 2 * pairs}).randomize(random)};
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto at = operands[0].values();
    auto value = [&](int64_t row, int64_t column) {
      // The float32 product is part of the meaning: at position 10^6 its rounding is most of the angle's error.
      double angle = static_cast<float>(at[row]) * frequencies[column % pairs];
      return column < pairs ? std::cos(angle) : std::sin(angle);
    };
    return std::vector{Expected{1, liveRows(live, rows, 2 * pairs, value), 0.0, 2e-7}};
  };
  return test;
}

namespace {
/// Angles of a unit length, so that a swapped sign or pair shows.
Operand randomAngles(Random &random, int64_t rows, int64_t pairs) {
  std::vector<double> values(rows * 2 * pairs);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < pairs; ++i) {
      double angle = random.uniform(-3.0, 3.0);
      values[row * 2 * pairs + i] = std::cos(angle);
      values[row * 2 * pairs + pairs + i] = std::sin(angle);
    }
  return Operand::buffer("f32", {rows, 2 * pairs}).set(values);
}
} // namespace

Case ropeCase(TypeName activation, int64_t rows, int64_t heads, int64_t headWidth, int64_t offset, int64_t width) {
  Random random(6);
  Case test{fmt::format("rope {} {}x{}x{} {} plus {}", activation, rows, heads, headWidth, offset, width),
            fmt::format("glm.kernel.rope %0, %1 to %2 heads {} columns {} plus {} : $0, $1, $2", heads, offset, width),
            {},
            rows,
            {},
            {}};
  test.operands = {Operand::buffer(activation, {rows, heads * headWidth}).randomize(random),
                   randomAngles(random, rows, width / 2),
                   Operand::buffer(activation, {rows, heads * headWidth}).randomize(random)};
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto values = operands[0].values(), angles = operands[1].values();
    for (int64_t row = 0; row < live; ++row)
      for (int64_t head = 0; head < heads; ++head)
        rotatePairs(values.data() + (row * heads + head) * headWidth + offset, angles.data() + row * width, width);
    std::fill(values.begin() + live * heads * headWidth, values.end(), kUntouched);
    return std::vector{near(2, values, activation)};
  };
  return test;
}

Case cacheWriteCase(TypeName activation, TypeName cache, int64_t rows, CacheShape shape) {
  Random random(7);
  Paging paging(random, rows, shape.sequences, shape.positions, shape.pageSize);
  bool norm = !shape.norm.empty(), layer = shape.norm == "layer", rope = shape.ropeWidth > 0;
  constexpr double eps = 1e-2;
  Case test{fmt::format("rope_cache_write {} {} {} {}x{} rope {}", activation, cache, norm ? shape.norm : "no norm",
                        rows, shape.width, shape.ropeWidth),
            "",
            {},
            rows,
            {},
            {}};
  test.operands = {Operand::buffer(activation, {rows, shape.width}).randomize(random, -1.5, 2.0),
                   Operand::buffer(cache, {paging.cacheRows(), shape.width}).randomize(random),
                   paging.positionsOperand(),
                   paging.slotsOperand(),
                   paging.pagesOperand(),
                   Operand::weight("bf16", {std::max<int64_t>(shape.normalised, 1)}).randomize(random, 0.5, 1.5),
                   Operand::weight("bf16", {std::max<int64_t>(shape.normalised, 1)}).randomize(random),
                   randomAngles(random, rows, std::max<int64_t>(shape.ropeWidth / 2, 1)),
                   Operand::anyWeight("nvfp4_w4a4", {16, std::max<int64_t>(shape.rounded, 16)}).randomize(random)};
  std::string properties =
      fmt::format("page_size = {} : i64, rope_offset = {} : i64, rope_width = {} : i64, operandSegmentSizes = "
                  "array<i32: 1, 1, 1, 1, 1, {}, {}, {}, {}>",
                  shape.pageSize, shape.ropeOffset, shape.ropeWidth, norm ? 1 : 0, layer ? 1 : 0, rope ? 1 : 0,
                  shape.rounded > 0 ? 1 : 0);
  if (norm)
    properties += fmt::format(", norm = #glm.norm<{}>, eps = {:e} : f32", shape.norm, eps);
  // Spelled generically: its parts are optional in every combination.
  auto list = [&](const std::string &sign) {
    std::string text = sign + "0";
    for (int i = 1; i < 9; ++i)
      if (i < 5 || (i == 5 && norm) || (i == 6 && layer) || (i == 7 && rope) || (i == 8 && shape.rounded > 0))
        text += ", " + sign + std::to_string(i);
    return text;
  };
  test.text =
      fmt::format("\"glm.kernel.rope_cache_write\"({}) <{{{}}}> : ({}) -> ()", list("%"), properties, list("$"));
  NormShape normShape{shape.norm, shape.width, shape.normalised, false};
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto input = operands[0].values(), weights = operands[5].values(), biases = operands[6].values(),
         angles = operands[7].values();
    std::vector<double> values(paging.cacheRows() * shape.width, kUntouched);
    auto roundAll = [&](std::vector<double> &row) {
      for (double &number : row)
        number = rounded(number, activation);
    };
    for (int64_t row = 0; row < live; ++row) {
      std::vector<double> numbers(input.begin() + row * shape.width, input.begin() + (row + 1) * shape.width);
      if (norm)
        numbers = normalised(numbers, normShape, weights, layer ? biases : std::vector<double>(), eps);
      roundAll(numbers);
      if (rope)
        rotatePairs(numbers.data() + shape.ropeOffset, angles.data() + row * shape.ropeWidth, shape.ropeWidth);
      roundAll(numbers);
      auto kept = operands[8].quantizedInput({numbers.begin(), numbers.begin() + shape.rounded});
      std::copy(kept.begin(), kept.end(), numbers.begin());
      std::copy(numbers.begin(), numbers.end(),
                values.begin() + paging.cacheRow(paging.slots[row], paging.positions[row]) * shape.width);
    }
    Expected expected = near(1, values, activation == "bf16" ? activation : cache);
    // A normalised bf16 number on the other side of a tie is off by 2^-7 (numbers are below 4) before it is rotated.
    if (activation == "bf16")
      expected.absolute = 0x1p-6;
    return std::vector{expected};
  };
  return test;
}

} // namespace glm::test
