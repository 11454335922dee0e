#include "dialect/Rules.h"

using namespace mlir;

namespace glm {

bool checkEmbed(Checks check, Named tokens, Named table, Named result) {
  return check.list(tokens) && check.matrix(table) && check.matrix(result) && check.sameRows(result, tokens) &&
         check.sameWidth(result, table);
}

bool checkSelectRows(Checks check, Named input, Named rows, Named result) {
  return check.matrix(input) && check.list(rows) && check.matrix(result) && check.sameRows(result, rows) &&
         check.sameWidth(result, input);
}

bool checkRopeAngles(Checks check, Named positions, ArrayRef<float> inverseFrequencies, Named result) {
  int64_t count = inverseFrequencies.size();
  return check.list(positions) && check.positive("number of inverse_frequencies", count) && check.matrix(result) &&
         check.sameRows(result, positions) &&
         check.equal(result.name + " width", result.width(), 2 * count, "a cosine and a sine per frequency");
}

bool checkNorm(Checks check, Named input, Named weight, Named bias, NormKind norm, const APFloat &eps) {
  return check.wide(weight) && check.list(weight) &&
         check.atMost(weight.name + " width", weight.width(), input.width(), "width of input") &&
         check.comesWith(bias.name, static_cast<bool>(bias), "norm layer", norm == NormKind::Layer) &&
         (!bias || (check.wide(bias) && check.list(bias) && check.sameWidth(bias, weight))) &&
         check.positive("eps", eps);
}

bool checkProduct(Checks check, Named input, Named weight, Named result) {
  return check.matrix(weight) && check.sameWidth(weight, input) && check.matrix(result) &&
         check.sameRows(result, input) &&
         check.equal(result.name + " width", result.width(), weight.rows(), "rows of " + weight.name);
}

bool checkProducts(Checks check, Named input, ValueRange weights, ValueRange results) {
  if (!(check.matrix(input) && check.positive("number of weights", weights.size()) &&
        check.equal("number of results", results.size(), weights.size(), "number of weights")))
    return false;
  return llvm::all_of(llvm::zip(weights, results), [&](auto pair) {
    auto [weight, result] = pair;
    return checkProduct(check, input, {"weight", weight}, {"result", result});
  });
}

bool checkHeads(Checks check, Named input, int64_t heads) {
  return check.positive("heads", heads) && check.multiple(input.name + " width", input.width(), heads, "heads");
}

bool checkPlaces(Checks check, Named rows, Named positions, Named slots, Named pages) {
  return (!positions || (check.list(positions) && check.sameRows(positions, rows))) && check.list(slots) &&
         check.sameRows(slots, rows) && check.matrix(pages);
}

bool checkIndexQuery(Checks check, Named query, Named weights, int64_t keyWidth, const APFloat &scale) {
  return check.matrix(query) && check.matrix(weights) && check.sameRows(weights, query) &&
         check.equal("query width", query.width(), weights.width() * keyWidth, "width of weights * width of keys") &&
         check.positive("scale", scale);
}

bool checkGateUp(Checks check, Named input, Named gate, Named up) {
  return check.stack(gate) && check.sameWidth(gate, input) && check.sameShape(up, gate);
}

bool HeadProductRule::holds(Checks check) const {
  if (!(check.matrix(input) && check.matrix(weight) && check.matrix(result) && check.sameRows(result, input) &&
        checkHeads(check, input, heads) && check.positive("head_rows", headRows) &&
        check.notNegative("row_begin", rowBegin) && check.positive("row_count", rowCount) &&
        check.atMost("row_begin + row_count", rowBegin + rowCount, headRows, "head_rows") &&
        check.equal("weight rows", weight.rows(), heads * headRows, "heads * head_rows")))
    return false;
  // Of each head, one side of its block is read and the other is written.
  int64_t read = transposed ? rowCount : weight.width(), written = transposed ? weight.width() : rowCount;
  return check.atMost("columns read of a head", read, input.width() / heads, "width of input / heads") &&
         check.equal("result width", result.width(), heads * written,
                     transposed ? "heads * width of weight" : "heads * row_count");
}

bool RopeRule::holds(Checks check) const {
  return checkHeads(check, input, heads) && check.positive("rope width", width) &&
         check.multiple("rope width", width, 2, "pairs") && check.notNegative("rope offset", offset) &&
         check.atMost("rope offset + width", offset + width, input.width() / heads, "width of input / heads") &&
         check.matrix(angles) && check.sameRows(angles, input) &&
         check.equal("angles width", angles.width(), width, "rope width");
}

bool CacheWriteRule::holds(Checks check) const {
  return check.matrix(input) && check.equal("input width", input.width(), cacheWidth, "width of the cache") &&
         checkPlaces(check, input, positions, slots, pages) && normHolds(check) && ropeHolds(check) &&
         (!consumer || consumerHolds(check));
}

bool CacheWriteRule::consumerHolds(Checks check) const {
  return check.packed(consumer) &&
         check.holds(quantizesInputs(consumer.type()), "consumer", "a weight with quantized_inputs", "one without") &&
         check.atMost("consumer width", consumer.width(), input.width(), "input width");
}

bool CacheWriteRule::normHolds(Checks check) const {
  bool normalises = static_cast<bool>(normWeight);
  return check.comesWith("norm", norm.has_value(), "norm_weight", normalises) &&
         check.comesWith("eps", eps.has_value(), "norm_weight", normalises) &&
         (normalises ? checkNorm(check, input, normWeight, normBias, *norm, *eps)
                     : check.comesWith("norm_bias", static_cast<bool>(normBias), "norm_weight", false));
}

bool CacheWriteRule::ropeHolds(Checks check) const {
  bool rotates = static_cast<bool>(angles);
  return check.comesWith("rope columns", ropeWidth != 0 || ropeOffset != 0, "angles", rotates) &&
         (!rotates || RopeRule{input, angles, /*heads=*/1, ropeOffset, ropeWidth}.holds(check));
}

bool LatentAttentionRule::holds(Checks check) const {
  if (!(check.matrix(queryLatent) && check.matrix(query) && check.sameRows(query, queryLatent) &&
        check.matrix(indices) && check.sameRows(indices, queryLatent) && check.sameShape(result, queryLatent) &&
        checkPlaces(check, queryLatent, {"positions", nullptr}, slots, pages) &&
        checkHeads(check, queryLatent, heads) && checkHeads(check, query, heads) &&
        check.positive("rope_width", ropeWidth) && check.positive("scale", scale)))
    return false;
  return check.atMost("rope_width", ropeWidth, query.width() / heads, "width of query / heads") &&
         check.equal("cache width", cacheWidth, queryLatent.width() / heads + ropeWidth,
                     "width of query_latent / heads + rope_width");
}

bool RouteRule::holds(Checks check) const {
  if (!(check.matrix(logits) && check.wide(bias) && check.list(bias) && check.sameWidth(bias, logits) &&
        check.matrix(experts) && check.sameRows(experts, logits) && check.sameShape(weights, experts) &&
        check.positive("groups", groups) && check.multiple("logits width", logits.width(), groups, "groups") &&
        check.positive("kept_groups", keptGroups) && check.atMost("kept_groups", keptGroups, groups, "groups") &&
        check.positive("scaling", scaling)))
    return false;
  int64_t groupSize = logits.width() / groups;
  // A group is judged by its two best experts.
  return check.holds(groups == 1 || groupSize >= 2, "experts of a group", "at least 2", Twine(groupSize)) &&
         check.atMost("experts width", experts.width(), keptGroups * groupSize, "experts of the kept groups");
}

} // namespace glm
