// Cases of the indexer, attention and the router.
#include "test/codegen/harness/CasesDetail.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
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

Case sparseMlaCase(TypeName activation, int64_t rows, AttentionShape shape) {
  Random random(23);
  Paging paging(random, rows, 3, shape.positions, shape.pageSize);
  int64_t heads = shape.heads, rank = shape.rank, width = rank + shape.ropeWidth;
  constexpr double scale = 0.25;
  Case test{fmt::format("sparse_mla {} {} rows {} heads {}+{} top {}", activation, rows, heads, rank, shape.ropeWidth,
                        shape.topK),
            fmt::format("glm.kernel.sparse_mla %0, %1 in %2 over %3 at %4, %5 to %6 heads {} rope {} scale {:e} "
                        "{{page_size = {} : i64}} : $0, $1, $2, $3, $4, $5, $6",
                        heads, shape.ropeWidth, scale, shape.pageSize),
            {},
            rows,
            {},
            {}};
  std::vector<double> indices;
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
  // Logits that differ by several units, so that a wrong maximum or a missing scale shows.
  test.operands = {Operand::buffer(activation, {rows, heads * rank}).randomize(random, -2.0, 2.0),
                   Operand::buffer(activation, {rows, heads * shape.queryWidth}).randomize(random, -2.0, 2.0),
                   Operand::buffer(activation, {paging.cacheRows(), width}).randomize(random),
                   Operand::buffer("i32", {rows, shape.topK}).set(indices),
                   paging.slotsOperand(),
                   paging.pagesOperand(),
                   Operand::buffer(activation, {rows, heads * rank}).randomize(random)};
  test.expect = [=](const std::vector<Operand> &operands, int64_t live) {
    auto latentQuery = operands[0].values(), query = operands[1].values(), cache = operands[2].values();
    std::vector<double> result(rows * heads * rank, kUntouched);
    for (int64_t row = 0; row < live; ++row)
      for (int64_t head = 0; head < heads; ++head) {
        std::vector<double> value(rank, 0.0);
        double total = 0.0;
        for (int64_t j = 0; j < shape.topK && indices[row * shape.topK + j] >= 0; ++j) {
          int64_t place =
              paging.cacheRow(paging.slots[row], static_cast<int64_t>(indices[row * shape.topK + j])) * width;
          double logit = 0.0;
          for (int64_t k = 0; k < rank; ++k)
            logit += latentQuery[(row * heads + head) * rank + k] * cache[place + k];
          for (int64_t k = 0; k < shape.ropeWidth; ++k)
            logit += query[(row * heads + head + 1) * shape.queryWidth - shape.ropeWidth + k] * cache[place + rank + k];
          double power = std::exp(logit * scale);
          total += power;
          for (int64_t k = 0; k < rank; ++k)
            value[k] += power * cache[place + k];
        }
        for (int64_t k = 0; k < rank; ++k)
          result[(row * heads + head) * rank + k] = value[k] / total;
      }
    return std::vector{near(6, result, activation)};
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
