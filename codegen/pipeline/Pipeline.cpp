#include "codegen/pipeline/Pipeline.h"

#include "codegen/linalg/PlainFamily.h"
#include "codegen/llvm/Lowering.h"
#include "codegen/nvptx/Families.h"
#include "codegen/schedule/Passes.h"
#include "codegen/x86/Families.h"
#include "passes/kernel/Passes.h"
#include "passes/model/Passes.h"
#include "passes/verify/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace glm {
namespace {

void addModelPhase(OpPassManager &passes) {
  // First of all: what follows moves operands of rounded and unrounded tensors alike, and rules speak of checkpoint names.
  passes.addPass(createApplyPrecision());
  // Before fusions: attention over the latent is a different product of the same weight.
  passes.addPass(createAbsorbMla());
  // Before projections and norms are fused: it takes the norm and the rotation of a cached row, which nothing else wants.
  passes.addPass(createFuseCacheWrite());
  passes.addPass(createFuseNorm());
  passes.addPass(createFuseProjections());
  // After every fusion that moves weights: there is one consumer left to fold a dequantization into.
  passes.addPass(createFuseDequant());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  // Last: everything before works on one function instead of one per bucket.
  passes.addPass(createSpecializeSteps());
  passes.addPass(createVerifyModel());
}

void addKernelPhase(OpPassManager &passes, bool plain) {
  passes.addPass(createFormKernelsPass());
  // Plain bodies are the meaning of single kernels.
  if (!plain) {
    // Before launches are fused and grouped: it adds one, and changes what another reads.
    passes.addPass(createSampleOnGpuPass());
    // Before grids are asked for: they follow from the types of weights.
    passes.addPass(createTileWeightsPass(allFamilies()));
    // Before anything looks for who waits for whom: it makes two kernels of one.
    passes.addPass(createSplitAttentionPass(allFamilies()));
    // Before levels are counted: it takes some away.
    passes.addPass(createFuseLaunchesPass(allFamilies()));
    // Before memory is planned: it puts launches in another order.
    passes.addPass(createGroupLaunchesPass(allFamilies()));
  }
  // Not before all kernels are formed: liveness is the order of launches.
  passes.addPass(createPlanMemoryPass());
  passes.addPass(createVerifyKernelPass());
}

void addPlanPhase(OpPassManager &passes, bool plain) {
  // After everything that could change a weight's type, and before schedules: it is made of kernels.
  passes.addPass(createFormLoadPass());
  passes.addPass(createSelectSchedulePass(allFamilies(), plain));
  passes.addPass(createOutlineKernelsPass(allFamilies()));
  passes.addPass(createVerifyPlanPass());
}

void addLoweringPhase(OpPassManager &passes) {
  // Kernels are nested modules: MLIR runs their pipelines side by side.
  addLlvmLowering(passes.nest<ModuleOp>());
}

} // namespace

std::shared_ptr<const KernelFamilies> allFamilies() {
  static const std::shared_ptr<const KernelFamilies> families = [] {
    auto list = std::make_shared<KernelFamilies>();
    addX86Families(*list);
    addGpuFamilies(*list);
    list->push_back(plainFamily());
    return list;
  }();
  return families;
}

std::vector<Phase> programPhases(bool plain) {
  return {{1, "model", addModelPhase},
          {2, "kernel", [plain](OpPassManager &passes) { addKernelPhase(passes, plain); }}};
}

std::vector<Phase> codePhases(bool plain) {
  return {{3, "plan", [plain](OpPassManager &passes) { addPlanPhase(passes, plain); }},
          {4, "lowering", addLoweringPhase}};
}

void registerAllDialects(DialectRegistry &registry) {
  registry.insert<GlmDialect, arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect, math::MathDialect,
                  memref::MemRefDialect, NVVM::NVVMDialect, scf::SCFDialect, tensor::TensorDialect,
                  vector::VectorDialect>();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
}

void registerAllPasses() {
  registerGlmModelPasses();
  registerGlmKernelPasses();
  registerGlmVerifyPasses();
  registerPass([] { return createSelectSchedulePass(allFamilies()); });
  registerPass(createSampleOnGpuPass);
  registerPass([] { return createTileWeightsPass(allFamilies()); });
  registerPass(createFormLoadPass);
  registerPass([] { return createSplitAttentionPass(allFamilies()); });
  registerPass([] { return createFuseLaunchesPass(allFamilies()); });
  registerPass([] { return createGroupLaunchesPass(allFamilies()); });
  registerPass([] { return createOutlineKernelsPass(allFamilies()); });
  registerTransformsPasses();
  for (const std::vector<Phase> &phases : {programPhases(), codePhases()})
    for (const Phase &phase : phases)
      PassPipelineRegistration<>("glm-" + phase.name + "-phase", "the " + phase.name + " phase", phase.add);
}

} // namespace glm
