// The word m16n8k16.
#pragma once

#include <charconv>
#include <string_view>

namespace glm::ptx {

struct MatrixShape {
  int m = 0, n = 0, k = 0;
};

/// Of a word that a pattern allowed.
inline MatrixShape shapeOf(std::string_view word) {
  MatrixShape shape;
  const char *end = word.data() + word.size();
  const char *next = std::from_chars(word.data() + 1, end, shape.m).ptr;
  next = std::from_chars(next + 1, end, shape.n).ptr;
  if (next != end)
    std::from_chars(next + 1, end, shape.k);
  return shape;
}

} // namespace glm::ptx
