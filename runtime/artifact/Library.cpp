#include "runtime/artifact/Library.h"

#include "runtime/artifact/Hash.h"

#include <fmt/format.h>
#include <fstream>
#include <vector>

namespace glm {
namespace {

struct Digest {
  uint64_t bytes = 0, hash = kFnvBasis;
};

Result<Digest> digestOf(const std::filesystem::path &folder, const std::string &name) {
  std::error_code code;
  auto status = std::filesystem::status(folder / name, code);
  if (!std::filesystem::is_regular_file(status))
    return Error{fmt::format("{}: {} must be a file, but found {}", folder.string(), name,
                             std::filesystem::exists(status) ? "something else" : "none")};
  std::ifstream file(folder / name, std::ios::binary);
  std::vector<char> piece(1 << 20);
  Digest digest;
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0) {
    std::string_view text(piece.data(), file.gcount());
    digest.bytes += text.size();
    digest.hash = fnv1a64(text, digest.hash);
  }
  if (!file.eof())
    return Error{fmt::format("{}: {} must be readable, but found an error", folder.string(), name)};
  return digest;
}

} // namespace

Result<Code> describeLibrary(const std::filesystem::path &library, std::vector<std::string> features) {
  auto digest = digestOf(library.parent_path(), library.filename().string());
  if (!digest)
    return digest.error();
  return Code{library.filename().string(), digest->bytes, digest->hash, std::move(features)};
}

Result<void> checkLibrary(const std::filesystem::path &folder, const Code &code) {
  auto digest = digestOf(folder, code.file);
  if (!digest)
    return digest.error();
  if (digest->bytes != code.bytes)
    return Error{fmt::format("{}: file must have {} bytes as glm-compile wrote it, but found {}", code.file, code.bytes,
                             digest->bytes)};
  if (digest->hash != code.hash)
    return Error{fmt::format("{}: file must be as glm-compile wrote it (hash {:016x}), but found {:016x}", code.file,
                             code.hash, digest->hash)};
  return {};
}

} // namespace glm
