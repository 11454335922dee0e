// A small plan, the manifest that it becomes, and what may happen to the folder that it is written to.
#include "codegen/emit/Emit.h"
#include "codegen/emit/ArtifactFolder.h"
#include "runtime/artifact/Library.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace glm;
namespace fs = std::filesystem;

namespace {

constexpr const char *kPlan = R"(
module attributes {
  glm.arena_bytes = 4096 : i64,
  glm.limits = #glm.limits<rows = [2, 5], sequences = 3, positions = 200, page_size = 64>,
  glm.target = #glm.target<chip = "x86-64-v4", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "+avx512f,+avx512bf16", vector_bits = 512>
} {
  glm.plan.buffer @tokens input offset 0 bytes 20
  glm.plan.buffer @logits output offset 64 bytes 140
  glm.plan.buffer @step_r2.b2 arena offset 256 bytes 96
  glm.plan.buffer @latent cache offset 0 bytes 61440
  glm.plan.weight @codes table "model.layers.3.mlp.experts.{}.up_proj.weight" count 4 dtype "U8" shape [6, 8]
  glm.plan.weight @globals scalars "model.layers.3.mlp.experts.{}.up_proj.weight_global_scale" count 4 dtype "F32" shape [] reciprocal
  glm.plan.weight @table data "model.embed_tokens.weight" count 1 dtype "BF16" shape [7, 9]
  glm.plan.weight @norm data "model.norm.weight" count 1 dtype "F32" shape [3]
  glm.plan.weight @tiles table "model.layers.3.mlp.experts.{}.up_proj.tiles" count 4 dtype "U8" shape [2304] filled
  glm.plan.load {
    glm.plan.launch @top_k_w9 [@codes, @tiles]
  }
  glm.plan.program @step_r2 rows 2 {
    glm.plan.launch @top_k_w9 [@step_r2.b2, @latent] {tap = "index.3", tapped = @step_r2.b2, tap_type = "I32", tap_width = 12 : i64}
    glm.plan.launch @embed_bf16_w9 [@tokens, @table, @norm, @logits] output_rows
  }
  module @embed_bf16_w9 attributes {glm.parallel} {
    func.func private @embed_bf16_w9()
  }
  module @top_k_w9 {
    func.func private @top_k_w9()
  }
  glm.plan.program @step_r5 rows 5 {
    glm.plan.launch @embed_bf16_w9 [@codes, @globals]
  }
})";

/// A folder of its own for each test, empty at first.
class Emit : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::temp_directory_path() / ("glm-emit-" + std::to_string(getpid()) + "-" +
                                          testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder);
    context.loadDialect<GlmDialect, mlir::func::FuncDialect>();
    plan = mlir::parseSourceString<mlir::ModuleOp>(kPlan, &context);
    ASSERT_TRUE(plan);
  }
  void TearDown() override { fs::remove_all(folder); }

  static Manifest facts() {
    Manifest facts;
    facts.producer = "glm-compile 9.8.7, LLVM 22.1.8";
    facts.activations = "bf16";
    facts.layers = 4;
    facts.vocabSize = 7;
    facts.experts = 4;
    facts.expertsPerToken = 2;
    facts.eosTokenIds = {5, 6};
    facts.checkpoint = "../checkpoint";
    facts.files = {{"model-00001-of-00002.safetensors", 123456, 0xfedcba9876543210}};
    facts.precision = {{"model.layers.*.mlp.*", 12, "bf16", "bf16", 3456, "*", "--activations"}};
    return facts;
  }

  Result<void> emit(const fs::path &output, const std::string &library = "an ELF file") {
    return emitArtifact(
        {*plan}, facts(),
        [&](mlir::ModuleOp, const fs::path &into, llvm::StringRef) -> Result<WrittenCode> {
          std::ofstream(into / "host.so") << library;
          return WrittenCode{{"host.so"}, {}};
        },
        output);
  }

  /// Names in the test's folder, sorted.
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const fs::directory_entry &entry : fs::directory_iterator(folder))
      result.push_back(entry.path().filename());
    std::sort(result.begin(), result.end());
    return result;
  }

  static std::string text(const fs::path &path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path folder;
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::OwningOpRef<mlir::ModuleOp> plan;
};

