#include "runtime/artifact/WholeFile.h"

#include "runtime/artifact/RemovedOnSignal.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>

namespace glm {

Result<void> checkFileTarget(const std::filesystem::path &path) {
  std::error_code ignored;
  std::filesystem::file_status status = std::filesystem::status(path, ignored);
  if (std::filesystem::is_directory(status))
    return Error{fmt::format("{}: output must be absent or a file, but found a folder", path.string())};
  // A rename would put the file in the place of a device or a FIFO.
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    return Error{fmt::format("{}: output must be absent or a file, but found a device or a FIFO", path.string())};
  std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (access(folder.c_str(), W_OK | X_OK) != 0)
    return Error{
        fmt::format("{}: the folder of an output must be writable, but found {}", path.string(), std::strerror(errno))};
  return {};
}

Result<void> writeWholeFile(const std::filesystem::path &path, std::span<const std::string_view> pieces) {
  if (auto target = checkFileTarget(path); !target)
    return target;
  std::filesystem::path temporary = path;
  temporary += fmt::format(".tmp-{}", getpid());
  RemovedOnSignal guard(temporary);
  std::ofstream stream(temporary, std::ios::binary);
  for (std::string_view piece : pieces)
    stream.write(piece.data(), static_cast<std::streamsize>(piece.size()));
  stream.close();
  std::error_code code;
  if (!stream) {
    std::string reason = std::strerror(errno);
    std::filesystem::remove(temporary, code);
    return Error{fmt::format("{}: file must be writable, but found {}", path.string(), reason)};
  }
  std::filesystem::rename(temporary, path, code);
  if (code) {
    std::string reason = code.message();
    std::filesystem::remove(temporary, code);
    return Error{fmt::format("{}: file must be replaceable, but found {}", path.string(), reason)};
  }
  return {};
}

} // namespace glm
