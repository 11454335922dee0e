#include "runtime/exec/Trace.h"

#include <fmt/format.h>

namespace glm {

void Trace::stepBegins(const Step &newStep, int64_t newProgram) {
  step = &newStep;
  program = newProgram;
}

void Trace::launchDone(int64_t index, int64_t rows, double) {
  const Launch &launch = executor->manifest().programs[program].launches[index];
  for (const Tap &tap : launch.taps) {
    uint64_t rowBytes = tap.width * tapElementBytes(tap.dtype);
    const uint8_t *bytes = executor->view(tap.buffer, rows * rowBytes);
    for (int64_t row = 0; row < rows; ++row) {
      int64_t stepRow = launch.rows == RowCount::Output ? step->outputRows[row] : row;
      Tensor &tensor = tensors[fmt::format("{}.{}", step->sequences[stepRow], tap.name)];
      tensor.dtype = tap.dtype;
      tensor.width = tap.width;
      ++tensor.rows;
      tensor.bytes.insert(tensor.bytes.end(), bytes + row * rowBytes, bytes + (row + 1) * rowBytes);
    }
  }
}

Result<void> Trace::write(const std::filesystem::path &path) const {
  SafetensorsWriter writer;
  for (const auto &[name, tensor] : tensors)
    writer.add(name, tensor.dtype, {tensor.rows, tensor.width}, tensor.bytes);
  return writer.write(path);
}

} // namespace glm