using Names = std::vector<std::string>;

TEST_F(Emit, ReadsBackWhatThePlanSays) {
  Result<void> emitted = emit(folder / "small.glm");
  ASSERT_TRUE(emitted) << emitted.error().message;
  EXPECT_EQ(text(folder / "small.glm" / "host.so"), "an ELF file");
  Result<Manifest> read = readManifest(folder / "small.glm");
  ASSERT_TRUE(read) << read.error().message;

  EXPECT_EQ(read->target, "x86-64-v4");
  ASSERT_EQ(read->code.size(), 1u);
  EXPECT_EQ(read->code[0].file, "host.so");
  EXPECT_EQ(read->code[0].bytes, 11u);
  EXPECT_EQ(read->code[0].features, (Names{"avx512f", "avx512bf16"}));
  EXPECT_TRUE(checkLibrary(folder / "small.glm", read->code[0]));
  EXPECT_EQ(read->arenaBytes, 4096u);
  ASSERT_EQ(read->load.size(), 1u);
  EXPECT_EQ(read->kernels[read->load[0].kernel].name, "top_k_w9");
  EXPECT_TRUE(read->weights[read->load[0].arguments[1].index].filled);
  EXPECT_EQ(read->maxRows, 5);
  EXPECT_EQ(read->maxSequences, 3);
  EXPECT_EQ(read->maxModelLen, 200);
  EXPECT_EQ(read->pageSize, 64);
  EXPECT_EQ(read->pagesPerSequence, 4);
  EXPECT_EQ(read->pages, 12);
}

/// The plan for a target that has more than its own.
mlir::OwningOpRef<mlir::ModuleOp> better(mlir::ModuleOp plan) {
  mlir::OwningOpRef<mlir::ModuleOp> other(plan.clone());
  (*other)->setAttr(kTargetAttr, TargetAttr::get(plan.getContext(), "x86-64-v4+amx", "x86_64-unknown-linux-gnu",
                                                 "x86-64-v4", "+avx512f,+avx512bf16,+amx-bf16", 512));
  return other;
}

TEST_F(Emit, HoldsALibraryForEachTarget) {
  auto other = better(*plan);
  auto write = [&](mlir::ModuleOp module, const fs::path &into, llvm::StringRef variant) -> Result<WrittenCode> {
    std::string file = "host" + variant.str() + ".so";
    std::ofstream(into / file) << (module == *plan ? "plain" : "better");
    return WrittenCode{{file}, {}};
  };
  Result<void> emitted = emitArtifact({*other, *plan}, facts(), write, folder / "small.glm");
  ASSERT_TRUE(emitted) << emitted.error().message;
  Result<Manifest> read = readManifest(folder / "small.glm");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->target, "x86-64-v4");
  ASSERT_EQ(read->code.size(), 2u);
  EXPECT_EQ(read->code[0].file, "host+amx.so");
  EXPECT_EQ(read->code[0].features, (Names{"avx512f", "avx512bf16", "amx-bf16"}));
  EXPECT_EQ(read->code[1].file, "host.so");
  EXPECT_EQ(text(folder / "small.glm" / "host+amx.so"), "better");
  EXPECT_EQ(text(folder / "small.glm" / "host.so"), "plain");
}

TEST_F(Emit, RefusesLibrariesThatAreLaunchedDifferently) {
  auto other = better(*plan);
  auto program = *(*other).getOps<PlanProgramOp>().begin();
  (*program.getBody().getOps<PlanLaunchOp>().begin()).erase();
  auto write = [](mlir::ModuleOp, const fs::path &into, llvm::StringRef) -> Result<WrittenCode> {
    std::ofstream(into / "host.so") << "an ELF file";
    return WrittenCode{{"host.so"}, {}};
  };
  Result<void> emitted = emitArtifact({*other, *plan}, facts(), write, folder / "small.glm");
  ASSERT_FALSE(emitted);
  EXPECT_EQ(emitted.error().message,
            "plan: libraries of one artifact must be launched alike, but found another plan for x86-64-v4+amx");
  EXPECT_EQ(names(), Names{});
}

