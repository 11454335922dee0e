// Cases of the indexer, attention and the router.
#include "test/codegen/harness/CasesDetail.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <numeric>

namespace glm::test {

Case indexScoreCase(TypeName activation, int64_t rows, int64_t heads, int64_t width, int64_t positions,
                    int64_t pageSize) {
  Random random(21);
  Paging paging(random, rows, 3, positions, pageSize);
  int64_t columns = paging.pagesPerSequence * pageSize;
  constexpr double scale = 0.125;
  Case test{fmt::format("index_score {} {} rows {}x{} over {}", activation, rows, heads, width, positions),
            fmt::format("glm.kernel.index_score %0, %1 in %2 at %3, %4, %5 to %6 scale {:e} {{page_size = {} : i64}} : "
                        "$0, $1, $2, $3, $4, $5, $6",
                        scale, pageSize),
            {},
            rows,
            {},
            {}};
  test.operands = {Operand::buffer(activation, {rows, heads * width}).randomize(random),
                   Operand::buffer("f32", {rows, heads}).randomize(random),
                   Operand::buffer(activation, {paging.cacheRows(), width}).randomize(random),
                   paging.positionsOperand(),
                   paging.slotsOperand(),
                   paging.pagesOperand(),
                   Operand::buffer("f32", {rows, columns}).randomize(random)};
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto query = operands[0].values(), weights = operands[1].values(), keys = operands[2].values();
    auto value = [&](int64_t row, int64_t position) {
      if (position > paging.positions[row])
        return kUntouched;
      int64_t key = paging.cacheRow(paging.slots[row], position) * width;
      double score = 0.0;
      for (int64_t head = 0; head < heads; ++head) {
        double dot = 0.0;
        for (int64_t k = 0; k < width; ++k)
          dot += query[(row * heads + head) * width + k] * keys[key + k];
        score += weights[row * heads + head] * std::max(0.0, scale * dot);
      }
      return score;
    };
    return std::vector{near(6, liveRows(live, rows, columns, value), "f32")};
  };
  return test;
}

Case topKCase(int64_t rows, int64_t positions, int64_t topK) {
  Random random(22);
  Case test{fmt::format("top_k {} of {}, {} rows", topK, positions, rows),
            "glm.kernel.top_k %0 at %1 to %2 : $0, $1, $2",
            {},
            rows,
            {},
            {}};
  std::vector<double> scores(rows * positions), lasts(rows);
  // Every other row has three numbers only, so that the last one chosen is one of many equals.
  for (int64_t i = 0; i < rows * positions; ++i)
    scores[i] = static_cast<double>(i / positions % 2 == 0 ? random.below(3) - 1 : random.below(41) - 20) / 4.0;
  // A zero of each sign: they are equal.
  for (double &score : scores)
    score = score == 0.0 && random.below(2) == 0 ? -0.0 : score;
  for (int64_t row = 0; row < rows; ++row)
    lasts[row] = static_cast<double>(row == 0   ? positions - 1
                                     : row == 1 ? std::min(topK, positions) - 1
                                     : row == 2 ? std::min(topK, positions - 1)
                                                : random.below(positions));
  test.operands = {Operand::buffer("f32", {rows, positions}).set(scores), Operand::buffer("i32", {rows}).set(lasts),
                   Operand::buffer("i32", {rows, topK}).randomize(random, -9, 9)};
  test.expect = [=](const std::vector<Operand> &, int64_t live) {
    std::vector<double> indices(rows * topK, kUntouched);
    for (int64_t row = 0; row < live; ++row) {
      std::vector<int64_t> order(static_cast<size_t>(lasts[row]) + 1);
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(),
                       [&](int64_t a, int64_t b) { return scores[row * positions + a] > scores[row * positions + b]; });
      order.resize(std::min<size_t>(order.size(), topK));
      std::sort(order.begin(), order.end());
      order.resize(topK, -1);
      std::copy(order.begin(), order.end(), indices.begin() + row * topK);
    }
    return std::vector{Expected{2, indices}};
  };
  return test;
}

