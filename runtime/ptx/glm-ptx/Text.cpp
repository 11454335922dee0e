#include "runtime/ptx/glm-ptx/Text.h"

#include "runtime/ptx/isa/KnownChips.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <memory>

namespace glm::ptx {

Result<std::string> readText(const std::filesystem::path &file) {
  auto fail = [&] {
    return Error{fmt::format("{}: file must be readable, but found {}", file.string(), std::strerror(errno))};
  };
  std::unique_ptr<std::FILE, int (*)(std::FILE *)> stream(std::fopen(file.c_str(), "rb"), std::fclose);
  if (!stream)
    return fail();
  std::string text;
  std::array<char, 1 << 16> buffer;
  while (size_t count = std::fread(buffer.data(), 1, buffer.size(), stream.get()))
    text.append(buffer.data(), count);
  if (std::ferror(stream.get()))
    return fail();
  return text;
}

Result<const Chip *> chooseChip(const std::string &wanted, std::string_view target) {
  const char *environment = std::getenv("GLM_PTX_CHIP");
  std::string_view name = wanted;
  if (name.empty() && environment)
    name = environment;
  if (name.empty())
    name = chipNamed(target) ? target : kDefaultChip;
  if (const Chip *chip = chipNamed(name))
    return chip;
  return Error{fmt::format("{}: chip must be one of {}, but found {}", wanted.empty() ? "GLM_PTX_CHIP" : "--chip",
                           chipNames(), name)};
}

} // namespace glm::ptx
