// The fragment layouts of mma as the figures of the PTX ISA give them ("Matrix Fragments for mma..."), a formula for each, with
// groupID = laneid / 4 and threadID_in_group = laneid % 4.
#pragma once

#include "test/runtime/ptx/matrix/Formats.h"

#include <string>
#include <vector>

namespace glm::ptx::test {

struct Coordinate {
  int row = 0, column = 0;
};

struct FragmentLayout {
  int count = 0; ///< elements of a lane
  Coordinate (*place)(int lane, int i) = nullptr;
};

struct MmaShape {
  std::string word;
  int m = 0, n = 0, k = 0;
  FragmentLayout a, b, c;
};

/// By the shape's word and the element's storage bits.
MmaShape mmaShape(const std::string &word, int storage);

} // namespace glm::ptx::test
