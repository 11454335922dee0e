// Replays the launches of a program for one step.
//
// Where the device chooses tokens (glm-sample-on-gpu), a step may be enqueued while the one before it runs: what that one chooses is fed to it
// on the device.
#pragma once

#include "runtime/device/Device.h"
#include "runtime/exec/Sampler.h"
#include "runtime/memory/Buffers.h"
#include "runtime/memory/Weights.h"

#include <array>
#include <memory>
#include <span>

namespace glm {

/// The rows of one step. Rows of one sequence follow each other with rising positions.
struct Step {
  std::vector<int32_t>
      tokens; ///< [T]; -1 - i is what the step before chose in its output row i, where the device chooses
  std::vector<int32_t> positions;      ///< [T]
  std::vector<int32_t> slots;          ///< [T]
  std::vector<int64_t> sequences;      ///< [T]: who each row belongs to; not for kernels
  std::vector<int32_t> outputRows;     ///< rows whose logits are wanted, rising
  std::vector<SamplingWords> sampling; ///< of each output row; for devices that choose
  std::span<const int32_t> pageTable;

  int64_t rows() const { return static_cast<int64_t>(tokens.size()); }
};

/// Looks on while a step runs. Where nobody looks, launches are neither timed nor waited for.
class StepObserver {
public:
  virtual ~StepObserver() = default;
  virtual void stepBegins(const Step &step, int64_t program) = 0;
  /// One launch is done: its index in the program, the rows it got and how long it took.
  virtual void launchDone(int64_t launch, int64_t rows, double seconds) = 0;
};

class Executor {
public:
  /// Check the buffers that every program reads and writes, and look all arguments up. Everything must outlive the result.
  static Result<Executor> prepare(const Manifest &manifest, Device &device, const Weights &weights,
                                  const Buffers &buffers);

  /// Whether the device chooses the token of every output row.
  bool samples() const { return ports.sampled >= 0; }

  /// Enqueue a step of 1 to max_rows rows. At most kUnderWay of them may not have been awaited.
  Result<void> enqueue(const Step &step);
  static constexpr size_t kUnderWay = 2;

  /// Wait for the oldest step that nobody has waited for. What the device chose for each of its output rows, if it chooses: an id, or a
  /// negative number (sampledError); valid until the next call but one of `enqueue`.
  Result<std::span<const int32_t>> await();

  /// Logits of the i-th output row of the last step: float32 [vocab_size]. All steps must have been waited for.
  std::span<const float> logits(int64_t outputRow);

  /// First bytes of a buffer as the last launch left them; valid until the next call.
  const uint8_t *view(int64_t buffer, uint64_t bytes);

  /// Observers are not owned.
  void setObservers(std::vector<StepObserver *> newObservers) { observers = std::move(newObservers); }

  const Manifest &manifest() const { return *plan; }

private:
  /// Indices of the buffers that the runtime fills and reads.
  struct Ports {
    int64_t tokens, positions, slots, pageTable, outputRows, logits;
    int64_t sampling = -1, sampled = -1; ///< of devices that choose
  };
  /// A step under way: its output rows, and what was chosen for them.
  struct Choice {
    std::unique_ptr<Readback> tokens;
    size_t rows = 0;
    int64_t program = 0;
  };

  static Result<Ports> findPorts(const Manifest &manifest);
  static Result<void> checkPrograms(const Manifest &manifest);
  int64_t chooseProgram(int64_t rows) const;
  /// One launch after the other, each waited for and shown.
  Result<void> runObserved(const Step &step, LiveRows rows, int64_t program);
  void writeInputs(const Step &step);
  void writeRows(int64_t buffer, const std::vector<int32_t> &values);

  const Manifest *plan = nullptr;
  Device *device = nullptr;
  const Buffers *buffers = nullptr;
  Ports ports{};
  std::vector<std::vector<Call>> programs;
  std::vector<StepObserver *> observers;
  std::array<Choice, kUnderWay> choices;
  size_t enqueued = 0, awaited = 0; ///< steps so far
  std::vector<int32_t> padded;      ///< [max_rows]
  std::vector<uint8_t> scratch;
};

/// Bytes of one element of a tap's dtype; 0 for one that taps do not have.
uint64_t tapElementBytes(const std::string &dtype);

} // namespace glm