TEST_F(Emit, KeepsTheFactsOfTheCaller) {
  ASSERT_TRUE(emit(folder / "small.glm"));
  Result<Manifest> read = readManifest(folder / "small.glm");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->producer, "glm-compile 9.8.7, LLVM 22.1.8");
  EXPECT_EQ(read->activations, "bf16");
  EXPECT_EQ(read->layers, 4);
  EXPECT_EQ(read->eosTokenIds, (std::vector<int64_t>{5, 6}));
  EXPECT_EQ(read->checkpoint, "../checkpoint");
  ASSERT_EQ(read->files.size(), 1u);
  EXPECT_EQ(read->files[0].header, 0xfedcba9876543210u);
  ASSERT_EQ(read->precision.size(), 1u);
  EXPECT_EQ(read->precision[0].bytes, 3456u);
}

TEST_F(Emit, ListsWeightsInTheirOrder) {
  std::vector<Weight> weights = toManifest(*plan, facts()).weights;
  ASSERT_EQ(weights.size(), 5u);
  EXPECT_EQ(weights[0].name, "model.layers.3.mlp.experts.{}.up_proj.weight");
  EXPECT_EQ(weights[0].form, WeightForm::Table);
  EXPECT_EQ(weights[0].count, 4);
  EXPECT_EQ(weights[0].dtype, "U8");
  EXPECT_EQ(weights[0].shape, (std::vector<int64_t>{6, 8}));
  EXPECT_FALSE(weights[0].reciprocal);
  EXPECT_EQ(weights[1].form, WeightForm::Scalars);
  EXPECT_TRUE(weights[1].reciprocal);
  EXPECT_TRUE(weights[1].shape.empty());
  EXPECT_EQ(weights[2].form, WeightForm::Data);
  EXPECT_EQ(weights[3].dtype, "F32");
}

TEST_F(Emit, ListsBuffersInTheirOrder) {
  std::vector<Buffer> buffers = toManifest(*plan, facts()).buffers;
  ASSERT_EQ(buffers.size(), 4u);
  EXPECT_EQ(buffers[0].name, "tokens");
  EXPECT_EQ(buffers[0].space, BufferSpace::Input);
  EXPECT_EQ(buffers[1].space, BufferSpace::Output);
  EXPECT_EQ(buffers[1].offset, 64u);
  EXPECT_EQ(buffers[1].bytes, 140u);
  EXPECT_EQ(buffers[2].name, "step_r2.b2");
  EXPECT_EQ(buffers[2].space, BufferSpace::Arena);
  EXPECT_EQ(buffers[3].space, BufferSpace::Cache);
  EXPECT_EQ(buffers[3].bytes, 61440u);
}

// Kernels may be declared behind the programs that launch them, in any order.
TEST_F(Emit, TurnsSymbolsOfLaunchesIntoIndices) {
  Manifest manifest = toManifest(*plan, facts());
  ASSERT_EQ(manifest.kernels.size(), 2u);
  EXPECT_EQ(manifest.kernels[0].name, "embed_bf16_w9");
  EXPECT_TRUE(manifest.kernels[0].parallel);
  EXPECT_FALSE(manifest.kernels[1].parallel);
  ASSERT_EQ(manifest.programs.size(), 2u);
  EXPECT_EQ(manifest.programs[0].name, "step_r2");
  EXPECT_EQ(manifest.programs[1].rows, 5);

  auto spell = [](const Launch &launch) {
    std::string text = "k" + std::to_string(launch.kernel);
    for (const Argument &argument : launch.arguments)
      text += (argument.kind == Argument::Kind::Weight ? " w" : " b") + std::to_string(argument.index);
    return text + (launch.rows == RowCount::Output ? " output" : " step");
  };
  ASSERT_EQ(manifest.programs[0].launches.size(), 2u);
  EXPECT_EQ(spell(manifest.programs[0].launches[0]), "k1 b2 b3 step");
  EXPECT_EQ(spell(manifest.programs[0].launches[1]), "k0 b0 w2 w3 b1 output");
  EXPECT_EQ(spell(manifest.programs[1].launches[0]), "k0 w0 w1 step");

  ASSERT_EQ(manifest.programs[0].launches[0].taps.size(), 1u);
  const Tap &tap = manifest.programs[0].launches[0].taps[0];
  EXPECT_EQ(tap.name, "index.3");
  EXPECT_EQ(tap.buffer, 2);
  EXPECT_EQ(tap.dtype, "I32");
  EXPECT_EQ(tap.width, 12);
  EXPECT_TRUE(manifest.programs[0].launches[1].taps.empty());
}

