#include "runtime/device/CudaDevice.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

namespace glm {

using namespace cuda;

// Kernels may count on it: a sector, and the widest copy of any chip (KernelAbi.h).
static constexpr uint64_t kConstantAlignment = 256;
// The driver hands out memory in pieces of 2 MiB: small tensors share one.
static constexpr uint64_t kSlabBytes = 64 << 20;
// Long enough for the bus to be busy most of the time, short enough that the first copy starts at once.
static constexpr uint64_t kStagingBytes = 8 << 20;
// What a block may have without asking for more.
static constexpr unsigned kPlainSharedBytes = 48 << 10;

static CUdeviceptr toPointer(const void *address) { return reinterpret_cast<CUdeviceptr>(address); }
static void *toAddress(CUdeviceptr pointer) { return reinterpret_cast<void *>(pointer); }

Result<std::unique_ptr<CudaDevice>> CudaDevice::open(const std::filesystem::path &library) {
  Result<CudaDriver> driver = CudaDriver::open(library);
  if (!driver)
    return driver.error();
  std::unique_ptr<CudaDevice> device(new CudaDevice(*driver));
  if (Result<void> started = device->start(); !started)
    return Error{fmt::format("{}: {}", library.string(), started.error().message)};
  return device;
}

Result<void> CudaDevice::start() {
  auto step = [&](CUresult result, const char *what) { return driver.check(result, what); };
  int count = 0;
  if (Result<void> done = step(driver.deviceGetCount(&count), "counting GPUs"); !done)
    return done;
  if (count == 0)
    return Error{"machine must have a GPU, but found none"};
  char text[256] = "";
  Result<void> done = step(driver.deviceGet(&device, 0), "opening the first GPU");
  if (done)
    done = step(driver.deviceGetName(text, sizeof text, device), "naming the GPU");
  if (done)
    done = step(driver.primaryCtxRetain(&context, device), "making a context");
  if (done)
    done = step(driver.ctxSetCurrent(context), "entering the context");
  if (done)
    done = step(driver.streamCreate(&stream, CU_STREAM_NON_BLOCKING), "making a stream");
  for (CUevent &timer : timers)
    if (done)
      done = step(driver.eventCreate(&timer, CU_EVENT_DEFAULT), "making an event");
  for (Staging &each : staging) {
    if (done)
      done = step(driver.memAllocHost(&each.memory, kStagingBytes), "pinning host memory");
    if (done)
      done = step(driver.eventCreate(&each.free, CU_EVENT_DISABLE_TIMING), "making an event");
  }
  if (!done)
    return done;
  name = text;
  Result<CUdeviceptr> counters = place(2 * sizeof(int32_t));
  if (!counters)
    return counters.error();
  rows = *counters;
  return {};
}

CudaDevice::~CudaDevice() {
  if (!context)
    return;
  if (stream)
    driver.streamSynchronize(stream);
  for (auto &[program, graph] : graphs)
    driver.graphExecDestroy(graph);
  for (Staging &each : staging) {
    if (each.free)
      driver.eventDestroy(each.free);
    if (each.memory)
      driver.memFreeHost(each.memory);
  }
  for (CUevent timer : timers)
    if (timer)
      driver.eventDestroy(timer);
  for (CUdeviceptr slab : slabs)
    driver.memFree(slab);
  if (module)
    driver.moduleUnload(module);
  if (stream)
    driver.streamDestroy(stream);
  driver.primaryCtxRelease(device);
}

/// A file with a zero behind it, as the driver wants text.
static Result<std::string> readCode(const std::filesystem::path &path) {
  std::ifstream file(path, std::ios::binary);
  std::string code{std::istreambuf_iterator<char>(file), {}};
  if (!file)
    return Error{
        fmt::format("{}: file must be readable, but found {}", path.filename().string(), std::strerror(errno))};
  return code;
}

Result<void> CudaDevice::loadKernels(const std::filesystem::path &path, const std::vector<Kernel> &kernels) {
  Result<std::string> code = readCode(path);
  if (!code)
    return code.error();
  std::string place = path.filename().string();
  char log[1024] = "";
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log, reinterpret_cast<void *>(sizeof log - 1)};
  Result<void> loaded = driver.check(
      driver.moduleLoadDataEx(&module, code->c_str(), std::size(options), options, values), "loading on " + name);
  if (!loaded) {
    std::string reason(log, strcspn(log, "\n"));
    return Error{fmt::format("{}: {}{}{}", place, loaded.error().message, reason.empty() ? "" : ": ", reason)};
  }
  functions.clear();
  for (const Kernel &kernel : kernels) {
    CUfunction function = nullptr;
    if (driver.moduleGetFunction(&function, module, kernel.name.c_str()) != CUDA_SUCCESS)
      return Error{fmt::format("{}: kernel {} must be an entry of it, but found none", place, kernel.name)};
    functions.push_back(
        {function, static_cast<unsigned>(kernel.threads), static_cast<unsigned>(kernel.sharedBytes), kernel.name});
    if (kernel.sharedBytes <= kPlainSharedBytes)
      continue;
    auto result = driver.funcSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                          static_cast<int>(kernel.sharedBytes));
    if (Result<void> allowed =
            driver.check(result, fmt::format("kernel {}: {} bytes of shared memory", kernel.name, kernel.sharedBytes));
        !allowed)
      return allowed;
  }
  return {};
}

