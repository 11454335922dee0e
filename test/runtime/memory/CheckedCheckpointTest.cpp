#include "runtime/memory/CheckedCheckpoint.h"
#include "test/runtime/memory/Checkpoints.h"

#include <fstream>
#include <gtest/gtest.h>

using namespace glm;

namespace {

class CheckedCheckpointTest : public testing::Test {
protected:
  CheckedCheckpointTest() {
    folder.add<float>("a", "F32", {3}, {1, 2, 3});
    Checkpoint checkpoint = folder.open();
    manifest.checkpoint = folder.path().string();
    manifest.files = {{"model.safetensors", checkpoint.files()[0].bytes(), checkpoint.files()[0].headerHash()}};
  }

  std::string message() {
    Result<Checkpoint> checkpoint = openCheckedCheckpoint(manifest, "/somewhere/else.glm");
    return checkpoint ? "" : checkpoint.error().message;
  }

  CheckpointFolder folder;
  Manifest manifest;
};

TEST_F(CheckedCheckpointTest, acceptsTheSameFiles) { EXPECT_EQ(message(), ""); }

TEST_F(CheckedCheckpointTest, startsRelativePathsAtTheArtifact) {
  manifest.checkpoint = "..";
  std::filesystem::create_directory(folder.path() / "x.glm");
  EXPECT_TRUE(openCheckedCheckpoint(manifest, folder.path() / "x.glm"));
}

TEST_F(CheckedCheckpointTest, namesMissingBytes) {
  uint64_t bytes = manifest.files[0].bytes;
  std::filesystem::resize_file(folder.file(), bytes - 5);
  EXPECT_EQ(message(), "model.safetensors: the checkpoint file must have " + std::to_string(bytes) +
                           " bytes, but found " + std::to_string(bytes - 5) + " (5 missing)");
}

TEST_F(CheckedCheckpointTest, namesLongerFile) {
  uint64_t bytes = manifest.files[0].bytes;
  std::filesystem::resize_file(folder.file(), bytes + 1);
  EXPECT_EQ(message(), "model.safetensors: the checkpoint file must have " + std::to_string(bytes) +
                           " bytes, but found " + std::to_string(bytes + 1));
}

TEST_F(CheckedCheckpointTest, namesMissingFile) {
  std::filesystem::remove(folder.file());
  EXPECT_TRUE(message().starts_with("model.safetensors: the checkpoint file must exist in ")) << message();
}

TEST_F(CheckedCheckpointTest, namesMissingFolder) {
  manifest.checkpoint = "/nowhere/at/all";
  EXPECT_EQ(message(), "/nowhere/at/all: the checkpoint's folder must exist, but found none (checkpoint of "
                       "manifest.json says where it is, and may be edited)");
}

TEST_F(CheckedCheckpointTest, namesWhatIsNoFile) {
  std::filesystem::remove(folder.file());
  std::filesystem::create_directory(folder.file());
  EXPECT_EQ(message(), "model.safetensors: the checkpoint file must be a regular file, but found another kind");
}

// The same size, another header: the tensor has another name.
TEST_F(CheckedCheckpointTest, noticesExchangedFile) {
  CheckpointFolder other;
  other.add<float>("b", "F32", {3}, {1, 2, 3});
  other.open();
  std::filesystem::copy_file(other.file(), folder.file(), std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(message().starts_with("model.safetensors: the header must be the one that was compiled against (hash "))
      << message();
}

} // namespace
