// What the driver asks of the machine: load a module into a device, run a kernel of it.
#pragma once

#include "runtime/artifact/Result.h"
#include "runtime/ptx/isa/Program.h"
#include "runtime/ptx/machine/AlignedBytes.h"
#include "runtime/ptx/machine/GlobalMemory.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace glm::ptx {

class Profile;

using Dim3 = std::array<uint32_t, 3>;

/// What is checked while kernels run, and how. From the environment (machine/Options.cpp names the variables).
struct Options {
  bool checks = true;           ///< all but bounds and alignment, which cannot be turned off
  uint32_t threads = 0;         ///< host threads for blocks; 0: processors
  uint64_t stepLimit = 0;       ///< warp instructions of one launch; 0: none
  bool alignedSums = false;     ///< matrix products accumulate as an H100 does (matrix/README.md), which is slower
  std::string profilePath = {}; ///< JSON of counters, which the driver writes; empty: nothing is counted
};

/// Options of this process: environment variables GLM_PTX_CHECKS, GLM_PTX_THREADS, GLM_PTX_STEP_LIMIT, GLM_PTX_SUMS,
/// GLM_PTX_PROFILE.
Result<Options> optionsFromEnvironment();

/// Why a launch ended early. `kind` decides which CUresult the driver gives.
struct LaunchFault {
  enum class Kind : uint8_t {
    IllegalAddress,
    MisalignedAddress,
    IllegalInstruction,
    HardwareStackError,
    InvalidPc,
    Assert,
    LaunchFailed,  ///< everything that a real chip would not report, and our checks do
    LaunchTimeout, ///< step limit, deadlock
  };
  Kind kind = Kind::LaunchFailed;
  /// One or more lines: "kernel K, block (0,0,0), warp 1, lane 3, FILE.ptx:17 (source a.cu:4): <subject> <rule>, but <found>".
  std::string message;
};

struct LaunchConfig {
  Dim3 grid{1, 1, 1}, block{1, 1, 1};
  Dim3 cluster{1, 1, 1};
  uint32_t dynamicShared = 0;             ///< bytes
  bool cooperative = false;               ///< all blocks are resident together
  std::vector<std::byte> parameters = {}; ///< laid out as Code::parameterOffset says
};

/// A program in one device's memory: its variables have addresses.
class LoadedModule {
public:
  static Result<std::unique_ptr<LoadedModule>> load(std::shared_ptr<const Program> program, GlobalMemory &memory,
                                                    int32_t device);
  ~LoadedModule();

  const Program &program() const { return *source; }
  GlobalMemory &memory() const { return globals; }
  int32_t device() const { return owner; }
  /// Constants of the program with addresses filled in.
  const std::byte *constants() const { return bank.data(); }

  /// Index into Program::code; nothing if there is no such entry.
  std::optional<uint32_t> kernel(std::string_view name) const;

  struct Placed {
    uint64_t address = 0, bytes = 0;
  };
  /// A .global or .const variable of module scope.
  std::optional<Placed> variable(std::string_view name) const;

  /// Address of Module::variables[index], a .global or .const one; the function "address" of Module::functions[index], which
  /// indirect calls compare and jump to.
  uint64_t variableAddress(uint32_t index) const { return addresses[index]; }
  uint64_t functionAddress(uint32_t index) const;
  std::optional<uint32_t> functionAt(uint64_t address) const;

  /// A .global or .const variable of a function's body.
  uint64_t functionVariableAddress(uint32_t function, uint32_t index) const {
    return functionVariables[function][index];
  }

  /// Where the variables of .shared lie when `kernel` runs.
  const SharedLayout &shared(uint32_t kernel) const { return layouts[kernel]; }

  /// A kernel's blocks must run in one order, on one thread: it, or a function that it may call, has an op with Op::ordered.
  bool isOrdered(uint32_t kernel) const { return ordered[kernel]; }

private:
  LoadedModule(std::shared_ptr<const Program> program, GlobalMemory &memory, int32_t device);
  Result<uint64_t> place(const Variable &variable);
  void relocate(const Variable &variable, uint64_t address);
  void findOrdered();

  std::shared_ptr<const Program> source;
  GlobalMemory &globals;
  int32_t owner;
  AlignedBytes bank;
  std::vector<uint64_t> addresses;                      ///< by Module::variables
  std::vector<std::vector<uint64_t>> functionVariables; ///< by function and its variables
  std::vector<uint64_t> owned;                          ///< to be released
  std::vector<SharedLayout> layouts;                    ///< by function
  std::vector<bool> ordered;                            ///< by function
};

/// Run every block of a launch and wait for it. The result does not depend on Options::threads.
std::optional<LaunchFault> runLaunch(const LoadedModule &module, uint32_t kernel, const LaunchConfig &config,
                                     const Options &options, Profile *profile);

} // namespace glm::ptx
