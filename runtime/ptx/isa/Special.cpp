#include "runtime/ptx/isa/Special.h"

#include <array>
#include <charconv>

namespace glm::ptx {
namespace {

constexpr std::array kRows = {
    SpecialRow{"%tid", Special::Tid, Type::U32, true, false, 0},
    SpecialRow{"%ntid", Special::Ntid, Type::U32, true, false, 0},
    SpecialRow{"%ctaid", Special::Ctaid, Type::U32, true, false, 0},
    SpecialRow{"%nctaid", Special::Nctaid, Type::U32, true, false, 0},
    SpecialRow{"%clusterid", Special::Clusterid, Type::U32, true, false, 0},
    SpecialRow{"%nclusterid", Special::Nclusterid, Type::U32, true, false, 0},
    SpecialRow{"%cluster_ctaid", Special::ClusterCtaid, Type::U32, true, false, 0},
    SpecialRow{"%cluster_nctaid", Special::ClusterNctaid, Type::U32, true, false, 0},
    SpecialRow{"%cluster_ctarank", Special::ClusterCtarank, Type::U32, false, false, 0},
    SpecialRow{"%cluster_nctarank", Special::ClusterNctarank, Type::U32, false, false, 0},
    SpecialRow{"%is_explicit_cluster", Special::IsExplicitCluster, Type::Pred, false, false, 0},
    SpecialRow{"%laneid", Special::Laneid, Type::U32, false, false, 0},
    SpecialRow{"%warpid", Special::Warpid, Type::U32, false, false, 0},
    SpecialRow{"%nwarpid", Special::Nwarpid, Type::U32, false, false, 0},
    SpecialRow{"%smid", Special::Smid, Type::U32, false, false, 0},
    SpecialRow{"%nsmid", Special::Nsmid, Type::U32, false, false, 0},
    SpecialRow{"%gridid", Special::Gridid, Type::U64, false, false, 0},
    SpecialRow{"%lanemask_eq", Special::LanemaskEq, Type::U32, false, false, 0},
    SpecialRow{"%lanemask_le", Special::LanemaskLe, Type::U32, false, false, 0},
    SpecialRow{"%lanemask_lt", Special::LanemaskLt, Type::U32, false, false, 0},
    SpecialRow{"%lanemask_ge", Special::LanemaskGe, Type::U32, false, false, 0},
    SpecialRow{"%lanemask_gt", Special::LanemaskGt, Type::U32, false, false, 0},
    SpecialRow{"%clock", Special::Clock, Type::U32, false, true, 0},
    SpecialRow{"%clock_hi", Special::ClockHi, Type::U32, false, true, 0},
    SpecialRow{"%clock64", Special::Clock64, Type::U64, false, true, 0},
    SpecialRow{"%globaltimer", Special::Globaltimer, Type::U64, false, true, 0},
    SpecialRow{"%globaltimer_lo", Special::GlobaltimerLo, Type::U32, false, true, 0},
    SpecialRow{"%globaltimer_hi", Special::GlobaltimerHi, Type::U32, false, true, 0},
    SpecialRow{"%pm", Special::Pm, Type::U32, false, false, 8},
    SpecialRow{"%pm", Special::Pm64, Type::U64, false, false, 8, "_64"},
    SpecialRow{"%envreg", Special::Envreg, Type::U32, false, false, 32},
    SpecialRow{"%total_smem_size", Special::TotalSmemSize, Type::U32, false, false, 0},
    SpecialRow{"%aggr_smem_size", Special::AggrSmemSize, Type::U32, false, false, 0},
    SpecialRow{"%dynamic_smem_size", Special::DynamicSmemSize, Type::U32, false, false, 0},
    SpecialRow{"%reserved_smem_offset_begin", Special::ReservedSmemOffsetBegin, Type::U32, false, false, 0},
    SpecialRow{"%reserved_smem_offset_end", Special::ReservedSmemOffsetEnd, Type::U32, false, false, 0},
    SpecialRow{"%reserved_smem_offset_cap", Special::ReservedSmemOffsetCap, Type::U32, false, false, 0},
    SpecialRow{"%reserved_smem_offset_", Special::ReservedSmemOffset, Type::U32, false, false, 2},
    SpecialRow{"%current_graph_exec", Special::CurrentGraphExec, Type::U64, false, false, 0},
};

} // namespace

std::span<const SpecialRow> specialRows() { return kRows; }

std::optional<SpecialName> specialNamed(std::string_view name) {
  for (const SpecialRow &row : kRows) {
    if (!row.numbered) {
      if (row.name == name)
        return SpecialName{&row, 0};
      continue;
    }
    if (!name.starts_with(row.name) || !name.ends_with(row.suffix) ||
        name.size() <= row.name.size() + row.suffix.size())
      continue;
    std::string_view number = name.substr(row.name.size(), name.size() - row.name.size() - row.suffix.size());
    uint32_t index = 0;
    auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), index);
    bool isPlain = number.size() == 1 || number[0] != '0';
    if (failure == std::errc{} && end == number.data() + number.size() && isPlain && index < row.numbered)
      return SpecialName{&row, index};
  }
  return std::nullopt;
}

} // namespace glm::ptx
