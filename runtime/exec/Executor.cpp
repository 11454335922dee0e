#include "runtime/exec/Executor.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace glm {

uint64_t tapElementBytes(const std::string &dtype) {
  return dtype == "I32" || dtype == "F32" ? 4 : dtype == "BF16" ? 2 : 0;
}

static Result<int64_t> findPort(const Manifest &manifest, const std::string &name, BufferSpace space, uint64_t bytes) {
  for (size_t i = 0; i < manifest.buffers.size(); ++i) {
    const Buffer &buffer = manifest.buffers[i];
    if (buffer.name != name || buffer.space != space)
      continue;
    if (buffer.bytes < bytes)
      return Error{
          fmt::format("manifest.json: buffer {} must have at least {} bytes, but found {}", name, bytes, buffer.bytes)};
    return static_cast<int64_t>(i);
  }
  return Error{fmt::format("manifest.json: buffers must contain the {} {}, but found none",
                           space == BufferSpace::Input    ? "input"
                           : space == BufferSpace::Output ? "output"
                                                          : "cache",
                           name)};
}

Result<Executor::Ports> Executor::findPorts(const Manifest &manifest) {
  uint64_t rows = manifest.maxRows * sizeof(int32_t);
  uint64_t table = manifest.maxSequences * manifest.pagesPerSequence * sizeof(int32_t);
  uint64_t logits = manifest.maxRows * manifest.vocabSize * sizeof(float);
  Ports ports{};
  struct Wanted {
    const char *name;
    BufferSpace space;
    uint64_t bytes;
    int64_t *port;
  };
  for (const Wanted &wanted : {Wanted{"tokens", BufferSpace::Input, rows, &ports.tokens},
                               Wanted{"positions", BufferSpace::Input, rows, &ports.positions},
                               Wanted{"slots", BufferSpace::Input, rows, &ports.slots},
                               Wanted{"page_table", BufferSpace::Input, table, &ports.pageTable},
                               Wanted{"output_rows", BufferSpace::Input, rows, &ports.outputRows},
                               Wanted{"logits", BufferSpace::Output, logits, &ports.logits}}) {
    Result<int64_t> port = findPort(manifest, wanted.name, wanted.space, wanted.bytes);
    if (!port)
      return port.error();
    *wanted.port = *port;
  }
  auto isSampled = [](const Buffer &buffer) { return buffer.name == "sampled" && buffer.space == BufferSpace::Cache; };
  if (std::none_of(manifest.buffers.begin(), manifest.buffers.end(), isSampled))
    return ports;
  Result<int64_t> sampled = findPort(manifest, "sampled", BufferSpace::Cache, rows);
  Result<int64_t> sampling =
      findPort(manifest, "sampling", BufferSpace::Input, manifest.maxRows * sizeof(SamplingWords));
  if (!sampled || !sampling)
    return sampled ? sampling.error() : sampled.error();
  ports.sampled = *sampled;
  ports.sampling = *sampling;
  return ports;
}

Result<void> Executor::checkPrograms(const Manifest &manifest) {
  if (manifest.programs.empty() || manifest.programs.back().rows < manifest.maxRows)
    return Error{fmt::format("manifest.json: the largest program must take max_rows ({}) rows, but found {}",
                             manifest.maxRows,
                             manifest.programs.empty() ? "no program" : std::to_string(manifest.programs.back().rows))};
  for (const Program &program : manifest.programs)
    for (const Launch &launch : program.launches)
      for (const Tap &tap : launch.taps) {
        uint64_t element = tapElementBytes(tap.dtype);
        if (element == 0)
          return Error{
              fmt::format("manifest.json: tap {} must be I32, F32 or BF16, but found {}", tap.name, tap.dtype)};
        uint64_t bytes = std::min(program.rows, manifest.maxRows) * tap.width * element;
        if (uint64_t found = manifest.buffers[tap.buffer].bytes; found < bytes)
          return Error{fmt::format("manifest.json: tap {} needs a buffer of at least {} bytes, but found {}", tap.name,
                                   bytes, found)};
      }
  return {};
}

