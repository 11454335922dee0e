// What a failing or crashing pass leaves: one line that names the phase, and a file from which glm-opt sees it again.
#include "frontend/glm-compile/Phases.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace glm;
using namespace mlir;
namespace fs = std::filesystem;

namespace {

/// Fails or crashes on modules of one name.
class TroublePass : public PassWrapper<TroublePass, OperationPass<ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TroublePass)

  TroublePass(std::string name, bool crashes) : name(std::move(name)), crashes(crashes) {}
  StringRef getArgument() const override { return "test-trouble"; }
  StringRef getName() const override { return "Trouble"; }
  void runOnOperation() override {
    if (getOperation().getSymName().value_or("") != name)
      return;
    if (crashes)
      std::abort();
    signalPassFailure();
  }

private:
  std::string name;
  bool crashes;
};

class Phases : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::temp_directory_path() / fmt::format("glm-phases-{}", getpid());
    fs::create_directories(folder);
    options.output = (folder / "x.glm").string();
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }
  void TearDown() override { fs::remove_all(folder); }

  /// The error of running `phases` on a module.
  std::string errorOf(llvm::StringRef text, llvm::ArrayRef<Phase> phases) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    ErrorCollector errors(context);
    Progress progress(false);
    Result<void> result = PhaseRunner(*module, options, errors, progress).run(phases);
    return result ? "" : result.error().message;
  }

  std::string reproducer() const { return options.output + ".reproducer.mlir"; }

  std::string reproduced() const {
    std::ifstream file(reproducer());
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path folder;
  CompileOptions options;
  DialectRegistry registry;
  MLIRContext context{MLIRContext::Threading::DISABLED};
};

TEST_F(Phases, LeaveNothingWhereAllIsWell) {
  EXPECT_EQ(errorOf("module @good {}",
                    {{1, "trouble",
                      [](OpPassManager &passes) { passes.addPass(std::make_unique<TroublePass>("bad", false)); }}}),
            "");
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST_F(Phases, NameAFileFromWhichGlmOptFailsAgain) {
  std::string message = "module: glm.limits must be there, but found none";
  EXPECT_EQ(errorOf("module @no_limits {}", programPhases()),
            fmt::format("{} (phase model, reproducer {})", message, reproducer()));
  EXPECT_NE(reproduced().find("@no_limits"), std::string::npos);

  std::string again = (folder / "again").string();
  int status = std::system(fmt::format("{} --run-reproducer {} >/dev/null 2>{}", GLM_OPT, reproducer(), again).c_str());
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1);
  std::ifstream file(again);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(text.find(message), std::string::npos) << text;
}

TEST_F(Phases, SurviveACrashAndKeepWhatCrashed) {
  auto crash = [](OpPassManager &passes) { passes.addPass(std::make_unique<TroublePass>("bad", true)); };
  EXPECT_EQ(errorOf("module @bad {}", {{1, "trouble", crash}}),
            fmt::format("trouble: it must succeed, but found a crash or a failure without a message in `Trouble` on "
                        "'builtin.module' operation: @bad (phase trouble, reproducer {})",
                        reproducer()));
  EXPECT_NE(reproduced().find("@bad"), std::string::npos);
  EXPECT_NE(reproduced().find("test-trouble"), std::string::npos);
}

// After phases that passed: MLIR takes its handlers of faults away after each and puts them back before the next.
TEST_F(Phases, SurviveACrashInOneOfManyKernels) {
  auto pass = [](OpPassManager &passes) { passes.addPass(std::make_unique<TroublePass>("nobody", true)); };
  auto crash = [](OpPassManager &passes) {
    passes.nest<ModuleOp>().addPass(std::make_unique<TroublePass>("bad", true));
  };
  std::string kernels;
  for (int i = 0; i < 20; ++i)
    kernels += fmt::format("module @good{} {{}}\n", i);
  std::string error = errorOf("module { " + kernels + " module @bad {} }", {{1, "good", pass}, {2, "trouble", crash}});
  EXPECT_NE(error.find("operation: @bad (phase trouble, reproducer "), std::string::npos) << error;
  EXPECT_NE(reproduced().find("@bad"), std::string::npos);
}

TEST_F(Phases, NameTheReproducerBesideTheOutput) {
  auto name = [](std::string output) {
    CompileOptions options;
    options.output = std::move(output);
    return options.reproducer();
  };
  EXPECT_EQ(name(""), "glm-compile.reproducer.mlir");
  EXPECT_EQ(name("a/x.glm"), "a/x.glm.reproducer.mlir");
  EXPECT_EQ(name("a/x.glm/"), "a/x.glm.reproducer.mlir");
}

} // namespace