TEST_F(Emit, ReplacesAnArtifact) {
  ASSERT_TRUE(emit(folder / "small.glm", "first"));
  std::ofstream(folder / "small.glm" / "kernels.ptx") << "from another target";
  // A trailing slash names the same folder.
  Result<void> emitted = emit(folder / "small.glm" / "", "second");
  ASSERT_TRUE(emitted) << emitted.error().message;
  EXPECT_EQ(text(folder / "small.glm" / "host.so"), "second");
  EXPECT_FALSE(fs::exists(folder / "small.glm" / "kernels.ptx"));
  EXPECT_EQ(names(), (Names{"small.glm"}));
}

TEST_F(Emit, RefusesToReplaceAFile) {
  std::ofstream(folder / "small.glm") << "thesis";
  Result<void> emitted = emit(folder / "small.glm");
  ASSERT_FALSE(emitted);
  EXPECT_EQ(emitted.error().message,
            (folder / "small.glm").string() + ": output must be a glm artifact or absent, but found a file");
  EXPECT_EQ(text(folder / "small.glm"), "thesis");
  EXPECT_EQ(names(), (Names{"small.glm"}));
}

TEST_F(Emit, RefusesToReplaceAnotherFolder) {
  fs::create_directory(folder / "photos");
  Result<void> emitted = emit(folder / "photos");
  ASSERT_FALSE(emitted);
  EXPECT_EQ(emitted.error().message,
            (folder / "photos").string() +
                ": output must be a glm artifact or absent, but found a folder without manifest.json");
  EXPECT_EQ(names(), (Names{"photos"}));
}

TEST_F(Emit, RefusesAFolderThatIsNotThere) {
  Result<void> emitted = emit(folder / "absent" / "small.glm");
  ASSERT_FALSE(emitted);
  EXPECT_EQ(emitted.error().message, (folder / "absent" / "small.glm").string() +
                                         ": output must lie in a folder that exists, but found no " +
                                         (folder / "absent").string());
  EXPECT_EQ(names(), Names{});
}

TEST_F(Emit, LeavesNothingBehindWhenTheLibraryFails) {
  ASSERT_TRUE(emit(folder / "small.glm", "first"));
  Result<void> emitted = emitArtifact(
      {*plan}, facts(),
      [](mlir::ModuleOp, const fs::path &into, llvm::StringRef) -> Result<WrittenCode> {
        std::ofstream(into / "host.so") << "half of";
        return Error{"kernel embed_bf16_w9: linking must succeed, but found none of it"};
      },
      folder / "small.glm");
  ASSERT_FALSE(emitted);
  EXPECT_EQ(emitted.error().message, "kernel embed_bf16_w9: linking must succeed, but found none of it");
  EXPECT_EQ(text(folder / "small.glm" / "host.so"), "first");
  EXPECT_EQ(names(), (Names{"small.glm"}));
}

// Somebody else takes the name while kernels are compiled.
TEST_F(Emit, LooksAgainBeforeTakingTheName) {
  Result<void> emitted = emitArtifact(
      {*plan}, facts(),
      [&](mlir::ModuleOp, const fs::path &into, llvm::StringRef) -> Result<WrittenCode> {
        std::ofstream(into / "host.so") << "an ELF file";
        std::ofstream(folder / "small.glm") << "thesis";
        return WrittenCode{{"host.so"}, {}};
      },
      folder / "small.glm");
  ASSERT_FALSE(emitted);
  EXPECT_EQ(text(folder / "small.glm"), "thesis");
  EXPECT_EQ(names(), (Names{"small.glm"}));
}

} // namespace
