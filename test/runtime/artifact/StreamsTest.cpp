// Programs whose standard streams are full or closed, as children of this one.
#include "runtime/artifact/Streams.h"

#include <cstdio>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace glm;

namespace {

/// The exit code of a child that runs `body` with stdout and stderr at the given files; empty: closed.
template <typename Body>
int exitOf(const char *out, const char *err, Body body) {
  pid_t child = fork();
  if (child == 0) {
    close(STDIN_FILENO);
    for (auto [path, stream] : {std::pair(out, STDOUT_FILENO), std::pair(err, STDERR_FILENO)}) {
      close(stream);
      if (*path)
        dup2(open(path, O_WRONLY), stream);
    }
    occupyStandardStreams();
    _exit(body());
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int printAndFinish() {
  printResult("{}\n", 42);
  printTalk("{} on the way\n", "something");
  return finishProgram({});
}

TEST(Streams, finishWellWhereResultsArrive) { EXPECT_EQ(exitOf("/dev/null", "/dev/null", printAndFinish), 0); }

TEST(Streams, failWhereResultsDoNotArrive) {
  EXPECT_EQ(exitOf("/dev/full", "/dev/null", printAndFinish), 1);
  EXPECT_EQ(exitOf("", "/dev/null", printAndFinish), 1);
}

TEST(Streams, failEarlierThanTheEnd) {
  auto flushed = [] {
    printResult("{:>100000}", "");
    std::fflush(stdout);
    return finishProgram({});
  };
  EXPECT_EQ(exitOf("/dev/full", "/dev/null", flushed), 1);
}

TEST(Streams, doNotMindTalkThatNobodyHears) {
  EXPECT_EQ(exitOf("/dev/null", "/dev/full", printAndFinish), 0);
  EXPECT_EQ(exitOf("/dev/null", "", printAndFinish), 0);
  EXPECT_EQ(exitOf("/dev/null", "/dev/full", [] { return finishProgram(Error{"x: y must be z, but found w"}); }), 1);
}

TEST(Streams, giveNoFileTheNumberOfAClosedStream) {
  EXPECT_EQ(exitOf("", "", [] { return open("/dev/null", O_WRONLY) > STDERR_FILENO ? 7 : 8; }), 7);
}

} // namespace
