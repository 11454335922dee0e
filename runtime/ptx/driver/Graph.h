// Graphs: operations and what they wait for; recorded from streams or built node by node.
#pragma once

#include "runtime/ptx/driver/Operation.h"

#include <memory>
#include <vector>

namespace glm::ptx {

struct GraphNode {
  Graph *graph = nullptr;
  Operation operation;
  std::vector<GraphNode *> dependencies;
};

struct Graph {
  std::vector<std::unique_ptr<GraphNode>> nodes; ///< in the order in which they were added
  Context *context = nullptr;
  bool owned = false; ///< by a child node: its handle may be asked for, not destroyed

  GraphNode *add(Operation operation, std::vector<GraphNode *> dependencies);
  ~Graph();
};

/// A copy whose nodes stand in the same order.
std::shared_ptr<Graph> cloneGraph(const Graph &graph);

/// Indices of the nodes so that each comes after what it waits for; empty if there is a cycle (and nodes).
std::vector<size_t> orderOf(const Graph &graph);

/// What a launch replays: a clone, ordered.
struct GraphExec {
  std::shared_ptr<Graph> graph;
  std::vector<size_t> order;                ///< indices of `graph->nodes`
  std::vector<const GraphNode *> originals; ///< nodes of the graph that it was made from, by index
  std::vector<bool> enabled;                ///< by index
};

} // namespace glm::ptx
