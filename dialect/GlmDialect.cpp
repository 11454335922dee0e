#include "dialect/GlmDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "dialect/GlmDialect.cpp.inc"
#include "dialect/GlmEnums.cpp.inc"
#include "dialect/GlmInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/GlmAttrs.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialect/GlmTypes.cpp.inc"

namespace glm {

void GlmDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/GlmAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialect/GlmTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/GlmOps.cpp.inc"
      >();
}

bool isPacked(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa_and_nonnull<Nvfp4Attr>(tensor.getEncoding());
}

bool quantizesInputs(Type type) {
  return isPacked(type) && cast<Nvfp4Attr>(cast<RankedTensorType>(type).getEncoding()).getQuantizedInputs();
}

bool isTiled(Type type) {
  return isPacked(type) && cast<Nvfp4Attr>(cast<RankedTensorType>(type).getEncoding()).getTiled();
}

/// A packed weight's type with other flags.
static RankedTensorType withFlags(RankedTensorType type, bool quantizedInputs, bool tiled) {
  auto packed = cast<Nvfp4Attr>(type.getEncoding());
  auto encoding = Nvfp4Attr::get(type.getContext(), packed.getBlock(), packed.getSource(), quantizedInputs, tiled);
  return RankedTensorType::get(type.getShape(), type.getElementType(), encoding);
}

RankedTensorType withWideInputs(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return quantizesInputs(type) ? withFlags(tensor, /*quantizedInputs=*/false, isTiled(type)) : tensor;
}

RankedTensorType inTiles(RankedTensorType type) { return withFlags(type, quantizesInputs(type), /*tiled=*/true); }

bool TargetAttr::has(StringRef name) const {
  return llvm::any_of(llvm::split(getFeatures(), ','),
                      [&](StringRef feature) { return feature.consume_front("+") && feature == name; });
}

//===-- Verifiers ------------------------------------------------------------------------------------------------===//

using Emit = function_ref<InFlightDiagnostic()>;

LogicalResult Nvfp4Attr::verify(Emit emitError, int64_t block, PackedSource source, bool quantizedInputs, bool tiled) {
  if (block <= 0)
    return emitError() << "nvfp4: block must be positive, but found " << block;
  if (tiled && block != Nvfp4Tile::kBlock)
    return emitError() << "nvfp4: block of tiles must be " << Nvfp4Tile::kBlock << ", but found " << block;
  return success();
}

LogicalResult RuleAttr::verify(Emit emitError, RuleSubject subject, StringRef pattern, StringRef type,
                               StringRef source) {
  if (pattern.empty())
    return emitError() << "rule: pattern must be there, but found none";
  if (type.empty())
    return emitError() << "rule: type must be there, but found none";
  return success();
}

LogicalResult LimitsAttr::verify(Emit emitError, ArrayRef<int64_t> rows, int64_t sequences, int64_t positions,
                                 int64_t pageSize) {
  int64_t previous = 0;
  for (int64_t count : rows) {
    if (count <= previous)
      return emitError() << "limits: rows must be positive and ascending, but found " << count << " after " << previous;
    previous = count;
  }
  if (rows.empty())
    return emitError() << "limits: rows must name at least one bucket, but found none";
  if (sequences <= 0)
    return emitError() << "limits: sequences must be positive, but found " << sequences;
  if (positions <= 0)
    return emitError() << "limits: positions must be positive, but found " << positions;
  if (pageSize <= 0)
    return emitError() << "limits: page_size must be positive, but found " << pageSize;
  return success();
}

LogicalResult TargetAttr::verify(Emit emitError, StringRef chip, StringRef triple, StringRef cpu, StringRef features,
                                 int64_t vectorBits) {
  if (chip.empty())
    return emitError() << "target: chip must be there, but found none";
  for (StringRef feature : llvm::split(features, ','))
    if (!features.empty() && !feature.starts_with("+"))
      return emitError() << "target: features must be written +one,+two, but found " << features;
  if (vectorBits <= 0)
    return emitError() << "target: vector_bits must be positive, but found " << vectorBits;
  return success();
}

LogicalResult ScheduleAttr::verify(Emit emitError, StringRef family, int64_t tileM, int64_t tileN) {
  if (family.empty())
    return emitError() << "schedule: family must be there, but found none";
  if (tileM <= 0)
    return emitError() << "schedule: tile_m must be positive, but found " << tileM;
  if (tileN <= 0)
    return emitError() << "schedule: tile_n must be positive, but found " << tileN;
  return success();
}

LogicalResult CacheType::verify(Emit emitError, int64_t width, Type elementType) {
  if (width <= 0)
    return emitError() << "cache: width must be positive, but found " << width;
  if (!elementType.isF32() && !elementType.isBF16())
    return emitError() << "cache: element type must be f32 or bf16, but found " << elementType;
  return success();
}

LogicalResult Nvfp4Attr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType, Emit emitError) const {
  if (!isa<Float4E2M1FNType>(elementType))
    return emitError() << "nvfp4: element type must be f4E2M1FN, but found " << elementType;
  if (shape.size() != 2 && shape.size() != 3)
    return emitError() << "nvfp4: rank must be 2, or 3 for experts, but found " << shape.size();
  if (shape.back() % getBlock() != 0)
    return emitError() << "nvfp4: width must be a multiple of the block " << getBlock() << ", but found "
                       << shape.back();
  return success();
}

} // namespace glm
