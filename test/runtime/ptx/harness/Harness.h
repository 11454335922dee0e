// PTX text through the whole chain in a test: parsed, decoded with every form that the driver knows, run.
//
//   LaneProgram program;                       a snippet for 32 lanes
//   program.input(Type::B32, a);               lane i finds a[i] in %in0
//   program.output(Type::B32);                 and leaves its result in %out0
//   Outputs out = program.run("add.s32 %out0, %in0, 7;");
//   EXPECT_EQ(out[0][3], ...);
//
//   TestModule module(text);                   whole kernels
//   uint64_t x = module.upload(values);
//   EXPECT_FALSE(module.launch("k", {.block = {64, 1, 1}}, x, 17u));
//   module.download<float>(x, 64);
#pragma once

#include "runtime/ptx/instructions/InstructionSet.h"
#include "runtime/ptx/machine/Profile.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace glm::ptx::test {

/// What a module that is refused says; empty if it loads.
std::string refusal(const std::string &text, std::string_view chip = "sm_120a");

/// ".version 9.0 .target CHIP .address_size 64" and `text`.
std::string moduleText(std::string_view text, std::string_view chip = "sm_120a");

/// A module in memory of its own, and its launches.
class TestModule {
public:
  /// Text without the directives of moduleText. The test fails if it does not load.
  explicit TestModule(std::string_view text, std::string_view chip = "sm_120a");

  explicit operator bool() const { return loaded != nullptr; }
  GlobalMemory &memory() { return *globals; }
  const LoadedModule &module() const { return *loaded; }

  Options options{.checks = true, .threads = 1};
  /// Counters of the launches so far.
  Profile profile;

  uint64_t allocate(uint64_t bytes);
  template <typename T>
  uint64_t upload(const std::vector<T> &values) {
    uint64_t address = allocate(values.size() * sizeof(T));
    std::memcpy(reinterpret_cast<void *>(address), values.data(), values.size() * sizeof(T));
    return address;
  }
  template <typename T>
  std::vector<T> download(uint64_t address, size_t count) {
    std::vector<T> values(count);
    std::memcpy(values.data(), reinterpret_cast<const void *>(address), count * sizeof(T));
    return values;
  }

  /// Arguments in the order of the parameters, each of its parameter's size.
  template <typename... Arguments>
  std::optional<LaunchFault> launch(std::string_view kernel, LaunchConfig config, Arguments... arguments) {
    std::vector<std::vector<std::byte>> bytes;
    (bytes.push_back(bytesOf(arguments)), ...);
    return launchBytes(kernel, std::move(config), bytes);
  }
  /// The message of the fault; "" for none.
  template <typename... Arguments>
  std::string faultOf(std::string_view kernel, LaunchConfig config, Arguments... arguments) {
    std::optional<LaunchFault> fault = launch(kernel, std::move(config), arguments...);
    return fault ? fault->message : "";
  }

private:
  template <typename T>
  static std::vector<std::byte> bytesOf(const T &value) {
    std::vector<std::byte> bytes(sizeof(T));
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
  }
  std::optional<LaunchFault> launchBytes(std::string_view kernel, LaunchConfig config,
                                         const std::vector<std::vector<std::byte>> &arguments);

  std::unique_ptr<GlobalMemory> globals = std::make_unique<GlobalMemory>();
  std::unique_ptr<LoadedModule> loaded;
};

/// A 128-bit value, or any narrower one in `low`.
struct Value {
  uint64_t low = 0, high = 0;

  bool operator==(const Value &) const = default;
  bool operator==(uint64_t other) const { return low == other && !high; }
};
std::ostream &operator<<(std::ostream &out, const Value &value);

/// By output and lane.
using Outputs = std::vector<std::vector<Value>>;

/// A few instructions on the 32 lanes of one warp (or of several), with inputs and outputs in registers.
class LaneProgram {
public:
  explicit LaneProgram(std::string_view chip = "sm_120a", uint32_t warps = 1) : chip(chip), warps(warps) {}

  /// %in0, %in1, ...: a value per thread; of predicates, zero or not.
  void input(Type type, std::vector<uint64_t> values);
  void input(Type type, std::vector<Value> values);
  /// %out0, ...: every lane must have written it at the end, unless `initial` is given.
  void output(Type type, std::optional<uint64_t> initial = std::nullopt);
  /// Text before the entry (variables, functions) and at the start of its body (registers).
  std::string moduleScope, declarations;

  Options options{.checks = true, .threads = 1};

  /// The test fails if the text does not load or faults.
  Outputs run(std::string_view body);
  /// The message of the refusal or the fault; "" for none.
  std::string failure(std::string_view body);

private:
  struct Port {
    Type type;
    std::vector<Value> values;
    bool initialized = false;
  };
  std::string text(std::string_view body) const;
  std::string attempt(std::string_view body, Outputs &outputs);

  std::string_view chip;
  uint32_t warps;
  std::vector<Port> inputs, outputs;
};

/// main of a room's tests. With --coverage=FILE as the first argument every test must have run, and together they must have
/// executed every form of `forms`: FILE becomes the table of forms and the tests that run them, and the exit status is 1 if
/// a form has none.
int runTests(int argc, char **argv, std::span<const Form> forms);

} // namespace glm::ptx::test
