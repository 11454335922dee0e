#include "dialect/Rules.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace glm;

namespace {

/// A cache in the kernel phase: [pages * page_size, width].
bool checkCache(Checks check, Named cache, int64_t pageSize) {
  return check.matrix(cache) && check.positive("page_size", pageSize) &&
         check.multiple(cache.name + " rows", cache.rows(), pageSize, "page_size");
}

/// The rows of a step sorted by expert (glm.kernel.group_rows): where each expert's entries begin, and the entries.
bool checkGroups(Checks check, Named offsets, Named entries, int64_t experts) {
  return check.list(offsets) && check.list(entries) &&
         check.equal("offsets rows", offsets.rows(), experts + 1, "experts + 1");
}

} // namespace

//===-- Rows -----------------------------------------------------------------------------------------------------===//

LogicalResult KernelEmbedOp::verify() {
  Checks check(*this);
  Named table{"table", getTable()}, sampled{"sampled", getSampled()};
  return success(checkEmbed(check, {"tokens", getTokens()}, table, {"output", getOutput()}) && check.wide(table) &&
                 (!sampled || check.list(sampled)));
}

LogicalResult KernelGatherRowsOp::verify() {
  return success(checkSelectRows(Checks(*this), {"input", getInput()}, {"rows", getRows()}, {"output", getOutput()}));
}

LogicalResult KernelRopeAnglesOp::verify() {
  return success(
      checkRopeAngles(Checks(*this), {"positions", getPositions()}, getInverseFrequencies(), {"output", getOutput()}));
}

LogicalResult KernelNormOp::verify() {
  Checks check(*this);
  Named input{"input", getInput()}, delta{"delta", getDelta()}, sum{"sum", getSum()}, output{"output", getOutput()};
  return success(
      check.matrix(input) && check.comesWith("sum", static_cast<bool>(sum), "delta", static_cast<bool>(delta)) &&
      (!delta || (check.sameShape(delta, input) && check.sameShape(sum, input))) && check.sameShape(output, input) &&
      checkNorm(check, input, {"weight", getWeight()}, {"bias", getBias()}, getNorm(), getEps()));
}

LogicalResult KernelAddOp::verify() {
  Checks check(*this);
  Named lhs{"lhs", getLhs()};
  return success(check.matrix(lhs) && check.sameShape({"rhs", getRhs()}, lhs) &&
                 check.sameShape({"output", getOutput()}, lhs));
}

//===-- Products -------------------------------------------------------------------------------------------------===//

LogicalResult KernelGemmOp::verify() {
  Checks check(*this);
  Named input{"input", getInput()}, residual{"residual", getResidual()};
  if (residual && !(check.holds(getEpilogue() == Epilogue::Store, "epilogue", "store beside a residual", "silu_mul") &&
                    check.equal("number of outputs", getOutputs().size(), 1, "the residual") &&
                    check.sameShape(residual, {"output", getOutputs()[0]})))
    return failure();
  if (getEpilogue() == Epilogue::Store)
    return success(checkProducts(check, input, getWeights(), getOutputs()));
  if (!(check.matrix(input) && check.equal("number of weights", getWeights().size(), 2, "gate and up") &&
        check.equal("number of outputs", getOutputs().size(), 1, "their product")))
    return failure();
  Named gate{"gate", getWeights()[0]}, up{"up", getWeights()[1]};
  return success(checkProduct(check, input, gate, {"output", getOutputs()[0]}) && check.sameShape(up, gate));
}

LogicalResult KernelHeadGemmOp::verify() { return success(headProductRule(*this, getOutput()).holds(Checks(*this))); }

//===-- Attention ------------------------------------------------------------------------------------------------===//

LogicalResult KernelRopeOp::verify() {
  Checks check(*this);
  Named input{"input", getInput()}, output{"output", getOutput()};
  return success(check.matrix(input) && check.sameShape(output, input) && ropeRule(*this).holds(check));
}

