#include "dialect/Checks.h"

using namespace mlir;

namespace glm {
namespace {

std::string sizeText(int64_t size) { return ShapedType::isDynamic(size) ? "?" : std::to_string(size); }

std::string shapeText(ArrayRef<int64_t> shape) { return llvm::join(llvm::map_range(shape, sizeText), "x"); }

std::string typeText(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

} // namespace

bool Checks::holds(bool condition, const Twine &what, const Twine &rule, const Twine &found) {
  if (!condition)
    op->emitOpError() << what << " must be " << rule << ", but found " << found;
  return condition;
}

bool Checks::equal(const Twine &what, int64_t found, int64_t expected, const Twine &of) {
  return holds(found == expected, what, sizeText(expected) + " (" + of + ")", sizeText(found));
}

bool Checks::atMost(const Twine &what, int64_t found, int64_t bound, const Twine &of) {
  return holds(found <= bound, what, "at most " + Twine(bound) + " (" + of + ")", Twine(found));
}

bool Checks::multiple(const Twine &what, int64_t found, int64_t factor, const Twine &of) {
  return holds(found % factor == 0, what, "a multiple of " + Twine(factor) + " (" + of + ")", Twine(found));
}

bool Checks::positive(const Twine &what, int64_t found) { return holds(found > 0, what, "positive", Twine(found)); }

bool Checks::positive(const Twine &what, const APFloat &found) {
  SmallString<16> text;
  found.toString(text);
  return holds(found.isFinite() && found.isNonZero() && !found.isNegative(), what, "positive", text);
}

bool Checks::notNegative(const Twine &what, int64_t found) {
  return holds(found >= 0, what, "0 or more", Twine(found));
}

bool Checks::rank(Named value, int64_t expected) {
  return holds(value.type().getRank() == expected, value.name + " rank", Twine(expected),
               Twine(value.type().getRank()));
}

bool Checks::list(Named value) { return rank(value, 1); }

bool Checks::matrix(Named value) {
  return rank(value, 2) && holds(!ShapedType::isDynamic(value.width()), value.name + " width", "static", "?");
}

bool Checks::stack(Named value) { return rank(value, 3); }

bool Checks::sameRows(Named value, Named reference) {
  return equal(value.name + " rows", value.rows(), reference.rows(), "rows of " + reference.name);
}

bool Checks::sameWidth(Named value, Named reference) {
  return equal(value.name + " width", value.width(), reference.width(), "width of " + reference.name);
}

bool Checks::sameShape(Named value, Named reference) {
  ArrayRef<int64_t> found = value.type().getShape(), expected = reference.type().getShape();
  return holds(found == expected, value.name + " shape", shapeText(expected) + " (shape of " + reference.name + ")",
               shapeText(found));
}

bool Checks::wide(Named weight) {
  return holds(!isPacked(weight.type()), weight.name, "wide", typeText(weight.type()));
}

bool Checks::packed(Named weight) {
  return holds(isPacked(weight.type()), weight.name, "packed", typeText(weight.type()));
}

bool Checks::comesWith(const Twine &what, bool isThere, const Twine &partner, bool isPartnerThere) {
  return holds(isThere == isPartnerThere, what, isPartnerThere ? "there with " + partner : "absent without " + partner,
               isThere ? "it" : "none");
}

} // namespace glm
