#include "test/codegen/harness/Operand.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

namespace glm::test {
namespace {

size_t bytesOf(const std::string &element) { return element == "f32" || element == "i32" ? 4 : 2; }

uint16_t toBf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float fromBf16(uint16_t half) {
  uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

void encode(double value, const std::string &element, uint8_t *to) {
  if (element == "i32") {
    auto number = static_cast<int32_t>(value);
    std::memcpy(to, &number, sizeof number);
  } else if (element == "f32") {
    auto number = static_cast<float>(value);
    std::memcpy(to, &number, sizeof number);
  } else if (element == "bf16") {
    uint16_t number = toBf16(static_cast<float>(value));
    std::memcpy(to, &number, sizeof number);
  } else {
    auto number = static_cast<_Float16>(value);
    std::memcpy(to, &number, sizeof number);
  }
}

double decode(const std::string &element, const uint8_t *from) {
  if (element == "i32") {
    int32_t number;
    std::memcpy(&number, from, sizeof number);
    return number;
  }
  if (element == "f32") {
    float number;
    std::memcpy(&number, from, sizeof number);
    return number;
  }
  if (element == "bf16") {
    uint16_t number;
    std::memcpy(&number, from, sizeof number);
    return fromBf16(number);
  }
  _Float16 number;
  std::memcpy(&number, from, sizeof number);
  return static_cast<double>(number);
}

/// OCP Microscaling Formats 1.0, 5.3.3.
constexpr float kE2m1[] = {0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f};

float decodeE4m3(uint8_t bits) {
  int exponent = bits >> 3, mantissa = bits & 7;
  return exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -9)
                       : std::ldexp(1.0f + static_cast<float>(mantissa) / 8.0f, exponent - 7);
}

/// The nearest of all positive numbers of E4M3; of two that are as near the one whose last bit is zero.
float nearestE4m3(float value) {
  uint8_t best = 1;
  for (uint8_t bits = 2; bits < 0x7f; ++bits) {
    double there = std::fabs(decodeE4m3(bits) - double(value)), here = std::fabs(decodeE4m3(best) - double(value));
    if (there < here || (there == here && bits % 2 == 0))
      best = bits;
  }
  return decodeE4m3(best);
}

float nearestE2m1(float value) {
  int best = 0;
  for (int code = 1; code < 8; ++code) {
    double there = std::fabs(kE2m1[code] - std::fabs(double(value))),
           here = std::fabs(kE2m1[best] - std::fabs(double(value)));
    if (there < here || (there == here && code % 2 == 0))
      best = code;
  }
  return std::copysign(kE2m1[best], value);
}

int64_t product(const std::vector<int64_t> &shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1), std::multiplies<>());
}

} // namespace

uint64_t Random::next() {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (state * 2685821657736338717u) >> 8;
}

double Random::uniform(double low, double high) {
  return low + (high - low) * static_cast<double>(next() & 0xffffffff) / 4294967296.0;
}

double rounded(double value, const std::string &element) {
  uint8_t bytes[4];
  encode(value, element, bytes);
  return decode(element, bytes);
}

Operand Operand::buffer(std::string element, std::vector<int64_t> shape) {
  Operand operand;
  operand.elementName = std::move(element);
  operand.dimensions = std::move(shape);
  operand.blobs.emplace_back(operand.size() * bytesOf(operand.elementName));
  return operand;
}

Operand Operand::weight(std::string element, std::vector<int64_t> shape) {
  Operand operand;
  operand.isBuffer = false;
  operand.elementName = std::move(element);
  operand.dimensions = std::move(shape);
  int64_t matrices = operand.isTable() ? operand.dimensions[0] : 1;
  operand.blobs.resize(matrices, std::vector<uint8_t>(operand.size() / matrices * bytesOf(operand.elementName) + 1));
  return operand;
}

