// A folder that does not outlive the process that is filling it.
#pragma once

#include <atomic>
#include <filesystem>

namespace glm {

/// While this object lives, a signal that ends the process first removes `folder` with everything in it: Ctrl-C, what a job scheduler
/// or a closed terminal sends, and faults (SIGKILL cannot be answered). The process still dies of the signal, through the handler that was there
/// before; a signal that is ignored, such as SIGHUP under nohup, stays ignored.
class RemovedOnSignal {
public:
  /// The folder need not exist yet: between creating it and saying so, a signal could come.
  explicit RemovedOnSignal(const std::filesystem::path &folder);
  ~RemovedOnSignal();
  RemovedOnSignal(const RemovedOnSignal &) = delete;
  RemovedOnSignal &operator=(const RemovedOnSignal &) = delete;

  /// The folder is whole and stays. Does not return if a signal is already removing it on another thread.
  void keep();

private:
  void take();

  const std::filesystem::path path;
  std::atomic<const char *> *entry; ///< in the list that the handler reads: holds `path` until somebody takes it out
  bool isKept = false;
};

/// While this object lives, signals that ask the process to end wait: what happens now happens whole. Faults do not wait.
class SignalsWait {
public:
  SignalsWait();
  ~SignalsWait();
  SignalsWait(const SignalsWait &) = delete;
  SignalsWait &operator=(const SignalsWait &) = delete;
};

} // namespace glm
