// Special registers (PTX ISA, "Special Registers"). Those that have no meaning here (%smid of a chip without processors)
// have a value that a real one could have: the index of the block modulo the number of multiprocessors.
#include "runtime/ptx/machine/Specials.h"

#include <algorithm>
#include <unordered_map>

namespace glm::ptx {
namespace {

struct Context {
  const Warp &warp;
  const Block &block;
  const LaunchConfig &config;
  const Chip &chip;
  uint32_t lane;

  uint32_t thread() const { return warp.index * kWarpSize + lane; }
  uint32_t clusterOf(size_t axis) const { return block.index[axis] / config.cluster[axis]; }
  uint32_t clusters(size_t axis) const { return config.grid[axis] / config.cluster[axis]; }
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

using Value = uint64_t (*)(const Context &);

template <size_t axis>
uint64_t tid(const Context &c) {
  return threadIndex(c, axis);
}
template <size_t axis>
uint64_t ntid(const Context &c) {
  return c.config.block[axis];
}
template <size_t axis>
uint64_t ctaid(const Context &c) {
  return c.block.index[axis];
}
template <size_t axis>
uint64_t nctaid(const Context &c) {
  return c.config.grid[axis];
}
template <size_t axis>
uint64_t clusterid(const Context &c) {
  return c.clusterOf(axis);
}
template <size_t axis>
uint64_t nclusterid(const Context &c) {
  return c.clusters(axis);
}
template <size_t axis>
uint64_t clusterCtaid(const Context &c) {
  return c.block.index[axis] % c.config.cluster[axis];
}
template <size_t axis>
uint64_t clusterNctaid(const Context &c) {
  return c.config.cluster[axis];
}
uint64_t zero(const Context &) { return 0; }
uint64_t one(const Context &) { return 1; }

uint64_t dynamicBytes(const Context &c) { return c.config.dynamicShared; }
uint64_t totalShared(const Context &c) { return c.block.shared.size() - c.chip.sharedReserved; }

struct Row {
  std::string_view name;
  Value value;
  bool wide = false; ///< 64 bits
};

constexpr Row kRows[] = {
    {"%tid.x", tid<0>},
    {"%tid.y", tid<1>},
    {"%tid.z", tid<2>},
    {"%ntid.x", ntid<0>},
    {"%ntid.y", ntid<1>},
    {"%ntid.z", ntid<2>},
    {"%laneid", [](const Context &c) { return uint64_t{c.lane}; }},
    {"%warpid", [](const Context &c) { return uint64_t{c.warp.index}; }},
    {"%nwarpid", [](const Context &c) { return uint64_t{c.chip.threadsPerSm / kWarpSize}; }},
    {"%ctaid.x", ctaid<0>},
    {"%ctaid.y", ctaid<1>},
    {"%ctaid.z", ctaid<2>},
    {"%nctaid.x", nctaid<0>},
    {"%nctaid.y", nctaid<1>},
    {"%nctaid.z", nctaid<2>},
    {"%smid", [](const Context &c) { return uint64_t{c.linearBlock() % c.chip.multiprocessors}; }},
    {"%nsmid", [](const Context &c) { return uint64_t{c.chip.multiprocessors}; }},
    {"%gridid", one, true},
    {"%is_explicit_cluster",
     [](const Context &c) {
       const Dim3 &cluster = c.config.cluster;
       return uint64_t{cluster[0] * cluster[1] * cluster[2] > 1 || c.block.grid->code->function->explicitCluster};
     }},
    {"%clusterid.x", clusterid<0>},
    {"%clusterid.y", clusterid<1>},
    {"%clusterid.z", clusterid<2>},
    {"%nclusterid.x", nclusterid<0>},
    {"%nclusterid.y", nclusterid<1>},
    {"%nclusterid.z", nclusterid<2>},
    {"%cluster_ctaid.x", clusterCtaid<0>},
    {"%cluster_ctaid.y", clusterCtaid<1>},
    {"%cluster_ctaid.z", clusterCtaid<2>},
    {"%cluster_nctaid.x", clusterNctaid<0>},
    {"%cluster_nctaid.y", clusterNctaid<1>},
    {"%cluster_nctaid.z", clusterNctaid<2>},
    {"%cluster_ctarank", [](const Context &c) { return uint64_t{c.block.rank}; }},
    {"%cluster_nctarank", [](const Context &c) { return uint64_t{c.block.cluster->blocks.size()}; }},
    {"%lanemask_eq", [](const Context &c) { return uint64_t{1} << c.lane; }},
    {"%lanemask_le", [](const Context &c) { return (uint64_t{2} << c.lane) - 1; }},
    {"%lanemask_lt", [](const Context &c) { return (uint64_t{1} << c.lane) - 1; }},
    {"%lanemask_ge", [](const Context &c) { return ~((uint64_t{1} << c.lane) - 1) & 0xffffffffu; }},
    {"%lanemask_gt", [](const Context &c) { return ~((uint64_t{2} << c.lane) - 1) & 0xffffffffu; }},
    {"%reserved_smem_offset_begin", zero},
    {"%reserved_smem_offset_end", [](const Context &c) { return uint64_t{c.chip.sharedReserved}; }},
    {"%reserved_smem_offset_cap", [](const Context &c) { return uint64_t{c.chip.sharedReserved}; }},
    {"%reserved_smem_offset_0", zero},
    {"%reserved_smem_offset_1", zero},
    {"%total_smem_size", totalShared},
    {"%aggr_smem_size", [](const Context &c) { return uint64_t{c.block.shared.size()}; }},
    {"%dynamic_smem_size", dynamicBytes},
    {"%current_graph_exec", zero, true},
};

const Row *rowOf(std::string_view name) {
  static const auto *byName = [] {
    auto *map = new std::unordered_map<std::string_view, const Row *>;
    for (const Row &row : kRows)
      map->emplace(row.name, &row);
    return map;
  }();
  auto found = byName->find(name);
  return found == byName->end() ? nullptr : found->second;
}

} // namespace

void fillSpecial(const Warp &warp, const SpecialUse &use, std::byte *slot) {
  const Row *row = rowOf(use.name);
  const Block &block = *warp.block;
  const Grid &grid = *block.grid;
  Context context{warp, block, *grid.config, *grid.module->program().chip, 0};
  for (uint32_t &lane = context.lane; lane < kWarpSize; ++lane) {
    // %envreg0 to %envreg31 and the fourth components are zero, as everything that no row names.
    uint64_t value = row ? row->value(context) : 0;
    if (row && row->wide)
      reinterpret_cast<uint64_t *>(slot)[lane] = value;
    else
      reinterpret_cast<uint32_t *>(slot)[lane] = static_cast<uint32_t>(value);
  }
}

} // namespace glm::ptx
