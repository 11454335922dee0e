// Cases of ops that multiply by weights.
#include "test/codegen/harness/CasesDetail.h"

#include <fmt/format.h>

namespace glm::test {
namespace {

/// sum_k x[row, xOffset + k] * w[n, k], k < width, in a matrix of `width` columns that starts at `wBegin`.
double dotOf(const std::vector<double> &x, int64_t xBegin, const std::vector<double> &w, int64_t wBegin, int64_t count,
             int64_t wStep = 1) {
  double sum = 0.0;
  for (int64_t k = 0; k < count; ++k)
    sum += x[xBegin + k] * w[wBegin + k * wStep];
  return sum;
}

std::string commaList(const std::string &sign, size_t first, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i)
    text += fmt::format("{}{}{}", i == 0 ? "" : ", ", sign, first + i);
  return text;
}

} // namespace

Case gemmCase(TypeName activation, TypeName output, TypeName weight, int64_t rows, std::vector<int64_t> outputs,
              int64_t width) {
  Random random(11);
  size_t count = outputs.size();
  Case test{fmt::format("gemm {} {} {} {}x{}x{} of {}", activation, output, weight, rows, outputs[0], width, count),
            fmt::format("glm.kernel.gemm <store> %0 by {} to {} : $0 by {} to {}", commaList("%", 1, count),
                        commaList("%", 1 + count, count), commaList("$", 1, count), commaList("$", 1 + count, count)),
            {},
            rows,
            {},
            {}};
  test.operands.push_back(Operand::buffer(activation, {rows, width}).randomize(random));
  for (int64_t n : outputs)
    test.operands.push_back(Operand::anyWeight(weight, {n, width}).randomize(random));
  for (int64_t n : outputs)
    test.operands.push_back(Operand::buffer(output, {rows, n}).randomize(random));
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto x = operands[0].values();
    std::vector<Expected> result;
    for (size_t i = 0; i < count; ++i) {
      auto w = operands[1 + i].values(), input = operands[1 + i].quantizedInput(x);
      auto value = [&](int64_t row, int64_t n) { return dotOf(input, row * width, w, n * width, width); };
      result.push_back(near(1 + count + i, liveRows(live, rows, outputs[i], value), output));
    }
    return result;
  };
  return test;
}

Case gatedGemmCase(TypeName activation, TypeName weight, int64_t rows, int64_t output, int64_t width) {
  Random random(12);
  Case test{fmt::format("gemm silu_mul {} {} {}x{}x{}", activation, weight, rows, output, width),
            "glm.kernel.gemm <silu_mul> %0 by %1, %2 to %3 : $0 by $1, $2 to $3",
            {},
            rows,
            {},
            {}};
  test.operands = {Operand::buffer(activation, {rows, width}).randomize(random),
                   Operand::anyWeight(weight, {output, width}).randomize(random),
                   Operand::anyWeight(weight, {output, width}).randomize(random),
                   Operand::buffer(activation, {rows, output}).randomize(random)};
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto x = operands[0].values(), gate = operands[1].values(), up = operands[2].values();
    auto forGate = operands[1].quantizedInput(x), forUp = operands[2].quantizedInput(x);
    auto value = [&](int64_t row, int64_t n) {
      return siluOf(dotOf(forGate, row * width, gate, n * width, width)) *
             dotOf(forUp, row * width, up, n * width, width);
    };
    return std::vector{near(3, liveRows(live, rows, output, value), activation)};
  };
  return test;
}

