#include "runtime/artifact/Checkpoint.h"
#include "test/runtime/artifact/TemporaryFolder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

using namespace glm;
using namespace glm::test;

namespace {

constexpr const char *kIndex = "model.safetensors.index.json";

class CheckpointTest : public testing::Test {
protected:
  /// A shard whose tensors hold one byte each: the first letter of their name.
  void shard(const std::string &file, const std::vector<std::string> &names) {
    SafetensorsWriter writer;
    for (const std::string &name : names)
      writer.add(name, "U8", {1}, {static_cast<uint8_t>(name[0])});
    auto written = writer.write(folder.path() / file);
    ASSERT_TRUE(written) << written.error().message;
  }

  void index(const std::string &map) {
    folder.write(kIndex, R"({"metadata": {"total_size": 3}, "weight_map": )" + map + "}");
  }

  std::string refusal() { return messageOf(Checkpoint::open(folder.path())); }
  std::string place() { return folder.path().string(); }

  TemporaryFolder folder;
};

TEST_F(CheckpointTest, opensASingleFile) {
  shard("model.safetensors", {"y", "x"});
  auto checkpoint = Checkpoint::open(folder.path());
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  Checkpoint moved = std::move(*checkpoint); // entries point into what moves along
  EXPECT_EQ(*moved.find("x").data(), 'x');
  EXPECT_EQ(moved.find("z").info, nullptr);
  EXPECT_FALSE(moved.contains("z"));
  EXPECT_EQ(moved.names(), (std::vector<std::string>{"x", "y"}));
}

TEST_F(CheckpointTest, opensShardsByIndex) {
  shard("a.safetensors", {"x", "u"});
  shard("b.safetensors", {"y"});
  index(R"({"x": "a.safetensors", "y": "b.safetensors", "u": "a.safetensors"})");
  auto checkpoint = Checkpoint::open(folder.path());
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ(checkpoint->files().size(), 2u);
  for (const char *name : {"x", "y", "u"})
    EXPECT_EQ(*checkpoint->find(name).data(), name[0]);
  EXPECT_EQ(checkpoint->find("y").file->path().filename(), "b.safetensors");
}

TEST_F(CheckpointTest, refusesFoldersWithoutTensors) {
  EXPECT_EQ(messageOf(Checkpoint::open(folder.path() / "no")),
            place() + "/no: checkpoint must be a folder, but found none");
  folder.write("file", "");
  EXPECT_EQ(messageOf(Checkpoint::open(folder.path() / "file")),
            place() + "/file: checkpoint must be a folder, but found a file");
  EXPECT_EQ(refusal(),
            place() + ": folder must hold model.safetensors or model.safetensors.index.json, but found neither");
}

TEST_F(CheckpointTest, refusesASingleFileBesideAnIndex) {
  shard("model.safetensors", {"x"});
  shard("a.safetensors", {"x"});
  index(R"({"x": "a.safetensors"})");
  EXPECT_EQ(refusal(),
            place() + ": folder must hold model.safetensors or model.safetensors.index.json, but found both");
  index(R"({"x": "model.safetensors"})");
  EXPECT_EQ(refusal(), "");
}

TEST_F(CheckpointTest, refusesIndexes) {
  folder.write(kIndex, "{}");
  EXPECT_EQ(refusal(), "model.safetensors.index.json: weight_map must be an object of file names, but found none");
  index("[]");
  EXPECT_EQ(refusal(), "model.safetensors.index.json: weight_map must be an object of file names, but found array");
  index("{}");
  EXPECT_EQ(refusal(), "model.safetensors.index.json: weight_map must be an object of file names, but found object");
  index(R"({"x": 3})");
  EXPECT_EQ(refusal(), "model.safetensors.index.json:1: x must name a file, but found 3");
}

TEST_F(CheckpointTest, refusesShardsOutsideOfTheFolder) {
  shard("a.safetensors", {"x"});
  for (const char *name : {"../a.safetensors", "/etc/passwd", "sub/a.safetensors", "..", ".", ""}) {
    index(fmt::format(R"({{"x": "{}"}})", name));
    EXPECT_EQ(refusal(),
              fmt::format("model.safetensors.index.json: shard must be a file of the folder, but found {}", name));
  }
  index(R"({"x": "a.safetensors\u0000b"})");
  EXPECT_EQ(
      refusal(),
      std::string("model.safetensors.index.json: shard must be a file of the folder, but found a.safetensors\0b", 91));
}

TEST_F(CheckpointTest, refusesShardsThatAreNoFiles) {
  index(R"({"x": "a.safetensors"})");
  EXPECT_EQ(refusal(), place() + ": shard a.safetensors must exist, but found none");
  std::filesystem::create_directory(folder.path() / "a.safetensors");
  EXPECT_EQ(refusal(), place() + ": a.safetensors must be a regular file, but found another kind");
  std::filesystem::remove(folder.path() / "a.safetensors");
  ASSERT_EQ(mkfifo((folder.path() / "a.safetensors").c_str(), 0600), 0);
  EXPECT_EQ(refusal(), place() + ": a.safetensors must be a regular file, but found another kind");
  std::filesystem::remove(folder.path() / "a.safetensors");
  shard("a.safetensors", {"x"});
  std::filesystem::resize_file(folder.path() / "a.safetensors",
                               std::filesystem::file_size(folder.path() / "a.safetensors") - 1);
  EXPECT_EQ(refusal(),
            fmt::format("a.safetensors: file must have {0} bytes as its header says, but found {1} (1 missing)",
                        std::filesystem::file_size(folder.path() / "a.safetensors") + 1,
                        std::filesystem::file_size(folder.path() / "a.safetensors")));
}

TEST_F(CheckpointTest, namesEveryShardThatIsWrong) {
  shard("a.safetensors", {"x"});
  folder.write("c.safetensors", "1234567");
  index(R"({"x": "a.safetensors", "y": "b.safetensors", "z": "c.safetensors", "u": "d.safetensors"})");
  auto refused = Checkpoint::open(folder.path());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, place() + ": all 4 shards must exist, but found no b.safetensors, d.safetensors");
  EXPECT_EQ(refused.error().more,
            std::vector<std::string>{"c.safetensors: file must have at least 8 bytes, but found 7"});
  index(R"({"1": "1", "2": "2", "3": "3", "4": "4", "5": "5"})");
  EXPECT_EQ(refusal(), place() + ": all 5 shards must exist, but found no 1, 2, 3 and 2 more");
}

