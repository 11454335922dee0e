#include "runtime/artifact/Message.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>

namespace glm {
namespace {

constexpr size_t kLongest = 1000, kHead = 700, kTail = 250;
constexpr size_t kMostLines = 20;

/// Bytes of the UTF-8 sequence at the start of `text` (The Unicode Standard, table 3-7), 0 if there is none.
size_t sequenceBytes(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t lead = byte(0);
  if (lead < 0x80)
    return 1;
  size_t count = lead >= 0xc2 && lead <= 0xdf   ? 2
                 : lead >= 0xe0 && lead <= 0xef ? 3
                 : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                : 0;
  if (count == 0 || text.size() < count)
    return 0;
  uint8_t least = lead == 0xe0   ? 0xa0
                  : lead == 0xf0 ? 0x90
                                 : 0x80,
          most = lead == 0xed   ? 0x9f
                 : lead == 0xf4 ? 0x8f
                                : 0xbf;
  if (byte(1) < least || byte(1) > most)
    return 0;
  for (size_t i = 2; i < count; ++i)
    if ((byte(i) & 0xc0) != 0x80)
      return 0;
  return count;
}

/// C0, DEL and C1, which is U+0080 .. U+009F.
bool isControl(std::string_view sequence) {
  auto lead = static_cast<uint8_t>(sequence[0]);
  return lead < 0x20 || lead == 0x7f || (lead == 0xc2 && static_cast<uint8_t>(sequence[1]) < 0xa0);
}

std::string escaped(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    size_t bytes = sequenceBytes(text);
    std::string_view sequence = text.substr(0, std::max<size_t>(bytes, 1));
    if (bytes > 0 && !isControl(sequence))
      result += sequence;
    else
      for (char c : sequence)
        result += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
    text.remove_prefix(sequence.size());
  }
  return result;
}

} // namespace

std::string oneLine(std::string_view text) {
  if (text.size() <= kLongest)
    return escaped(text);
  // A cut may fall into a sequence: its halves are spelled out.
  return fmt::format("{} ... ({} bytes) ... {}", escaped(text.substr(0, kHead)), text.size() - kHead - kTail,
                     escaped(text.substr(text.size() - kTail)));
}

std::string errorText(const Error &error) {
  std::string text = fmt::format("error: {}\n", oneLine(error.message));
  size_t shown = std::min(error.more.size(), kMostLines - 1);
  for (size_t i = 0; i < shown; ++i)
    text += fmt::format("error: {}\n", oneLine(error.more[i]));
  if (shown < error.more.size())
    text += fmt::format("error: messages: there must be at most {}, but found {} more\n", kMostLines,
                        error.more.size() - shown);
  return text;
}

} // namespace glm
