// Streams, events, host functions, values in memory that streams wait for.
#include "runtime/cuda/Driver.h"
#include "runtime/ptx/driver/Graph.h"
#include "runtime/ptx/driver/Operation.h"
#include "runtime/ptx/driver/State.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace glm::cuda {

using namespace glm::ptx;

namespace {

template <typename Body>
CUresult withStream(CUstream handle, Body &&body) {
  return withContext([&](Context &context) {
    auto stream = streamOf(context, handle);
    return stream ? body(*stream) : CUDA_ERROR_INVALID_HANDLE;
  });
}

/// Compare as CU_STREAM_WAIT_VALUE_* (low two bits of the flags) say.
bool reached(uint32_t now, uint32_t value, unsigned flags) {
  switch (flags & 3) {
  case 0:
    return static_cast<int32_t>(now - value) >= 0;
  case 1:
    return now == value;
  case 2:
    return (now & value) != 0;
  default:
    return ~(now | value) != 0;
  }
}

bool isWord(CUdeviceptr address) { return address % 4 == 0 && Driver::get().memory().find(address).bytes; }

} // namespace

CUresult cuStreamCreate(CUstream *stream, unsigned flags) { return cuStreamCreateWithPriority(stream, flags, 0); }

CUresult cuStreamCreateWithPriority(CUstream *handle, unsigned flags, int priority) {
  return withContext([&](Context &context) {
    if (!handle || flags & ~unsigned{CU_STREAM_NON_BLOCKING})
      return CUDA_ERROR_INVALID_VALUE;
    auto stream = std::make_shared<Stream>(context, flags, priority);
    Driver::get().add(ObjectKind::Stream, stream.get());
    *handle = reinterpret_cast<CUstream>(stream.get());
    std::lock_guard lock(context.mutex);
    context.streams.push_back(std::move(stream));
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamDestroy(CUstream handle) {
  if (!Driver::get().alive(ObjectKind::Stream, handle))
    return CUDA_ERROR_INVALID_HANDLE;
  Context &context = reinterpret_cast<Stream *>(handle)->context;
  Driver::get().remove(handle);
  // What is enqueued still runs. Waiting for it here is what makes the handle's memory safe to give back.
  std::shared_ptr<Stream> gone;
  std::lock_guard lock(context.mutex);
  auto found = std::ranges::find_if(
      context.streams, [&](const auto &stream) { return reinterpret_cast<CUstream>(stream.get()) == handle; });
  if (found != context.streams.end()) {
    gone = std::move(*found);
    context.streams.erase(found);
  }
  return CUDA_SUCCESS;
}

CUresult cuStreamSynchronize(CUstream handle) {
  return withStream(handle, [](Stream &stream) {
    if (CUresult refused = refuseWhileCapturing(stream))
      return refused;
    // An empty piece of work sees what the default stream's rule adds.
    enqueueOrdered(stream, [] { return CUDA_SUCCESS; })->wait();
    return stream.context.sticky.load();
  });
}

CUresult cuStreamQuery(CUstream handle) {
  return withStream(handle, [](Stream &stream) {
    Token token = stream.last();
    return !token || token->isDone() ? stream.context.sticky.load() : CUDA_ERROR_NOT_READY;
  });
}

CUresult cuStreamWaitEvent(CUstream handle, CUevent eventHandle, unsigned) {
  return withStream(handle, [&](Stream &stream) {
    Event *event = liveEvent(eventHandle);
    return event ? waitEvent(stream, *event) : CUDA_ERROR_INVALID_HANDLE;
  });
}

CUresult cuStreamGetFlags(CUstream handle, unsigned *flags) {
  return withStream(handle, [&](Stream &stream) {
    if (!flags)
      return CUDA_ERROR_INVALID_VALUE;
    *flags = stream.flags;
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamGetPriority(CUstream handle, int *priority) {
  return withStream(handle, [&](Stream &stream) {
    if (!priority)
      return CUDA_ERROR_INVALID_VALUE;
    *priority = stream.priority;
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamGetCtx(CUstream handle, CUcontext *context) {
  return withStream(handle, [&](Stream &stream) {
    if (!context)
      return CUDA_ERROR_INVALID_VALUE;
    *context = handleOf(&stream.context);
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamGetId(CUstream handle, unsigned long long *id) {
  return withStream(handle, [&](Stream &stream) {
    if (!id)
      return CUDA_ERROR_INVALID_VALUE;
    *id = stream.id;
    return CUDA_SUCCESS;
  });
}

CUresult cuLaunchHostFunc(CUstream handle, CUhostFn function, void *data) {
  return withStream(handle, [&](Stream &stream) {
    return function ? submit(stream, HostOperation{function, data}) : CUDA_ERROR_INVALID_VALUE;
  });
}

CUresult cuStreamAddCallback(CUstream handle, void (*callback)(CUstream, CUresult, void *), void *data,
                             unsigned flags) {
  return withStream(handle, [&](Stream &stream) {
    if (!callback || flags)
      return CUDA_ERROR_INVALID_VALUE;
    enqueueOrdered(stream, [=] {
      callback(handle, CUDA_SUCCESS, data);
      return CUDA_SUCCESS;
    });
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamWaitValue32(CUstream handle, CUdeviceptr address, uint32_t value, unsigned flags) {
  return withStream(handle, [&](Stream &stream) {
    if (!isWord(address))
      return CUDA_ERROR_INVALID_VALUE;
    enqueueOrdered(stream, [=] {
      std::atomic_ref<uint32_t> word(*reinterpret_cast<uint32_t *>(address));
      while (!reached(word.load(std::memory_order_acquire), value, flags))
        std::this_thread::yield();
      return CUDA_SUCCESS;
    });
    return CUDA_SUCCESS;
  });
}

CUresult cuStreamWriteValue32(CUstream handle, CUdeviceptr address, uint32_t value, unsigned) {
  return withStream(handle, [&](Stream &stream) {
    if (!isWord(address))
      return CUDA_ERROR_INVALID_VALUE;
    enqueueOrdered(stream, [=] {
      std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t *>(address)).store(value, std::memory_order_release);
      return CUDA_SUCCESS;
    });
    return CUDA_SUCCESS;
  });
}

CUresult cuEventCreate(CUevent *handle, unsigned flags) {
  return withContext([&](Context &context) {
    if (!handle || flags & ~unsigned{CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING | CU_EVENT_INTERPROCESS})
      return CUDA_ERROR_INVALID_VALUE;
    auto *event = new Event(context, flags);
    Driver::get().add(ObjectKind::Event, event);
    *handle = reinterpret_cast<CUevent>(event);
    return CUDA_SUCCESS;
  });
}

CUresult cuEventDestroy(CUevent handle) {
  Event *event = liveEvent(handle);
  if (!event)
    return CUDA_ERROR_INVALID_HANDLE;
  Driver::get().remove(event);
  delete event;
  return CUDA_SUCCESS;
}

CUresult cuEventRecord(CUevent handle, CUstream streamHandle) {
  return withStream(streamHandle, [&](Stream &stream) {
    Event *event = liveEvent(handle);
    return event ? recordEvent(*event, stream) : CUDA_ERROR_INVALID_HANDLE;
  });
}

CUresult cuEventRecordWithFlags(CUevent handle, CUstream stream, unsigned) { return cuEventRecord(handle, stream); }

CUresult cuEventQuery(CUevent handle) {
  return withContext([&](Context &context) {
    Event *event = liveEvent(handle);
    if (!event)
      return CUDA_ERROR_INVALID_HANDLE;
    std::lock_guard lock(event->mutex);
    if (event->capture)
      return CUDA_ERROR_CAPTURED_EVENT;
    return !event->recorded || event->recorded->isDone() ? context.sticky.load() : CUDA_ERROR_NOT_READY;
  });
}

CUresult cuEventSynchronize(CUevent handle) {
  return withContext([&](Context &context) {
    Event *event = liveEvent(handle);
    if (!event)
      return CUDA_ERROR_INVALID_HANDLE;
    Token token;
    {
      std::lock_guard lock(event->mutex);
      if (event->capture)
        return CUDA_ERROR_CAPTURED_EVENT;
      token = event->recorded;
    }
    if (token)
      token->wait();
    return context.sticky.load();
  });
}

CUresult cuEventElapsedTime(float *milliseconds, CUevent startHandle, CUevent endHandle) {
  return withContext([&](Context &) {
    Event *start = liveEvent(startHandle), *end = liveEvent(endHandle);
    if (!start || !end)
      return CUDA_ERROR_INVALID_HANDLE;
    if (!milliseconds || start->flags & CU_EVENT_DISABLE_TIMING || end->flags & CU_EVENT_DISABLE_TIMING)
      return milliseconds ? CUDA_ERROR_INVALID_HANDLE : CUDA_ERROR_INVALID_VALUE;
    std::chrono::steady_clock::time_point times[2];
    Event *events[2] = {start, end};
    for (int i = 0; i < 2; ++i) {
      std::lock_guard lock(events[i]->mutex);
      if (!events[i]->recorded)
        return CUDA_ERROR_INVALID_HANDLE;
      if (!events[i]->recorded->isDone())
        return CUDA_ERROR_NOT_READY;
      times[i] = *events[i]->time;
    }
    *milliseconds = std::chrono::duration<float, std::milli>(times[1] - times[0]).count();
    return CUDA_SUCCESS;
  });
}

} // namespace glm::cuda
