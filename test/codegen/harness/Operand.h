// An operand of a kernel under test: its type, its bytes as the runtime would hand them over, and what they mean.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace glm::test {

/// Random numbers that are the same on every machine (xorshift64*).
class Random {
public:
  explicit Random(uint64_t seed) : state(seed * 2654435761u + 88172645463325252u) {}
  uint64_t next();
  double uniform(double low, double high);
  int64_t below(int64_t bound) { return static_cast<int64_t>(next() % static_cast<uint64_t>(bound)); }

private:
  uint64_t state;
};

/// `value` after it was stored as `element` (f32, bf16, f16, i32).
double rounded(double value, const std::string &element);

class Operand {
public:
  /// A buffer, memref<shape x element>; element is f32, bf16 or i32.
  static Operand buffer(std::string element, std::vector<int64_t> shape);
  /// A weight as the checkpoint stores it, tensor<shape x element>; element is f32, bf16 or f16. Rank 3 is a table of matrices.
  static Operand weight(std::string element, std::vector<int64_t> shape);
  /// A packed weight of rank 2 or 3. Weights of both kinds start at odd addresses.
  static Operand packed(std::vector<int64_t> shape, int64_t block = 16);
  /// A packed weight of rank 2 in tiles (#glm.nvfp4), still empty, which the kernel writes.
  static Operand emptyTiles(std::vector<int64_t> shape);
  /// packed(shape) if `element` is "nvfp4", the same with an input scale if it is "nvfp4_w4a4", else weight(element, shape).
  static Operand anyWeight(const std::string &element, std::vector<int64_t> shape);

  /// Uniform numbers; of a packed weight random codes (signs included) and scales (zero and subnormal ones included).
  Operand &&randomize(Random &random, double low = -1.0, double high = 1.0) &&;
  Operand &&set(const std::vector<double> &numbers) &&;
  /// The first elements, row-major.
  void assign(const std::vector<double> &numbers);

  /// Rows that are multiplied with matrix number `matrix`, as its input scale has them rounded to NVFP4 (ModelOpt: the scale of a block is
  /// E4M3(largest / 6 / input scale)); as they are without one.
  std::vector<double> quantizedInput(std::vector<double> rows, int64_t matrix = 0) const;

  /// What the bytes mean, row-major: a buffer is read back.
  std::vector<double> values() const;
  std::string type() const; ///< MLIR type
  bool isWeight() const { return !isBuffer; }
  bool isTable() const { return !isBuffer && dimensions.size() == 3; }
  const std::string &element() const { return elementName; }
  const std::vector<int64_t> &shape() const { return dimensions; }
  int64_t size() const;
  int64_t width() const { return dimensions.back(); }

  /// What `args` holds for it; valid while the operand lives and is not moved.
  std::vector<void *> pointers();
  /// One argument of a launch as bytes: of one piece, or a table of pieces.
  struct Argument {
    std::vector<std::vector<uint8_t>> pieces;
    bool table = false;
  };
  /// The same arguments for memory that they have to be copied to; a packed weight may be asked for `inTiles`.
  std::vector<Argument> arguments(bool inTiles = false) const;
  /// Codes and scales of a matrix as #glm.nvfp4 draws its tiles.
  std::vector<uint8_t> tiles(int64_t matrix) const;
  /// Whether a kernel leaves something in it.
  bool isWritten() const { return isBuffer || isEmptyTiles; }
  /// Bytes of what is written, to put them back.
  std::vector<uint8_t> bytes() const { return blobs.front(); }
  void setBytes(const std::vector<uint8_t> &bytes) { blobs.front() = bytes; }

private:
  std::string elementName;
  std::vector<int64_t> dimensions;
  bool isBuffer = true, isEmptyTiles = false;
  int64_t block = 0;
  std::vector<std::vector<uint8_t>>
      blobs; ///< a buffer's bytes; or, per matrix, one byte more than its bytes, which are behind the first
  std::vector<std::vector<uint8_t>> scales; ///< per matrix, likewise
  std::vector<float> globals;               ///< per matrix
  std::vector<float> inputScales;           ///< per matrix, or none
  std::vector<void *> blobTable, scaleTable;
};

} // namespace glm::test
