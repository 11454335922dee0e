#include "runtime/exec/Executor.h"
#include "runtime/device/HostDevice.h"
#include "runtime/exec/Artifact.h"
#include "test/runtime/artifact/TemporaryFolder.h"
#include "test/runtime/exec/ToyArtifact.h"

#include <gtest/gtest.h>

using namespace glm;

namespace {

/// A machine that fails after every step, as a GPU does: without a word about the launch.
class LostDevice : public HostDevice {
public:
  LostDevice() : HostDevice(1) {}
  Result<void> synchronize() override { return Error{"running kernels must succeed, but found a test"}; }
};

TEST(Executor, NamesTheProgramThatFailed) {
  test::TemporaryFolder folder;
  auto artifact = openArtifact(toy::writeArtifact(folder.path()));
  ASSERT_TRUE(artifact) << artifact.error().message;
  const Manifest &manifest = (*artifact)->manifest;
  LostDevice device;
  ASSERT_TRUE(device.loadKernels((*artifact)->folder / "host.so", manifest.kernels));
  ASSERT_TRUE((*artifact)->weights.place(device, {}));
  auto buffers = Buffers::allocate(manifest, device);
  ASSERT_TRUE(buffers);
  auto executor = Executor::prepare(manifest, device, (*artifact)->weights, *buffers);
  ASSERT_TRUE(executor);
  std::vector<int32_t> pages(manifest.maxSequences * manifest.pagesPerSequence);
  Step step{.tokens = {1, 2},
            .positions = {0, 1},
            .slots = {0, 0},
            .sequences = {0, 0},
            .outputRows = {1},
            .sampling = {},
            .pageTable = pages};
  ASSERT_TRUE(executor->enqueue(step));
  auto chosen = executor->await();
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().message,
            "program rows6: running kernels must succeed, but found a test; --profile waits for "
            "each launch, and names it");
}

} // namespace
