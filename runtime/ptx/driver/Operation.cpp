#include "runtime/ptx/driver/Operation.h"

#include "runtime/ptx/driver/Graph.h"
#include "runtime/ptx/driver/State.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace glm::ptx {

using namespace cuda;

namespace {

CUresult resultOf(const LaunchFault &fault) {
  switch (fault.kind) {
  case LaunchFault::Kind::IllegalAddress:
    return CUDA_ERROR_ILLEGAL_ADDRESS;
  case LaunchFault::Kind::MisalignedAddress:
    return CUDA_ERROR_MISALIGNED_ADDRESS;
  case LaunchFault::Kind::IllegalInstruction:
    return CUDA_ERROR_ILLEGAL_INSTRUCTION;
  case LaunchFault::Kind::HardwareStackError:
    return CUDA_ERROR_HARDWARE_STACK_ERROR;
  case LaunchFault::Kind::InvalidPc:
    return CUDA_ERROR_INVALID_PC;
  case LaunchFault::Kind::Assert:
    return CUDA_ERROR_ASSERT;
  case LaunchFault::Kind::LaunchFailed:
    return CUDA_ERROR_LAUNCH_FAILED;
  case LaunchFault::Kind::LaunchTimeout:
    return CUDA_ERROR_LAUNCH_TIMEOUT;
  }
  return CUDA_ERROR_UNKNOWN;
}

struct Performer {
  Context &context;

  CUresult operator()(const EmptyOperation &) const { return CUDA_SUCCESS; }

  CUresult operator()(const KernelOperation &operation) const {
    Driver &driver = Driver::get();
    auto fault = runLaunch(*operation.kernel->image->loaded, operation.kernel->index, operation.config,
                           driver.options(), driver.profile());
    if (!fault)
      return CUDA_SUCCESS;
    report("launch", fault->message);
    return resultOf(*fault);
  }

  CUresult operator()(const CopyOperation &copy) const {
    for (size_t slice = 0; slice < copy.depth; ++slice)
      for (size_t row = 0; row < copy.height; ++row)
        std::memmove(copy.to + slice * copy.toSlice + row * copy.toPitch,
                     copy.from + slice * copy.fromSlice + row * copy.fromPitch, copy.width);
    return CUDA_SUCCESS;
  }

  CUresult operator()(const FillOperation &fill) const {
    for (size_t row = 0; row < fill.height; ++row) {
      std::byte *to = fill.to + row * fill.pitch;
      for (size_t element = 0; element < fill.width; ++element)
        std::memcpy(to + element * fill.elementBytes, &fill.value, fill.elementBytes); // little endian
    }
    return CUDA_SUCCESS;
  }

  CUresult operator()(const HostOperation &host) const {
    host.function(host.data);
    return CUDA_SUCCESS;
  }

  CUresult operator()(const ChildOperation &child) const {
    for (size_t index : orderOf(*child.graph))
      if (CUresult failed = perform(child.graph->nodes[index]->operation, context))
        return failed;
    return CUDA_SUCCESS;
  }

  CUresult operator()(const EventRecordOperation &record) const {
    auto done = std::make_shared<Completion>();
    auto time = std::make_shared<std::chrono::steady_clock::time_point>(std::chrono::steady_clock::now());
    done->finish();
    std::lock_guard lock(record.event->mutex);
    record.event->recorded = std::move(done);
    record.event->time = std::move(time);
    return CUDA_SUCCESS;
  }

  CUresult operator()(const EventWaitOperation &wait) const {
    Token token;
    {
      std::lock_guard lock(wait.event->mutex);
      token = wait.event->recorded;
    }
    if (token)
      token->wait();
    return CUDA_SUCCESS;
  }
};

/// Add to the graph that `stream` records. The driver's mutex is held.
CUresult capture(Stream &stream, Operation operation) {
  if (stream.capture->invalidated)
    return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
  stream.tail = {stream.capture->graph->add(std::move(operation), stream.tail)};
  return CUDA_SUCCESS;
}

} // namespace

CUresult perform(const Operation &operation, Context &context) { return std::visit(Performer{context}, operation); }

CUresult submit(Stream &stream, Operation operation) {
  {
    std::lock_guard lock(Driver::get().mutex);
    if (stream.capture)
      return capture(stream, std::move(operation));
  }
  auto work = std::make_shared<Operation>(std::move(operation));
  enqueueOrdered(stream, [work, &stream] { return perform(*work, stream.context); });
  return CUDA_SUCCESS;
}

CUresult refuseWhileCapturing(Stream &stream) {
  std::lock_guard lock(Driver::get().mutex);
  if (!stream.capture)
    return CUDA_SUCCESS;
  stream.capture->invalidated = true;
  return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

CUresult submitAndWait(Stream &stream, Operation operation) {
  if (CUresult refused = refuseWhileCapturing(stream))
    return refused;
  auto work = std::make_shared<Operation>(std::move(operation));
  enqueueOrdered(stream, [work, &stream] { return perform(*work, stream.context); })->wait();
  return stream.context.sticky;
}

CUresult recordEvent(Event &event, Stream &stream) {
  {
    std::lock_guard lock(Driver::get().mutex);
    if (stream.capture) {
      std::lock_guard own(event.mutex);
      event.capture = stream.capture;
      event.nodes = stream.tail;
      return CUDA_SUCCESS;
    }
  }
  auto time = std::make_shared<std::chrono::steady_clock::time_point>();
  std::lock_guard own(event.mutex);
  event.capture = nullptr;
  event.nodes.clear();
  event.time = time;
  event.recorded = enqueueOrdered(stream, [time] {
    *time = std::chrono::steady_clock::now();
    return CUDA_SUCCESS;
  });
  return CUDA_SUCCESS;
}

CUresult waitEvent(Stream &stream, Event &event) {
  std::lock_guard lock(Driver::get().mutex);
  std::lock_guard own(event.mutex);
  if (event.capture) {
    if (stream.capture && stream.capture != event.capture)
      return CUDA_ERROR_STREAM_CAPTURE_MERGE;
    if (!stream.capture)
      stream.capture = event.capture;
    std::ranges::copy_if(event.nodes, std::back_inserter(stream.tail),
                         [&](GraphNode *node) { return std::ranges::find(stream.tail, node) == stream.tail.end(); });
    return CUDA_SUCCESS;
  }
  if (stream.capture)
    return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
  std::vector<Token> dependencies;
  if (event.recorded)
    dependencies.push_back(event.recorded);
  enqueueOrdered(stream, [] { return CUDA_SUCCESS; }, std::move(dependencies));
  return CUDA_SUCCESS;
}

} // namespace glm::ptx
