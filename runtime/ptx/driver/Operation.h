// One piece of work on a stream or in a graph, with everything that it needs: arguments are copied when it is made.
#pragma once

#include "runtime/cuda/Types.h"
#include "runtime/ptx/driver/Module.h"
#include "runtime/ptx/driver/Stream.h"

#include <cstddef>
#include <memory>
#include <variant>
#include <vector>

namespace glm::ptx {

struct KernelOperation {
  Kernel *kernel = nullptr;
  LaunchConfig config;
};

/// depth x height rows of `width` bytes.
struct CopyOperation {
  std::byte *to = nullptr;
  const std::byte *from = nullptr;
  size_t toPitch = 0, toSlice = 0, fromPitch = 0, fromSlice = 0; ///< bytes between rows, and between slices
  size_t width = 0, height = 1, depth = 1;
  /// What `from` points into, for pageable host memory: it is read when the copy is asked for.
  std::shared_ptr<std::vector<std::byte>> staged;
};

/// height rows of `width` values of `elementBytes`.
struct FillOperation {
  std::byte *to = nullptr;
  size_t pitch = 0;
  uint32_t value = 0, elementBytes = 1;
  size_t width = 0, height = 1;
};

struct HostOperation {
  cuda::CUhostFn function = nullptr;
  void *data = nullptr;
};

struct EmptyOperation {};

struct ChildOperation {
  std::shared_ptr<Graph> graph;
};

struct EventRecordOperation {
  Event *event = nullptr;
};

struct EventWaitOperation {
  Event *event = nullptr;
};

using Operation = std::variant<EmptyOperation, KernelOperation, CopyOperation, FillOperation, HostOperation,
                               ChildOperation, EventRecordOperation, EventWaitOperation>;

/// Do it now, on this thread. `context` gives the device.
cuda::CUresult perform(const Operation &operation, Context &context);

/// Enqueue on a stream, or add it to the graph that the stream records.
cuda::CUresult submit(Stream &stream, Operation operation);

/// The same, and wait for it: calls without "Async". Refused while recording.
cuda::CUresult submitAndWait(Stream &stream, Operation operation);

/// What cannot be recorded spoils the graph that the stream records, and is refused; success if it records none.
cuda::CUresult refuseWhileCapturing(Stream &stream);

/// Mark an event as recorded after everything that was enqueued on `stream`, or in the graph that it records.
cuda::CUresult recordEvent(Event &event, Stream &stream);
/// Make later work of `stream` wait; joins the recording that the event was made in.
cuda::CUresult waitEvent(Stream &stream, Event &event);

} // namespace glm::ptx
