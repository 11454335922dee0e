#include "dialect/Rules.h"

using namespace mlir;
using namespace glm;

//===-- Weights and caches ---------------------------------------------------------------------------------------===//

LogicalResult WeightOp::verify() {
  Checks check(*this);
  RankedTensorType type = getType();
  size_t patterns = getName().count("{}");
  return success(
      check.holds(!getName().empty(), "name", "that of a tensor", "none") &&
      check.holds(patterns <= 1, "name", "a pattern with one {}", Twine(patterns)) &&
      check.positive("rank", type.getRank()) && check.atMost("rank", type.getRank(), 3, "experts, rows, width") &&
      check.comesWith("{} in the name", patterns == 1, "rank 3", type.getRank() == 3) &&
      check.positive("number of elements", type.getNumElements()) &&
      check.comesWith("#glm.nvfp4", isPacked(type), "f4E2M1FN values", isa<Float4E2M1FNType>(type.getElementType())));
}

LogicalResult DequantOp::verify() {
  Checks check(*this);
  Named input{"input", getInput()}, result{"result", getResult()};
  return success(check.packed(input) && check.wide(result) && check.sameShape(result, input));
}

LogicalResult CacheOp::verify() {
  return success(Checks(*this).holds(!getName().empty(), "name", "that of a cache", "none"));
}

//===-- Rows -----------------------------------------------------------------------------------------------------===//

LogicalResult EmbedOp::verify() {
  return success(checkEmbed(Checks(*this), {"tokens", getTokens()}, {"table", getTable()}, {"result", getResult()}));
}

LogicalResult SelectRowsOp::verify() {
  return success(checkSelectRows(Checks(*this), {"input", getInput()}, {"rows", getRows()}, {"result", getResult()}));
}

LogicalResult RmsNormOp::verify() {
  Checks check(*this);
  Named input{"input", getInput()}, result{"result", getResult()};
  return success(check.matrix(input) && check.sameShape(result, input) &&
                 checkNorm(check, input, {"weight", getWeight()}, {"bias", nullptr}, NormKind::Rms, getEps()));
}

LogicalResult LayerNormOp::verify() {
  Checks check(*this);
  Named input{"input", getInput()}, result{"result", getResult()};
  return success(check.matrix(input) && check.sameShape(result, input) &&
                 checkNorm(check, input, {"weight", getWeight()}, {"bias", getBias()}, NormKind::Layer, getEps()));
}

LogicalResult AddRmsNormOp::verify() {
  Checks check(*this);
  Named input{"input", getInput()}, delta{"delta", getDelta()}, sum{"sum", getSum()}, result{"result", getResult()};
  return success(check.matrix(input) && check.sameShape(delta, input) && check.sameShape(sum, input) &&
                 check.sameShape(result, input) &&
                 checkNorm(check, input, {"weight", getWeight()}, {"bias", nullptr}, NormKind::Rms, getEps()));
}

//===-- Products -------------------------------------------------------------------------------------------------===//

LogicalResult LinearOp::verify() {
  return success(checkProducts(Checks(*this), {"input", getInput()}, getWeight(), getResult()));
}

LogicalResult ProjectionsOp::verify() {
  return success(checkProducts(Checks(*this), {"input", getInput()}, getWeights(), getOutputs()));
}

LogicalResult HeadLinearOp::verify() { return success(headProductRule(*this, getResult()).holds(Checks(*this))); }

LogicalResult GatedMlpOp::verify() {
  Checks check(*this);
  Named input{"input", getInput()}, gate{"gate", getGate()}, up{"up", getUp()}, down{"down", getDown()},
      result{"result", getResult()};
  return success(check.matrix(input) && check.matrix(gate) && check.sameWidth(gate, input) &&
                 check.sameShape(up, gate) && check.matrix(down) &&
                 check.equal("down width", down.width(), gate.rows(), "rows of gate") && check.matrix(result) &&
                 check.sameRows(result, input) &&
                 check.equal("result width", result.width(), down.rows(), "rows of down"));
}