Operand Operand::packed(std::vector<int64_t> shape, int64_t block) {
  Operand operand;
  operand.isBuffer = false;
  operand.elementName = "nvfp4";
  operand.dimensions = std::move(shape);
  operand.block = block;
  int64_t matrices = operand.isTable() ? operand.dimensions[0] : 1, size = operand.size() / matrices;
  operand.blobs.resize(matrices, std::vector<uint8_t>(size / 2 + 1));
  operand.scales.resize(matrices, std::vector<uint8_t>(size / block + 1));
  operand.globals.resize(matrices);
  return operand;
}

Operand Operand::emptyTiles(std::vector<int64_t> shape) {
  Operand operand = packed(std::move(shape));
  operand.isEmptyTiles = true;
  operand.blobs.front() = operand.tiles(0);
  return operand;
}

Operand Operand::anyWeight(const std::string &element, std::vector<int64_t> shape) {
  if (element == "nvfp4_w4a4") {
    Operand operand = packed(std::move(shape));
    operand.inputScales.resize(operand.globals.size());
    return operand;
  }
  return element == "nvfp4" ? packed(std::move(shape)) : weight(element, std::move(shape));
}

Operand &&Operand::randomize(Random &random, double low, double high) && {
  if (block == 0) {
    std::vector<double> numbers(size());
    for (double &number : numbers)
      number = elementName == "i32" ? std::floor(random.uniform(low, high)) : random.uniform(low, high);
    assign(numbers);
    return std::move(*this);
  }
  for (std::vector<uint8_t> &blob : blobs)
    for (uint8_t &byte : blob)
      byte = static_cast<uint8_t>(random.next());
  // Scales up to 2, of which one in eight is subnormal or zero.
  for (std::vector<uint8_t> &blob : scales)
    for (uint8_t &byte : blob)
      byte = static_cast<uint8_t>(random.below(8) == 0 ? random.below(8) : 0x28 + random.below(0x19));
  for (float &global : globals)
    global = static_cast<float>(random.uniform(0.05, 0.2));
  for (float &scale : inputScales)
    scale = static_cast<float>(random.uniform(0.001, 0.01));
  return std::move(*this);
}

Operand &&Operand::set(const std::vector<double> &numbers) && {
  assign(numbers);
  return std::move(*this);
}

void Operand::assign(const std::vector<double> &numbers) {
  size_t matrices = blobs.size(), perMatrix = numbers.size() / matrices, step = bytesOf(elementName);
  for (size_t i = 0; i < numbers.size(); ++i)
    encode(numbers[i], elementName, blobs[i / perMatrix].data() + (isBuffer ? 0 : 1) + i % perMatrix * step);
}

std::vector<double> Operand::quantizedInput(std::vector<double> rows, int64_t matrix) const {
  if (inputScales.empty())
    return rows;
  for (size_t begin = 0; begin < rows.size(); begin += block) {
    float most = 0;
    for (int64_t i = 0; i < block; ++i)
      most = std::max(most, static_cast<float>(std::fabs(rows[begin + i])));
    float scale = nearestE4m3(most / 6.0f / inputScales[matrix]) * inputScales[matrix];
    for (int64_t i = 0; i < block; ++i)
      rows[begin + i] = nearestE2m1(static_cast<float>(rows[begin + i]) * (1.0f / scale)) * scale;
  }
  return rows;
}

std::vector<double> Operand::values() const {
  std::vector<double> numbers(size());
  size_t matrices = blobs.size(), perMatrix = numbers.size() / matrices;
  for (size_t i = 0; i < numbers.size(); ++i) {
    size_t matrix = i / perMatrix, inner = i % perMatrix;
    if (block == 0) {
      numbers[i] = decode(elementName, blobs[matrix].data() + (isBuffer ? 0 : 1) + inner * bytesOf(elementName));
      continue;
    }
    int code = (blobs[matrix][1 + inner / 2] >> (inner % 2 * 4)) & 15;
    float magnitude = kE2m1[code & 7];
    numbers[i] =
        (code & 8 ? -magnitude : magnitude) * (decodeE4m3(scales[matrix][1 + inner / block]) * globals[matrix]);
  }
  return numbers;
}

