#include "test/numerics/TensorFile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace glm::test {

Result<TensorFile> TensorFile::open(const std::filesystem::path &path) {
  auto file = SafetensorsFile::open(path);
  if (!file)
    return file.error();
  return TensorFile(std::move(*file));
}

const TensorInfo &TensorFile::need(const std::string &name, const char *dtype) const {
  auto found = file.tensors().find(name);
  if (found == file.tensors().end())
    throw std::runtime_error(
        fmt::format("{}: tensor {} must be there, but found none", file.path().filename().string(), name));
  if (found->second.dtype != dtype)
    throw std::runtime_error(fmt::format("{}: tensor {} must be {}, but found {}", file.path().filename().string(),
                                         name, dtype, found->second.dtype));
  return found->second;
}

Matrix TensorFile::floats(const std::string &name) const {
  const TensorInfo &info = need(name, "F32");
  if (info.shape.size() != 2)
    throw std::runtime_error(fmt::format("{}: tensor must have 2 dimensions, but found {}", name, info.shape.size()));
  Matrix matrix(info.shape[0], info.shape[1]);
  std::memcpy(matrix.values.data(), file.data(info), info.bytes);
  return matrix;
}

std::vector<Matrix> TensorFile::stack(const std::string &name) const {
  const TensorInfo &info = need(name, "F32");
  if (info.shape.size() != 3)
    throw std::runtime_error(fmt::format("{}: tensor must have 3 dimensions, but found {}", name, info.shape.size()));
  std::vector<Matrix> matrices;
  for (int64_t i = 0; i < info.shape[0]; ++i) {
    Matrix matrix(info.shape[1], info.shape[2]);
    std::memcpy(matrix.values.data(), file.data(info) + i * 4 * matrix.values.size(), 4 * matrix.values.size());
    matrices.push_back(std::move(matrix));
  }
  return matrices;
}

IntMatrix TensorFile::ints(const std::string &name) const {
  const TensorInfo &info = need(name, "I32");
  IntMatrix matrix{info.shape.size() > 1 ? info.shape[0] : 1, info.shape.back(), std::vector<int32_t>(info.elements())};
  std::memcpy(matrix.values.data(), file.data(info), info.bytes);
  return matrix;
}

std::vector<int64_t> TensorFile::sequences(const std::string &suffix) const {
  std::vector<int64_t> numbers;
  for (const auto &[name, info] : file.tensors()) {
    std::string number = name.substr(0, name.find('.'));
    bool isNumber = !number.empty() && number.find_first_not_of("0123456789") == std::string::npos;
    if (isNumber && name == (suffix.empty() ? number : number + "." + suffix))
      numbers.push_back(std::stoll(number));
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

} // namespace glm::test
