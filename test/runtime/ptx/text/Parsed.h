// Text that must parse, and text that must not.
#pragma once

#include "runtime/ptx/text/Parser.h"

#include <gtest/gtest.h>

#include <string>

namespace glm::ptx {

inline const std::string kHead = ".version 9.0\n.target sm_120a\n.address_size 64\n";

/// The module of head and `text`, whose first line is line 4.
inline Module parsed(const std::string &text) {
  Result<Module> module = parse(kHead + text, "t");
  EXPECT_TRUE(module) << module.error().message;
  return module ? std::move(*module) : Module();
}

inline std::string refusal(const std::string &text) {
  Result<Module> module = parse(kHead + text, "t");
  return module ? "accepted" : module.error().message;
}

/// A kernel whose body begins in line 5.
inline std::string inKernel(const std::string &body) { return ".entry k()\n{" + body + "\n}\n"; }

} // namespace glm::ptx
