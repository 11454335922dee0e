// Graphs node by node.
#include "runtime/cuda/Driver.h"
#include "runtime/ptx/driver/Copies.h"
#include "runtime/ptx/driver/GraphHandles.h"
#include "runtime/ptx/driver/LaunchRequest.h"
#include "runtime/ptx/driver/State.h"

#include <algorithm>

namespace glm::cuda {

using namespace glm::ptx;

namespace {

/// Add a node after checking what it depends on.
CUresult addNode(CUgraphNode *node, CUgraph handle, const CUgraphNode *dependencies, size_t count,
                 Operation operation) {
  Graph *graph = liveGraph(handle);
  if (!graph)
    return CUDA_ERROR_INVALID_HANDLE;
  if (!node || (count && !dependencies))
    return CUDA_ERROR_INVALID_VALUE;
  std::vector<GraphNode *> before;
  for (size_t i = 0; i < count; ++i) {
    GraphNode *dependency = liveNode(dependencies[i]);
    if (!dependency || dependency->graph != graph || std::ranges::find(before, dependency) != before.end())
      return CUDA_ERROR_INVALID_VALUE;
    before.push_back(dependency);
  }
  *node = reinterpret_cast<CUgraphNode>(graph->add(std::move(operation), std::move(before)));
  return CUDA_SUCCESS;
}

CUresult kernelOperation(const char *function, const CUDA_KERNEL_NODE_PARAMS *parameters, const Dim3 &cluster,
                         bool cooperative, KernelOperation &operation) {
  if (!parameters)
    return CUDA_ERROR_INVALID_VALUE;
  const void *handle = parameters->func ? static_cast<const void *>(parameters->func) : parameters->kern;
  Kernel *kernel = liveKernel(handle);
  if (!kernel)
    return CUDA_ERROR_INVALID_HANDLE;
  LaunchRequest request{{parameters->gridDimX, parameters->gridDimY, parameters->gridDimZ},
                        {parameters->blockDimX, parameters->blockDimY, parameters->blockDimZ},
                        cluster,
                        parameters->sharedMemBytes,
                        cooperative};
  return makeKernelOperation(function, *kernel, request, parameters->kernelParams, parameters->extra, operation);
}

CUresult setKernel(const char *function, Operation &place, const CUDA_KERNEL_NODE_PARAMS *parameters) {
  auto *old = std::get_if<KernelOperation>(&place);
  if (!old)
    return CUDA_ERROR_INVALID_VALUE;
  KernelOperation fresh;
  if (CUresult failed = kernelOperation(function, parameters, old->config.cluster, old->config.cooperative, fresh))
    return failed;
  *old = std::move(fresh);
  return CUDA_SUCCESS;
}

CUgraphNodeType typeOf(const Operation &operation) {
  // In the order of the alternatives of Operation.
  constexpr CUgraphNodeType kTypes[] = {CU_GRAPH_NODE_TYPE_EMPTY,        CU_GRAPH_NODE_TYPE_KERNEL,
                                        CU_GRAPH_NODE_TYPE_MEMCPY,       CU_GRAPH_NODE_TYPE_MEMSET,
                                        CU_GRAPH_NODE_TYPE_HOST,         CU_GRAPH_NODE_TYPE_GRAPH,
                                        CU_GRAPH_NODE_TYPE_EVENT_RECORD, CU_GRAPH_NODE_TYPE_WAIT_EVENT};
  return kTypes[operation.index()];
}

/// NVIDIA's convention for lists: a null list asks for the number, otherwise unused places become null.
template <typename Handle>
CUresult giveList(const std::vector<GraphNode *> &list, Handle *out, size_t *count) {
  if (!count)
    return CUDA_ERROR_INVALID_VALUE;
  if (out)
    for (size_t i = 0; i < *count; ++i)
      out[i] = i < list.size() ? reinterpret_cast<Handle>(list[i]) : nullptr;
  *count = out ? std::min(*count, list.size()) : list.size();
  return CUDA_SUCCESS;
}

} // namespace

CUresult cuGraphCreate(CUgraph *handle, unsigned flags) {
  return withContext([&](Context &context) {
    if (!handle || flags)
      return CUDA_ERROR_INVALID_VALUE;
    auto *graph = new Graph;
    graph->context = &context;
    Driver::get().add(ObjectKind::Graph, graph);
    *handle = reinterpret_cast<CUgraph>(graph);
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphDestroy(CUgraph handle) {
  Graph *graph = liveGraph(handle);
  if (!graph || graph->owned)
    return graph ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_HANDLE;
  delete graph;
  return CUDA_SUCCESS;
}

CUresult cuGraphClone(CUgraph *clone, CUgraph handle) {
  Graph *graph = liveGraph(handle);
  if (!graph || !clone)
    return graph ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_HANDLE;
  auto *copy = new Graph;
  copy->context = graph->context;
  std::shared_ptr<Graph> made = cloneGraph(*graph);
  copy->nodes.swap(made->nodes);
  for (const auto &node : copy->nodes)
    node->graph = copy;
  Driver::get().add(ObjectKind::Graph, copy);
  *clone = reinterpret_cast<CUgraph>(copy);
  return CUDA_SUCCESS;
}

CUresult cuGraphAddKernelNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies, size_t count,
                              const CUDA_KERNEL_NODE_PARAMS *parameters) {
  KernelOperation operation;
  if (CUresult failed = kernelOperation("cuGraphAddKernelNode", parameters, {}, false, operation))
    return failed;
  return addNode(node, graph, dependencies, count, std::move(operation));
}

CUresult cuGraphAddMemcpyNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies, size_t count,
                              const CUDA_MEMCPY3D *copy, CUcontext) {
  CopyRequest request;
  CopyOperation operation;
  bool mustWait = false;
  if (CUresult failed = requestOf(copy, request))
    return failed;
  if (CUresult failed = makeCopy(request, operation, mustWait))
    return failed;
  // A node reads its source when it runs, pageable or not.
  operation.from = reinterpret_cast<const std::byte *>(request.from);
  operation.staged = nullptr;
  return addNode(node, graph, dependencies, count, std::move(operation));
}

CUresult cuGraphAddMemsetNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies, size_t count,
                              const CUDA_MEMSET_NODE_PARAMS *parameters, CUcontext) {
  if (!parameters || (parameters->elementSize != 1 && parameters->elementSize != 2 && parameters->elementSize != 4))
    return CUDA_ERROR_INVALID_VALUE;
  FillOperation operation;
  if (CUresult failed = makeFill(parameters->dst, parameters->pitch, parameters->value, parameters->elementSize,
                                 parameters->width, parameters->height, operation))
    return failed;
  return addNode(node, graph, dependencies, count, operation);
}

CUresult cuGraphAddHostNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies, size_t count,
                            const CUDA_HOST_NODE_PARAMS *parameters) {
  if (!parameters || !parameters->fn)
    return CUDA_ERROR_INVALID_VALUE;
  return addNode(node, graph, dependencies, count, HostOperation{parameters->fn, parameters->userData});
}

CUresult cuGraphAddChildGraphNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies, size_t count,
                                  CUgraph child) {
  Graph *inner = liveGraph(child);
  if (!inner)
    return CUDA_ERROR_INVALID_HANDLE;
  ChildOperation operation{cloneGraph(*inner)};
  operation.graph->owned = true;
  return addNode(node, graph, dependencies, count, std::move(operation));
}

CUresult cuGraphAddEmptyNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies, size_t count) {
  return addNode(node, graph, dependencies, count, EmptyOperation{});
}

CUresult cuGraphAddEventRecordNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies, size_t count,
                                   CUevent handle) {
  Event *event = liveEvent(handle);
  return event ? addNode(node, graph, dependencies, count, EventRecordOperation{event}) : CUDA_ERROR_INVALID_HANDLE;
}

CUresult cuGraphAddEventWaitNode(CUgraphNode *node, CUgraph graph, const CUgraphNode *dependencies, size_t count,
                                 CUevent handle) {
  Event *event = liveEvent(handle);
  return event ? addNode(node, graph, dependencies, count, EventWaitOperation{event}) : CUDA_ERROR_INVALID_HANDLE;
}

CUresult cuGraphAddDependencies(CUgraph handle, const CUgraphNode *from, const CUgraphNode *to, const CUgraphEdgeData *,
                                size_t count) {
  Graph *graph = liveGraph(handle);
  if (!graph || (count && (!from || !to)))
    return graph ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_HANDLE;
  for (size_t i = 0; i < count; ++i) {
    GraphNode *source = liveNode(from[i]), *target = liveNode(to[i]);
    if (!source || !target || source->graph != graph || target->graph != graph || source == target ||
        std::ranges::find(target->dependencies, source) != target->dependencies.end())
      return CUDA_ERROR_INVALID_VALUE;
    target->dependencies.push_back(source);
  }
  return CUDA_SUCCESS;
}

CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode *nodes, size_t *count) {
  Graph *graph = liveGraph(handle);
  if (!graph)
    return CUDA_ERROR_INVALID_HANDLE;
  std::vector<GraphNode *> list;
  list.reserve(graph->nodes.size());
  for (const auto &node : graph->nodes)
    list.push_back(node.get());
  return giveList(list, nodes, count);
}

CUresult cuGraphGetRootNodes(CUgraph handle, CUgraphNode *nodes, size_t *count) {
  Graph *graph = liveGraph(handle);
  if (!graph)
    return CUDA_ERROR_INVALID_HANDLE;
  std::vector<GraphNode *> list;
  for (const auto &node : graph->nodes)
    if (node->dependencies.empty())
      list.push_back(node.get());
  return giveList(list, nodes, count);
}

