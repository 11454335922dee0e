// The questions that verifiers ask, one wording each: `<what> must be <rule>, but found <value>`.
#pragma once

#include "dialect/GlmDialect.h"

namespace glm {

/// A tensor or buffer under the name that messages give it. `value` may be null where an operand is optional.
struct Named {
  llvm::StringRef name;
  mlir::Value value;

  explicit operator bool() const { return static_cast<bool>(value); }
  mlir::ShapedType type() const { return llvm::cast<mlir::ShapedType>(value.getType()); }
  int64_t size(unsigned dimension) const { return type().getDimSize(dimension); }
  /// Of activations the rows of the step; of a weight the outputs.
  int64_t rows() const { return size(type().getRank() == 3 ? 1 : 0); }
  int64_t width() const { return type().getShape().back(); }
};

/// Asks questions about one op. Each returns whether the answer is yes and reports it if not, so that a verifier is a chain of &&,
/// in which a question may rely on those before it.
class Checks {
public:
  explicit Checks(mlir::Operation *op) : op(op) {}

  bool holds(bool condition, const llvm::Twine &what, const llvm::Twine &rule, const llvm::Twine &found);

  // Numbers; `of` says where the other number comes from.
  bool equal(const llvm::Twine &what, int64_t found, int64_t expected, const llvm::Twine &of);
  bool atMost(const llvm::Twine &what, int64_t found, int64_t bound, const llvm::Twine &of);
  bool multiple(const llvm::Twine &what, int64_t found, int64_t factor, const llvm::Twine &of);
  bool positive(const llvm::Twine &what, int64_t found);
  bool positive(const llvm::Twine &what, const llvm::APFloat &found);
  bool notNegative(const llvm::Twine &what, int64_t found);

  // Shapes.
  /// A list with one entry per row, or the vector of a norm: [n].
  bool list(Named value);
  /// Activations, [rows, width]; only the number of rows may be dynamic.
  bool matrix(Named value);
  /// The experts of a layer, [experts, rows, width].
  bool stack(Named value);
  bool sameRows(Named value, Named reference);
  bool sameWidth(Named value, Named reference);
  bool sameShape(Named value, Named reference);

  /// A weight whose values are stored as they are, not packed.
  bool wide(Named weight);
  bool packed(Named weight);
  /// `what` is there exactly if `partner` is.
  bool comesWith(const llvm::Twine &what, bool isThere, const llvm::Twine &partner, bool isPartnerThere);

private:
  bool rank(Named value, int64_t expected);

  mlir::Operation *op;
};

} // namespace glm
