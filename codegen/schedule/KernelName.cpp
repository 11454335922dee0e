#include "codegen/schedule/KernelName.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringExtras.h"
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
    stream << RankedTensorType::get(packed.getShape(), packed.getElementType()) << " block " << encoding.getBlock()
           << (encoding.getTiled() ? " tiled" : "") << (encoding.getQuantizedInputs() ? " quantized inputs" : "");
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

namespace {

StringRef mnemonic(Operation *op) { return op->getName().stripDialect().drop_front(StringRef("kernel.").size()); }

/// Types and shapes of an op's operands.
std::string operandName(Operation *op) {
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
  return types + (shapes.size() <= longest ? shapes : shapes.substr(0, shapes.find('_', 1)));
}

/// The kernels of a launch, fused ones taken apart.
void collectKernels(Operation *op, SmallVectorImpl<Operation *> &kernels) {
  auto fused = dyn_cast<KernelFusedOp>(op);
  if (!fused)
    return kernels.push_back(op);
  for (KernelOpInterface kernel : fused.kernels())
    collectKernels(kernel, kernels);
}

bool hasMatrix(Operation *op) {
  return llvm::any_of(op->getOperands(), [](Value operand) {
    auto tensor = dyn_cast<RankedTensorType>(operand.getType());
    return tensor && tensor.getRank() >= 2;
  });
}

/// One kernel's part of a key; `buffers` are those of the launch so far, in the order in which they occurred.
void appendKey(Operation *op, SmallVectorImpl<Value> &buffers, llvm::raw_ostream &stream) {
  stream << op->getName();
  for (NamedAttribute attribute : op->getAttrDictionary())
    if (attribute.getName() != kTapAttr && attribute.getName() != kOutputRowsAttr)
      stream << ' ' << attribute.getName() << '=' << attribute.getValue();
  if (auto fused = dyn_cast<KernelFusedOp>(op)) {
    stream << " {";
    for (KernelOpInterface kernel : fused.kernels())
      appendKey(kernel, buffers, stream << ' ');
    stream << " }";
    return;
  }
  for (Value operand : op->getOperands()) {
    stream << ' ';
    // A body reads a buffer that occurs twice through one pointer: it serves no launch with two buffers.
    auto known = llvm::find(buffers, operand);
    if (known != buffers.end()) {
      stream << '%' << known - buffers.begin();
      continue;
    }
    buffers.push_back(operand);
    // Memory of a block has a size that the kernel fixes.
    bool isKept = isa<MemRefType>(operand.getType()) && isa<KernelFusedOp>(operand.getParentRegion()->getParentOp());
    isKept ? void(stream << "kept " << operand.getType()) : void(stream << operandKey(op, operand));
  }
}

} // namespace

std::string kernelName(Operation *op) {
  SmallVector<Operation *> kernels;
  collectKernels(op, kernels);
  // The one with the matrix takes the time, and the last has the most blocks.
  Operation *main = kernels.back();
  if (auto product = llvm::find_if(llvm::reverse(kernels), hasMatrix); product != kernels.rend())
    main = *product;
  SmallVector<StringRef> names;
  for (Operation *kernel : kernels)
    if (!llvm::is_contained(names, mnemonic(kernel)))
      names.push_back(mnemonic(kernel));
  return llvm::join(names, "_with_") + operandName(main);
}

std::string kernelKey(Operation *op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  SmallVector<Value> buffers;
  appendKey(op, buffers, stream);
  return text;
}

} // namespace glm