std::string Operand::type() const {
  std::string text = isBuffer ? "memref<" : "tensor<";
  for (int64_t dimension : dimensions)
    text += std::to_string(dimension) + "x";
  if (block != 0)
    return text + "f4E2M1FN, #glm.nvfp4<block = " + std::to_string(block) + ", source = modelopt" +
           (inputScales.empty() ? "" : ", quantized_inputs = true") + (isEmptyTiles ? ", tiled = true" : "") + ">>";
  return text + elementName + ">";
}

int64_t Operand::size() const { return product(dimensions); }

std::vector<void *> Operand::pointers() {
  if (isBuffer)
    return {blobs.front().data()};
  blobTable.clear();
  scaleTable.clear();
  for (std::vector<uint8_t> &blob : blobs)
    blobTable.push_back(blob.data() + 1);
  for (std::vector<uint8_t> &blob : scales)
    scaleTable.push_back(blob.data() + 1);
  std::vector<void *> result = {isTable() ? static_cast<void *>(blobTable.data()) : blobTable.front()};
  if (block != 0) {
    result.push_back(isTable() ? static_cast<void *>(scaleTable.data()) : scaleTable.front());
    result.push_back(globals.data());
  }
  if (!inputScales.empty())
    result.push_back(inputScales.data());
  return result;
}

std::vector<uint8_t> Operand::tiles(int64_t matrix) const {
  constexpr int64_t tileRows = 16, tileColumns = 256, codeBytes = 2048, tileBytes = 2304;
  int64_t columns = dimensions.back(), rows = dimensions[dimensions.size() - 2];
  int64_t across = (columns + tileColumns - 1) / tileColumns, down = (rows + tileRows - 1) / tileRows;
  std::vector<uint8_t> bytes(down * across * tileBytes);
  for (int64_t n = 0; n < rows; ++n)
    for (int64_t k = 0; k < columns; k += 2) {
      int64_t r = n % tileRows, inner = k % tileColumns, unit = inner / 64, column = inner % 64;
      uint8_t *tile = bytes.data() + (n / tileRows * across + k / tileColumns) * tileBytes;
      int64_t lane = 4 * (r % 8) + column % 32 / 8, word = column / 32 * 2 + r / 8;
      tile[512 * unit + 16 * lane + 4 * word + column % 8 / 2] = blobs[matrix][1 + (n * columns + k) / 2];
      int64_t scale = column / 16;
      tile[codeBytes + 16 * r + 8 * (scale % 2) + 2 * unit + scale / 2] = scales[matrix][1 + (n * columns + k) / block];
    }
  return bytes;
}

std::vector<Operand::Argument> Operand::arguments(bool inTiles) const {
  if (isBuffer)
    return {{{blobs.front()}, false}};
  auto behindTheFirst = [&](const std::vector<std::vector<uint8_t>> &matrices) {
    Argument argument{{}, isTable()};
    for (const std::vector<uint8_t> &matrix : matrices)
      argument.pieces.emplace_back(matrix.begin() + 1, matrix.end());
    return argument;
  };
  std::vector<Argument> result;
  if (isEmptyTiles) {
    result.push_back({{blobs.front()}, false});
  } else if (inTiles && block != 0) {
    Argument &argument = result.emplace_back(Argument{{}, isTable()});
    for (size_t matrix = 0; matrix < blobs.size(); ++matrix)
      argument.pieces.push_back(tiles(static_cast<int64_t>(matrix)));
  } else {
    result.push_back(behindTheFirst(blobs));
    if (block != 0)
      result.push_back(behindTheFirst(scales));
  }
  for (const std::vector<float> *scalars : {&globals, &inputScales}) {
    auto *numbers = reinterpret_cast<const uint8_t *>(scalars->data());
    if (!scalars->empty())
      result.push_back({{{numbers, numbers + scalars->size() * sizeof(float)}}, false});
  }
  return result;
}

} // namespace glm::test