class CheckpointLinkTest : public CheckpointTest {
protected:
  /// A model of the hub's cache whose one shard links to `target`.
  std::string refusalOf(const std::string &model, const std::string &snapshots, const std::string &target) {
    std::filesystem::path snapshot = folder.path() / model / snapshots / "revision";
    std::filesystem::remove_all(snapshot);
    std::filesystem::create_directories(snapshot);
    std::filesystem::create_symlink(target, snapshot / "model.safetensors");
    return messageOf(Checkpoint::open(snapshot));
  }

  std::string expected(const std::string &snapshot, const std::string &target) {
    return fmt::format("{}/{}: shard model.safetensors must lie in the folder or in the blobs of a Hugging Face cache, "
                       "but found a link to {}",
                       place(), snapshot, target);
  }

  const std::string hash = std::string(24, 'a') + std::string(40, '7');
};

TEST_F(CheckpointLinkTest, takesWhatTheHubsClientWrites) {
  std::filesystem::create_directories(folder.path() / "models--a--b" / "blobs");
  shard("models--a--b/blobs/" + hash, {"x"});
  shard("models--a--b/blobs/" + hash.substr(24), {"x"});
  EXPECT_EQ(refusalOf("models--a--b", "snapshots", "../../blobs/" + hash), "");
  EXPECT_EQ(refusalOf("models--a--b", "snapshots", "../../blobs/" + hash.substr(24)), "");
}

TEST_F(CheckpointLinkTest, refusesWhatOnlyLooksLikeIt) {
  for (const char *model : {"models--a--b", "model--a--b"})
    for (const char *name : {hash.c_str(), "name"}) {
      std::filesystem::create_directories(folder.path() / model / "blobs");
      shard(fmt::format("{}/blobs/{}", model, name), {"x"});
    }
  std::string blob = "../../blobs/" + hash;
  EXPECT_EQ(refusalOf("model--a--b", "snapshots", blob), expected("model--a--b/snapshots/revision", blob));
  EXPECT_EQ(refusalOf("models--a--b", "snapshot", blob), expected("models--a--b/snapshot/revision", blob));
  for (const std::string &target :
       {std::string("../../blobs/name"), "../../../models--a--b/blobs/" + hash, "../../blobs/../blobs/" + hash,
        "../../../model--a--b/blobs/" + hash, (folder.path() / "models--a--b" / "blobs" / hash).string()})
    EXPECT_EQ(refusalOf("models--a--b", "snapshots", target), expected("models--a--b/snapshots/revision", target));
  // A blob that is a link itself, and blobs that are a link themselves.
  std::filesystem::path blobs = folder.path() / "models--a--b" / "blobs";
  std::filesystem::rename(blobs / hash, folder.path() / "out");
  std::filesystem::create_symlink("../../out", blobs / hash);
  EXPECT_EQ(refusalOf("models--a--b", "snapshots", blob), expected("models--a--b/snapshots/revision", blob));
  std::filesystem::remove_all(blobs);
  std::filesystem::create_symlink("../model--a--b/blobs", blobs);
  EXPECT_EQ(refusalOf("models--a--b", "snapshots", blob), expected("models--a--b/snapshots/revision", blob));
}

TEST_F(CheckpointLinkTest, linksWithinTheFolderAreFiles) {
  shard("elsewhere", {"x"});
  std::filesystem::create_symlink("elsewhere", folder.path() / "model.safetensors");
  EXPECT_EQ(refusal(), "");
  std::filesystem::remove(folder.path() / "elsewhere");
  EXPECT_EQ(refusal(), place() + ": shard model.safetensors must exist, but found a link to elsewhere, which does not");
}

TEST_F(CheckpointTest, refusesIndexAndShardsThatDisagree) {
  shard("a.safetensors", {"x", "u"});
  shard("b.safetensors", {"y"});
  index(R"({"x": "b.safetensors", "y": "b.safetensors", "u": "a.safetensors"})");
  EXPECT_EQ(
      refusal(),
      "model.safetensors.index.json: x must be in b.safetensors as the index says, but found it in a.safetensors");
  index(R"({"x": "a.safetensors", "y": "b.safetensors"})");
  EXPECT_EQ(refusal(),
            "model.safetensors.index.json: u must be in no shard as the index says, but found it in a.safetensors");
  index(R"({"x": "a.safetensors", "y": "b.safetensors", "u": "a.safetensors", "z": "b.safetensors"})");
  EXPECT_EQ(refusal(), "model.safetensors.index.json: b.safetensors must hold z, but found no such tensor");
  shard("b.safetensors", {"y", "x"});
  index(R"({"x": "a.safetensors", "y": "b.safetensors", "u": "a.safetensors"})");
  EXPECT_EQ(
      refusal(),
      "model.safetensors.index.json: x must be in a.safetensors as the index says, but found it in b.safetensors");
}

} // namespace
