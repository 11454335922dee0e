// Each head's part of a row times that head's rows of a weight: head_gemm.
#include "codegen/linalg/PlainBodies.h"
#include "codegen/linalg/Products.h"

using namespace mlir;

namespace glm {

void buildPlain(KernelHeadGemmOp op, KernelBuilder &builder) {
  Value input = builder.buffer(op.getInput()), output = builder.buffer(op.getOutput());
  WeightMatrix weight = builder.weight(op.getWeight());
  bool transposed = op.getTransposed();
  int64_t rowCount = op.getRowCount();
  int64_t inputWidth = op.getInput().getType().getShape().back() / op.getHeads();
  int64_t outputWidth = transposed ? weight.columns : rowCount;
  auto [first, last] = builder.share(builder.index(op.getHeads() * outputWidth));
  builder.loop(first, last, 1, [&](Value column) {
    Value head = builder.div(column, builder.index(outputWidth));
    Value inner = builder.rem(column, builder.index(outputWidth));
    Value firstRow = builder.add(builder.mul(head, builder.index(op.getHeadRows())), builder.index(op.getRowBegin()));
    Value firstInput = builder.mul(head, builder.index(inputWidth));
    builder.loop(builder.index(0), builder.rows(), 1, [&](Value row) {
      Value value = product(
          builder, transposed ? rowCount : weight.columns,
          [&](Value k) { return builder.load(input, {row, builder.add(firstInput, k)}); },
          [&](Value k) {
            return transposed ? builder.element(weight, builder.add(firstRow, k), inner)
                              : builder.element(weight, builder.add(firstRow, inner), k);
          });
      builder.store(value, output, {row, column});
    });
  });
}

} // namespace glm
