// What the subcommands are asked, and the subcommands.
#pragma once

#include "runtime/artifact/Result.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace glm::ptx {

struct CheckOptions {
  std::filesystem::path file;
  std::string chip; ///< empty: as chooseChip says
  bool json = false;
};

struct RunOptions {
  std::filesystem::path file;
  std::string chip;
  std::string kernel;
  std::vector<uint32_t> grid{1}, block{1}, cluster; ///< one to three dimensions; no cluster: what the kernel says
  uint32_t dynamicShared = 0;                       ///< bytes
  bool cooperative = false;
  std::vector<std::string> arguments; ///< Arguments.h
  bool noChecks = false;
  uint32_t threads = 0;          ///< 0: processors
  uint64_t stepLimit = 0;        ///< warp instructions; 0: none
  std::filesystem::path profile; ///< empty: nothing is counted
};

struct ProfileOptions {
  std::filesystem::path file;
  std::string kernel; ///< empty: every launch
  uint32_t lines = 16;
};

struct FormsOptions {
  std::string prefix;
  bool json = false;
};

Result<void> checkCommand(const CheckOptions &options);
Result<void> runCommand(const RunOptions &options);
Result<void> profileCommand(const ProfileOptions &options);
Result<void> formsCommand(const FormsOptions &options);

} // namespace glm::ptx
