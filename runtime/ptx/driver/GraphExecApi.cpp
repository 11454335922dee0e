// Recording graphs from streams, and running graphs.
#include "runtime/cuda/Driver.h"
#include "runtime/ptx/driver/GraphHandles.h"
#include "runtime/ptx/driver/State.h"

#include <algorithm>

namespace glm::ptx {

Graph *liveGraph(cuda::CUgraph handle) {
  auto *graph = reinterpret_cast<Graph *>(handle);
  return Driver::get().alive(ObjectKind::Graph, graph) ? graph : nullptr;
}

GraphNode *liveNode(cuda::CUgraphNode handle) {
  auto *node = reinterpret_cast<GraphNode *>(handle);
  return Driver::get().alive(ObjectKind::GraphNode, node) ? node : nullptr;
}

GraphExec *liveExec(cuda::CUgraphExec handle) {
  auto *exec = reinterpret_cast<GraphExec *>(handle);
  return Driver::get().alive(ObjectKind::GraphExec, exec) ? exec : nullptr;
}

std::optional<size_t> indexOf(const GraphExec &exec, cuda::CUgraphNode node) {
  auto found = std::ranges::find(exec.originals, reinterpret_cast<const GraphNode *>(node));
  if (found == exec.originals.end())
    return std::nullopt;
  return found - exec.originals.begin();
}

} // namespace glm::ptx