LogicalResult KernelRopeCacheWriteOp::verify() {
  Checks check(*this);
  Named cache{"cache", getCache()};
  return success(checkCache(check, cache, getPageSize()) && cacheWriteRule(*this, cache.width()).holds(check));
}

LogicalResult KernelIndexScoreOp::verify() {
  Checks check(*this);
  Named query{"query", getQuery()}, keys{"keys", getKeys()}, pages{"pages", getPages()}, scores{"scores", getScores()};
  return success(checkCache(check, keys, getPageSize()) &&
                 checkIndexQuery(check, query, {"weights", getWeights()}, keys.width(), getScale()) &&
                 checkPlaces(check, query, {"positions", getPositions()}, {"slots", getSlots()}, pages) &&
                 check.matrix(scores) && check.sameRows(scores, query) &&
                 check.atMost("scores width", scores.width(), pages.width() * int64_t(getPageSize()),
                              "width of pages * page_size"));
}

LogicalResult KernelTopKOp::verify() {
  Checks check(*this);
  Named scores{"scores", getScores()}, positions{"positions", getPositions()}, indices{"indices", getIndices()};
  return success(check.matrix(scores) && check.list(positions) && check.sameRows(positions, scores) &&
                 check.matrix(indices) && check.sameRows(indices, scores));
}

LogicalResult KernelSparseMlaOp::verify() {
  Checks check(*this);
  Named latent{"latent", getLatent()};
  return success(checkCache(check, latent, getPageSize()) &&
                 latentAttentionRule(*this, latent.width(), getOutput()).holds(check) &&
                 (!getPartSize() || check.positive("part_size", *getPartSize())));
}

int64_t KernelSparseMlaPartOp::countParts() {
  return llvm::divideCeilSigned(getIndices().getType().getShape().back(), getPartSize());
}

LogicalResult KernelSparseMlaPartOp::verify() {
  Checks check(*this);
  Named latent{"latent", getLatent()}, query{"query_latent", getQueryLatent()}, sums{"sums", getSums()},
      stats{"stats", getStats()};
  // What comes out in the end has the shape of the queries.
  return success(
      checkCache(check, latent, getPageSize()) &&
      latentAttentionRule(*this, latent.width(), getQueryLatent()).holds(check) &&
      check.positive("part_size", getPartSize()) && check.matrix(sums) && check.sameRows(sums, query) &&
      check.equal("sums width", sums.width(), countParts() * query.width(), "parts * query_latent width") &&
      check.matrix(stats) && check.sameRows(stats, query) &&
      check.equal("stats width", stats.width(), 2 * countParts() * int64_t(getHeads()), "2 * parts * heads"));
}

/// A largest logit and a sum of powers for each part of each head.
static int64_t partsIn(TypedValue<MemRefType> stats, int64_t heads) {
  return stats.getType().getShape().back() / (2 * heads);
}

int64_t KernelSparseMlaJoinOp::countParts() { return partsIn(getStats(), getHeads()); }

LogicalResult KernelSparseMlaJoinOp::verify() {
  Checks check(*this);
  Named sums{"sums", getSums()}, stats{"stats", getStats()}, output{"output", getOutput()};
  return success(check.matrix(output) && checkHeads(check, output, getHeads()) && check.matrix(stats) &&
                 check.sameRows(stats, output) &&
                 check.multiple("stats width", stats.width(), 2 * int64_t(getHeads()), "2 * heads") &&
                 check.matrix(sums) && check.sameRows(sums, output) &&
                 check.equal("sums width", sums.width(), countParts() * output.width(), "parts * output width"));
}

int64_t KernelSparseMlaValuesOp::countParts() { return partsIn(getStats(), getHeads()); }

