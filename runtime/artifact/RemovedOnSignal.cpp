#include "runtime/artifact/RemovedOnSignal.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <sys/syscall.h>
#include <unistd.h>

namespace glm {
namespace {

constexpr int kRequests[] = {SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGXCPU, SIGXFSZ};
constexpr int kFaults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};

/// Other threads may be writing into the folder; each can add a file or two before it notices.
constexpr int kAttempts = 100;

/// One of a list that only grows: a handler may be walking it at any time.
struct Entry {
  std::atomic<const char *> path = nullptr; ///< whoever takes it out by an exchange owns it
  Entry *next = nullptr;
};

std::atomic<Entry *> entries = nullptr;
std::atomic<int> holders = 0; ///< SignalsWait objects alive
std::atomic<int> waiting = 0; ///< the last signal that came meanwhile
struct sigaction previous[NSIG];

static_assert(std::atomic<const char *>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

// From here to `onSignal`: async-signal-safe calls only, so no opendir, which allocates.

/// As getdents64(2) describes it.
struct DirectoryEntry {
  uint64_t inode;
  int64_t offset;
  uint16_t bytes;
  uint8_t type;
  char name[1];
};

void removeEntry(int folder, const char *name);

void removeContents(int folder) {
  alignas(DirectoryEntry) char buffer[4096];
  for (long bytes; (bytes = syscall(SYS_getdents64, folder, buffer, sizeof buffer)) > 0;)
    for (long at = 0; at < bytes;) {
      auto *entry = reinterpret_cast<const DirectoryEntry *>(buffer + at);
      at += entry->bytes;
      if (std::strcmp(entry->name, ".") != 0 && std::strcmp(entry->name, "..") != 0)
        removeEntry(folder, entry->name);
    }
}

/// Links are removed, never followed.
void removeEntry(int folder, const char *name) {
  if (unlinkat(folder, name, 0) == 0)
    return;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    int inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner < 0)
      return;
    removeContents(inner);
    close(inner);
    if (unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno != ENOTEMPTY)
      return;
  }
}

bool isRequest(int signal) {
  for (int request : kRequests)
    if (request == signal)
      return true;
  return false;
}

void onSignal(int signal) {
  int error = errno;
  if (isRequest(signal) && holders.load() > 0) {
    waiting.store(signal);
    // Looked at again: the last holder may have let go before it could see this signal.
    if (holders.load() > 0 || waiting.exchange(0) == 0) {
      errno = error;
      return;
    }
  }
  for (Entry *entry = entries.load(); entry; entry = entry->next)
    if (const char *path = entry->path.exchange(nullptr))
      removeEntry(AT_FDCWD, path);
  sigaction(signal, &previous[signal], nullptr);
  raise(signal); // blocked while this handler runs: it comes as soon as we return
  errno = error;
}

void install(int signal) {
  struct sigaction current;
  sigaction(signal, nullptr, &current);
  if (current.sa_handler == SIG_IGN || current.sa_handler == onSignal)
    return;
  previous[signal] = current;
  struct sigaction action = {};
  action.sa_handler = onSignal;
  action.sa_flags = SA_ONSTACK; // a stack that ran over has no room for a handler
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

/// Each time anew: libraries put handlers of their own over ours and take them away again.
void installAll() {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  for (int signal : kRequests)
    install(signal);
  for (int signal : kFaults)
    install(signal);
}

/// Entries that were given back are used again.
std::atomic<const char *> &addPath(const char *path) {
  for (Entry *entry = entries.load(); entry; entry = entry->next) {
    const char *none = nullptr;
    if (entry->path.compare_exchange_strong(none, path))
      return entry->path;
  }
  auto *entry = new Entry;
  entry->path = path;
  entry->next = entries.load();
  while (!entries.compare_exchange_weak(entry->next, entry)) {
  }
  return entry->path;
}

} // namespace

RemovedOnSignal::RemovedOnSignal(const std::filesystem::path &folder) : path(std::filesystem::absolute(folder)) {
  entry = &addPath(path.c_str());
  installAll();
}

RemovedOnSignal::~RemovedOnSignal() {
  if (!isKept)
    take();
}

void RemovedOnSignal::keep() {
  take();
  isKept = true;
}

void RemovedOnSignal::take() {
  const char *ours = path.c_str();
  if (entry->compare_exchange_strong(ours, nullptr))
    return;
  // A handler on another thread has it and reads the path: the process ends when it is through.
  while (true)
    pause();
}

SignalsWait::SignalsWait() { ++holders; }

SignalsWait::~SignalsWait() {
  if (--holders > 0)
    return;
  if (int signal = waiting.exchange(0))
    raise(signal);
}

} // namespace glm
