#include "test/runtime/ptx/matrix/MmaProbe.h"

#include <fmt/format.h>

namespace glm::ptx::test {

namespace {

std::string registerType(const std::string &type) {
  return type == "f16" ? "b32" : type == "s32" ? "b32" : type == "f64" ? "f64" : type;
}

int registersOf(const FragmentLayout &layout, int storage) {
  int perRegister = storage == 64 ? 1 : 32 / storage;
  return (layout.count + perRegister - 1) / perRegister;
}

int storageOf(const std::string &type) { return type == "f16" ? 16 : type == "f64" ? 64 : 32; }

} // namespace

RegisterSet multiplicandRegisters(const FragmentLayout &layout, const Format &format, const Codes &codes, bool) {
  RegisterSet registers(static_cast<size_t>(registersOf(layout, format.storage)), Register{});
  int perRegister = format.storage == 64 ? 1 : 32 / format.storage;
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < layout.count; ++i) {
      Coordinate at = layout.place(lane, i);
      uint64_t code = codes.at(at.row, at.column) << format.shift;
      registers[static_cast<size_t>(i / perRegister)][static_cast<size_t>(lane)] |=
          code << (i % perRegister * format.storage);
    }
  return registers;
}

RegisterSet accumulatorRegisters(const FragmentLayout &layout, const std::string &type, const Values &values,
                                 int columns) {
  int storage = storageOf(type), perRegister = storage == 16 ? 2 : 1;
  RegisterSet registers(static_cast<size_t>(registersOf(layout, storage == 16 ? 16 : 64)), Register{});
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < layout.count; ++i) {
      Coordinate at = layout.place(lane, i);
      uint64_t bits = accumulatorBits(type, values[static_cast<size_t>(at.row) * columns + at.column]);
      registers[static_cast<size_t>(i / perRegister)][static_cast<size_t>(lane)] |= bits << (i % perRegister * 16);
    }
  return registers;
}

Values accumulatorValues(const FragmentLayout &layout, const std::string &type, const RegisterSet &registers, int rows,
                         int columns) {
  Values values(static_cast<size_t>(rows) * columns, std::nan(""));
  int perRegister = type == "f16" ? 2 : 1;
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < layout.count; ++i) {
      Coordinate at = layout.place(lane, i);
      uint64_t bits =
          registers[static_cast<size_t>(i / perRegister)][static_cast<size_t>(lane)] >> (i % perRegister * 16);
      values[static_cast<size_t>(at.row) * columns + at.column] = accumulatorValue(type, bits);
    }
  return values;
}

Codes randomCodes(int rows, int columns, const Format &format, std::mt19937_64 &generator) {
  Codes codes(rows, columns);
  for (uint64_t &code : codes.codes)
    code = format.random(generator);
  return codes;
}

MmaProbe::MmaProbe(MmaForm form) : form(std::move(form)) {
  if (!this->form.product)
    this->form.product = [a = this->form.a, b = this->form.b](uint64_t left, uint64_t right) {
      return a.value(left) * b.value(right);
    };
}

std::vector<Values> MmaProbe::run(const std::vector<Inputs> &inputs) {
  const MmaShape &shape = form.shape;
  int countA = registersOf(shape.a, form.a.storage), countB = registersOf(shape.b, form.b.storage);
  int countC = static_cast<int>(accumulatorRegisters(shape.c, form.typeC, inputs[0].c, shape.n).size());
  int countD = form.typeD == "f16" ? shape.c.count / 2 : shape.c.count;
  std::vector<std::string> types;
  types.insert(types.end(), static_cast<size_t>(countA), form.a.storage == 64 ? "f64" : "b32");
  types.insert(types.end(), static_cast<size_t>(countB), form.b.storage == 64 ? "f64" : "b32");
  types.insert(types.end(), static_cast<size_t>(countC), registerType(form.typeC));
  types.insert(types.end(), inputs[0].extra.size(), "b32");
  std::vector<std::string> outputs(static_cast<size_t>(countD), registerType(form.typeD));
  std::string tail = form.tail;
  int firstExtra = countA + countB + countC;
  for (size_t at; (at = tail.find("$")) != std::string::npos;)
    tail.replace(at, 2, fmt::format("%in{}", firstExtra + (tail[at + 1] - '0')));
  WarpKernel kernel(form.chip, types, outputs,
                    fmt::format("{} {}, {}, {}, {}{};", form.instruction, vectorOf("%out", 0, countD),
                                vectorOf("%in", 0, countA), vectorOf("%in", countA, countB),
                                vectorOf("%in", countA + countB, countC), tail));
  std::vector<RegisterSet> sets;
  for (const Inputs &input : inputs) {
    RegisterSet set = multiplicandRegisters(shape.a, form.a, input.a, false);
    for (const RegisterSet &more : {multiplicandRegisters(shape.b, form.b, input.b, true),
                                    accumulatorRegisters(shape.c, form.typeC, input.c, shape.n), input.extra})
      set.insert(set.end(), more.begin(), more.end());
    sets.push_back(std::move(set));
  }
  std::vector<Values> results;
  for (const RegisterSet &out : kernel.run(sets))
    results.push_back(accumulatorValues(shape.c, form.typeD, out, shape.m, shape.n));
  return results;
}

