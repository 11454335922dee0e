// glm-compile: a Hugging Face folder in, an artifact out. Exit code 0 done, 1 refused or failed, 2 usage.
#include "frontend/glm-compile/CommandLine.h"
#include "frontend/glm-compile/Compile.h"
#include "runtime/artifact/Streams.h"

#include "llvm/Support/Signals.h"

#include <csignal>
#include <iterator>
#include <new>

/// Memory that is not there is no reason for a stack of frames.
static glm::Result<void> compileWithin(const glm::CompileOptions &options) try {
  return glm::compile(options);
} catch (const std::bad_alloc &) {
  return glm::Error{"glm-compile: memory must suffice, but found that an allocation failed"};
}

/// LLVM deletes the files that it is writing when a signal comes, also one that the caller wants ignored (nohup, a shell's
/// background), and then works on without them. It takes its signals once: it does so here, and gives those back.
static void keepIgnoredSignals() {
  constexpr int kSignals[] = {SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGUSR2, SIGXCPU, SIGXFSZ};
  struct sigaction before[std::size(kSignals)];
  for (size_t i = 0; i < std::size(kSignals); ++i)
    sigaction(kSignals[i], nullptr, &before[i]);
  llvm::sys::AddSignalHandler([](void *) {}, nullptr);
  for (size_t i = 0; i < std::size(kSignals); ++i)
    if (before[i].sa_handler == SIG_IGN)
      sigaction(kSignals[i], &before[i], nullptr);
}

int main(int argc, char **argv) {
  glm::occupyStandardStreams();
  keepIgnoredSignals();
  glm::CommandLine line = glm::parseCommandLine(argc, argv);
  if (line.exitCode)
    return *line.exitCode ? *line.exitCode : glm::finishProgram({});
  return glm::finishProgram(compileWithin(line.options));
}
