// Special registers (PTX ISA, "Special Registers").
#pragma once

#include "runtime/ptx/text/Type.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace glm::ptx {

enum class Special : uint8_t {
  Tid,
  Ntid,
  Ctaid,
  Nctaid,
  Clusterid,
  Nclusterid,
  ClusterCtaid,
  ClusterNctaid,
  ClusterCtarank,
  ClusterNctarank,
  IsExplicitCluster,
  Laneid,
  Warpid,
  Nwarpid,
  Smid,
  Nsmid,
  Gridid,
  LanemaskEq,
  LanemaskLe,
  LanemaskLt,
  LanemaskGe,
  LanemaskGt,
  Clock,
  ClockHi,
  Clock64,
  Globaltimer,
  GlobaltimerLo,
  GlobaltimerHi,
  Pm,   ///< %pm0 to %pm7; the number is in `index`
  Pm64, ///< %pm0_64 to %pm7_64
  Envreg,
  TotalSmemSize,
  AggrSmemSize,
  DynamicSmemSize,
  ReservedSmemOffsetBegin,
  ReservedSmemOffsetEnd,
  ReservedSmemOffsetCap,
  ReservedSmemOffset, ///< %reserved_smem_offset_0 and _1
  CurrentGraphExec,
};

struct SpecialRow {
  std::string_view name; ///< "%tid"; of numbered ones the part before the number
  Special special;
  Type type;
  bool isVector;                ///< has .x .y .z (.w is zero)
  bool changes;                 ///< while a warp runs: an op reads it, a form named like the register
  uint32_t numbered;            ///< how many numbers there are; 0: none
  std::string_view suffix = {}; ///< after the number
};

std::span<const SpecialRow> specialRows();

struct SpecialName {
  const SpecialRow *row;
  uint32_t index; ///< of a numbered one
};

/// "%tid", "%envreg12"; nothing for other names.
std::optional<SpecialName> specialNamed(std::string_view name);

} // namespace glm::ptx