namespace {

constexpr double kAttentionScale = 0.25;

/// The inputs of attention, random, and the formula of one head.
struct AttentionInputs {
  AttentionInputs(int64_t rows, const AttentionShape &shape)
      : random(23), paging(random, rows, 3, shape.positions, shape.pageSize), shape(shape) {
    for (int64_t row = 0; row < rows; ++row) {
      // Every position up to the row's own with a coin, at least the own one, at most as many as fit.
      std::vector<double> chosen;
      for (int64_t position = 0; position <= paging.positions[row] && static_cast<int64_t>(chosen.size()) < shape.topK;
           ++position)
        if (random.below(2) == 0 || position == paging.positions[row])
          chosen.push_back(static_cast<double>(position));
      chosen.resize(shape.topK, -1.0);
      indices.insert(indices.end(), chosen.begin(), chosen.end());
    }
  }

  std::vector<Operand> operands(const std::string &activation, int64_t rows) {
    int64_t width = shape.rank + shape.ropeWidth;
    // Logits that differ by several units, so that a wrong maximum or a missing scale shows.
    return {Operand::buffer(activation, {rows, shape.heads * shape.rank}).randomize(random, -2.0, 2.0),
            Operand::buffer(activation, {rows, shape.heads * shape.queryWidth}).randomize(random, -2.0, 2.0),
            Operand::buffer(activation, {paging.cacheRows(), width}).randomize(random),
            Operand::buffer("i32", {rows, shape.topK}).set(indices),
            paging.slotsOperand(),
            paging.pagesOperand()};
  }

  /// Attention to the positions of some entries: the largest logit, the sum of powers, that of values times powers.
  struct Part {
    double largest = -std::numeric_limits<double>::infinity(), total = 0.0;
    std::vector<double> sums;
  };
  Part attend(const std::vector<Operand> &operands, int64_t row, int64_t head, int64_t first, int64_t last) const {
    auto latentQuery = operands[0].values(), query = operands[1].values(), cache = operands[2].values();
    int64_t rank = shape.rank, width = rank + shape.ropeWidth;
    std::vector<double> logits;
    std::vector<int64_t> places;
    for (int64_t j = first; j < last && indices[row * shape.topK + j] >= 0; ++j) {
      places.push_back(paging.cacheRow(paging.slots[row], static_cast<int64_t>(indices[row * shape.topK + j])) * width);
      double logit = 0.0;
      for (int64_t k = 0; k < rank; ++k)
        logit += latentQuery[(row * shape.heads + head) * rank + k] * cache[places.back() + k];
      for (int64_t k = 0; k < shape.ropeWidth; ++k)
        logit += query[(row * shape.heads + head + 1) * shape.queryWidth - shape.ropeWidth + k] *
                 cache[places.back() + rank + k];
      logits.push_back(logit * kAttentionScale);
    }
    Part part;
    part.sums.resize(rank, 0.0);
    for (double logit : logits)
      part.largest = std::max(part.largest, logit);
    for (size_t j = 0; j < logits.size(); ++j) {
      double power = std::exp(logits[j] - part.largest);
      part.total += power;
      for (int64_t k = 0; k < rank; ++k)
        part.sums[k] += power * cache[places[j] + k];
    }
    return part;
  }

  Random random;
  Paging paging;
  AttentionShape shape;
  std::vector<double> indices;
};

} // namespace

Case sparseMlaCase(TypeName activation, int64_t rows, AttentionShape shape) {
  AttentionInputs inputs(rows, shape);
  std::string part = shape.partSize == 0 ? "" : fmt::format(", part_size = {} : i64", shape.partSize);
  Case test{fmt::format("sparse_mla {} {} rows {} heads {}+{} top {}{}", activation, rows, shape.heads, shape.rank,
                        shape.ropeWidth, shape.topK, part),
            fmt::format("glm.kernel.sparse_mla %0, %1 in %2 over %3 at %4, %5 to %6 heads {} rope {} scale {:e} "
                        "{{page_size = {} : i64{}}} : $0, $1, $2, $3, $4, $5, $6",
                        shape.heads, shape.ropeWidth, kAttentionScale, shape.pageSize, part),
            inputs.operands(activation, rows),
            rows,
            {},
            {}};
  test.operands.push_back(Operand::buffer(activation, {rows, shape.heads * shape.rank}).randomize(inputs.random));
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    std::vector<double> result(rows * shape.heads * shape.rank, kUntouched);
    for (int64_t row = 0; row < live; ++row)
      for (int64_t head = 0; head < shape.heads; ++head) {
        auto [largest, total, sums] = inputs.attend(operands, row, head, 0, shape.topK);
        for (int64_t k = 0; k < shape.rank; ++k)
          result[(row * shape.heads + head) * shape.rank + k] = sums[k] / total;
      }
    return std::vector{near(6, result, activation)};
  };
  return test;
}

