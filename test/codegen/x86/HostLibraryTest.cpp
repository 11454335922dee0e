// What a kernel becomes, and what one leaves on which LLVM crashes.
#include "codegen/x86/HostLibrary.h"

#include "codegen/target/Target.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace glm;
using namespace mlir;
namespace fs = std::filesystem;

namespace {

constexpr const char *kSum = R"(
module @sum {
  llvm.func @sum(%a: i32, %b: i32) -> i32 {
    %0 = llvm.add %a, %b : i32
    llvm.return %0 : i32
  }
})";

/// An instruction that x86-64-v3 does not have.
constexpr const char *kImpossible = R"(
module @impossible {
  llvm.func @impossible(%a: vector<2xi64>, %b: vector<2xi64>) -> vector<2xi64> {
    %0 = llvm.call_intrinsic "llvm.x86.aesni.aesenc"(%a, %b) : (vector<2xi64>, vector<2xi64>) -> vector<2xi64>
    llvm.return %0 : vector<2xi64>
  }
})";

class HostLibrary : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::temp_directory_path() / fmt::format("glm-host-library-{}", getpid());
    fs::create_directories(folder);
    DialectRegistry registry;
    registry.insert<GlmDialect, LLVM::LLVMDialect>();
    registerBuiltinDialectTranslation(registry);
    registerLLVMDialectTranslation(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }
  void TearDown() override { fs::remove_all(folder); }

  Result<void> write(const std::string &kernels) {
    OwningOpRef<ModuleOp> plan = parseSourceString<ModuleOp>("module {" + kernels + "}", &context);
    EXPECT_TRUE(plan);
    auto target = makeTarget(&context, "x86-64-v3");
    EXPECT_TRUE(target);
    return writeHostLibrary(*plan, *target, {2, {}, folder / "x.reproducer.mlir"}, folder / "host.so");
  }

  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const fs::directory_entry &entry : fs::directory_iterator(folder))
      result.push_back(entry.path().filename());
    return result;
  }

  fs::path folder;
  MLIRContext context;
};

TEST_F(HostLibrary, HoldsAFunctionForEachKernel) {
  Result<void> written = write(kSum);
  ASSERT_TRUE(written) << written.error().message;
  void *library = dlopen((folder / "host.so").c_str(), RTLD_NOW);
  ASSERT_TRUE(library) << dlerror();
  auto *sum = reinterpret_cast<int (*)(int, int)>(dlsym(library, "sum"));
  ASSERT_TRUE(sum);
  EXPECT_EQ(sum(17, 25), 42);
  dlclose(library);
  EXPECT_EQ(names(), std::vector<std::string>{"host.so"});
}

TEST_F(HostLibrary, SurvivesACrashOfLlvmAndKeepsTheKernel) {
#if __has_feature(thread_sanitizer)
  GTEST_SKIP() << "LLVM jumps out of its crash, past frames that the sanitizer counts";
#endif
  Result<void> written = write(std::string(kSum) + kImpossible);
  ASSERT_FALSE(written);
  std::string message = written.error().message;
  EXPECT_TRUE(message.starts_with("impossible: code generation must end, but found Cannot select: ")) << message;
  EXPECT_TRUE(message.ends_with(fmt::format(" (reproducer {})", (folder / "x.reproducer.mlir").string()))) << message;
  EXPECT_EQ(names(), std::vector<std::string>{"x.reproducer.mlir"});
  EXPECT_TRUE(parseSourceFile<ModuleOp>((folder / "x.reproducer.mlir").string(), &context));
  // And again: what the crash left behind in this process does no harm.
  EXPECT_TRUE(write(kSum));
}

} // namespace
