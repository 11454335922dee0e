#include "runtime/artifact/Streams.h"

#include "runtime/artifact/Message.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace glm {
namespace {

/// Why stdout took less than it was given, the first time; a later flush no longer knows.
int failedWrite = 0;

} // namespace

void occupyStandardStreams() {
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(stream, F_GETFD) < 0 && errno == EBADF)
      // Lowest free number first, so it is this one. Read-only: results that go nowhere are a failed write.
      open("/dev/null", O_RDONLY);
}

void writeResult(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) < text.size() && !failedWrite)
    failedWrite = errno;
}

void writeTalk(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

Result<void> flushResults() {
  errno = 0;
  if (std::fflush(stdout) == 0 && !std::ferror(stdout))
    return {};
  int reason = failedWrite ? failedWrite : errno;
  return Error{fmt::format("stdout: output must be written whole, but found {}",
                           reason ? std::strerror(reason) : "a failed write")};
}

int finishProgram(const Result<void> &done) {
  Result<void> result = done ? flushResults() : done;
  if (result)
    return 0;
  writeTalk(errorText(result.error()));
  return 1;
}

} // namespace glm