Case headGemmCase(TypeName activation, TypeName weight, int64_t rows, HeadShape shape, bool transposed) {
  Random random(13);
  auto [heads, headRows, rowBegin, rowCount, columns, inputPerHead] = shape;
  int64_t outputPerHead = transposed ? columns : rowCount;
  Case test{fmt::format("head_gemm {} {} {} rows {} heads {}x{}{}", activation, weight, rows, heads, headRows, columns,
                        transposed ? " transposed" : ""),
            fmt::format("glm.kernel.head_gemm %0, %1 to %2 heads {} rows {} plus {} of {}{} : $0, $1, $2", heads,
                        rowBegin, rowCount, headRows, transposed ? " transposed" : ""),
            {},
            rows,
            {},
            {}};
  test.operands = {Operand::buffer(activation, {rows, heads * inputPerHead}).randomize(random),
                   Operand::anyWeight(weight, {heads * headRows, columns}).randomize(random),
                   Operand::buffer(activation, {rows, heads * outputPerHead}).randomize(random)};
  test.expect = [=, heads = heads, headRows = headRows, rowBegin = rowBegin, rowCount = rowCount, columns = columns,
                 inputPerHead = inputPerHead](const std::vector<Operand> &operands, int64_t live) {
    auto x = operands[0].values(), w = operands[1].values();
    auto value = [&](int64_t row, int64_t column) {
      int64_t head = column / outputPerHead, inner = column % outputPerHead;
      int64_t xBegin = (row * heads + head) * inputPerHead, firstRow = head * headRows + rowBegin;
      return transposed ? dotOf(x, xBegin, w, firstRow * columns + inner, rowCount, columns)
                        : dotOf(x, xBegin, w, (firstRow + inner) * columns, columns);
    };
    return std::vector{near(2, liveRows(live, rows, heads * outputPerHead, value), activation)};
  };
  return test;
}

namespace {

/// What each expert of a weight multiplies.
std::vector<std::vector<double>> inputsOf(const Operand &weight, const std::vector<double> &x, int64_t experts) {
  std::vector<std::vector<double>> inputs;
  for (int64_t expert = 0; expert < experts; ++expert)
    inputs.push_back(weight.quantizedInput(x, expert));
  return inputs;
}

/// Experts of each row, ascending and distinct; about a third of all experts get none.
std::vector<double> randomChoices(Random &random, int64_t rows, int64_t experts, int64_t topK) {
  std::vector<double> choices;
  for (int64_t row = 0; row < rows; ++row) {
    int64_t missing = topK;
    for (int64_t expert = 0; expert < experts; ++expert)
      if (random.below(experts - expert) < missing && missing > 0) {
        choices.push_back(static_cast<double>(expert));
        --missing;
      }
  }
  return choices;
}

struct Groups {
  std::vector<double> offsets, entries;
};

Groups groupOf(const std::vector<double> &choices, int64_t rows, int64_t experts, int64_t topK) {
  Groups groups;
  for (int64_t expert = 0; expert < experts; ++expert) {
    groups.offsets.push_back(static_cast<double>(groups.entries.size()));
    for (int64_t entry = 0; entry < rows * topK; ++entry)
      if (choices[entry] == static_cast<double>(expert))
        groups.entries.push_back(static_cast<double>(entry));
  }
  groups.offsets.push_back(static_cast<double>(groups.entries.size()));
  return groups;
}

/// The lists of `live` rows, as group_rows would leave them.
void prepareGroups(std::vector<Operand> &operands, const std::vector<double> &choices, int64_t live, int64_t experts,
                   int64_t topK) {
  Groups groups = groupOf(choices, live, experts, topK);
  groups.entries.resize(operands[2].size(), -1.0);
  operands[1].assign(groups.offsets);
  operands[2].assign(groups.entries);
}

} // namespace

Case groupRowsCase(int64_t rows, int64_t experts, int64_t topK) {
  Random random(14);
  Case test{fmt::format("group_rows {}x{} of {}", rows, topK, experts),
            "glm.kernel.group_rows %0 to %1, %2 : $0, $1, $2",
            {},
            rows,
            {},
            {}};
  test.rowwise = false;
  test.operands = {Operand::buffer("i32", {rows, topK}).set(randomChoices(random, rows, experts, topK)),
                   Operand::buffer("i32", {experts + 1}).randomize(random, -9, 9),
                   Operand::buffer("i32", {rows * topK}).randomize(random, -9, 9)};
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    Groups groups = groupOf(operands[0].values(), live, experts, topK);
    groups.entries.resize(rows * topK, kUntouched);
    return std::vector{Expected{1, groups.offsets}, Expected{2, groups.entries}};
  };
  return test;
}

