// Arguments of a kernel on the command line.
//
//   s32:-1  u64:7  f32:0.5  f64:1e3  f16:1.5  b32:0x7f800000   a number of a parameter's size
//   in:FILE.npy                                   the address of a buffer that holds the array
//   in:FILE.npy:OUT.npy                           the same, and what it holds after the launch goes to OUT.npy
//   out:TYPE:SIZExSIZE:OUT.npy                    the address of a buffer of zeros, and what it holds after the launch
#pragma once

#include "runtime/artifact/Result.h"
#include "runtime/ptx/glm-ptx/Npy.h"

#include <optional>
#include <string>
#include <vector>

namespace glm::ptx {

struct Argument {
  std::vector<std::byte> value; ///< of a number; a buffer's address follows from the launch
  std::optional<Array> buffer;  ///< what it holds before the launch
  std::filesystem::path result; ///< where it goes after the launch; empty: nowhere
};

/// The error names the argument as it was given.
Result<Argument> parseArgument(const std::string &text);

} // namespace glm::ptx