Result<Executor> Executor::prepare(const Manifest &manifest, Device &device, const Weights &weights,
                                   const Buffers &buffers) {
  Result<Ports> ports = findPorts(manifest);
  if (!ports)
    return ports.error();
  if (Result<void> checked = checkPrograms(manifest); !checked)
    return checked.error();
  Executor executor;
  executor.plan = &manifest;
  executor.device = &device;
  executor.buffers = &buffers;
  executor.ports = *ports;
  executor.padded.resize(manifest.maxRows);
  for (Choice &choice : executor.choices)
    if (executor.samples()) {
      Result<std::unique_ptr<Readback>> readback = device.makeReadback(manifest.maxRows * sizeof(int32_t));
      if (!readback)
        return readback.error();
      choice.tokens = std::move(*readback);
    }
  for (const Program &program : manifest.programs) {
    std::vector<Call> &calls = executor.programs.emplace_back();
    for (const Launch &launch : program.launches) {
      Call &call = calls.emplace_back(Call{launch.kernel, launch.blocks, launch.rows, {}});
      for (const Argument &argument : launch.arguments)
        call.arguments.push_back(argument.kind == Argument::Kind::Weight ? weights.address(argument.index)
                                                                         : buffers.address(argument.index));
    }
  }
  return executor;
}

int64_t Executor::chooseProgram(int64_t rows) const {
  auto fits = [&](const Program &program) { return program.rows >= rows; };
  return std::find_if(plan->programs.begin(), plan->programs.end(), fits) - plan->programs.begin();
}

// Whole buffers, every step: the arena may use their memory for something else once they have been read. (What is sampled how is read for live
// rows only.)
void Executor::writeRows(int64_t buffer, const std::vector<int32_t> &values) {
  std::fill(std::copy(values.begin(), values.end(), padded.begin()), padded.end(), 0);
  device->upload(buffers->address(buffer), padded.data(), padded.size() * sizeof(int32_t));
}

void Executor::writeInputs(const Step &step) {
  writeRows(ports.tokens, step.tokens);
  writeRows(ports.positions, step.positions);
  writeRows(ports.slots, step.slots);
  writeRows(ports.outputRows, step.outputRows);
  device->upload(buffers->address(ports.pageTable), step.pageTable.data(), step.pageTable.size_bytes());
  if (samples() && !step.sampling.empty())
    device->upload(buffers->address(ports.sampling), step.sampling.data(),
                   step.sampling.size() * sizeof(SamplingWords));
}

Result<void> Executor::enqueue(const Step &step) {
  LiveRows rows{step.rows(), static_cast<int64_t>(step.outputRows.size())};
  int64_t program = chooseProgram(step.rows());
  writeInputs(step);
  device->setRows(rows);
  if (observers.empty())
    device->replay(program, programs[program]);
  else if (Result<void> ran = runObserved(step, rows, program); !ran)
    return ran;
  Choice &choice = choices[enqueued++ % kUnderWay];
  choice.rows = step.outputRows.size();
  choice.program = program;
  if (samples() && choice.rows > 0)
    choice.tokens->start(buffers->address(ports.sampled), choice.rows * sizeof(int32_t));
  return {};
}

Result<std::span<const int32_t>> Executor::await() {
  Choice &choice = choices[awaited++ % kUnderWay];
  // A program is one piece of work for a GPU, which does not say where in it something went wrong.
  auto refuse = [&](const Error &error) {
    return Error{fmt::format("program {}: {}; --profile waits for each launch, and names it",
                             plan->programs[choice.program].name, error.message)};
  };
  if (!samples() || choice.rows == 0) {
    if (Result<void> done = device->synchronize(); !done)
      return refuse(done.error());
    return std::span<const int32_t>();
  }
  Result<const void *> tokens = choice.tokens->wait();
  if (!tokens)
    return refuse(tokens.error());
  return std::span(static_cast<const int32_t *>(*tokens), choice.rows);
}

Result<void> Executor::runObserved(const Step &step, LiveRows rows, int64_t program) {
  using Clock = std::chrono::steady_clock;
  for (StepObserver *observer : observers)
    observer->stepBegins(step, program);
  const std::vector<Call> &calls = programs[program];
  for (size_t i = 0; i < calls.size(); ++i) {
    int64_t live = rows.of(calls[i].rows);
    if (live == 0)
      continue;
    Clock::time_point start = Clock::now();
    device->launch(calls[i]);
    if (Result<void> done = device->synchronize(); !done)
      return Error{fmt::format("kernel {}: {}", plan->kernels[calls[i].kernel].name, done.error().message)};
    double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    for (StepObserver *observer : observers)
      observer->launchDone(static_cast<int64_t>(i), live, seconds);
  }
  return {};
}

std::span<const float> Executor::logits(int64_t outputRow) {
  uint64_t row = plan->vocabSize * sizeof(float);
  const char *first = static_cast<const char *>(buffers->address(ports.logits)) + outputRow * row;
  return {static_cast<const float *>(device->view(first, row, scratch)), static_cast<size_t>(plan->vocabSize)};
}

const uint8_t *Executor::view(int64_t buffer, uint64_t bytes) {
  return static_cast<const uint8_t *>(device->view(buffers->address(buffer), bytes, scratch));
}

} // namespace glm