Case sparseMlaPartCase(TypeName activation, int64_t rows, AttentionShape shape) {
  AttentionInputs inputs(rows, shape);
  int64_t parts = (shape.topK + shape.partSize - 1) / shape.partSize, all = shape.heads * parts;
  Case test{
      fmt::format("sparse_mla_part {} {} rows {} heads {}+{} top {} in parts of {}", activation, rows, shape.heads,
                  shape.rank, shape.ropeWidth, shape.topK, shape.partSize),
      fmt::format("glm.kernel.sparse_mla_part %0, %1 in %2 over %3 at %4, %5 to %6, %7 heads {} rope {} scale {:e} "
                  "{{page_size = {} : i64, part_size = {} : i64}} : $0, $1, $2, $3, $4, $5, $6, $7",
                  shape.heads, shape.ropeWidth, kAttentionScale, shape.pageSize, shape.partSize),
      inputs.operands(activation, rows),
      rows,
      {},
      {}};
  test.operands.push_back(Operand::buffer("f32", {rows, all * shape.rank}).randomize(inputs.random));
  test.operands.push_back(Operand::buffer("f32", {rows, 2 * all}).randomize(inputs.random));
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    std::vector<double> sums(rows * all * shape.rank, kUntouched), stats(rows * all * 2, kUntouched);
    for (int64_t row = 0; row < live; ++row)
      for (int64_t number = 0; number < all; ++number) {
        int64_t head = number / parts, first = number % parts * shape.partSize;
        auto part = inputs.attend(operands, row, head, first, std::min(first + shape.partSize, shape.topK));
        stats[(row * all + number) * 2] = part.largest;
        stats[(row * all + number) * 2 + 1] = part.total;
        if (part.total > 0.0)
          std::copy(part.sums.begin(), part.sums.end(), sums.begin() + (row * all + number) * shape.rank);
      }
    return std::vector{near(6, sums, "f32"), near(7, stats, "f32")};
  };
  return test;
}

Case sparseMlaJoinCase(TypeName output, int64_t rows, int64_t heads, int64_t rank, int64_t parts) {
  Random random(25);
  int64_t all = heads * parts;
  Case test{fmt::format("sparse_mla_join {} {} rows {} heads of {}, {} parts", output, rows, heads, rank, parts),
            fmt::format("glm.kernel.sparse_mla_join %0, %1 to %2 heads {} : $0, $1, $2", heads),
            {},
            rows,
            {},
            {}};
  std::vector<double> stats(rows * all * 2);
  for (int64_t i = 0; i < rows * all; ++i) {
    bool there = i % parts <= i / all;
    stats[i * 2] = there ? random.uniform(-4.0, 4.0) : -std::numeric_limits<double>::infinity();
    stats[i * 2 + 1] = there ? random.uniform(1.0, 9.0) : 0.0;
  }
  std::vector<double> sums(rows * all * rank);
  for (size_t i = 0; i < sums.size(); ++i) // what was not written may be anything
    sums[i] = stats[i / rank * 2 + 1] == 0.0 ? kUntouched : random.uniform(-1.0, 1.0);
  test.operands = {Operand::buffer("f32", {rows, all * rank}).set(sums),
                   Operand::buffer("f32", {rows, all * 2}).set(stats),
                   Operand::buffer(output, {rows, heads * rank}).randomize(random)};
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto sum = operands[0].values(), stat = operands[1].values();
    auto value = [&](int64_t row, int64_t column) {
      int64_t first = row * all + column / rank * parts;
      double total = 0.0, weighted = 0.0;
      for (int64_t i = first; i < first + parts; ++i) {
        if (stat[i * 2 + 1] == 0.0)
          continue;
        weighted += std::exp(stat[i * 2]) * sum[i * rank + column % rank];
        total += std::exp(stat[i * 2]) * stat[i * 2 + 1];
      }
      return weighted / total;
    };
    return std::vector{near(2, liveRows(live, rows, heads * rank, value), output)};
  };
  return test;
}

