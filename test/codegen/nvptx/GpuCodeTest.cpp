// The files of a GPU's code: one text of several kernels, and what ptxas says of them.
#include "codegen/nvptx/GpuCode.h"

#include "codegen/target/Target.h"
#include "test/runtime/artifact/TemporaryFolder.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"

#include <fstream>
#include <gtest/gtest.h>
#include <regex>

namespace glm::test {
namespace {

constexpr const char *kKernels = R"(module {
module @first attributes {glm.threads = 64 : i64} {
  llvm.func @first(%to: !llvm.ptr) {
    %one = llvm.mlir.constant(1 : i32) : i32
    llvm.store %one, %to : i32, !llvm.ptr
    llvm.return
  }
}
module @second attributes {glm.threads = 32 : i64} {
  llvm.func @second(%to: !llvm.ptr) {
    %two = llvm.mlir.constant(2 : i32) : i32
    llvm.store %two, %to : i32, !llvm.ptr
    llvm.return
  }
}
})";

class GpuCodeTest : public testing::Test {
protected:
  GpuCodeTest() {
    mlir::DialectRegistry registry;
    registry.insert<GlmDialect, mlir::LLVM::LLVMDialect>();
    mlir::registerBuiltinDialectTranslation(registry);
    mlir::registerLLVMDialectTranslation(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  std::string ptx() {
    auto plan = mlir::parseSourceString<mlir::ModuleOp>(kKernels, &context);
    auto target = makeTarget(&context, "sm_90a");
    EXPECT_TRUE(plan && target);
    auto written = writePtx(*plan, *target, {}, folder.path() / "kernels.ptx");
    EXPECT_TRUE(written) << written.error().message;
    std::ifstream file(folder.path() / "kernels.ptx");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  mlir::MLIRContext context;
  TemporaryFolder folder;
};

size_t countOf(const std::string &text, const std::string &expression) {
  std::regex pattern(expression);
  return std::distance(std::sregex_iterator(text.begin(), text.end(), pattern), std::sregex_iterator());
}

TEST_F(GpuCodeTest, KernelsShareOneModule) {
  std::string text = ptx();
  for (const char *once : {"\\.version 8\\.0\n", "\\.target sm_90a\n", "\\.address_size 64\n", "\\.entry first\\(",
                           "\\.entry second\\(", "\\.reqntid 64", "\\.reqntid 32"})
    EXPECT_EQ(countOf(text, once), 1u) << once << " in\n" << text;
  EXPECT_LT(text.find(".address_size"), text.find(".entry first"));
  // Nothing is left beside the file.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(PtxasReport, IsReadKernelByKernel) {
  std::vector<KernelReport> reports = parsePtxasReport(R"(ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'gemm_bf16_n16k64' for 'sm_120a'
ptxas info    : Function properties for gemm_bf16_n16k64
    0 bytes stack frame, 12 bytes spill stores, 20 bytes spill loads
ptxas info    : Used 40 registers, used 1 barriers, 5120 bytes smem
ptxas info    : Compile time = 53.694 ms
ptxas info    : Compiling entry function 'top_k' for 'sm_120a'
ptxas info    : Function properties for top_k
    8 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 255 registers, used 0 barriers, 8 bytes cumulative stack size
)");
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].name, "gemm_bf16_n16k64");
  EXPECT_EQ(reports[0].registers, 40);
  EXPECT_EQ(reports[0].spillBytes, 32);
  EXPECT_EQ(reports[1].name, "top_k");
  EXPECT_EQ(reports[1].registers, 255);
  EXPECT_EQ(reports[1].spillBytes, 0);
  EXPECT_TRUE(parsePtxasReport("").empty());
}

TEST(OneBlock, IsSaidOfTheseEntriesOnly) {
  EXPECT_EQ(
      withOneBlock(".visible .entry a(\n)\n.reqntid 256\n{\n}\n.visible .entry ab(\n)\n.reqntid 32\n{\n}\n", {"ab"}),
      ".visible .entry a(\n)\n.reqntid 256\n{\n}\n.visible .entry ab(\n)\n.reqntid 32\n.minnctapersm 1\n{\n}\n");
}

} // namespace
} // namespace glm::test
