// Special registers (PTX ISA, "Special Registers"). Those that have no meaning here (%smid of a chip without processors)
// have a value that a real one could have: the index of the block modulo the number of multiprocessors.
#include "runtime/ptx/machine/Specials.h"

#include "runtime/ptx/machine/Scheduler.h"

#include <cstring>

namespace glm::ptx {
namespace {

struct Context {
  const Warp &warp;
  const Block &block;
  const LaunchConfig &config;
  const Chip &chip;
  uint32_t lane;

  uint32_t thread() const { return warp.index * kWarpSize + lane; }
  uint32_t linearBlock() const {
    return block.index[0] + config.grid[0] * (block.index[1] + config.grid[1] * block.index[2]);
  }
};

uint32_t threadIndex(const Context &c, size_t axis) {
  const Dim3 &block = c.config.block;
  switch (axis) {
  case 0:
    return c.thread() % block[0];
  case 1:
    return c.thread() / block[0] % block[1];
  default:
    return c.thread() / block[0] / block[1];
  }
}

uint64_t axisValue(const Dim3 &values, uint32_t axis) { return axis < 3 ? values[axis] : 0; }

uint64_t valueOf(const Context &c, const SpecialUse &use) {
  const Dim3 &cluster = c.config.cluster;
  uint32_t axis = use.component;
  switch (use.special) {
  case Special::Tid:
    return axis < 3 ? threadIndex(c, axis) : 0;
  case Special::Ntid:
    return axisValue(c.config.block, axis);
  case Special::Ctaid:
    return axisValue(c.block.index, axis);
  case Special::Nctaid:
    return axisValue(c.config.grid, axis);
  case Special::Clusterid:
    return axis < 3 ? c.block.index[axis] / cluster[axis] : 0;
  case Special::Nclusterid:
    return axis < 3 ? c.config.grid[axis] / cluster[axis] : 0;
  case Special::ClusterCtaid:
    return axis < 3 ? c.block.index[axis] % cluster[axis] : 0;
  case Special::ClusterNctaid:
    return axisValue(cluster, axis);
  case Special::ClusterCtarank:
    return c.block.rank;
  case Special::ClusterNctarank:
    return c.block.cluster->blocks.size();
  case Special::IsExplicitCluster:
    return cluster[0] * cluster[1] * cluster[2] > 1 || c.block.grid->code->function->explicitCluster;
  case Special::Laneid:
    return c.lane;
  case Special::Warpid:
    return c.warp.index;
  case Special::Nwarpid:
    return c.chip.threadsPerSm / kWarpSize;
  case Special::Smid:
    return c.linearBlock() % c.chip.multiprocessors;
  case Special::Nsmid:
    return c.chip.multiprocessors;
  case Special::Gridid:
    return 1;
  case Special::LanemaskEq:
    return uint64_t{1} << c.lane;
  case Special::LanemaskLe:
    return (uint64_t{2} << c.lane) - 1;
  case Special::LanemaskLt:
    return (uint64_t{1} << c.lane) - 1;
  case Special::LanemaskGe:
    return ~((uint64_t{1} << c.lane) - 1);
  case Special::LanemaskGt:
    return ~((uint64_t{2} << c.lane) - 1);
  case Special::TotalSmemSize:
    return c.block.shared.size() - c.chip.sharedReserved;
  case Special::AggrSmemSize:
    return c.block.shared.size();
  case Special::DynamicSmemSize:
    return c.config.dynamicShared;
  case Special::Envreg:
    return use.index == 1   ? c.block.grid->source->workspace >> 32
           : use.index == 2 ? c.block.grid->source->workspace & 0xffffffffu
                            : 0;
  case Special::ReservedSmemOffsetEnd:
  case Special::ReservedSmemOffsetCap:
    return c.chip.sharedReserved;
  default:
    // Performance counters, what no graph says: zero.
    return 0;
  }
}

} // namespace

void fillSpecial(const Warp &warp, const SpecialUse &use, std::byte *slot) {
  const Block &block = *warp.block;
  const Grid &grid = *block.grid;
  Context context{warp, block, *grid.config, *grid.module->program().chip, 0};
  LaneMask mask = 0;
  for (uint32_t &lane = context.lane; lane < kWarpSize; ++lane) {
    uint64_t value = valueOf(context, use);
    switch (use.type) {
    case Type::Pred:
      mask |= LaneMask{value != 0} << lane;
      break;
    case Type::U16:
      reinterpret_cast<uint16_t *>(slot)[lane] = static_cast<uint16_t>(value);
      break;
    case Type::U64:
      reinterpret_cast<uint64_t *>(slot)[lane] = value;
      break;
    default:
      reinterpret_cast<uint32_t *>(slot)[lane] = static_cast<uint32_t>(value);
      break;
    }
  }
  if (use.type == Type::Pred)
    std::memcpy(slot, &mask, sizeof(mask));
}

} // namespace glm::ptx
