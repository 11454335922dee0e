#include "codegen/schedule/KernelName.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace glm {
namespace {

std::string typeName(Type type) {
  if (isPacked(type))
    return "nvfp4";
  std::string text;
  llvm::raw_string_ostream(text) << getElementTypeOrSelf(type);
  return text;
}

/// `n2048k6144` of a matrix, `w6144` of a row.
std::string shapeName(ShapedType type) {
  ArrayRef<int64_t> shape = type.getShape();
  if (isa<RankedTensorType>(type) && shape.size() >= 2)
    return llvm::formatv("n{0}k{1}", shape[shape.size() - 2], shape.back());
  return llvm::formatv("w{0}", shape.back());
}

/// Whether the leading dimension of a buffer counts rows, which a kernel is told when it runs; that of a list of experts does not.
bool leadsWithRows(Operation *op, Value operand) {
  auto group = dyn_cast<KernelGroupRowsOp>(op);
  return !group || operand != group.getOffsets();
}

std::string operandKey(Operation *op, Value operand) {
  Type type = operand.getType();
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (isPacked(type)) {
    // The source of a packed weight names tensors, not arithmetic: its global scale arrives as a factor either way.
    auto packed = cast<RankedTensorType>(type);
    auto encoding = cast<Nvfp4Attr>(packed.getEncoding());
    stream << RankedTensorType::get(packed.getShape(), packed.getElementType()) << " block " << encoding.getBlock();
  } else if (auto buffer = dyn_cast<MemRefType>(type); buffer && leadsWithRows(op, operand)) {
    stream << withoutRows(buffer);
  } else {
    stream << type;
  }
  return text;
}

} // namespace

MemRefType withoutRows(MemRefType type) {
  SmallVector<int64_t> shape(type.getShape());
  shape.front() = ShapedType::kDynamic;
  return MemRefType::get(shape, type.getElementType());
}

std::string kernelName(Operation *op) {
  std::string name = op->getName().stripDialect().drop_front(StringRef("kernel.").size()).str();
  std::string types, shapes;
  Type previous;
  for (Value operand : op->getOperands()) {
    auto type = cast<ShapedType>(operand.getType());
    bool matrix = isa<RankedTensorType>(type) && type.getRank() >= 2;
    if (!matrix && (previous || !isa<FloatType>(type.getElementType())))
      continue;
    if (std::string element = "_" + typeName(type); !StringRef(types).ends_with(element))
      types += element;
    if (matrix || !previous)
      shapes = matrix && StringRef(shapes).starts_with("_n") ? shapes + "_" + shapeName(type) : "_" + shapeName(type);
    previous = type;
  }
  // Kernels of many weights would have names longer than anybody reads.
  constexpr size_t longest = 48;
  return name + types + (shapes.size() <= longest ? shapes : shapes.substr(0, shapes.find('_', 1)));
}

std::string kernelKey(Operation *op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << op->getName();
  for (NamedAttribute attribute : op->getAttrDictionary())
    if (attribute.getName() != kTapAttr && attribute.getName() != kOutputRowsAttr)
      stream << ' ' << attribute.getName() << '=' << attribute.getValue();
  for (auto [number, operand] : llvm::enumerate(op->getOperands())) {
    size_t first = llvm::find(op->getOperands(), operand).getIndex();
    stream << ' ';
    // A body reads a buffer that occurs twice through one pointer: it serves no launch with two buffers.
    if (first != number)
      stream << '%' << first;
    else
      stream << operandKey(op, operand);
  }
  return text;
}

} // namespace glm