LogicalResult KernelSparseMlaValuesOp::verify() {
  Checks check(*this);
  Named sums{"sums", getSums()}, stats{"stats", getStats()}, weight{"weight", getWeight()},
      output{"output", getOutput()};
  int64_t heads = getHeads(), rows = getHeadRows(), begin = getRowBegin(), count = getRowCount();
  return success(
      check.matrix(output) && check.positive("heads", heads) && check.positive("row_count", count) &&
      check.equal("output width", output.width(), heads * count, "heads * row_count") &&
      check.equal("weight rows", weight.rows(), heads * rows, "heads * head_rows") &&
      check.notNegative("row_begin", begin) && check.atMost("rows", begin + count, rows, "head_rows") &&
      check.matrix(stats) && check.sameRows(stats, output) &&
      check.multiple("stats width", stats.width(), 2 * heads, "2 * heads") && check.matrix(sums) &&
      check.sameRows(sums, output) &&
      check.equal("sums width", sums.width(), countParts() * heads * weight.width(), "parts * heads * weight width"));
}

//===-- Experts --------------------------------------------------------------------------------------------------===//

LogicalResult KernelRouteOp::verify() { return success(routeRule(*this).holds(Checks(*this))); }

LogicalResult KernelGroupRowsOp::verify() {
  Checks check(*this);
  Named experts{"experts", getExperts()}, offsets{"offsets", getOffsets()}, entries{"entries", getEntries()};
  return success(check.matrix(experts) && check.list(offsets) &&
                 check.positive("number of experts", offsets.rows() - 1) && check.list(entries) &&
                 check.equal("entries rows", entries.rows(), experts.rows() * experts.width(), "choices of all rows"));
}

LogicalResult KernelMoeGateUpOp::verify() {
  Checks check(*this);
  Named input{"input", getInput()}, entries{"entries", getEntries()}, gate{"gate", getGate()}, up{"up", getUp()},
      output{"output", getOutput()};
  return success(
      check.matrix(input) && checkGateUp(check, input, gate, up) &&
      checkGroups(check, {"offsets", getOffsets()}, entries, gate.size(0)) && check.positive("top_k", getTopK()) &&
      check.equal("entries rows", entries.rows(), input.rows() * int64_t(getTopK()), "rows of input * top_k") &&
      check.matrix(output) && check.sameRows(output, entries) &&
      check.equal("output width", output.width(), gate.rows(), "rows of gate"));
}

static bool checkDown(Checks check, Named input, Named offsets, Named entries, Named down, Named output) {
  return check.matrix(input) && check.stack(down) && check.sameWidth(down, input) &&
         checkGroups(check, offsets, entries, down.size(0)) && check.sameRows(entries, input) && check.matrix(output) &&
         check.sameRows(output, input) && check.equal("output width", output.width(), down.rows(), "rows of down");
}

static bool checkCombine(Checks check, Named input, Named weights, Named shared, Named residual, Named output) {
  return check.matrix(input) && check.matrix(weights) &&
         check.equal("input rows", input.rows(), weights.rows() * weights.width(), "choices of all rows") &&
         check.matrix(output) && check.sameRows(output, weights) && check.sameWidth(output, input) &&
         (!shared || check.sameShape(shared, output)) && (!residual || check.sameShape(residual, output));
}

LogicalResult KernelMoeDownOp::verify() {
  return success(checkDown(Checks(*this), {"input", getInput()}, {"offsets", getOffsets()}, {"entries", getEntries()},
                           {"down", getDown()}, {"output", getOutput()}));
}

LogicalResult KernelMoeCombineOp::verify() {
  return success(checkCombine(Checks(*this), {"input", getInput()}, {"weights", getWeights()}, {"shared", getShared()},
                              {"residual", getResidual()}, {"output", getOutput()}));
}

LogicalResult KernelMoeDownCombineOp::verify() {
  Checks check(*this);
  Named parts{"parts", getParts()}, down{"down", getDown()}, arrivals{"arrivals", getArrivals()};
  constexpr int64_t tile = 16;
  return success(
      checkDown(check, {"input", getInput()}, {"offsets", getOffsets()}, {"entries", getEntries()}, down, parts) &&
      checkCombine(check, parts, {"weights", getWeights()}, {"shared", getShared()}, {"residual", getResidual()},
                   {"output", getOutput()}) &&
      check.list(arrivals) &&
      check.atMost("tiles of down", llvm::divideCeilSigned(down.rows(), tile), arrivals.rows(), "entries of arrivals"));
}

