#include "test/runtime/ptx/driver/Fixture.h"

namespace glm::cuda {
namespace {

class GraphTest : public DriverTest {
protected:
  void SetUp() override {
    DriverTest::SetUp();
    ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
    ASSERT_EQ(cuStreamCreate(&side, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  }

  CUDA_KERNEL_NODE_PARAMS addOneParameters(void **parameters) {
    CUDA_KERNEL_NODE_PARAMS result{};
    result.func = kernel("add_one");
    result.gridDimX = result.gridDimY = result.gridDimZ = 1;
    result.blockDimX = 32;
    result.blockDimY = result.blockDimZ = 1;
    result.kernelParams = parameters;
    return result;
  }

  CUstream stream = nullptr, side = nullptr;
};

TEST_F(GraphTest, recordsAStreamAndReplaysIt) {
  std::vector<uint32_t> values = random(50, 6);
  CUdeviceptr data = upload(values);
  ASSERT_EQ(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_SUCCESS);
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  ASSERT_EQ(cuStreamIsCapturing(stream, &status), CUDA_SUCCESS);
  EXPECT_EQ(status, CU_STREAM_CAPTURE_STATUS_ACTIVE);
  ASSERT_EQ(addOne(data, 50, stream), CUDA_SUCCESS);
  ASSERT_EQ(addOne(data, 50, stream), CUDA_SUCCESS);
  CUgraph graph = nullptr;
  ASSERT_EQ(cuStreamEndCapture(stream, &graph), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 50), values) << "recording runs nothing";
  size_t nodes = 0;
  ASSERT_EQ(cuGraphGetNodes(graph, nullptr, &nodes), CUDA_SUCCESS);
  EXPECT_EQ(nodes, 2u);
  CUgraphExec exec = nullptr;
  ASSERT_EQ(cuGraphInstantiate(&exec, graph, 0), CUDA_SUCCESS);
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(cuGraphLaunch(exec, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 50), plus(values, 6));
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroy(graph), CUDA_ERROR_INVALID_HANDLE);
  ASSERT_EQ(cuGraphLaunch(exec, stream), CUDA_SUCCESS) << "does not need the graph any more";
  EXPECT_EQ(cuGraphExecDestroy(exec), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
}

TEST_F(GraphTest, recordsForksAndJoins) {
  CUdeviceptr data = upload({1, 2, 3});
  CUevent fork = nullptr, join = nullptr;
  ASSERT_EQ(cuEventCreate(&fork, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&join, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_RELAXED), CUDA_SUCCESS);
  ASSERT_EQ(addOne(data, 1, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(fork, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWaitEvent(side, fork, 0), CUDA_SUCCESS);
  ASSERT_EQ(addOne(data, 3, side), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(fork), CUDA_ERROR_CAPTURED_EVENT);
  ASSERT_EQ(cuEventRecord(join, side), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWaitEvent(stream, join, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32Async(data + 8, 99, 1, stream), CUDA_SUCCESS);
  CUgraph graph = nullptr;
  ASSERT_EQ(cuStreamEndCapture(stream, &graph), CUDA_SUCCESS);
  size_t edges = 0;
  ASSERT_EQ(cuGraphGetEdges(graph, nullptr, nullptr, nullptr, &edges), CUDA_SUCCESS);
  EXPECT_EQ(edges, 3u) << "first to side, first and side to the fill";
  CUgraphExec exec = nullptr;
  ASSERT_EQ(cuGraphInstantiate(&exec, graph, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphLaunch(exec, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 3), (std::vector<uint32_t>{3, 3, 99}));
}

TEST_F(GraphTest, refusesWhatCannotBeRecorded) {
  CUdeviceptr data = upload({1});
  CUevent fork = nullptr, outside = nullptr;
  ASSERT_EQ(cuEventCreate(&fork, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuEventCreate(&outside, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(outside, side), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamBeginCapture(nullptr, CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  CUgraph graph = nullptr;
  EXPECT_EQ(cuStreamEndCapture(stream, &graph), CUDA_ERROR_ILLEGAL_STATE);

  ASSERT_EQ(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamWaitEvent(stream, outside, 0), CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  EXPECT_EQ(addOne(data, 1, stream), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  EXPECT_EQ(cuStreamEndCapture(stream, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);

  ASSERT_EQ(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_SUCCESS);
  ASSERT_EQ(addOne(data, 1, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(fork, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWaitEvent(side, fork, 0), CUDA_SUCCESS);
  ASSERT_EQ(addOne(data, 1, side), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamEndCapture(side, &graph), CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
  EXPECT_EQ(cuStreamEndCapture(stream, &graph), CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
  EXPECT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 1), (std::vector<uint32_t>{1})) << "nothing ran";
}

TEST_F(GraphTest, isBuiltNodeByNode) {
  std::vector<uint32_t> values = random(32, 7);
  CUdeviceptr data = upload(values);
  std::vector<uint32_t> back(32);
  uint32_t count = 32;
  void *parameters[] = {&data, &count};
  CUgraph graph = nullptr, child = nullptr;
  ASSERT_EQ(cuGraphCreate(&graph, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphCreate(&child, 0), CUDA_SUCCESS);
  CUgraphNode inner = nullptr, fill = nullptr, add = nullptr, nested = nullptr, copy = nullptr, empty = nullptr;
  CUDA_KERNEL_NODE_PARAMS kernelParameters = addOneParameters(parameters);
  ASSERT_EQ(cuGraphAddKernelNode(&inner, child, nullptr, 0, &kernelParameters), CUDA_SUCCESS);
  CUDA_MEMSET_NODE_PARAMS fillParameters{data, 0, 5, 4, 2, 1};
  ASSERT_EQ(cuGraphAddMemsetNode(&fill, graph, nullptr, 0, &fillParameters, context), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddKernelNode(&add, graph, &fill, 1, &kernelParameters), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddChildGraphNode(&nested, graph, &add, 1, child), CUDA_SUCCESS);
  CUDA_MEMCPY3D copyParameters{};
  copyParameters.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  copyParameters.srcDevice = data;
  copyParameters.dstMemoryType = CU_MEMORYTYPE_HOST;
  copyParameters.dstHost = back.data();
  copyParameters.WidthInBytes = 128;
  copyParameters.Height = copyParameters.Depth = 1;
  ASSERT_EQ(cuGraphAddMemcpyNode(&copy, graph, &nested, 1, &copyParameters, context), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddEmptyNode(&empty, graph, &copy, 1), CUDA_SUCCESS);

  CUgraphExec exec = nullptr;
  ASSERT_EQ(cuGraphInstantiate(&exec, graph, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphLaunch(exec, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  std::vector<uint32_t> expected = plus(values, 2);
  expected[0] = expected[1] = 7;
  EXPECT_EQ(back, expected);

  // Without the first addition; then with one over other data.
  ASSERT_EQ(cuGraphNodeSetEnabled(exec, add, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphLaunch(exec, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  expected = plus(expected, 1);
  expected[0] = expected[1] = 6;
  EXPECT_EQ(back, expected);
  ASSERT_EQ(cuGraphNodeSetEnabled(exec, add, 1), CUDA_SUCCESS);
  CUdeviceptr other = upload({40});
  uint32_t one = 1;
  void *otherParameters[] = {&other, &one};
  CUDA_KERNEL_NODE_PARAMS changed = addOneParameters(otherParameters);
  ASSERT_EQ(cuGraphExecKernelNodeSetParams(exec, add, &changed), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphLaunch(exec, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(download(other, 1), (std::vector<uint32_t>{41}));

  CUgraphNodeType type = CU_GRAPH_NODE_TYPE_EMPTY;
  ASSERT_EQ(cuGraphNodeGetType(nested, &type), CUDA_SUCCESS);
  EXPECT_EQ(type, CU_GRAPH_NODE_TYPE_GRAPH);
  size_t roots = 1;
  CUgraphNode root = nullptr;
  ASSERT_EQ(cuGraphGetRootNodes(graph, &root, &roots), CUDA_SUCCESS);
  EXPECT_EQ(root, fill);
}

TEST_F(GraphTest, takesAChangedGraphOfTheSameShape) {
  CUdeviceptr data = upload({1, 1});
  auto record = [&](uint32_t count, bool twice) {
    CUgraph graph = nullptr;
    EXPECT_EQ(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_SUCCESS);
    EXPECT_EQ(addOne(data, count, stream), CUDA_SUCCESS);
    if (twice)
      EXPECT_EQ(addOne(data, count, stream), CUDA_SUCCESS);
    EXPECT_EQ(cuStreamEndCapture(stream, &graph), CUDA_SUCCESS);
    return graph;
  };
  CUgraphExec exec = nullptr;
  ASSERT_EQ(cuGraphInstantiate(&exec, record(1, false), 0), CUDA_SUCCESS);
  CUgraphExecUpdateResultInfo info{};
  ASSERT_EQ(cuGraphExecUpdate(exec, record(2, false), &info), CUDA_SUCCESS);
  EXPECT_EQ(info.result, CU_GRAPH_EXEC_UPDATE_SUCCESS);
  EXPECT_EQ(cuGraphExecUpdate(exec, record(2, true), &info), CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
  EXPECT_EQ(info.result, CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED);
  ASSERT_EQ(cuGraphLaunch(exec, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 2), (std::vector<uint32_t>{2, 2}));
}

TEST_F(GraphTest, refusesCyclesAndForeignNodes) {
  CUgraph graph = nullptr, other = nullptr;
  ASSERT_EQ(cuGraphCreate(&graph, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphCreate(&other, 0), CUDA_SUCCESS);
  CUgraphNode a = nullptr, b = nullptr, c = nullptr;
  ASSERT_EQ(cuGraphAddEmptyNode(&a, graph, nullptr, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuGraphAddEmptyNode(&b, graph, &a, 1), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphAddEmptyNode(&c, other, &a, 1), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuGraphAddDependencies(graph, &b, &a, nullptr, 1), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphAddDependencies(graph, &b, &a, nullptr, 1), CUDA_ERROR_INVALID_VALUE) << "twice";
  CUgraphExec exec = nullptr;
  EXPECT_EQ(cuGraphInstantiate(&exec, graph, 0), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuGraphDestroyNode(b), CUDA_SUCCESS);
  EXPECT_EQ(cuGraphDestroyNode(b), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuGraphInstantiate(&exec, graph, 0), CUDA_SUCCESS);
}

} // namespace
} // namespace glm::cuda