Values MmaProbe::reference(const Inputs &inputs) const {
  Values d = inputs.c;
  for (int row = 0; row < form.shape.m; ++row)
    for (int column = 0; column < form.shape.n; ++column)
      for (int k = 0; k < form.shape.k; ++k)
        d[static_cast<size_t>(row) * form.shape.n + column] +=
            form.product(inputs.a.at(row, k), inputs.b.at(k, column));
  return d;
}

void MmaProbe::probeA() {
  const MmaShape &shape = form.shape;
  Values zeros(static_cast<size_t>(shape.m) * shape.n);
  std::vector<Inputs> inputs;
  for (int row = 0; row < shape.m; ++row)
    for (int k = 0; k < shape.k; ++k) {
      inputs.push_back({Codes(shape.m, shape.k), randomCodes(shape.k, shape.n, form.b, generator), zeros, {}});
      inputs.back().a.at(row, k) = form.a.one();
    }
  std::vector<Values> results = run(inputs);
  ASSERT_EQ(results.size(), inputs.size());
  for (size_t probe = 0; probe < inputs.size(); ++probe) {
    int row = static_cast<int>(probe) / shape.k, k = static_cast<int>(probe) % shape.k;
    for (int i = 0; i < shape.m; ++i)
      for (int j = 0; j < shape.n; ++j)
        ASSERT_EQ(results[probe][static_cast<size_t>(i) * shape.n + j],
                  i == row ? form.product(form.a.one(), inputs[probe].b.at(k, j)) : 0.0)
            << form.instruction << ": element (" << row << ", " << k << ") of a, output (" << i << ", " << j << ")";
  }
}

void MmaProbe::probeB() {
  const MmaShape &shape = form.shape;
  Values zeros(static_cast<size_t>(shape.m) * shape.n);
  std::vector<Inputs> inputs;
  for (int k = 0; k < shape.k; ++k)
    for (int column = 0; column < shape.n; ++column) {
      inputs.push_back({randomCodes(shape.m, shape.k, form.a, generator), Codes(shape.k, shape.n), zeros, {}});
      inputs.back().b.at(k, column) = form.b.one();
    }
  std::vector<Values> results = run(inputs);
  ASSERT_EQ(results.size(), inputs.size());
  for (size_t probe = 0; probe < inputs.size(); ++probe) {
    int k = static_cast<int>(probe) / shape.n, column = static_cast<int>(probe) % shape.n;
    for (int i = 0; i < shape.m; ++i)
      for (int j = 0; j < shape.n; ++j)
        ASSERT_EQ(results[probe][static_cast<size_t>(i) * shape.n + j],
                  j == column ? form.product(inputs[probe].a.at(i, k), form.b.one()) : 0.0)
            << form.instruction << ": element (" << k << ", " << column << ") of b, output (" << i << ", " << j << ")";
  }
}

void MmaProbe::probeC() {
  const MmaShape &shape = form.shape;
  Inputs inputs{Codes(shape.m, shape.k), Codes(shape.k, shape.n), Values(static_cast<size_t>(shape.m) * shape.n), {}};
  for (size_t i = 0; i < inputs.c.size(); ++i)
    inputs.c[i] = static_cast<double>(i) - 50;
  std::vector<Values> results = run({inputs});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0], inputs.c) << form.instruction;
}

// k additions, each rounds by at most half a unit of a partial sum, which is at most the sum of all magnitudes: k * 2^-24 of it
// (f32; 2^-53 for f64). An f16 result rounds once more, by 2^-11 of itself or 2^-25. Integers are exact.
void MmaProbe::random() {
  const MmaShape &shape = form.shape;
  std::vector<Inputs> inputs;
  for (int trial = 0; trial < 8; ++trial) {
    inputs.push_back({randomCodes(shape.m, shape.k, form.a, generator),
                      randomCodes(shape.k, shape.n, form.b, generator),
                      Values(static_cast<size_t>(shape.m) * shape.n),
                      {}});
    for (double &value : inputs.back().c)
      value = static_cast<double>(static_cast<int64_t>(generator() % 2001)) - 1000;
  }
  std::vector<Values> results = run(inputs);
  ASSERT_EQ(results.size(), inputs.size());
  double unit = form.typeD == "f64" ? 0x1p-53 : form.typeD == "s32" ? 0 : 0x1p-24;
  for (size_t trial = 0; trial < inputs.size(); ++trial) {
    Values expected = reference(inputs[trial]);
    for (int i = 0; i < shape.m; ++i)
      for (int j = 0; j < shape.n; ++j) {
        size_t at = static_cast<size_t>(i) * shape.n + j;
        double magnitude = std::abs(inputs[trial].c[at]);
        for (int k = 0; k < shape.k; ++k)
          magnitude += std::abs(form.product(inputs[trial].a.at(i, k), inputs[trial].b.at(k, j)));
        double bound = shape.k * unit * magnitude;
        if (form.typeD == "f16")
          bound += std::max(0x1p-11 * (std::abs(expected[at]) + bound), 0x1p-25);
        if (form.typeD == "f16" && std::abs(expected[at]) > 65500)
          continue; // near infinity
        ASSERT_LE(std::abs(results[trial][at] - expected[at]), bound)
            << form.instruction << ": output (" << i << ", " << j << ") is " << results[trial][at] << ", expected "
            << expected[at];
      }
  }
}

} // namespace glm::ptx::test
