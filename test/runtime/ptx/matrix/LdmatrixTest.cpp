#include "test/runtime/ptx/matrix/WarpKernel.h"

#include <fmt/format.h>
#include <random>

namespace glm::ptx::test {
namespace {

constexpr int kBytes = 512;

/// Bytes of shared memory at the addresses that the lanes give.
struct Tile {
  std::vector<uint8_t> bytes = std::vector<uint8_t>(kBytes);
  Register rows{}; ///< byte offset of each lane's row

  explicit Tile(uint64_t seed) {
    std::mt19937_64 generator(seed);
    for (uint8_t &byte : bytes)
      byte = static_cast<uint8_t>(generator());
    std::vector<uint64_t> places(32);
    for (size_t i = 0; i < 32; ++i)
      places[i] = i * 16;
    std::shuffle(places.begin(), places.end(), generator);
    std::copy(places.begin(), places.end(), rows.begin());
  }
  uint8_t at(int row, int byte) const { return bytes[rows[static_cast<size_t>(row)] + static_cast<size_t>(byte)]; }
  /// As registers: word i of lane l is bytes 16 l + 4 i.
  RegisterSet registers() const {
    RegisterSet set(5, Register{});
    for (size_t lane = 0; lane < 32; ++lane)
      for (size_t word = 0; word < 4; ++word)
        for (size_t byte = 0; byte < 4; ++byte)
          set[word][lane] |= static_cast<uint64_t>(bytes[lane * 16 + word * 4 + byte]) << 8 * byte;
    set[4] = rows;
    return set;
  }
};

/// The tile to shared memory, `body` with the lane's address in %row (shared) or %wide (generic).
std::string withTile(const std::string &body) {
  return ".shared .align 128 .b8 tile[512];\n.reg .b32 %row, %mine;\n.reg .b64 %wide;\nmov.u32 %row, tile;\n"
         "shl.b32 %mine, %lane, 4;\nadd.u32 %mine, %mine, %row;\nst.shared.v4.b32 [%mine], {%in0, %in1, %in2, %in3};\n"
         "bar.warp.sync -1;\nadd.u32 %row, %row, %in4;\ncvt.u64.u32 %wide, %row;\ncvta.shared.u64 %wide, %wide;\n" +
         body;
}

RegisterSet loaded(const std::string &instruction, int registers, const Tile &tile, const std::string &address,
                   const std::string &chip = "sm_120a") {
  WarpKernel kernel(chip, {"b32", "b32", "b32", "b32", "b32"},
                    std::vector<std::string>(static_cast<size_t>(registers), "b32"),
                    withTile(instruction + " " + vectorOf("%out", 0, registers) + ", [" + address + "];"));
  return kernel.run({tile.registers()})[0];
}

uint8_t byteOf(const RegisterSet &registers, int r, int lane, int byte) {
  return static_cast<uint8_t>(registers[static_cast<size_t>(r)][static_cast<size_t>(lane)] >> 8 * byte);
}

TEST(Ldmatrix, rows_go_to_lanes) {
  Tile tile(1);
  for (int count : {1, 2, 4})
    for (const char *space : {".shared", ".shared::cta", ""})
      for (bool transposes : {false, true}) {
        RegisterSet out =
            loaded(fmt::format("ldmatrix.sync.aligned.m8n8.x{}{}{}.b16", count, transposes ? ".trans" : "", space),
                   count, tile, *space ? "%row" : "%wide", "sm_90a");
        for (int matrix = 0; matrix < count; ++matrix)
          for (int lane = 0; lane < 32; ++lane)
            for (int half = 0; half < 2; ++half)
              for (int byte = 0; byte < 2; ++byte) {
                // "Each thread holds a fragment of a row": row lane / 4, elements 2 * (lane % 4) and the next.
                int row = lane / 4, column = 2 * (lane % 4) + half;
                if (transposes)
                  std::swap(row, column);
                ASSERT_EQ(byteOf(out, matrix, lane, 2 * half + byte), tile.at(8 * matrix + row, 2 * column + byte))
                    << count << space << transposes << " lane " << lane;
              }
      }
}

TEST(Ldmatrix, unpacks_narrow_elements) {
  Tile tile(2);
  for (auto [format, width] : {std::pair{"b4x16_p64", 4}, {"b6x16_p32", 6}})
    for (int count : {1, 2, 4}) {
      RegisterSet out =
          loaded(fmt::format("ldmatrix.sync.aligned.m8n16.x{}.shared.b8x16.{}", count, format), count, tile, "%row");
      for (int matrix = 0; matrix < count; ++matrix)
        for (int lane = 0; lane < 32; ++lane)
          for (int byte = 0; byte < 4; ++byte) {
            int element = 4 * (lane % 4) + byte, code = 0;
            for (int bit = 0; bit < width; ++bit) {
              int place = element * width + bit;
              code |= (tile.at(8 * matrix + lane / 4, place / 8) >> place % 8 & 1) << bit;
            }
            ASSERT_EQ(byteOf(out, matrix, lane, byte), code) << format << " lane " << lane << " byte " << byte;
          }
    }
}

// As CUTLASS's Copy_Traits<SM100_U8x8_LDSM_T> and <SM100_U8x16_LDSM_T> have it: the thread (t, g) and value (b0, b1, r) take bit
// 256 t + 8 g + 128 b0 + 64 b1 + 1024 r, of rows of 128 bits that thread i = (i0, i1, i2) gives at 128 i0 + 1024 i1 + 256 i2.
int cutlassBit(int lane, int byte, int r) {
  return 256 * (lane % 4) + 8 * (lane / 4) + 128 * (byte & 1) + 64 * (byte >> 1) + 1024 * r;
}
int cutlassRow(int bit) {
  for (int i = 0; i < 16; ++i)
    if (128 * (i & 1) + 1024 * (i >> 1 & 1) + 256 * (i >> 2) == bit / 128 * 128)
      return i;
  return -1;
}

TEST(Ldmatrix, bytes_transposed) {
  Tile tile(3);
  for (int count : {1, 2}) {
    RegisterSet out = loaded(fmt::format("ldmatrix.sync.aligned.m16n16.x{}.trans.shared.b8", count), 2 * count, tile,
                             "%row", "sm_100a");
    for (int matrix = 0; matrix < count; ++matrix)
      for (int r = 0; r < 2; ++r)
        for (int lane = 0; lane < 32; ++lane)
          for (int byte = 0; byte < 4; ++byte) {
            int bit = cutlassBit(lane, byte, r);
            ASSERT_EQ(byteOf(out, 2 * matrix + r, lane, byte), tile.at(16 * matrix + cutlassRow(bit), bit % 128 / 8));
          }
  }
}

TEST(Ldmatrix, narrow_elements_transposed) {
  Tile tile(4);
  for (auto [format, width] : {std::pair{"b4x16_p64", 4}, {"b6x16_p32", 6}}) {
    RegisterSet out =
        loaded(fmt::format("ldmatrix.sync.aligned.m16n16.x1.trans.shared.b8x16.{}", format), 2, tile, "%row");
    for (int r = 0; r < 2; ++r)
      for (int lane = 0; lane < 32; ++lane)
        for (int byte = 0; byte < 4; ++byte) {
          int at = cutlassBit(lane, byte, r), element = at % 128 / 8, code = 0;
          for (int bit = 0; bit < width; ++bit) {
            int place = element * width + bit;
            code |= (tile.at(cutlassRow(at), place / 8) >> place % 8 & 1) << bit;
          }
          ASSERT_EQ(byteOf(out, r, lane, byte), code) << format;
        }
  }
}

TEST(Ldmatrix, misaligned_row_is_reported) {
  std::string fault =
      WarpKernel("sm_90a", {"b32", "b32", "b32", "b32", "b32"}, {"b32"},
                 withTile("add.u32 %row, %row, 4;\nldmatrix.sync.aligned.m8n8.x1.shared.b16 {%out0}, [%row];"))
          .failure(Tile(5).registers());
  EXPECT_NE(fault.find("must be a multiple of 16"), std::string::npos) << fault;
}

/// What a store leaves: the tile's bytes as four words a lane.
std::vector<uint8_t> stored(const std::string &instruction, int registers, const Tile &tile, const RegisterSet &values,
                            const std::string &address, const std::string &chip) {
  std::vector<std::string> inputs(5 + static_cast<size_t>(registers), "b32");
  WarpKernel kernel(chip, inputs, {"b32", "b32", "b32", "b32"},
                    withTile(instruction + " [" + address + "], " + vectorOf("%in", 5, registers) +
                             ";\nbar.warp.sync -1;\nld.shared.v4.b32 {%out0, %out1, %out2, %out3}, [%mine];"));
  RegisterSet set = tile.registers();
  set.insert(set.end(), values.begin(), values.begin() + registers);
  RegisterSet out = kernel.run({set})[0];
  std::vector<uint8_t> bytes(kBytes);
  for (size_t i = 0; i < kBytes; ++i)
    bytes[i] = byteOf(out, static_cast<int>(i % 16 / 4), static_cast<int>(i / 16), static_cast<int>(i % 4));
  return bytes;
}

RegisterSet randomRegisters(uint64_t seed) {
  std::mt19937_64 generator(seed);
  RegisterSet set(4);
  for (Register &lanes : set)
    for (uint64_t &value : lanes)
      value = static_cast<uint32_t>(generator());
  return set;
}

TEST(Stmatrix, lanes_go_to_rows) {
  Tile tile(6);
  RegisterSet values = randomRegisters(7);
  for (int count : {1, 2, 4})
    for (const char *space : {".shared", ""})
      for (bool transposes : {false, true}) {
        std::vector<uint8_t> expected = tile.bytes;
        for (int matrix = 0; matrix < count; ++matrix)
          for (int lane = 0; lane < 32; ++lane)
            for (int half = 0; half < 2; ++half)
              for (int byte = 0; byte < 2; ++byte) {
                int row = lane / 4, column = 2 * (lane % 4) + half;
                if (transposes)
                  std::swap(row, column);
                expected[tile.rows[static_cast<size_t>(8 * matrix + row)] + static_cast<size_t>(2 * column + byte)] =
                    byteOf(values, matrix, lane, 2 * half + byte);
              }
        EXPECT_EQ(
            stored(fmt::format("stmatrix.sync.aligned.m8n8.x{}{}{}.b16", count, transposes ? ".trans" : "", space),
                   count, tile, values, *space ? "%row" : "%wide", "sm_90a"),
            expected)
            << count << space << transposes;
      }
}

// CUTLASS's Copy_Traits<SM100_U8x4_STSM_T>: thread (t, g), value (b0, b1): bit 256 t + 8 g + 128 b0 + 64 b1; row i at 128 i.
TEST(Stmatrix, bytes_transposed) {
  Tile tile(8);
  RegisterSet values = randomRegisters(9);
  for (int count : {1, 2, 4}) {
    std::vector<uint8_t> expected = tile.bytes;
    for (int matrix = 0; matrix < count; ++matrix)
      for (int lane = 0; lane < 32; ++lane)
        for (int byte = 0; byte < 4; ++byte) {
          int bit = cutlassBit(lane, byte, 0);
          expected[tile.rows[static_cast<size_t>(8 * matrix + bit / 128)] + static_cast<size_t>(bit % 128 / 8)] =
              byteOf(values, matrix, lane, byte);
        }
    EXPECT_EQ(stored(fmt::format("stmatrix.sync.aligned.m16n8.x{}.trans.shared.b8", count), count, tile, values, "%row",
                     "sm_100a"),
              expected)
        << count;
  }
}

TEST(Movmatrix, transposes) {
  RegisterSet values = randomRegisters(10);
  WarpKernel kernel("sm_90a", {"b32"}, {"b32"}, "movmatrix.sync.aligned.m8n8.trans.b16 %out0, %in0;");
  RegisterSet out = kernel.run({{values[0]}})[0];
  for (int row = 0; row < 8; ++row)
    for (int column = 0; column < 8; ++column) {
      auto element = [](const Register &lanes, int r, int c) {
        return lanes[static_cast<size_t>(4 * r + c / 2)] >> 16 * (c % 2) & 0xffff;
      };
      EXPECT_EQ(element(out[0], row, column), element(values[0], column, row));
    }
}

} // namespace
} // namespace glm::ptx::test