void CudaDevice::keep(const Result<void> &result) {
  if (!result && !failure)
    failure = result.error();
}

void CudaDevice::setRows(LiveRows live) {
  int32_t counts[] = {static_cast<int32_t>(live.step), static_cast<int32_t>(live.output)};
  upload(toAddress(rows), counts, sizeof counts);
}

void CudaDevice::launch(const Call &call) {
  const Function &function = functions[call.kernel];
  CUdeviceptr count = rows + (call.rows == RowCount::Step ? 0 : sizeof(int32_t));
  std::vector<void *> parameters;
  parameters.reserve(call.arguments.size() + 1);
  for (void *const &argument : call.arguments)
    parameters.push_back(const_cast<void **>(&argument));
  parameters.push_back(&count);
  keep(driver.check(driver.launchKernel(function.function, static_cast<unsigned>(call.blocks), 1, 1, function.threads,
                                        1, 1, function.sharedBytes, stream, parameters.data(), nullptr),
                    "launching " + function.name));
}

Result<CUgraphExec> CudaDevice::record(std::span<const Call> calls) {
  Result<void> done =
      driver.check(driver.streamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), "recording a program");
  if (!done)
    return done.error();
  for (const Call &call : calls)
    launch(call);
  CUgraph graph = nullptr;
  CUgraphExec executable = nullptr;
  done = driver.check(driver.streamEndCapture(stream, &graph), "recording a program");
  if (done)
    done = driver.check(driver.graphInstantiate(&executable, graph, 0), "preparing a program");
  if (graph)
    driver.graphDestroy(graph);
  if (!done)
    return done.error();
  return executable;
}

void CudaDevice::replay(int64_t program, std::span<const Call> calls) {
  auto found = graphs.find(program);
  if (found == graphs.end()) {
    Result<CUgraphExec> recorded = record(calls);
    if (!recorded)
      return keep(recorded.error());
    found = graphs.emplace(program, *recorded).first;
  }
  keep(driver.check(driver.graphLaunch(found->second, stream), "launching a program"));
}

Result<void> CudaDevice::synchronize() {
  keep(driver.check(driver.streamSynchronize(stream), "running kernels"));
  return takeFailure();
}

Result<void> CudaDevice::takeFailure() {
  if (!failure)
    return {};
  Error error = *std::exchange(failure, std::nullopt);
  return error;
}

Result<CUdeviceptr> CudaDevice::reserve(uint64_t bytes) {
  CUdeviceptr address = 0;
  CUresult result = driver.memAlloc(&address, bytes);
  if (result == CUDA_SUCCESS)
    return address;
  size_t available = 0, total = 0;
  driver.memGetInfo(&available, &total);
  return Error{fmt::format(
      "{}: {}", name,
      driver.check(result, fmt::format("a reserve of {} bytes, with {} of {} free,", bytes, available, total))
          .error()
          .message)};
}

Result<Allocation> CudaDevice::allocate(uint64_t bytes) {
  if (bytes == 0)
    return Allocation();
  Result<CUdeviceptr> address = reserve(bytes);
  if (!address)
    return address.error();
  Allocation allocation(*this, toAddress(*address), bytes);
  if (Result<void> cleared = driver.check(driver.memsetD8Async(*address, 0, bytes, stream), "clearing memory");
      !cleared)
    return cleared.error();
  return allocation;
}

void CudaDevice::release(void *address, uint64_t) {
  // Kernels that were enqueued may still use it.
  driver.streamSynchronize(stream);
  driver.memFree(toPointer(address));
}

void CudaDevice::upload(void *to, const void *from, uint64_t bytes) {
  keep(stage(toPointer(to), static_cast<const char *>(from), bytes));
}

