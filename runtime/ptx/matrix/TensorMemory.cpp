#include "runtime/ptx/matrix/TensorMemory.h"

#include <algorithm>

#include <fmt/format.h>

namespace glm::ptx {

std::string TensorAddress::describe() const { return fmt::format("lane {}, column {}", lane, column); }

std::optional<uint32_t> TensorMemory::allocate(uint32_t columns) {
  uint32_t units = columns / kUnit;
  for (uint32_t first = 0; first + units <= taken.size(); ++first) {
    uint32_t free = 0;
    while (free < units && !taken[first + free])
      ++free;
    if (free < units)
      continue;
    if (cells.empty()) {
      cells.resize(static_cast<size_t>(kTensorLanes) * kTensorColumns);
      known.resize(kTensorLanes);
    }
    for (uint32_t unit = 0; unit < units; ++unit)
      taken.set(first + unit);
    sizes[first] = static_cast<uint16_t>(columns);
    for (std::bitset<kTensorColumns> &lane : known)
      for (uint32_t column = first * kUnit; column < first * kUnit + columns; ++column)
        lane.reset(column);
    return first * kUnit;
  }
  return std::nullopt;
}

bool TensorMemory::release(uint32_t column, uint32_t columns) {
  if (column % kUnit != 0 || column >= kTensorColumns || columns == 0 || sizes[column / kUnit] != columns)
    return false;
  sizes[column / kUnit] = 0;
  for (uint32_t unit = 0; unit < columns / kUnit; ++unit)
    taken.reset(column / kUnit + unit);
  return true;
}

uint32_t TensorMemory::used() const { return static_cast<uint32_t>(taken.count()) * kUnit; }

std::optional<uint32_t> TensorMemory::kept() const {
  for (uint32_t unit = 0; unit < sizes.size(); ++unit)
    if (sizes[unit])
      return unit * kUnit;
  return std::nullopt;
}

std::optional<std::string> TensorMemory::check(TensorAddress at, uint32_t lanes, uint32_t columns) const {
  if (at.lane + lanes > kTensorLanes || at.column + columns > kTensorColumns)
    return fmt::format(
        "must lie in the {} lanes and {} columns of tensor memory, but found {} lanes and {} columns from {}",
        kTensorLanes, kTensorColumns, lanes, columns, at.describe());
  for (uint32_t unit = at.column / kUnit; unit * kUnit < at.column + columns; ++unit)
    if (!taken[unit])
      return fmt::format("must lie in allocated tensor memory, but found column {}, which is not allocated",
                         std::max(at.column, unit * kUnit));
  return std::nullopt;
}

void TensorMemory::setKnown(uint32_t lane, uint32_t column, uint32_t columns) {
  for (uint32_t i = 0; i < columns; ++i)
    known[lane].set(column + i);
}

std::optional<uint32_t> TensorMemory::unknown(uint32_t lane, uint32_t column, uint32_t columns) const {
  for (uint32_t i = 0; i < columns; ++i)
    if (!known[lane][column + i])
      return column + i;
  return std::nullopt;
}

} // namespace glm::ptx
