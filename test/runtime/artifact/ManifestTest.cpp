#include "runtime/artifact/Manifest.h"

#include "runtime/artifact/Json.h"
#include "test/runtime/artifact/TemporaryFolder.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <functional>
#include <gtest/gtest.h>
#include <set>

using namespace glm;
using namespace glm::test;

namespace {

/// A value in every field, none of them a default.
Manifest sample() {
  Manifest m;
  m.producer = "glm-compile 9, \"quoted\"";
  m.target = "x86-64-v4";
  m.code = {{"host+x.so", 4321, 0xfedcba9876543210, {"avx512bf16", "avx512vl"}}, {"host.so", 1234, 5, {}}};
  m.activations = "f32";
  m.layers = 11;
  m.vocabSize = 320;
  m.maxModelLen = 513;
  m.maxRows = 48;
  m.maxSequences = 7;
  m.pageSize = 64;
  m.pagesPerSequence = 9;
  m.pages = 63;
  m.experts = 9;
  m.expertsPerToken = 3;
  m.eosTokenIds = {3, 5};
  m.temperature = 0.7;
  m.topP = 0.95;
  m.topK = 40;
  m.checkpoint = "../a model";
  m.files = {{"model-00001.safetensors", 1234567, 0x0123456789abcdef}, {"model-00002.safetensors", 8, 7}};
  m.precision = {{"model.layers.{3..9}.mlp", 21, "bf16", "f32", 1 << 20, "*.mlp = f32", "rules.json:3..9"}};
  m.weights = {{"model.norm.weight", WeightForm::Data, 1, "BF16", {96}, false},
               {"experts.{}.weight", WeightForm::Table, 9, "U8", {48, 3}, false},
               {"experts.{}.weight_global_scale", WeightForm::Scalars, 9, "F32", {}, true},
               {"model.layers.0.mlp.gate.weight", WeightForm::Data, 1, "F32", {9, 96}, false},
               {"experts.{}.tiles", WeightForm::Table, 9, "U8", {4608}, false, true}};
  m.buffers = {{"tokens", BufferSpace::Input, 0, 192},
               {"hidden", BufferSpace::Arena, 192, 4096},
               {"layers.0.latent", BufferSpace::Cache, 0, 1 << 30},
               {"logits", BufferSpace::Output, 4288, 64}};
  m.arenaBytes = 4352;
  m.kernels = {{"gemm_f32_bf16_n96k48", true}, {"top_k_16", false}};
  Launch gemm{
      0, {{Argument::Kind::Buffer, 0}, {Argument::Kind::Weight, 1}, {Argument::Kind::Buffer, 3}}, RowCount::Output, {}};
  Launch topK{1,
              {{Argument::Kind::Weight, 3}, {Argument::Kind::Buffer, 1}},
              RowCount::Step,
              {{"index.0", 1, "I32", 16}, {"hidden.0", 2, "BF16", 96}}};
  m.load = {{1, {{Argument::Kind::Weight, 1}, {Argument::Kind::Weight, 4}}, RowCount::Step, {}}};
  m.programs = {{"step_r1", 1, {topK}}, {"step_r48", 48, {topK, gemm}}};
  return m;
}

std::string jsonOf(const Manifest &manifest) {
  TemporaryFolder folder;
  EXPECT_EQ(messageOf(writeManifest(folder.path(), manifest)), "");
  return folder.read("manifest.json");
}

/// The message for the sample's file after an edit.
std::string refusal(const std::function<void(nlohmann::ordered_json &)> &edit) {
  TemporaryFolder folder;
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(jsonOf(sample()));
  edit(json);
  folder.write("manifest.json", json.dump());
  return messageOf(readManifest(folder.path()));
}

TEST(Manifest, readsBackEveryField) {
  TemporaryFolder folder;
  folder.write("manifest.json", jsonOf(sample()));
  auto read = readManifest(folder.path());
  ASSERT_TRUE(read) << read.error().message;
  Manifest m = sample();
  // The text holds every field; equal texts are equal manifests as long as no field is left out of it, which follows here.
  EXPECT_EQ(jsonOf(*read), jsonOf(m));
  EXPECT_EQ(read->producer, m.producer);
  ASSERT_EQ(read->code.size(), 2u);
  EXPECT_EQ(read->code[0].features, m.code[0].features);
  EXPECT_EQ(std::tuple(read->code[0].file, read->code[0].bytes, read->code[0].hash, read->code[1].file),
            std::tuple("host+x.so", 4321u, 0xfedcba9876543210u, "host.so"));
  EXPECT_EQ(std::tuple(read->target, read->activations, read->checkpoint),
            std::tuple(m.target, m.activations, m.checkpoint));
  EXPECT_EQ(
      std::tuple(read->layers, read->vocabSize, read->maxModelLen, read->maxRows, read->maxSequences, read->pageSize),
      std::tuple(m.layers, m.vocabSize, m.maxModelLen, m.maxRows, m.maxSequences, m.pageSize));
  EXPECT_EQ(std::tuple(read->pagesPerSequence, read->pages, read->experts, read->expertsPerToken, read->topK,
                       read->arenaBytes),
            std::tuple(m.pagesPerSequence, m.pages, m.experts, m.expertsPerToken, m.topK, m.arenaBytes));
  EXPECT_EQ(std::tuple(read->temperature, read->topP, read->eosTokenIds),
            std::tuple(m.temperature, m.topP, m.eosTokenIds));
  EXPECT_EQ(read->files[0].header, m.files[0].header);
  EXPECT_EQ(read->files[0].bytes, m.files[0].bytes);
  EXPECT_EQ(read->precision[0].source, m.precision[0].source);
  EXPECT_EQ(read->weights[1].form, WeightForm::Table);
  EXPECT_EQ(read->weights[1].shape, m.weights[1].shape);
  EXPECT_TRUE(read->weights[2].reciprocal);
  EXPECT_FALSE(read->weights[1].reciprocal);
  EXPECT_EQ(std::tuple(read->weights[3].name, read->weights[3].dtype), std::tuple(m.weights[3].name, "F32"));
  EXPECT_TRUE(read->weights[4].filled);
  EXPECT_FALSE(read->weights[1].filled);
  EXPECT_EQ(read->load, m.load);
  EXPECT_EQ(read->buffers[2].space, BufferSpace::Cache);
  EXPECT_EQ(read->buffers[3].offset, m.buffers[3].offset);
  EXPECT_FALSE(read->kernels[1].parallel);
  const Launch &topK = read->programs[1].launches[0], &gemm = read->programs[1].launches[1];
  EXPECT_EQ(topK.kernel, 1);
  EXPECT_EQ(topK.taps[1].name, "hidden.0");
  EXPECT_EQ(std::tuple(topK.taps[1].buffer, topK.taps[1].dtype, topK.taps[1].width), std::tuple(2, "BF16", 96));
  EXPECT_EQ(gemm.rows, RowCount::Output);
  EXPECT_EQ(gemm.arguments[1].kind, Argument::Kind::Weight);
  EXPECT_EQ(gemm.arguments[2].index, 3);
}

TEST(Manifest, writesOneLaunchPerLine) {
  std::string text = jsonOf(sample());
  EXPECT_NE(text.find("\n   {\"kernel\":0,\"arguments\":[\"b0\",\"w1\",\"b3\"],\"rows\":\"output\"}\n"),
            std::string::npos)
      << text;
}

TEST(Manifest, refusesAnotherFormatFirst) {
  EXPECT_EQ(
      refusal([](auto &j) { j = {{"format", kFormatVersion + 1}, {"news", true}}; }),
      fmt::format(
          "manifest.json: format must be {}, the one of this version of glm, but found {}: compile the artifact again",
          kFormatVersion, kFormatVersion + 1));
  EXPECT_EQ(refusal([](auto &j) { j.erase("format"); }), "manifest.json: format must be there, but found none");
  EXPECT_EQ(refusal([](auto &j) { j["format"] = "1"; }),
            "manifest.json: format must be an integer in 0 .. 2147483647, but found \"1\"");
}

TEST(Manifest, refusesMissingAndUnknownKeys) {
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(jsonOf(sample()));
  for (const auto &[key, value] : json.items())
    EXPECT_EQ(refusal([&](auto &j) { j.erase(key); }),
              fmt::format("manifest.json: {} must be there, but found none", key));
  auto unknown = [](const std::string &where) {
    return fmt::format("manifest.json: {}extra must be a key of format {}, but found that it is not", where,
                       kFormatVersion);
  };
  EXPECT_EQ(refusal([](auto &j) { j["extra"] = 1; }), unknown(""));
  for (const char *list : {"code", "files", "precision", "weights", "buffers", "kernels", "load", "programs"})
    EXPECT_EQ(refusal([&](auto &j) { j[list][0]["extra"] = 1; }), unknown(fmt::format("{}[0].", list)));
  EXPECT_EQ(refusal([](auto &j) { j["programs"][1]["launches"][0]["extra"] = 1; }),
            unknown("programs[1].launches[0]."));
  EXPECT_EQ(refusal([](auto &j) { j["programs"][1]["launches"][0]["taps"][1]["extra"] = 1; }),
            unknown("programs[1].launches[0].taps[1]."));
}

TEST(Manifest, refusesWrongTypes) {
  EXPECT_EQ(refusal([](auto &j) { j["target"] = 3; }), "manifest.json: target must be a string, but found 3");
  EXPECT_EQ(refusal([](auto &j) { j["code"][0]["features"] = "avx2"; }),
            "manifest.json: code[0].features must be a list, but found string");
  EXPECT_EQ(refusal([](auto &j) { j["code"][0]["features"][1] = 3; }),
            "manifest.json: code[0].features must hold strings, but found 3");
  EXPECT_EQ(refusal([](auto &j) { j["layers"] = 2.5; }),
            "manifest.json: layers must be an integer in 1 .. 1048576, but found 2.5");
  EXPECT_EQ(refusal([](auto &j) { j["layers"] = 0; }),
            "manifest.json: layers must be an integer in 1 .. 1048576, but found 0");
  EXPECT_EQ(refusal([](auto &j) { j["layers"] = UINT64_MAX; }),
            "manifest.json: layers must be an integer in 1 .. 1048576, but found 18446744073709551615");
  EXPECT_EQ(refusal([](auto &j) { j["experts_per_token"] = 10; }),
            "manifest.json: experts_per_token must be an integer in 0 .. 9, but found 10");
  EXPECT_EQ(refusal([](auto &j) { j["pages_per_sequence"] = 8; }),
            "manifest.json: pages_per_sequence must hold max_model_len 513 in pages of 64, but found 8");
  EXPECT_EQ(refusal([](auto &j) { j["eos_token_ids"][0] = -1; }),
            "manifest.json: eos_token_ids must hold integers in 0 .. 72057594037927936, but found -1");
  EXPECT_EQ(refusal([](auto &j) { j["temperature"] = "hot"; }),
            "manifest.json: temperature must be a number in 0 .. 1000000, but found \"hot\"");
  EXPECT_EQ(refusal([](auto &j) { j["top_p"] = 1.5; }),
            "manifest.json: top_p must be a number in 0 .. 1, but found 1.5");
  EXPECT_EQ(refusal([](auto &j) { j["weights"] = nlohmann::json::object(); }),
            "manifest.json: weights must be a list, but found object");
  EXPECT_EQ(refusal([](auto &j) { j["weights"][2] = 3; }),
            "manifest.json: weights[2] must be an object, but found number");
  EXPECT_EQ(refusal([](auto &j) { j["kernels"][1]["parallel"] = 1; }),
            "manifest.json: kernels[1].parallel must be true or false, but found 1");
}

TEST(Manifest, refusesMachinesThatDoNotFit) {
  auto forGpu = [](auto &j) {
    for (auto &kernel : j["kernels"]) {
      kernel.erase("parallel");
      kernel.update({{"threads", 128}, {"shared_bytes", 512}, {"registers", 30}, {"spill_bytes", 4}});
    }
    for (auto &program : j["programs"])
      for (auto &launch : program["launches"])
        launch["blocks"] = 3;
    for (auto &launch : j["load"])
      launch["blocks"] = 3;
  };
  EXPECT_EQ(refusal([&](auto &j) {
              forGpu(j);
              j["kernels"][1] = {{"name", "x"}, {"parallel", true}};
            }),
            "manifest.json: kernels[1] must be for a GPU, as the first, but found the other");
  EXPECT_EQ(refusal([&](auto &j) {
              forGpu(j);
              j["programs"][1]["launches"][0].erase("blocks");
            }),
            "manifest.json: programs[1].launches[0].blocks must be more than 0 on a GPU, but found 0");
  EXPECT_EQ(refusal([](auto &j) { j["programs"][0]["launches"][0]["blocks"] = 2; }),
            "manifest.json: programs[0].launches[0].blocks must be 0 on a host, but found 2");
  EXPECT_EQ(refusal([&](auto &j) {
              forGpu(j);
              j["kernels"][0]["threads"] = 1025;
            }),
            "manifest.json: kernels[0].threads must be an integer in 1 .. 1024, but found 1025");
}

TEST(Manifest, refusesFiles) {
  for (const char *name : {"", "..", "../x", "/etc/passwd"})
    EXPECT_EQ(
        refusal([&](auto &j) { j["files"][1]["name"] = name; }),
        fmt::format("manifest.json: files[1].name must be a file of the checkpoint's folder, but found \"{}\"", name));
  for (const char *hash : {"0123", "0123456789abcdeg", "-123456789abcdef"})
    EXPECT_EQ(refusal([&](auto &j) { j["files"][0]["header"] = hash; }),
              fmt::format("manifest.json: files[0].header must have 16 hexadecimal digits, but found \"{}\"", hash));
}

TEST(Manifest, refusesCode) {
  EXPECT_EQ(refusal([](auto &j) { j["code"] = nlohmann::json::array(); }),
            "manifest.json: code must name a library, but found none");
  EXPECT_EQ(refusal([](auto &j) { j["code"][1]["file"] = "../host.so"; }),
            "manifest.json: code[1].file must be a file of the artifact's folder, but found \"../host.so\"");
  EXPECT_EQ(refusal([](auto &j) { j["code"][1]["hash"] = 5; }),
            "manifest.json: code[1].hash must be a string, but found 5");
}

TEST(Manifest, refusesWeights) {
  EXPECT_EQ(refusal([](auto &j) { j["weights"][0]["form"] = "blob"; }),
            "manifest.json: weights[0].form must be one of data, table, scalars, but found blob");
  EXPECT_EQ(refusal([](auto &j) { j["weights"][1]["count"] = 0; }),
            "manifest.json: weights[1].count must be an integer in 1 .. 1048576, but found 0");
  EXPECT_EQ(refusal([](auto &j) { j["weights"][1]["shape"][0] = -48; }),
            "manifest.json: weights[1].shape must hold integers in 0 .. 72057594037927936, but found -48");
  EXPECT_EQ(refusal([](auto &j) { j["weights"][1]["name"] = "w"; }),
            "manifest.json: weights[1].name of a table must hold {}, but found w");
  EXPECT_EQ(refusal([](auto &j) { j["weights"][0]["name"] = "w.{}"; }),
            "manifest.json: weights[0].name of data must be that of one tensor, but found w.{}");
  EXPECT_EQ(refusal([](auto &j) { j["weights"][0]["count"] = 2; }),
            "manifest.json: weights[0].count of data must be 1, but found 2");
  EXPECT_EQ(refusal([](auto &j) { j["weights"][2]["name"] = "s"; }),
            "manifest.json: weights[2].name of 9 scalars must hold {}, but found s");
  EXPECT_EQ(refusal([](auto &j) { j["weights"][1]["reciprocal"] = true; }),
            "manifest.json: weights[1].reciprocal must be of scalars, but found it at table");
  EXPECT_EQ(refusal([](auto &j) { j["weights"][2]["filled"] = true; }),
            "manifest.json: weights[2].filled must be of data or a table, but found it at scalars");
  for (auto [shape, found] : {std::pair("[48, 96]", "48, 96"), std::pair("[72057594037927936]", "72057594037927936")})
    EXPECT_EQ(
        refusal([&](auto &j) { j["weights"][4]["shape"] = nlohmann::json::parse(shape); }),
        fmt::format(
            "manifest.json: weights[4].shape of what is filled must be a number of bytes, of all together at most "
            "72057594037927936, but found [{}]",
            found));
}

TEST(Manifest, refusesLoads) {
  EXPECT_EQ(refusal([](auto &j) { j["load"] = nlohmann::json::array(); }),
            "manifest.json: weights[4] must be filled by a launch of load, but found none");
  EXPECT_EQ(refusal([](auto &j) { j["load"][0]["arguments"] = {"w1", "w4", "b0"}; }),
            "manifest.json: load[0].arguments must be weights, but found b0");
  EXPECT_EQ(refusal([](auto &j) { j["load"][0]["arguments"] = {"w1", "w4", "w0"}; }),
            "manifest.json: load[0].arguments must be weights of 9 tensors, as the first, but found 1 at w0");
  EXPECT_EQ(refusal([](auto &j) { j["load"][0]["arguments"] = nlohmann::json::array(); }),
            "manifest.json: load[0].arguments must name a weight, but found none");
  EXPECT_EQ(refusal([](auto &j) { j["load"][0]["blocks"] = 3; }),
            "manifest.json: load[0].blocks must be 0 on a host, but found 3");
}

TEST(Manifest, refusesBuffersOutsideOfTheArena) {
  EXPECT_EQ(refusal([](auto &j) { j["buffers"][1]["bytes"] = 4161; }),
            "manifest.json: buffers[1].bytes must end within the arena's 4352, but found 4353");
  EXPECT_EQ(
      refusal([](auto &j) { j["buffers"][1]["offset"] = int64_t(1) << 57; }),
      "manifest.json: buffers[1].offset must be an integer in 0 .. 72057594037927936, but found 144115188075855872");
  EXPECT_EQ(refusal([](auto &j) { j["buffers"][1]["space"] = "stack"; }),
            "manifest.json: buffers[1].space must be one of arena, cache, input, output, but found stack");
}

TEST(Manifest, refusesLaunches) {
  auto launch = [](const char *key, const nlohmann::json &value) {
    return refusal([&](auto &j) { j["programs"][1]["launches"][1][key] = value; });
  };
  EXPECT_EQ(launch("kernel", 2),
            "manifest.json: programs[1].launches[1].kernel must be less than the number of kernels, 2, but found 2");
  EXPECT_EQ(launch("rows", "all"),
            "manifest.json: programs[1].launches[1].rows must be one of step, output, but found all");
  for (const char *argument : {"w5", "b4", "x1", "w", "", "w-1", "b1 ", "b99999999999999999999"})
    EXPECT_EQ(launch("arguments", {"b0", argument}),
              fmt::format("manifest.json: programs[1].launches[1].arguments must name one of 5 weights, such as w0, or "
                          "one of 4 buffers, such as b0, but found \"{}\"",
                          argument));
  EXPECT_EQ(launch("arguments", {3}), "manifest.json: programs[1].launches[1].arguments must name one of 5 weights, "
                                      "such as w0, or one of 4 buffers, such as b0, but found 3");
  auto tap = [](const char *key, const nlohmann::json &value) {
    return refusal([&](auto &j) { j["programs"][0]["launches"][0]["taps"][0][key] = value; });
  };
  EXPECT_EQ(
      tap("buffer", 4),
      "manifest.json: programs[0].launches[0].taps[0].buffer must be less than the number of buffers, 4, but found 4");
  EXPECT_EQ(tap("dtype", "F64"),
            "manifest.json: programs[0].launches[0].taps[0].dtype must be one of I32, F32, BF16, but found F64");
  EXPECT_EQ(tap("width", 0),
            "manifest.json: programs[0].launches[0].taps[0].width must be an integer in 1 .. 2147483648, but found 0");
}

TEST(Manifest, refusesPrograms) {
  EXPECT_EQ(refusal([](auto &j) { j["programs"] = nlohmann::json::array(); }),
            "manifest.json: programs must end with one of 48 rows, but found none");
  EXPECT_EQ(refusal([](auto &j) { j["programs"].erase(1); }),
            "manifest.json: programs must end with one of 48 rows, but found 1");
  EXPECT_EQ(refusal([](auto &j) { j["programs"][0]["rows"] = 48; }),
            "manifest.json: programs[1].rows must be more than 48, but found 48");
  EXPECT_EQ(refusal([](auto &j) { j["programs"][1]["rows"] = 49; }),
            "manifest.json: programs[1].rows must be an integer in 1 .. 48, but found 49");
}

TEST(Manifest, refusesEdits) {
  std::string seal = nlohmann::json::parse(jsonOf(sample()))["seal"];
  std::set<std::string> others;
  auto edit = [&](const std::function<void(nlohmann::ordered_json &)> &change) {
    std::string message = refusal(change), start = "manifest.json: contents must be as glm-compile wrote them (seal " +
                                                   seal + "), but found an edit (";
    ASSERT_EQ(message.substr(0, start.size()), start);
    EXPECT_EQ(message.substr(start.size() + 16), "): compile the artifact again");
    EXPECT_TRUE(others.insert(message.substr(start.size(), 16)).second);
  };
  edit([](auto &j) { j["producer"] = "somebody"; });
  edit([](auto &j) { j["code"][0]["hash"] = "fedcba9876543211"; });
  edit([](auto &j) { j["eos_token_ids"] = {5, 3}; });
  edit([](auto &j) { j["weights"][0]["shape"][0] = 97; });
  edit([](auto &j) { j["programs"][1]["launches"][1]["arguments"] = {"b0", "w1", "b2"}; });
  edit([](auto &j) { j["programs"][1]["launches"][0]["taps"][0]["width"] = 17; });
  EXPECT_EQ(refusal([](auto &j) { j["seal"] = "0"; }),
            "manifest.json: seal must have 16 hexadecimal digits, but found \"0\"");
  // The checkpoint may move, and how the file is laid out says nothing.
  EXPECT_EQ(refusal([](auto &j) { j["checkpoint"] = "/elsewhere"; }), "");
}

TEST(Manifest, refusesDamage) {
  TemporaryFolder folder;
  EXPECT_EQ(messageOf(readManifest(folder.path())),
            folder.path().string() + ": manifest.json must be a file, but found none");
  std::string text = jsonOf(sample());
  for (size_t length = 0; length < text.size() - 2; length += 97) { // without the last bracket, wherever it is cut
    folder.write("manifest.json", text.substr(0, length));
    EXPECT_NE(messageOf(readManifest(folder.path())).find("text must be JSON, but found an error"), std::string::npos)
        << length;
  }
}

TEST(Manifest, writeRefusesWhatItCannotWrite) {
  TemporaryFolder folder;
  EXPECT_EQ(messageOf(writeManifest(folder.path() / "no", sample())),
            (folder.path() / "no" / "manifest.json").string() +
                ": file must be writable, but found No such file or directory");
  Manifest m = sample();
  m.checkpoint = "\xff";
  EXPECT_EQ(messageOf(writeManifest(folder.path(), m)),
            "manifest.json: names must be UTF-8, but found one that is not");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Manifest, expandsPatterns) {
  EXPECT_EQ(expandPattern("a.{}.b", 17), "a.17.b");
  EXPECT_EQ(expandPattern("{}", 0), "0");
  EXPECT_EQ(expandPattern("a.b", 3), "a.b");
}

// As large as GLM-5.2's: the times are in the log, and a quadratic reader would be noticed by whoever waits for this test.
TEST(Manifest, isQuickAtFullSize) {
  Manifest m = sample();
  for (int i = 0; i < 5000; ++i)
    m.weights.push_back({fmt::format("model.layers.{}.mlp.experts.{{}}.w{}.weight", i / 64, i),
                         WeightForm::Table,
                         256,
                         "U8",
                         {2048, 3072},
                         false});
  for (int i = 0; i < 10000; ++i)
    m.programs[1].launches.push_back(
        {i % 2,
         {{Argument::Kind::Weight, i % 5000}, {Argument::Kind::Buffer, i % 4}, {Argument::Kind::Buffer, (i + 1) % 4}},
         RowCount::Step,
         {}});
  TemporaryFolder folder;
  auto now = [] { return std::chrono::steady_clock::now(); };
  auto milliseconds = [](auto from, auto to) { return std::chrono::duration<double, std::milli>(to - from).count(); };
  auto start = now();
  ASSERT_TRUE(writeManifest(folder.path(), m));
  auto written = now();
  auto read = readManifest(folder.path());
  auto done = now();
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->weights.size(), 5005u);
  EXPECT_EQ(read->programs[1].launches.back().arguments[0].index, 4999);
  fmt::print("{} bytes: written in {:.0f} ms, read in {:.0f} ms\n",
             std::filesystem::file_size(folder.path() / "manifest.json"), milliseconds(start, written),
             milliseconds(written, done));
}

} // namespace