/// Pinned memory and the event behind its copy.
class CudaReadback final : public Readback {
public:
  explicit CudaReadback(CudaDevice &device) : device(device) {}
  ~CudaReadback() override {
    if (done)
      device.driver.eventDestroy(done);
    if (memory)
      device.driver.memFreeHost(memory);
  }
  Result<void> reserve(uint64_t bytes) {
    Result<void> reserved = device.driver.check(device.driver.memAllocHost(&memory, bytes), "pinning host memory");
    return reserved ? device.driver.check(device.driver.eventCreate(&done, CU_EVENT_DISABLE_TIMING), "making an event")
                    : reserved;
  }
  void start(const void *from, uint64_t bytes) override {
    const CudaDriver &driver = device.driver;
    device.keep(
        driver.check(driver.memcpyDtoHAsync(memory, toPointer(from), bytes, device.stream), "copying from the GPU"));
    device.keep(driver.check(driver.eventRecord(done, device.stream), "recording a copy"));
  }
  Result<const void *> wait() override {
    device.keep(device.driver.check(device.driver.eventSynchronize(done), "running kernels"));
    if (Result<void> failed = device.takeFailure(); !failed)
      return failed.error();
    return static_cast<const void *>(memory);
  }

private:
  CudaDevice &device;
  void *memory = nullptr;
  CUevent done = nullptr;
};

Result<std::unique_ptr<Readback>> CudaDevice::makeReadback(uint64_t bytes) {
  auto readback = std::make_unique<CudaReadback>(*this);
  if (Result<void> reserved = readback->reserve(bytes); !reserved)
    return reserved.error();
  return std::unique_ptr<Readback>(std::move(readback));
}

const void *CudaDevice::view(const void *from, uint64_t bytes, std::vector<uint8_t> &scratch) {
  scratch.assign(bytes, 0);
  keep(driver.check(driver.memcpyDtoH(scratch.data(), toPointer(from), bytes), "copying from the GPU"));
  return scratch.data();
}

Result<CUdeviceptr> CudaDevice::place(uint64_t bytes) {
  uint64_t room = (bytes + kConstantAlignment - 1) / kConstantAlignment * kConstantAlignment;
  if (slabEnd - slabNext < room) {
    uint64_t size = std::max(room, kSlabBytes);
    Result<CUdeviceptr> slab = reserve(size);
    if (!slab)
      return slab;
    slabs.push_back(*slab);
    slabNext = *slab;
    slabEnd = *slab + size;
  }
  return std::exchange(slabNext, slabNext + room);
}

Result<void> CudaDevice::turnStaging() {
  Result<void> recorded = driver.check(driver.eventRecord(staging[current].free, stream), "recording a copy");
  current = (current + 1) % std::size(staging);
  staging[current].used = 0;
  return recorded ? driver.check(driver.eventSynchronize(staging[current].free), "waiting for a copy") : recorded;
}

Result<void> CudaDevice::stage(CUdeviceptr to, const char *from, uint64_t bytes) {
  for (uint64_t done = 0; done < bytes;) {
    if (staging[current].used == kStagingBytes)
      if (Result<void> turned = turnStaging(); !turned)
        return turned;
    Staging &buffer = staging[current];
    uint64_t piece = std::min(kStagingBytes - buffer.used, bytes - done);
    char *pinned = static_cast<char *>(buffer.memory) + buffer.used;
    std::memcpy(pinned, from + done, piece);
    if (Result<void> copied =
            driver.check(driver.memcpyHtoDAsync(to + done, pinned, piece, stream), "copying to the GPU");
        !copied)
      return copied;
    buffer.used += piece;
    done += piece;
  }
  return {};
}

Result<void *> CudaDevice::makeResident(const void *bytes, uint64_t size) {
  Result<CUdeviceptr> to = place(size);
  if (!to)
    return to.error();
  if (Result<void> staged = stage(*to, static_cast<const char *>(bytes), size); !staged)
    return staged.error();
  return toAddress(*to);
}

Result<float> CudaDevice::timeCopy(CUdeviceptr to, CUdeviceptr from, uint64_t bytes) {
  float milliseconds = 0;
  Result<void> done = driver.check(driver.eventRecord(timers[0], stream), "starting a clock");
  if (done)
    done = driver.check(driver.memcpyDtoDAsync(to, from, bytes, stream), "copying within the GPU");
  if (done)
    done = driver.check(driver.eventRecord(timers[1], stream), "stopping a clock");
  if (done)
    done = driver.check(driver.eventSynchronize(timers[1]), "waiting for a copy");
  if (done)
    done = driver.check(driver.eventElapsedTime(&milliseconds, timers[0], timers[1]), "reading a clock");
  if (!done)
    return done.error();
  return milliseconds;
}

Result<double> CudaDevice::copyBandwidth(uint64_t bytes) {
  Result<Allocation> from = allocate(bytes), to = allocate(bytes);
  if (!from || !to)
    return from ? to.error() : from.error();
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    Result<float> milliseconds = timeCopy(toPointer(to->address()), toPointer(from->address()), bytes);
    if (!milliseconds)
      return milliseconds.error();
    if (*milliseconds > 0)
      best = std::max(best, 2e3 * static_cast<double>(bytes) / *milliseconds);
  }
  return best;
}

} // namespace glm
