#include "runtime/ptx/driver/Graph.h"

#include "runtime/ptx/driver/State.h"

#include <algorithm>
#include <unordered_map>

namespace glm::ptx {

GraphNode *Graph::add(Operation operation, std::vector<GraphNode *> dependencies) {
  auto &node = nodes.emplace_back(std::make_unique<GraphNode>());
  node->graph = this;
  node->operation = std::move(operation);
  node->dependencies = std::move(dependencies);
  Driver::get().add(ObjectKind::GraphNode, node.get());
  return node.get();
}

Graph::~Graph() {
  for (const auto &node : nodes)
    Driver::get().remove(node.get());
  Driver::get().remove(this);
}

std::shared_ptr<Graph> cloneGraph(const Graph &graph) {
  auto clone = std::make_shared<Graph>();
  clone->context = graph.context;
  std::unordered_map<const GraphNode *, GraphNode *> copies;
  for (const auto &node : graph.nodes) {
    Operation operation = node->operation;
    if (auto *child = std::get_if<ChildOperation>(&operation))
      child->graph = cloneGraph(*child->graph);
    copies[node.get()] = clone->add(std::move(operation), {});
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    for (GraphNode *dependency : graph.nodes[i]->dependencies)
      clone->nodes[i]->dependencies.push_back(copies.at(dependency));
  return clone;
}

std::vector<size_t> orderOf(const Graph &graph) {
  size_t count = graph.nodes.size();
  std::unordered_map<const GraphNode *, size_t> indices;
  for (size_t i = 0; i < count; ++i)
    indices[graph.nodes[i].get()] = i;
  std::vector<size_t> waiting(count), order;
  std::vector<std::vector<size_t>> after(count);
  for (size_t i = 0; i < count; ++i) {
    waiting[i] = graph.nodes[i]->dependencies.size();
    for (const GraphNode *dependency : graph.nodes[i]->dependencies)
      after[indices.at(dependency)].push_back(i);
  }
  for (size_t i = 0; i < count; ++i)
    if (!waiting[i])
      order.push_back(i);
  for (size_t done = 0; done < order.size(); ++done)
    for (size_t next : after[order[done]])
      if (!--waiting[next])
        order.push_back(next);
  if (order.size() != count)
    order.clear();
  return order;
}

Capture::Capture() = default;
Capture::~Capture() = default;

} // namespace glm::ptx