Case routeCase(TypeName bias, int64_t rows, RouteShape shape) {
  Random random(24);
  auto [experts, topK, groups, keptGroups, normalize, equals] = shape;
  constexpr double scaling = 2.5;
  Case test{fmt::format("route {} {} of {}, groups {} of {}{}{}", rows, topK, experts, keptGroups, groups,
                        normalize ? " normalize" : "", equals ? " equals" : ""),
            fmt::format("glm.kernel.route %0, %1 to %2, %3 groups {} of {}{} scaling {:e} : $0, $1, $2, $3", keptGroups,
                        groups, normalize ? " normalize" : "", scaling),
            {},
            rows,
            {},
            {}};
  std::vector<double> logits(rows * experts), biases(experts);
  for (double &logit : logits)
    logit = equals ? static_cast<double>(random.below(5) - 2) : random.uniform(-3.0, 3.0);
  for (double &number : biases)
    number = equals ? 0.0 : random.uniform(-0.5, 0.5);
  test.operands = {Operand::buffer("f32", {rows, experts}).set(logits), Operand::weight(bias, {experts}).set(biases),
                   Operand::buffer("i32", {rows, topK}).randomize(random, -9, 9),
                   Operand::buffer("f32", {rows, topK}).randomize(random)};
  test.expect = [=, experts = experts, topK = topK, groups = groups, keptGroups = keptGroups,
                 normalize = normalize](const std::vector<Operand> &operands, int64_t live) {
    auto logit = operands[0].values(), added = operands[1].values();
    std::vector<double> chosenExperts(rows * topK, kUntouched), weights(rows * topK, kUntouched);
    // The first `count` of a stable order from the largest: the lower of equals comes first.
    auto largest = [](const std::vector<double> &values, std::vector<int64_t> candidates, int64_t count) {
      std::stable_sort(candidates.begin(), candidates.end(),
                       [&](int64_t a, int64_t b) { return values[a] > values[b]; });
      candidates.resize(count);
      std::sort(candidates.begin(), candidates.end());
      return candidates;
    };
    auto upTo = [](int64_t count) {
      std::vector<int64_t> numbers(count);
      std::iota(numbers.begin(), numbers.end(), 0);
      return numbers;
    };
    for (int64_t row = 0; row < live; ++row) {
      std::vector<double> scores(experts), choices(experts), groupScores(groups);
      for (int64_t expert = 0; expert < experts; ++expert) {
        scores[expert] = 1.0 / (1.0 + std::exp(-logit[row * experts + expert]));
        choices[expert] = scores[expert] + added[expert];
      }
      int64_t size = experts / groups;
      for (int64_t group = 0; group < groups; ++group) {
        std::vector<double> members(choices.begin() + group * size, choices.begin() + (group + 1) * size);
        std::sort(members.rbegin(), members.rend());
        groupScores[group] = members[0] + (size > 1 ? members[1] : 0.0);
      }
      std::vector<int64_t> kept = largest(groupScores, upTo(groups), keptGroups), candidates;
      for (int64_t expert = 0; expert < experts; ++expert)
        if (groups == 1 || std::count(kept.begin(), kept.end(), expert / size))
          candidates.push_back(expert);
      std::vector<int64_t> chosen = largest(choices, candidates, topK);
      double sum = 1e-20;
      for (int64_t expert : chosen)
        sum += scores[expert];
      for (int64_t j = 0; j < topK; ++j) {
        chosenExperts[row * topK + j] = static_cast<double>(chosen[j]);
        weights[row * topK + j] = scores[chosen[j]] / (normalize ? sum : 1.0) * scaling;
      }
    }
    return std::vector{Expected{2, chosenExperts}, near(3, weights, "f32")};
  };
  return test;
}

} // namespace glm::test