Case moeGateUpCase(TypeName activation, TypeName weight, int64_t rows, int64_t experts, int64_t topK, int64_t output,
                   int64_t width) {
  Random random(15);
  Case test{
      fmt::format("moe_gate_up {} {} {} rows {} of {} {}x{}", activation, weight, rows, topK, experts, output, width),
      fmt::format("glm.kernel.moe_gate_up %0 of %1, %2 gate %3 up %4 to %5 top_k {} : $0, $1, $2, $3, $4, $5", topK),
      {},
      rows,
      {},
      {}};
  auto choices = randomChoices(random, rows, experts, topK);
  test.operands = {Operand::buffer(activation, {rows, width}).randomize(random),
                   Operand::buffer("i32", {experts + 1}),
                   Operand::buffer("i32", {rows * topK}),
                   Operand::anyWeight(weight, {experts, output, width}).randomize(random),
                   Operand::anyWeight(weight, {experts, output, width}).randomize(random),
                   Operand::buffer(activation, {rows * topK, output}).randomize(random)};
  test.prepare = [=](std::vector<Operand> &operands, int64_t live) {
    prepareGroups(operands, choices, live, experts, topK);
  };
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto x = operands[0].values(), gate = operands[3].values(), up = operands[4].values();
    auto forGate = inputsOf(operands[3], x, experts), forUp = inputsOf(operands[4], x, experts);
    auto value = [&](int64_t entry, int64_t n) {
      auto expert = static_cast<int64_t>(choices[entry]);
      int64_t begin = (expert * output + n) * width, row = entry / topK * width;
      return siluOf(dotOf(forGate[expert], row, gate, begin, width)) * dotOf(forUp[expert], row, up, begin, width);
    };
    return std::vector{near(5, liveRows(live * topK, rows * topK, output, value), activation)};
  };
  return test;
}

Case moeDownCase(TypeName activation, TypeName weight, int64_t rows, int64_t experts, int64_t topK, int64_t output,
                 int64_t width) {
  Random random(16);
  Case test{
      fmt::format("moe_down {} {} {} rows {} of {} {}x{}", activation, weight, rows, topK, experts, output, width),
      "glm.kernel.moe_down %0 of %1, %2 down %3 to %4 : $0, $1, $2, $3, $4",
      {},
      rows,
      {},
      {}};
  auto choices = randomChoices(random, rows, experts, topK);
  test.operands = {Operand::buffer(activation, {rows * topK, width}).randomize(random),
                   Operand::buffer("i32", {experts + 1}), Operand::buffer("i32", {rows * topK}),
                   Operand::anyWeight(weight, {experts, output, width}).randomize(random),
                   Operand::buffer("f32", {rows * topK, output}).randomize(random)};
  test.prepare = [=](std::vector<Operand> &operands, int64_t live) {
    prepareGroups(operands, choices, live, experts, topK);
  };
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto x = operands[0].values(), down = operands[3].values();
    auto inputs = inputsOf(operands[3], x, experts);
    auto value = [&](int64_t entry, int64_t n) {
      auto expert = static_cast<int64_t>(choices[entry]);
      return dotOf(inputs[expert], entry * width, down, (expert * output + n) * width, width);
    };
    return std::vector{near(4, liveRows(live * topK, rows * topK, output, value), "f32")};
  };
  return test;
}

Case moeCombineCase(TypeName activation, int64_t rows, int64_t topK, int64_t width, bool shared) {
  Random random(17);
  Case test{fmt::format("moe_combine {} {}x{} of {}{}", activation, rows, width, topK, shared ? " plus shared" : ""),
            shared ? "glm.kernel.moe_combine %0 by %1 plus %2 to %3 : $0, $1 plus $2, $3"
                   : "glm.kernel.moe_combine %0 by %1 to %3 : $0, $1, $3",
            {},
            rows,
            {},
            {}};
  test.operands = {Operand::buffer("f32", {rows * topK, width}).randomize(random),
                   Operand::buffer("f32", {rows, topK}).randomize(random, 0.0, 1.0),
                   Operand::buffer(activation, {rows, width}).randomize(random),
                   Operand::buffer(activation, {rows, width}).randomize(random)};
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto input = operands[0].values(), weights = operands[1].values(), more = operands[2].values();
    auto value = [&](int64_t row, int64_t column) {
      double sum = shared ? more[row * width + column] : 0.0;
      for (int64_t j = 0; j < topK; ++j)
        sum += weights[row * topK + j] * input[(row * topK + j) * width + column];
      return sum;
    };
    return std::vector{near(3, liveRows(live, rows, width, value), activation)};
  };
  return test;
}

} // namespace glm::test
