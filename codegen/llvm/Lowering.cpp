#include "codegen/llvm/Lowering.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace glm {

void addLlvmLowering(OpPassManager &passes) {
  // Bodies are generated: the same index is computed many times, and loop bounds are constants.
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  // bf16 conversions become integer arithmetic: exact on chips without the instructions, and with the same bits on all.
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  passes.addPass(arith::createArithExpandOpsPass(expand));
  passes.addPass(createSCFToControlFlowPass());
  // Strided accesses become explicit before memrefs become pointers.
  passes.addPass(memref::createExpandStridedMetadataPass());
  passes.addPass(createLowerAffinePass());
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(createConvertMathToLLVMPass());
  passes.addPass(createFinalizeMemRefToLLVMConversionPass());
  passes.addPass(createConvertFuncToLLVMPass());
  passes.addPass(createConvertIndexToLLVMPass());
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

LogicalResult lowerToLlvmDialect(ModuleOp module) {
  PassManager passes(module.getContext(), ModuleOp::getOperationName());
  addLlvmLowering(passes);
  return passes.run(module);
}

} // namespace glm
