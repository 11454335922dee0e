// Which weights tensor parallelism divides over its ranks, and along what: decided here and nowhere else.
//
// Plain C++ without MLIR: frontend/plan counts by this table before any IR exists, and a sharding pass divides by it. Names are
// those of the checkpoint, before any fusion, as for precision rules.
#pragma once

#include <array>
#include <string_view>

namespace glm {

/// What of a weight [out, in] one rank holds.
enum class Sharding {
  Replicated, ///< all of it, on every rank
  Rows,       ///< a part of the outputs; no rank needs the others' before the next product
  Columns,    ///< a part of the inputs; the ranks' results are summed
};

/// What must not be cut: a rank gets whole ones.
enum class ShardUnit {
  None,       ///< nothing is divided
  Heads,      ///< attention heads
  Width,      ///< intermediate columns; where they are packed, whole blocks of a scale
  Vocabulary, ///< single ids; the only division that may be uneven
};

struct ShardingRule {
  std::string_view suffix; ///< of a module name
  Sharding sharding = Sharding::Replicated;
  ShardUnit unit = ShardUnit::None;
};

/// Everything that is not named is replicated, for these reasons:
///  - q_a_proj and kv_a_proj_with_mqa: their outputs are normalised over the whole latent, and every rank writes the same latent to
///    its cache. Dividing them would save 2.2 GB of reads per rank at 8 ranks and cost an all-gather per layer.
///  - the indexer: each rank attends to the same positions, so that each needs all scores. Cache and keys are replicated with it.
///  - routers, norms, biases, eh_proj: small, and their results are needed whole.
/// Experts are divided inside (tensor parallel, not expert parallel): every rank reads as many bytes as the others, whatever the
/// router chooses.
inline constexpr std::array<ShardingRule, 8> kShardingRules = {{
    {"embed_tokens", Sharding::Rows, ShardUnit::Vocabulary},
    {"lm_head", Sharding::Rows, ShardUnit::Vocabulary},
    {"self_attn.q_b_proj", Sharding::Rows, ShardUnit::Heads},
    {"self_attn.kv_b_proj", Sharding::Rows, ShardUnit::Heads},
    {"self_attn.o_proj", Sharding::Columns, ShardUnit::Heads},
    {"gate_proj", Sharding::Rows, ShardUnit::Width},
    {"up_proj", Sharding::Rows, ShardUnit::Width},
    {"down_proj", Sharding::Columns, ShardUnit::Width},
}};

constexpr ShardingRule shardingOf(std::string_view module) {
  for (const ShardingRule &rule : kShardingRules)
    if (module.ends_with(rule.suffix))
      return rule;
  return {};
}

} // namespace glm
