// Every element of every operand of an mma form, one at a time, and random matrices.
#pragma once

#include "test/runtime/ptx/matrix/Fragments.h"
#include "test/runtime/ptx/matrix/WarpKernel.h"

#include <functional>

namespace glm::ptx::test {

/// Codes of a matrix, row-major.
struct Codes {
  int rows = 0, columns = 0;
  std::vector<uint64_t> codes;

  Codes(int rows, int columns) : rows(rows), columns(columns), codes(static_cast<size_t>(rows) * columns) {}
  uint64_t &at(int row, int column) { return codes[static_cast<size_t>(row) * columns + column]; }
  uint64_t at(int row, int column) const { return codes[static_cast<size_t>(row) * columns + column]; }
};

/// Values of a matrix, row-major.
using Values = std::vector<double>;

struct MmaForm {
  std::string instruction; ///< without operands
  std::string chip = "sm_120a";
  MmaShape shape;
  Format a, b;
  std::string typeD = "f32", typeC = "f32";
  std::string tail; ///< after the four operands: ", ..."
  /// The product of two codes; multiplication unless set.
  std::function<double(uint64_t, uint64_t)> product;
};

/// Registers of 32 lanes that hold a multiplicand.
RegisterSet multiplicandRegisters(const FragmentLayout &layout, const Format &format, const Codes &codes, bool isB);
RegisterSet accumulatorRegisters(const FragmentLayout &layout, const std::string &type, const Values &values,
                                 int columns);
Values accumulatorValues(const FragmentLayout &layout, const std::string &type, const RegisterSet &registers, int rows,
                         int columns);

Codes randomCodes(int rows, int columns, const Format &format, std::mt19937_64 &generator);

class MmaProbe {
public:
  explicit MmaProbe(MmaForm form);

  /// D for each (A, B, C).
  struct Inputs {
    Codes a, b;
    Values c;
    RegisterSet extra; ///< inputs of `tail`, %in after the others
  };
  std::vector<Values> run(const std::vector<Inputs> &inputs);

  /// What the definition gives, in double.
  Values reference(const Inputs &inputs) const;

  /// One element of A is 1, B is random, C is zero: that row of D is B's row, the rest is zero. The same for B.
  void probeA();
  void probeB();
  /// A and B are zero: D is C.
  void probeC();
  /// Random matrices; see the bound at its definition.
  void random();
  /// All of these.
  void all() {
    probeA();
    probeB();
    probeC();
    random();
  }

private:
  MmaForm form;
  std::mt19937_64 generator{20251125};
};

} // namespace glm::ptx::test
