#include "test/codegen/x86/ChipTest.h"

#include "codegen/target/Target.h"

#include "llvm/TargetParser/Host.h"

namespace glm::test {

std::optional<std::string> missingFeature(const std::string &chip) {
  mlir::MLIRContext context;
  context.loadDialect<GlmDialect>();
  auto target = makeTarget(&context, chip);
  if (!target)
    return target.error().message;
  llvm::StringMap<bool> present = llvm::sys::getHostCPUFeatures();
  llvm::SmallVector<llvm::StringRef> features;
  target->getFeatures().split(features, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef feature : features)
    if (!present.lookup(feature.drop_front()))
      return feature.drop_front().str();
  return std::nullopt;
}

} // namespace glm::test
