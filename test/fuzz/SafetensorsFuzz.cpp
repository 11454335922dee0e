// Headers of safetensors files. An input is a header: the first two bytes say how many bytes of data stand behind it, or, if both are 0xff,
// what follows is a file as it is, its length field included.
#include "runtime/artifact/Safetensors.h"
#include "test/fuzz/Fuzz.h"

#include <algorithm>

namespace glm::fuzz {
namespace {

struct Input {
  std::string start;
  uint64_t fileBytes = 0;
};

Input readInput(std::string_view input) {
  if (input.size() < 2)
    return {std::string(input), input.size()};
  uint64_t data = static_cast<uint8_t>(input[0]) | static_cast<uint64_t>(static_cast<uint8_t>(input[1])) << 8;
  std::string_view rest = input.substr(2);
  if (data == 0xffff)
    return {std::string(rest), rest.size()};
  std::string start(8, '\0');
  for (size_t i = 0; i < 8; ++i)
    start[i] = static_cast<char>(rest.size() >> (8 * i) & 0xff);
  start += rest;
  return {start, start.size() + data};
}

/// The tensors, one behind the other, are all the bytes behind the header.
void checkCover(const SafetensorsHeader &header, uint64_t dataStart, uint64_t fileBytes) {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (const auto &[name, info] : header.tensors) {
    require(static_cast<uint64_t>(info.elements()) * dtypeBytes(info.dtype) == info.bytes,
            "a tensor has the bytes of its shape", name);
    ranges.emplace_back(info.offset, info.bytes);
  }
  std::ranges::sort(ranges);
  uint64_t covered = dataStart;
  for (auto [offset, bytes] : ranges) {
    require(offset == covered, "a tensor begins where the one before it ends");
    covered += bytes;
  }
  require(covered == fileBytes, "the last tensor ends the file");
}

} // namespace

void run(std::string_view text) {
  Input input = readInput(text);
  auto header = readSafetensorsHeader("x.safetensors", input.start, input.fileBytes);
  if (!header)
    return requireRefusal(header.error());
  uint64_t headerBytes = 0;
  for (size_t i = 0; i < 8; ++i)
    headerBytes |= static_cast<uint64_t>(static_cast<uint8_t>(input.start[i])) << (8 * i);
  checkCover(*header, 8 + headerBytes, input.fileBytes);
}

} // namespace glm::fuzz
