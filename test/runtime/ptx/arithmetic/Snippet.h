// A few lines of PTX, parsed and decoded as always, run on one warp that needs no machine: the ops are called one after the
// other. So every set of handlers that this processor can run is tested with the same text.
#pragma once

#include "runtime/ptx/arithmetic/Forms.h"
#include "runtime/ptx/isa/Program.h"
#include "runtime/ptx/machine/Warp.h"

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace glm::ptx {

/// A value per lane, in the low bits. Predicates: 0 or 1.
using LaneValues = std::array<uint64_t, kWarpSize>;

/// Every set of handlers that this processor has.
std::vector<LaneSet> laneSets();

class Snippet {
public:
  /// `body` uses %h0.. (16 bits), %r0.. (32), %l0.. (64), %b0.. (8), %q0.. (128), %p0.. (predicates).
  Snippet(LaneSet set, std::string_view body, std::string_view chip = "sm_100a", std::string_view version = "9.0");

  /// What the decoder says, if it refuses the text; then nothing else may be asked.
  const std::string &refusal() const { return error; }

  void set(std::string_view name, const LaneValues &values);
  LaneValues get(std::string_view name) const;
  void setCarry(LaneMask carry) { warp.carry = carry; }
  LaneMask carry() const { return warp.carry; }

  /// Fills the place of a special register that the text reads.
  void setSpecial(const LaneValues &values);

  void run(LaneMask lanes = ~LaneMask(0));

  const Program &decoded() const { return *program; }

private:
  struct Place {
    Slot slot;
    uint32_t bytes; ///< of a lane; 0: a predicate
  };
  std::optional<Place> placeOf(std::string_view name) const;

  std::unique_ptr<Program> program;
  std::string error;
  std::map<std::string, LaneValues, std::less<>>
      unnamed; ///< registers that the text does not name keep what they were given
  std::vector<std::byte> memory;
  Warp warp;
};

/// One instruction form with operands in registers: destination first.
struct FormCase {
  std::string spelling; ///< "add.sat.s32"
  Type to;
  std::vector<Type> from;
  /// The result for the inputs of one lane.
  std::function<uint64_t(const uint64_t *inputs)> expected;
  std::string_view chip = "sm_100a";
  /// Makes a result acceptable that is not the expected one (approximations).
  std::function<bool(const uint64_t *inputs, uint64_t found, uint64_t expected)> accepts = {};
  /// Makes an input; empty: what the type finds interesting.
  std::function<uint64_t(std::mt19937_64 &, size_t index)> input = {};
  int rounds = 24; ///< of 32 lanes
};

/// Runs the form on random and on interesting values, with all lanes and with some, with the destination apart from the
/// sources and the same as each of them, for every set of handlers; lanes that do not run must keep what they have.
void check(const FormCase &form);

/// Values that are interesting for a type.
uint64_t interesting(Type type, std::mt19937_64 &random);

} // namespace glm::ptx
