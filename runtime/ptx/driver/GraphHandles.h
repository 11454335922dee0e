// Graph objects by handle; null if the handle is not alive.
#pragma once

#include "runtime/ptx/driver/Graph.h"

#include <optional>

namespace glm::ptx {

Graph *liveGraph(cuda::CUgraph handle);
GraphNode *liveNode(cuda::CUgraphNode handle);
GraphExec *liveExec(cuda::CUgraphExec handle);

/// Which node of an executable graph was made from this node.
std::optional<size_t> indexOf(const GraphExec &exec, cuda::CUgraphNode node);

} // namespace glm::ptx