//===-- Before the first step -----------------------------------------------------------------------------------------===//

LogicalResult KernelPackWeightOp::verify() {
  auto text = [](Type type) {
    std::string words;
    llvm::raw_string_ostream(words) << type;
    return words;
  };
  Checks check(*this);
  auto stored = cast<RankedTensorType>(getStored().getType()), tiled = cast<RankedTensorType>(getTiled().getType());
  return success(check.holds(isPacked(stored) && !isTiled(stored), "stored", "packed and not in tiles", text(stored)) &&
                 check.holds(tiled == inTiles(stored), "tiled", text(inTiles(stored)), text(tiled)));
}

//===-- Tokens ---------------------------------------------------------------------------------------------------===//

LogicalResult KernelSampleOp::verify() {
  constexpr int64_t words = 5;
  Checks check(*this);
  Named logits{"logits", getLogits()}, sampling{"sampling", getSampling()}, sampled{"sampled", getSampled()};
  return success(check.matrix(logits) && check.matrix(sampling) && check.sameRows(sampling, logits) &&
                 check.equal("sampling width", sampling.width(), words, "words of a draw") && check.list(sampled) &&
                 check.atMost("logits rows", logits.rows(), sampled.rows(), "rows of sampled"));
}

//===-- Several kernels in one launch ---------------------------------------------------------------------------------===//

namespace {

using Effects = SmallVector<MemoryEffects::EffectInstance>;

Effects effectsOf(Operation *op) {
  Effects effects;
  if (auto declared = dyn_cast<MemoryEffectOpInterface>(op))
    declared.getEffects(effects);
  return effects;
}

bool isWrite(const MemoryEffects::EffectInstance &effect) { return isa<MemoryEffects::Write>(effect.getEffect()); }

bool touches(Operation *op, Value value) {
  return llvm::any_of(effectsOf(op), [&](const auto &effect) { return effect.getValue() == value; });
}

} // namespace

SmallVector<KernelOpInterface> KernelFusedOp::kernels() {
  return llvm::to_vector(getBody().getOps<KernelOpInterface>());
}

SmallVector<Value> KernelFusedOp::launchOperands() {
  llvm::SetVector<Value> operands;
  for (KernelOpInterface kernel : kernels())
    for (Value operand : kernel.launchOperands())
      if (operand.getParentRegion() != &getBody())
        operands.insert(operand);
  return operands.takeVector();
}

void KernelFusedOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  llvm::DenseSet<Value> written;
  for (KernelOpInterface kernel : kernels()) {
    Effects own = effectsOf(kernel);
    for (const MemoryEffects::EffectInstance &effect : own) {
      // What never leaves the launch, and what one kernel reads of another's, is nobody else's business.
      bool isInner = effect.getValue().getParentRegion() == &getBody() ||
                     (!isWrite(effect) && written.contains(effect.getValue()));
      if (!isInner)
        effects.push_back(effect);
    }
    for (const MemoryEffects::EffectInstance &effect : own)
      if (isWrite(effect))
        written.insert(effect.getValue());
  }
}

LogicalResult KernelFusedOp::verify() {
  SmallVector<KernelOpInterface> members = kernels();
  for (Operation &op : getBody().front())
    if (!isa<KernelOpInterface, memref::AllocOp>(op))
      return op.emitOpError("must be a kernel or a buffer inside of glm.kernel.fused");
  Checks check(*this);
  if (getFusion() == Fusion::Prologue)
    return success(check.equal("number of kernels", members.size(), 2, "a prologue and what follows it"));
  for (KernelOpInterface writer : members)
    for (const MemoryEffects::EffectInstance &written : effectsOf(writer))
      for (KernelOpInterface other : members)
        if (isWrite(written) && other != writer && touches(other, written.getValue()))
          return other.emitOpError("must not touch what another kernel of the launch writes");
  return success(check.holds(members.size() > 1, "number of kernels", "at least 2", Twine(members.size())));
}
