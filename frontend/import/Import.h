// From a model folder's facts to the model phase: the naive program, which is the specification of all that follows.
#pragma once

#include "frontend/config/ModelConfig.h"
#include "frontend/config/StoredTensors.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <cstdint>
#include <vector>

namespace glm {

struct ImportOptions {
  std::vector<int64_t> rows = {1, 16, 64}; ///< buckets of rows of a step, ascending
  int64_t sequences = 8;                   ///< at once
  int64_t positions = 32768;               ///< of the longest sequence
  int64_t pageSize = 64;                   ///< positions of one page of a cache
  mlir::ArrayAttr precision;               ///< list of #glm.rule for the module's glm.precision; null: no rules
  bool quantizedInputs =
      false;       ///< products with packed weights round their input to NVFP4, where it has an input scale
  bool mtp = true; ///< import the MTP layer where the checkpoint has it
};

/// A module with glm.limits, glm.precision and
///
///     @step(tokens [T], positions [T], slots [T], page_table [sequences, pages per sequence], output_rows [T]) -> logits [T, vocab]
///     @mtp(tokens [T], positions [T], slots [T], page_table, hidden [T, D]) -> draft_logits [T, vocab]      (deferred; optional)
///
/// with T dynamic. All activations and caches are f32; every weight is one glm.weight as it is stored, behind a glm.dequant where
/// it is packed, with one consumer. Formulas: transformers, modular_glm_moe_dsa.py; the MTP layer, which transformers leaves
/// out: vLLM, deepseek_v32 mtp.py. Ops carry locations such as "layers.3.self_attn".
///
/// `stored` holds every weight that `config` asks for (readStoredTensors sees to it); where one is missing, it is named in a
/// diagnostic and the result is null. Loads the dialects that it uses.
mlir::OwningOpRef<mlir::ModuleOp> importModel(mlir::MLIRContext &context, const ModelConfig &config,
                                              const StoredTensors &stored, const ImportOptions &options);

} // namespace glm
