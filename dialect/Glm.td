// All of the dialect, for table generation.
include "dialect/GlmDialect.td"
include "dialect/ModelOps.td"
include "dialect/KernelOps.td"
include "dialect/PlanOps.td"