CUresult cuGraphGetEdges(CUgraph handle, CUgraphNode *from, CUgraphNode *to, CUgraphEdgeData *data, size_t *count) {
  Graph *graph = liveGraph(handle);
  if (!graph || !count || (from == nullptr) != (to == nullptr))
    return graph ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_HANDLE;
  std::vector<GraphNode *> sources, targets;
  for (const auto &node : graph->nodes)
    for (GraphNode *dependency : node->dependencies) {
      sources.push_back(dependency);
      targets.push_back(node.get());
    }
  size_t room = *count;
  giveList(sources, from, count);
  giveList(targets, to, &room);
  if (data)
    std::fill_n(data, room, CUgraphEdgeData{});
  return CUDA_SUCCESS;
}

CUresult cuGraphNodeGetType(CUgraphNode handle, CUgraphNodeType *type) {
  GraphNode *node = liveNode(handle);
  if (!node || !type)
    return node ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_HANDLE;
  *type = typeOf(node->operation);
  return CUDA_SUCCESS;
}

CUresult cuGraphNodeGetDependencies(CUgraphNode handle, CUgraphNode *dependencies, CUgraphEdgeData *data,
                                    size_t *count) {
  GraphNode *node = liveNode(handle);
  if (!node)
    return CUDA_ERROR_INVALID_HANDLE;
  CUresult result = giveList(node->dependencies, dependencies, count);
  if (!result && data)
    std::fill_n(data, *count, CUgraphEdgeData{});
  return result;
}

CUresult cuGraphDestroyNode(CUgraphNode handle) {
  GraphNode *node = liveNode(handle);
  if (!node)
    return CUDA_ERROR_INVALID_HANDLE;
  Driver::get().remove(node);
  for (const auto &other : node->graph->nodes)
    std::erase(other->dependencies, node);
  std::erase_if(node->graph->nodes, [&](const auto &owned) { return owned.get() == node; });
  return CUDA_SUCCESS;
}

CUresult cuGraphKernelNodeGetParams(CUgraphNode handle, CUDA_KERNEL_NODE_PARAMS *parameters) {
  GraphNode *node = liveNode(handle);
  auto *kernel = node ? std::get_if<KernelOperation>(&node->operation) : nullptr;
  if (!kernel || !parameters)
    return CUDA_ERROR_INVALID_VALUE;
  const LaunchConfig &config = kernel->config;
  *parameters = {};
  parameters->func = reinterpret_cast<CUfunction>(kernel->kernel);
  parameters->gridDimX = config.grid[0];
  parameters->gridDimY = config.grid[1];
  parameters->gridDimZ = config.grid[2];
  parameters->blockDimX = config.block[0];
  parameters->blockDimY = config.block[1];
  parameters->blockDimZ = config.block[2];
  parameters->sharedMemBytes = config.dynamicShared;
  return CUDA_SUCCESS;
}

CUresult cuGraphKernelNodeSetParams(CUgraphNode handle, const CUDA_KERNEL_NODE_PARAMS *parameters) {
  GraphNode *node = liveNode(handle);
  return node ? setKernel("cuGraphKernelNodeSetParams", node->operation, parameters) : CUDA_ERROR_INVALID_HANDLE;
}

CUresult cuGraphKernelNodeSetAttribute(CUgraphNode handle, CUlaunchAttributeID attribute,
                                       const CUlaunchAttributeValue *value) {
  GraphNode *node = liveNode(handle);
  auto *kernel = node ? std::get_if<KernelOperation>(&node->operation) : nullptr;
  if (!kernel || !value)
    return CUDA_ERROR_INVALID_VALUE;
  CUlaunchAttribute one{attribute, {}, *value};
  CUlaunchConfig config{};
  config.attrs = &one;
  config.numAttrs = 1;
  LaunchRequest request;
  if (CUresult failed = requestOf("cuGraphKernelNodeSetAttribute", config, request))
    return failed;
  if (attribute == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION)
    kernel->config.cluster = request.cluster;
  if (attribute == CU_LAUNCH_ATTRIBUTE_COOPERATIVE)
    kernel->config.cooperative = request.cooperative;
  return CUDA_SUCCESS;
}

CUresult cuGraphExecKernelNodeSetParams(CUgraphExec execHandle, CUgraphNode handle,
                                        const CUDA_KERNEL_NODE_PARAMS *parameters) {
  GraphExec *exec = liveExec(execHandle);
  std::optional<size_t> index = exec ? indexOf(*exec, handle) : std::nullopt;
  if (!index)
    return CUDA_ERROR_INVALID_VALUE;
  return setKernel("cuGraphExecKernelNodeSetParams", exec->graph->nodes[*index]->operation, parameters);
}

} // namespace glm::cuda