namespace glm::cuda {

using namespace glm::ptx;

namespace {

thread_local CUstreamCaptureMode captureMode = CU_STREAM_CAPTURE_MODE_GLOBAL;

/// The operations of an executable graph that are enabled, as they are now.
std::vector<Operation> replayOf(const GraphExec &exec) {
  std::vector<Operation> operations;
  for (size_t index : exec.order)
    if (exec.enabled[index])
      operations.push_back(exec.graph->nodes[index]->operation);
  return operations;
}

/// Why `fresh` cannot take the place of `old`; success if it can.
CUgraphExecUpdateResult compare(const Graph &old, const Graph &fresh, size_t &where) {
  if (old.nodes.size() != fresh.nodes.size())
    return CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED;
  auto position = [](const Graph &graph, const GraphNode *node) {
    return std::ranges::find(graph.nodes, node, &std::unique_ptr<GraphNode>::get) - graph.nodes.begin();
  };
  for (where = 0; where < old.nodes.size(); ++where) {
    const GraphNode &before = *old.nodes[where], &after = *fresh.nodes[where];
    if (before.operation.index() != after.operation.index())
      return CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED;
    if (!std::ranges::equal(before.dependencies, after.dependencies, [&](const GraphNode *a, const GraphNode *b) {
          return position(old, a) == position(fresh, b);
        }))
      return CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED;
    const auto *a = std::get_if<KernelOperation>(&before.operation);
    const auto *b = std::get_if<KernelOperation>(&after.operation);
    if (a && a->kernel->image->context != b->kernel->image->context)
      return CU_GRAPH_EXEC_UPDATE_ERROR_FUNCTION_CHANGED;
  }
  return CU_GRAPH_EXEC_UPDATE_SUCCESS;
}

} // namespace

CUresult cuStreamBeginCapture(CUstream handle, CUstreamCaptureMode mode) {
  return withContext([&](Context &context) {
    auto stream = streamOf(context, handle);
    if (!stream)
      return CUDA_ERROR_INVALID_HANDLE;
    if (stream == context.legacy)
      return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    std::lock_guard lock(Driver::get().mutex);
    if (stream->capture)
      return CUDA_ERROR_ILLEGAL_STATE;
    stream->capture = std::make_shared<Capture>();
    stream->capture->graph = std::make_unique<Graph>();
    stream->capture->graph->context = &context;
    stream->capture->origin = stream;
    stream->capture->mode = mode;
    stream->capture->thread = std::this_thread::get_id();
    stream->tail.clear();
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamEndCapture(CUstream handle, CUgraph *result) {
  return withContext([&](Context &context) {
    auto stream = streamOf(context, handle);
    if (!stream)
      return CUDA_ERROR_INVALID_HANDLE;
    if (!result)
      return CUDA_ERROR_INVALID_VALUE;
    std::lock_guard lock(Driver::get().mutex);
    std::shared_ptr<Capture> capture = stream->capture;
    if (!capture)
      return CUDA_ERROR_ILLEGAL_STATE;
    if (capture->origin.lock() != stream)
      return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
    if (capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED && capture->thread != std::this_thread::get_id())
      return CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD;
    // Streams that joined must have been waited for: all that they recorded comes before the end of this stream.
    std::vector<GraphNode *> reached = stream->tail;
    for (size_t i = 0; i < reached.size(); ++i)
      for (GraphNode *dependency : reached[i]->dependencies)
        if (std::ranges::find(reached, dependency) == reached.end())
          reached.push_back(dependency);
    bool joined = reached.size() == capture->graph->nodes.size();
    {
      std::lock_guard own(context.mutex);
      for (const std::shared_ptr<Stream> &other : context.streams)
        if (other->capture == capture) {
          other->capture = nullptr;
          other->tail.clear();
        }
    }
    std::unique_ptr<Graph> graph = std::move(capture->graph);
    *result = nullptr;
    if (capture->invalidated)
      return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    if (!joined)
      return CUDA_ERROR_STREAM_CAPTURE_UNJOINED;
    Driver::get().add(ObjectKind::Graph, graph.get());
    *result = reinterpret_cast<CUgraph>(graph.release());
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamIsCapturing(CUstream handle, CUstreamCaptureStatus *status) {
  return withContext([&](Context &context) {
    auto stream = streamOf(context, handle);
    if (!stream || !status)
      return stream ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_HANDLE;
    std::lock_guard lock(Driver::get().mutex);
    *status = !stream->capture               ? CU_STREAM_CAPTURE_STATUS_NONE
              : stream->capture->invalidated ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                                             : CU_STREAM_CAPTURE_STATUS_ACTIVE;
    return CUDA_SUCCESS;
  });
}

CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode) {
  if (!mode)
    return CUDA_ERROR_INVALID_VALUE;
  std::swap(*mode, captureMode);
  return CUDA_SUCCESS;
}

CUresult cuGraphInstantiate(CUgraphExec *handle, CUgraph graphHandle, unsigned long long flags) {
  return withContext([&](Context &) {
    Graph *graph = liveGraph(graphHandle);
    if (!graph || !handle || flags)
      return CUDA_ERROR_INVALID_VALUE;
    auto exec = std::make_unique<GraphExec>();
    exec->graph = cloneGraph(*graph);
    exec->order = orderOf(*exec->graph);
    if (exec->order.size() != graph->nodes.size())
      return CUDA_ERROR_INVALID_VALUE; // a cycle
    for (const auto &node : graph->nodes)
      exec->originals.push_back(node.get());
    exec->enabled.assign(graph->nodes.size(), true);
    Driver::get().add(ObjectKind::GraphExec, exec.get());
    *handle = reinterpret_cast<CUgraphExec>(exec.release());
    return CUDA_SUCCESS;
  });
}

CUresult cuGraphExecDestroy(CUgraphExec handle) {
  GraphExec *exec = liveExec(handle);
  if (!exec)
    return CUDA_ERROR_INVALID_HANDLE;
  Driver::get().remove(exec);
  delete exec; // launches that are enqueued hold their operations
  return CUDA_SUCCESS;
}

CUresult cuGraphExecUpdate(CUgraphExec execHandle, CUgraph graphHandle, CUgraphExecUpdateResultInfo *result) {
  GraphExec *exec = liveExec(execHandle);
  Graph *graph = liveGraph(graphHandle);
  if (!exec || !graph || !result)
    return CUDA_ERROR_INVALID_VALUE;
  size_t where = 0;
  *result = {compare(*exec->graph, *graph, where), nullptr, nullptr};
  if (result->result != CU_GRAPH_EXEC_UPDATE_SUCCESS) {
    if (where < graph->nodes.size())
      result->errorNode = reinterpret_cast<CUgraphNode>(graph->nodes[where].get());
    return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
  }
  std::shared_ptr<Graph> copy = cloneGraph(*graph);
  for (size_t i = 0; i < copy->nodes.size(); ++i)
    exec->graph->nodes[i]->operation = std::move(copy->nodes[i]->operation);
  return CUDA_SUCCESS;
}

CUresult cuGraphNodeSetEnabled(CUgraphExec execHandle, CUgraphNode node, unsigned enabled) {
  GraphExec *exec = liveExec(execHandle);
  std::optional<size_t> index = exec ? indexOf(*exec, node) : std::nullopt;
  if (!index)
    return CUDA_ERROR_INVALID_VALUE;
  exec->enabled[*index] = enabled != 0;
  return CUDA_SUCCESS;
}

CUresult cuGraphNodeGetEnabled(CUgraphExec execHandle, CUgraphNode node, unsigned *enabled) {
  GraphExec *exec = liveExec(execHandle);
  std::optional<size_t> index = exec ? indexOf(*exec, node) : std::nullopt;
  if (!index || !enabled)
    return CUDA_ERROR_INVALID_VALUE;
  *enabled = exec->enabled[*index];
  return CUDA_SUCCESS;
}

CUresult cuGraphUpload(CUgraphExec execHandle, CUstream handle) {
  return withContext([&](Context &context) {
    return liveExec(execHandle) && streamOf(context, handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
  });
}

CUresult cuGraphLaunch(CUgraphExec execHandle, CUstream handle) {
  return withContext([&](Context &context) {
    GraphExec *exec = liveExec(execHandle);
    auto stream = streamOf(context, handle);
    if (!exec || !stream)
      return CUDA_ERROR_INVALID_HANDLE;
    if (CUresult refused = refuseWhileCapturing(*stream))
      return refused;
    auto operations = std::make_shared<std::vector<Operation>>(replayOf(*exec));
    Stream *target = stream.get();
    enqueueOrdered(*stream, [operations, target] {
      for (const Operation &operation : *operations)
        if (CUresult failed = perform(operation, target->context))
          return failed;
      return CUDA_SUCCESS;
    });
    return CUDA_SUCCESS;
  });
}

} // namespace glm::cuda
