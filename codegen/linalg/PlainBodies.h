// The plain body of each kernel op, written at the builder's insertion point. Formulas: dialect/KernelOps.td.
#pragma once

#include "codegen/builder/KernelBuilder.h"
#include "dialect/GlmDialect.h"

namespace glm {

void buildPlain(KernelEmbedOp op, KernelBuilder &builder);
void buildPlain(KernelGatherRowsOp op, KernelBuilder &builder);
void buildPlain(KernelRopeAnglesOp op, KernelBuilder &builder);
void buildPlain(KernelNormOp op, KernelBuilder &builder);
void buildPlain(KernelAddOp op, KernelBuilder &builder);
void buildPlain(KernelGemmOp op, KernelBuilder &builder);
void buildPlain(KernelHeadGemmOp op, KernelBuilder &builder);
void buildPlain(KernelRopeOp op, KernelBuilder &builder);
void buildPlain(KernelRopeCacheWriteOp op, KernelBuilder &builder);
void buildPlain(KernelIndexScoreOp op, KernelBuilder &builder);
void buildPlain(KernelTopKOp op, KernelBuilder &builder);
void buildPlain(KernelSparseMlaOp op, KernelBuilder &builder);
void buildPlain(KernelSparseMlaPartOp op, KernelBuilder &builder);
void buildPlain(KernelSparseMlaJoinOp op, KernelBuilder &builder);
void buildPlain(KernelRouteOp op, KernelBuilder &builder);
void buildPlain(KernelGroupRowsOp op, KernelBuilder &builder);
void buildPlain(KernelMoeGateUpOp op, KernelBuilder &builder);
void buildPlain(KernelMoeDownOp op, KernelBuilder &builder);
void buildPlain(KernelMoeCombineOp op, KernelBuilder &builder);

} // namespace glm
