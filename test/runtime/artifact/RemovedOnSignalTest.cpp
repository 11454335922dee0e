// Children that are ended by a signal while they fill a folder, and what they leave behind.
#include "runtime/artifact/RemovedOnSignal.h"

#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace glm;
namespace fs = std::filesystem;

namespace {

void fill(const fs::path &folder) {
  fs::create_directories(folder / "host.so.objects" / "deeper");
  for (int i = 0; i < 200; ++i) // more names than one read of the folder returns
    std::ofstream(folder / "host.so.objects" / ("a kernel with a rather long name " + std::to_string(i))) << "half of";
  std::ofstream(folder / "manifest.json") << "{";
  fs::create_directory_symlink("../neighbour", folder / "link");
}

class RemovedOnSignal : public testing::Test {
protected:
  void SetUp() override {
    root = fs::temp_directory_path() / ("glm-signal-" + std::to_string(getpid()));
    fs::create_directories(root / "neighbour");
    std::ofstream(root / "neighbour" / "thesis") << "not ours";
  }
  void TearDown() override {
    EXPECT_TRUE(fs::exists(root / "neighbour" / "thesis")); // links were not followed
    fs::remove_all(root);
  }

  /// How a child that runs `body` ends: the signal, or 0 if it returned.
  template <typename Body>
  int endOfChild(Body body) {
    pid_t child = fork();
    if (child == 0) {
      body();
      _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  }

  fs::path root;
};

TEST_F(RemovedOnSignal, RemovesTheFolderAndDiesOfTheSignal) {
  // Faults that a sanitizer turns into a report of its own are left out.
  for (int signal : {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGQUIT, SIGXFSZ, SIGABRT, SIGSYS}) {
    int end = endOfChild([&] {
      glm::RemovedOnSignal guard(root / "small.glm.tmp-1-0");
      fill(root / "small.glm.tmp-1-0");
      raise(signal);
    });
    EXPECT_EQ(end, signal);
    EXPECT_FALSE(fs::exists(root / "small.glm.tmp-1-0")) << strsignal(signal);
  }
}

TEST_F(RemovedOnSignal, FindsARelativePathFromAnywhere) {
  EXPECT_EQ(endOfChild([&] {
              fs::current_path(root);
              glm::RemovedOnSignal guard("small.glm.tmp-1-0");
              fill("small.glm.tmp-1-0");
              fs::current_path("/");
              raise(SIGTERM);
            }),
            SIGTERM);
  EXPECT_FALSE(fs::exists(root / "small.glm.tmp-1-0"));
}

TEST_F(RemovedOnSignal, KeepsWhatIsWholeAndWhatIsForgotten) {
  EXPECT_EQ(endOfChild([&] {
              glm::RemovedOnSignal guard(root / "kept");
              {
                glm::RemovedOnSignal forgotten(root / "forgotten");
              }
              fill(root / "kept");
              fill(root / "forgotten");
              guard.keep();
              raise(SIGTERM);
            }),
            SIGTERM);
  EXPECT_TRUE(fs::exists(root / "kept" / "manifest.json"));
  EXPECT_TRUE(fs::exists(root / "forgotten" / "manifest.json"));
}

TEST_F(RemovedOnSignal, LeavesAnIgnoredSignalIgnored) {
  EXPECT_EQ(endOfChild([&] {
              signal(SIGHUP, SIG_IGN);
              glm::RemovedOnSignal guard(root / "a.tmp");
              fill(root / "a.tmp");
              raise(SIGHUP);
            }),
            0);
  EXPECT_TRUE(fs::exists(root / "a.tmp" / "manifest.json"));
}

TEST_F(RemovedOnSignal, CallsTheHandlerThatWasThere) {
  EXPECT_EQ(endOfChild([&] {
              signal(SIGTERM, [](int) { _exit(42); });
              glm::RemovedOnSignal guard(root / "a.tmp");
              fill(root / "a.tmp");
              raise(SIGTERM);
            }),
            42);
  EXPECT_FALSE(fs::exists(root / "a.tmp"));
}

TEST_F(RemovedOnSignal, RemovesWhatOtherThreadsGoOnWriting) {
  EXPECT_EQ(endOfChild([&] {
              glm::RemovedOnSignal guard(root / "a.tmp");
              fill(root / "a.tmp");
              std::atomic<int> written = 0;
              std::jthread writer([&](const std::stop_token &stop) {
                while (!stop.stop_requested())
                  std::ofstream(root / "a.tmp" / "host.so.objects" / std::to_string(written++)) << "more";
              });
              while (written < 100)
                std::this_thread::yield();
              raise(SIGINT);
            }),
            SIGINT);
  EXPECT_FALSE(fs::exists(root / "a.tmp"));
}

TEST_F(RemovedOnSignal, WaitsUntilAWholeStepIsDone) {
  EXPECT_EQ(endOfChild([&] {
              glm::RemovedOnSignal guard(root / "a.tmp");
              fill(root / "a.tmp");
              {
                SignalsWait outer;
                {
                  SignalsWait inner;
                  raise(SIGTERM);
                }
                std::ofstream(root / "a.tmp" / "manifest.json") << "}";
                fs::rename(root / "a.tmp", root / "a");
                guard.keep();
              }
              std::ofstream(root / "never") << "the signal came when the step was done";
            }),
            SIGTERM);
  EXPECT_TRUE(fs::exists(root / "a" / "manifest.json"));
  EXPECT_FALSE(fs::exists(root / "never"));
}

TEST_F(RemovedOnSignal, LetsFaultsThroughAtOnce) {
  EXPECT_EQ(endOfChild([&] {
              glm::RemovedOnSignal guard(root / "a.tmp");
              fill(root / "a.tmp");
              SignalsWait whole;
              raise(SIGABRT);
              std::ofstream(root / "never") << "a fault does not wait";
            }),
            SIGABRT);
  EXPECT_FALSE(fs::exists(root / "a.tmp"));
  EXPECT_FALSE(fs::exists(root / "never"));
}

} // namespace
