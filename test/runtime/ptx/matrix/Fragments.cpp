#include "test/runtime/ptx/matrix/Fragments.h"

#include <cstdlib>

namespace glm::ptx::test {

namespace {

int g(int lane) { return lane / 4; }
int t(int lane) { return lane % 4; }

// Accumulators: m16n8: row = groupID for c0, c1, groupID + 8 for c2, c3; col = threadID_in_group * 2 + (i & 1).
Coordinate c16(int lane, int i) { return {i < 2 ? g(lane) : g(lane) + 8, t(lane) * 2 + (i & 1)}; }
Coordinate c8(int lane, int i) { return {g(lane), t(lane) * 2 + (i & 1)}; }

// 16 bits.
Coordinate a16k16(int lane, int i) {
  return {(0 <= i && i < 2) || (4 <= i && i < 6) ? g(lane) : g(lane) + 8,
          i < 4 ? t(lane) * 2 + (i & 1) : t(lane) * 2 + (i & 1) + 8};
}
Coordinate b16k16(int lane, int i) { return {i < 2 ? t(lane) * 2 + (i & 1) : t(lane) * 2 + (i & 1) + 8, g(lane)}; }
Coordinate a16k8(int lane, int i) { return {i < 2 ? g(lane) : g(lane) + 8, t(lane) * 2 + (i & 1)}; }
Coordinate b16k8(int lane, int i) { return {t(lane) * 2 + i, g(lane)}; }

// tf32, and f64 of these shapes.
Coordinate a32k4(int lane, int i) { return {i == 0 ? g(lane) : g(lane) + 8, t(lane)}; }
Coordinate b32k4(int lane, int) { return {t(lane), g(lane)}; }
Coordinate a32k8(int lane, int i) {
  return {i == 0 || i == 2 ? g(lane) : g(lane) + 8, i == 0 || i == 1 ? t(lane) : t(lane) + 4};
}
Coordinate b32k8(int lane, int i) { return {i == 0 ? t(lane) : t(lane) + 4, g(lane)}; }

// f64.
Coordinate a64m8k4(int lane, int) { return {g(lane), t(lane)}; }
Coordinate a64k16(int lane, int i) { return {i % 2 == 0 ? g(lane) : g(lane) + 8, i / 2 * 4 + t(lane)}; }
Coordinate b64k16(int lane, int i) { return {t(lane) + i * 4, g(lane)}; }

// 8 bits.
Coordinate a8m8k16(int lane, int i) { return {g(lane), t(lane) * 4 + i}; }
Coordinate b8k16(int lane, int i) { return {t(lane) * 4 + i, g(lane)}; }
Coordinate a8k16(int lane, int i) { return {i < 4 ? g(lane) : g(lane) + 8, t(lane) * 4 + (i & 3)}; }
Coordinate a8k32(int lane, int i) {
  return {(0 <= i && i < 4) || (8 <= i && i < 12) ? g(lane) : g(lane) + 8,
          i < 8 ? t(lane) * 4 + (i & 3) : t(lane) * 4 + (i & 3) + 16};
}
Coordinate b8k32(int lane, int i) { return {i < 4 ? t(lane) * 4 + (i & 3) : t(lane) * 4 + (i & 3) + 16, g(lane)}; }

// 4 bits.
Coordinate a4m8k32(int lane, int i) { return {g(lane), t(lane) * 8 + i}; }
Coordinate b4k32(int lane, int i) { return {t(lane) * 8 + i, g(lane)}; }
Coordinate a4k32(int lane, int i) { return {i < 8 ? g(lane) : g(lane) + 8, t(lane) * 8 + (i & 7)}; }
Coordinate a4k64(int lane, int i) {
  return {(0 <= i && i < 8) || (16 <= i && i < 24) ? g(lane) : g(lane) + 8,
          i < 16 ? t(lane) * 8 + (i & 7) : t(lane) * 8 + (i & 7) + 32};
}
Coordinate b4k64(int lane, int i) { return {i < 8 ? t(lane) * 8 + (i & 7) : t(lane) * 8 + (i & 7) + 32, g(lane)}; }

// 1 bit.
Coordinate a1m8k128(int lane, int i) { return {g(lane), t(lane) * 32 + i}; }
Coordinate b1k128(int lane, int i) { return {t(lane) * 32 + i, g(lane)}; }
Coordinate a1k128(int lane, int i) { return {i < 32 ? g(lane) : g(lane) + 8, t(lane) * 32 + (i & 31)}; }
Coordinate a1k256(int lane, int i) {
  return {i < 32 || (64 <= i && i < 96) ? g(lane) : g(lane) + 8,
          i < 64 ? t(lane) * 32 + (i & 31) : t(lane) * 32 + (i & 31) + 128};
}
Coordinate b1k256(int lane, int i) { return {i < 32 ? t(lane) * 32 + i : t(lane) * 32 + (i & 31) + 128, g(lane)}; }

} // namespace

MmaShape mmaShape(const std::string &word, int storage) {
  struct Row {
    const char *word;
    int storage;
    FragmentLayout a, b;
  };
  static const Row rows[] = {
      {"m16n8k16", 16, {8, a16k16}, {4, b16k16}},    {"m16n8k8", 16, {4, a16k8}, {2, b16k8}},
      {"m16n8k4", 32, {2, a32k4}, {1, b32k4}},       {"m16n8k8", 32, {4, a32k8}, {2, b32k8}},
      {"m8n8k4", 64, {1, a64m8k4}, {1, b32k4}},      {"m16n8k4", 64, {2, a32k4}, {1, b32k4}},
      {"m16n8k8", 64, {4, a32k8}, {2, b32k8}},       {"m16n8k16", 64, {8, a64k16}, {4, b64k16}},
      {"m8n8k16", 8, {4, a8m8k16}, {4, b8k16}},      {"m16n8k16", 8, {8, a8k16}, {4, b8k16}},
      {"m16n8k32", 8, {16, a8k32}, {8, b8k32}},      {"m8n8k32", 4, {8, a4m8k32}, {8, b4k32}},
      {"m16n8k32", 4, {16, a4k32}, {8, b4k32}},      {"m16n8k64", 4, {32, a4k64}, {16, b4k64}},
      {"m8n8k128", 1, {32, a1m8k128}, {32, b1k128}}, {"m16n8k128", 1, {64, a1k128}, {32, b1k128}},
      {"m16n8k256", 1, {128, a1k256}, {64, b1k256}},
  };
  for (const Row &row : rows)
    if (row.word == word && row.storage == storage) {
      MmaShape shape;
      shape.word = word;
      shape.m = word.starts_with("m8") ? 8 : 16;
      shape.n = 8;
      shape.k = std::atoi(word.substr(word.find('k') + 1).c_str());
      shape.a = row.a;
      shape.b = row.b;
      shape.c = shape.m == 8 ? FragmentLayout{2, c8} : FragmentLayout{4, c16};
      return shape;
    }
  std::abort();
}

} // namespace glm::ptx::test