//===-- Attention ------------------------------------------------------------------------------------------------===//

LogicalResult RopeAnglesOp::verify() {
  return success(
      checkRopeAngles(Checks(*this), {"positions", getPositions()}, getInverseFrequencies(), {"result", getResult()}));
}

LogicalResult RopeOp::verify() {
  Checks check(*this);
  Named input{"input", getInput()}, result{"result", getResult()};
  return success(check.matrix(input) && check.sameShape(result, input) && ropeRule(*this).holds(check));
}

LogicalResult CacheWriteOp::verify() {
  return success(cacheWriteRule(*this, getCache().getType().getWidth()).holds(Checks(*this)));
}

LogicalResult IndexerOp::verify() {
  Checks check(*this);
  Named query{"query", getQuery()}, result{"result", getResult()};
  return success(
      checkIndexQuery(check, query, {"weights", getWeights()}, getKeys().getType().getWidth(), getScale()) &&
      checkPlaces(check, query, {"positions", getPositions()}, {"slots", getSlots()}, {"pages", getPages()}) &&
      check.positive("top_k", getTopK()) && check.matrix(result) && check.sameRows(result, query) &&
      check.equal("result width", result.width(), getTopK(), "top_k"));
}

LogicalResult MlaAttentionOp::verify() {
  Checks check(*this);
  Named query{"query", getQuery()}, kvB{"kv_b", getKvB()}, indices{"indices", getIndices()},
      result{"result", getResult()};
  int64_t heads = getHeads(), rope = getRopeWidth();
  if (!(check.matrix(query) && check.matrix(kvB) && check.matrix(indices) && check.sameRows(indices, query) &&
        check.matrix(result) && check.sameRows(result, query) &&
        checkPlaces(check, query, {"positions", nullptr}, {"slots", getSlots()}, {"pages", getPages()}) &&
        checkHeads(check, query, heads) && checkHeads(check, result, heads) && check.positive("rope_width", rope) &&
        check.atMost("rope_width", rope, query.width() / heads, "width of query / heads") &&
        check.positive("scale", getScale())))
    return failure();
  int64_t nope = query.width() / heads - rope, value = result.width() / heads;
  return success(
      check.equal("kv_b rows", kvB.rows(), heads * (nope + value), "heads * (nope + value)") &&
      check.equal("cache width", getLatent().getType().getWidth(), kvB.width() + rope, "width of kv_b + rope_width"));
}

LogicalResult LatentAttentionOp::verify() {
  return success(latentAttentionRule(*this, getLatent().getType().getWidth(), getResult()).holds(Checks(*this)));
}

//===-- Experts --------------------------------------------------------------------------------------------------===//

LogicalResult RouteOp::verify() {
  Checks check(*this);
  RouteRule rule = routeRule(*this);
  return success(rule.holds(check) && check.equal("experts width", rule.experts.width(), getTopK(), "top_k"));
}

LogicalResult MoeOp::verify() {
  Checks check(*this);
  Named input{"input", getInput()}, experts{"experts", getExperts()}, weights{"weights", getWeights()},
      gate{"gate", getGate()}, up{"up", getUp()}, down{"down", getDown()}, shared{"shared", getShared()},
      result{"result", getResult()};
  return success(check.matrix(input) && check.matrix(experts) && check.sameRows(experts, input) &&
                 check.sameShape(weights, experts) && checkGateUp(check, input, gate, up) &&
                 check.atMost("experts width", experts.width(), gate.size(0), "experts of gate") && check.stack(down) &&
                 check.equal("down experts", down.size(0), gate.size(0), "experts of gate") &&
                 check.equal("down width", down.width(), gate.rows(), "rows of gate") && check.matrix(result) &&
                 check.sameRows(result, input) &&
                 check.equal("result width", result.width(), down.rows(), "rows of down") &&
                 (!shared || check.sameShape(shared, result)));
}
