#include "frontend/config/Precision.h"

#include "test/frontend/config/SmallModel.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace glm;
using namespace glm::test;

namespace {

/// A folder, read up to its precision table.
struct Table {
  Table(const std::filesystem::path &folder, const std::string &policy, std::vector<PrecisionRule> more = {}) {
    auto config = readModelConfig(folder, warnings);
    auto checkpoint = Checkpoint::open(folder);
    auto quantization = readQuantizationConfig(folder);
    if (!config || !checkpoint || !quantization)
      throw std::runtime_error(messageOf(config) + messageOf(checkpoint) + messageOf(quantization));
    auto read = readStoredTensors(*config, *checkpoint);
    auto rules = policyRules(policy, *config, *quantization);
    if (!read || !rules)
      throw std::runtime_error(messageOf(read) + messageOf(rules));
    stored = std::move(*read);
    rules->insert(rules->end(), more.begin(), more.end());
    auto decided = decidePrecision(stored, *rules, *quantization, warnings);
    if (decided)
      precision = std::move(*decided);
    else
      error = decided.error().message;
    if (precision.refusal)
      error = precision.refusal->message;
  }

  /// "pattern count stored>computed rule (source)" for each row whose pattern contains `part`.
  std::vector<std::string> rows(const std::string &part) const {
    std::vector<std::string> list;
    for (const PrecisionRow &row : precision.table)
      if (row.pattern.find(part) != std::string::npos)
        list.push_back(
            fmt::format("{} {} {}>{} {} ({})", row.pattern, row.count, row.stored, row.computed, row.rule, row.source));
    return list;
  }

  std::string computed(const std::string &name) const {
    for (size_t i = 0; i < stored.weights.size(); ++i)
      if (stored.weights[i].name == name)
        return precision.computed[i];
    return "no such weight";
  }

  std::vector<std::string> warnings;
  StoredTensors stored;
  Precision precision;
  std::string error;
};

std::filesystem::path golden(const char *name) { return std::filesystem::path(GLM_TEST_GOLDEN) / name; }

std::string rulesError(const SmallModel &model, std::vector<PrecisionRule> rules) {
  return Table(model.path(), "checkpoint", std::move(rules)).error;
}

using Rows = std::vector<std::string>;

TEST(Precision, withoutRulesEverythingIsComputedAsStored) {
  SmallModel model([](CheckpointRequest &request) { request.float32 = {"*.weights_proj"}; });
  Table table(model.path(), "checkpoint");
  EXPECT_EQ(table.error, "");
  EXPECT_TRUE(table.warnings.empty()); // no list, so that nothing is missing from it
  EXPECT_EQ(table.rows("experts.{"),
            (Rows{"model.layers.{3..12}.mlp.experts.{0..3}.gate_proj 40 bf16>bf16 stored (checkpoint)",
                  "model.layers.{3..12}.mlp.experts.{0..3}.up_proj 40 bf16>bf16 stored (checkpoint)",
                  "model.layers.{3..12}.mlp.experts.{0..3}.down_proj 40 bf16>bf16 stored (checkpoint)"}));
  EXPECT_EQ(table.rows("weights_proj"),
            Rows{"model.layers.{0..2,6,10,12}.self_attn.indexer.weights_proj 6 f32>f32 stored (checkpoint)"});
  EXPECT_EQ(table.rows("eh_proj"), Rows{"model.layers.12.eh_proj 1 bf16>bf16 stored (checkpoint)"});
  EXPECT_EQ(table.rows("e_score"),
            Rows{"model.layers.{3..12}.mlp.gate.e_score_correction_bias 10 f32>f32 stored (checkpoint)"});
  EXPECT_EQ(table.precision.computed.size(), table.stored.weights.size());
}

TEST(Precision, tableCountsEveryWeightAndByte) {
  for (const char *name : {"share-card", "ratio-all", "groups-ct"}) {
    Table table(golden(name), "checkpoint");
    ASSERT_EQ(table.error, "") << name;
    uint64_t bytes = 0, rowBytes = 0;
    int64_t count = 0, rowCount = 0;
    for (const StoredWeight &weight : table.stored.weights) {
      bytes += weight.bytes;
      count += weight.count;
    }
    for (const PrecisionRow &row : table.precision.table) {
      rowBytes += row.bytes;
      rowCount += row.count;
    }
    EXPECT_EQ(std::tuple(rowBytes, rowCount), std::tuple(bytes, count)) << name;
  }
}

// A checkpoint quantized by the card's table satisfies its own list and the card's rules.
TEST(Precision, cardCheckpointFollowsTheCard) {
  Table own(golden("share-card"), "checkpoint");
  EXPECT_EQ(own.error, "");
  EXPECT_TRUE(own.warnings.empty()) << own.warnings[0];
  EXPECT_EQ(own.rows("experts.{0..8}.up_proj"),
            (Rows{"model.layers.{3..9}.mlp.experts.{0..8}.up_proj 63 nvfp4>nvfp4 stored (checkpoint)",
                  "model.layers.{10..12}.mlp.experts.{0..8}.up_proj 27 bf16>bf16 model.layers.{10..12}* = wide "
                  "(config.json:127..151)"}));
  // Rules that differ in the layer alone are one row, with the lines that they came from.
  EXPECT_EQ(own.rows("shared_experts.up_proj")[0],
            "model.layers.{3..9}.mlp.shared_experts.up_proj 7 bf16>bf16 model.layers.{3..9}.mlp.shared_experts* = wide "
            "(config.json:131..149)");

  Table card(golden("share-card"), "card");
  EXPECT_EQ(card.error, "");
  EXPECT_EQ(card.rows("experts.{0..8}.up_proj"),
            (Rows{"model.layers.{3..9}.mlp.experts.{0..8}.up_proj 63 nvfp4>nvfp4 * = nvfp4 (built-in card)",
                  "model.layers.{10..12}.mlp.experts.{0..8}.up_proj 27 bf16>bf16 model.layers.{10..12}.* = bf16 "
                  "(built-in card)"}));
  EXPECT_EQ(card.rows("weights_proj"), Rows{"model.layers.{0..2,6,10,12}.self_attn.indexer.weights_proj 6 f32>f32 "
                                            "*.indexer.weights_proj = f32 (built-in card)"});
  EXPECT_EQ(card.computed("model.layers.2.mlp.up_proj.weight"), "nvfp4");
  EXPECT_EQ(card.computed("model.layers.1.mlp.up_proj.weight"), "bf16");
  EXPECT_EQ(card.computed("model.norm.weight"), "bf16");
}

TEST(Precision, refusesPoliciesThatDemandOtherwise) {
  // The row of most bytes is named, others are counted: experts of layers 10 and 11 (2 * 9 * 3) and the dense MLP of layer 2.
  EXPECT_EQ(
      Table(golden("share-card"), "nvidia").error,
      "model.layers.{10..11}.mlp.experts.{0..8}.gate_proj: rule *.mlp.experts.* = nvfp4 (built-in nvidia) asks for "
      "packed, but found bf16 in the checkpoint (glm-quantize makes a packed one; "
      "--print-precision lists 39 more)");
  SmallModel wide;
  EXPECT_EQ(
      Table(wide.path(), "nvidia").error,
      "model.layers.{3..11}.mlp.experts.{0..3}.gate_proj: rule *.mlp.experts.* = nvfp4 (built-in nvidia) asks for "
      "packed, but found bf16 in the checkpoint (glm-quantize makes a packed one; "
      "--print-precision lists 72 more)");
  EXPECT_EQ(Table(wide.path(), "card", {makeRule("*.experts.*", "stored", "--set")}).error,
            "model.layers.2.mlp.gate_proj: rule * = nvfp4 (built-in card) asks for packed, but found bf16 in the "
            "checkpoint (glm-quantize makes a packed one; --print-precision lists 2 more)");
  EXPECT_EQ(
      Table(wide.path(), "checkpoint", {makeRule("lm_head", "nvfp4", "--set")}).error,
      "lm_head: rule lm_head = nvfp4 (--set) asks for packed, but found bf16 in the checkpoint (glm-quantize makes "
      "a packed one)");
  SmallModel nvidia([](CheckpointRequest &request) {
    request.format = CheckpointFormat::ModelOpt;
    request.packed = {"nvidia"};
  });
  EXPECT_EQ(Table(nvidia.path(), "nvidia").error, "");
}

TEST(Precision, refusesExcludedModulesThatArePacked) {
  SmallModel model([](CheckpointRequest &request) {
    request.format = CheckpointFormat::ModelOpt;
    request.packed = {"nvidia"};
  });
  model.editJson("hf_quant_config.json",
                 [](auto &json) { json["quantization"]["exclude_modules"].push_back("model.layers.5.mlp.experts*"); });
  std::string error = Table(model.path(), "checkpoint").error;
  EXPECT_TRUE(error.starts_with(
      "model.layers.5.mlp.experts.{0..3}.gate_proj: rule model.layers.5.mlp.experts* = wide (hf_quant_config.json:"))
      << error;
  EXPECT_TRUE(error.ends_with(") asks for wide, but found nvfp4 in the checkpoint (--print-precision lists 8 more)"))
      << error;
  model.editJson("hf_quant_config.json", [](auto &json) {
    json["quantization"]["exclude_modules"].back() = "model.layers.5.mlp.experts.2.up_proj";
  });
  error = Table(model.path(), "checkpoint").error;
  EXPECT_TRUE(error.starts_with(
      "model.layers.5.mlp.experts.2.up_proj: rule model.layers.5.mlp.experts.2.up_proj = wide (hf_quant_config.json:"))
      << error;
}

// Real lists omit the routers: as stored, and one warning that counts them.
TEST(Precision, countsWideLinearsThatNoListNames) {
  SmallModel model([](CheckpointRequest &request) {
    request.format = CheckpointFormat::ModelOpt;
    request.packed = {"nvidia"};
  });
  for (const char *file : {"hf_quant_config.json", "config.json"})
    model.editJson(file, [&](auto &json) {
      auto &list = file[0] == 'h' ? json["quantization"]["exclude_modules"] : json["quantization_config"]["ignore"];
      list = {"lm_head",          "model.layers.*.self_attn*", "model.layers.*.mlp.shared_experts*",
              "model.layers.12*", "model.layers.0*",           "model.layers.1.*"};
    });
  Table table(model.path(), "checkpoint");
  EXPECT_EQ(table.error, "");
  // Layer 2's dense MLP (3) and the routers of layers 3 to 11 (9).
  std::string warning = "config.json: 12 wide linears are named by no exclude list or rule, such as "
                        "model.layers.2.mlp.gate_proj: computed as they are stored";
  EXPECT_EQ(table.warnings, Rows{warning});
  Table named(model.path(), "checkpoint",
              {makeRule("*.mlp.gate", "f32", "--set"), makeRule("model.layers.2.mlp.*", "stored", "--set")});
  EXPECT_EQ(named.error, "");
  EXPECT_TRUE(named.warnings.empty()) << named.warnings[0];
  EXPECT_EQ(named.computed("model.layers.3.mlp.gate.weight"), "f32");
}

TEST(Precision, widensButNeverNarrows) {
  SmallModel model([](CheckpointRequest &request) { request.float32 = {"*.o_proj"}; });
  Table table(model.path(), "checkpoint",
              {makeRule("*.q_a_proj", "f32", "--set"), makeRule("*.o_proj", "bf16", "--set"),
               makeRule("model.layers.4.*", "stored", "--set")});
  EXPECT_EQ(table.error, "");
  EXPECT_EQ(table.computed("model.layers.3.self_attn.q_a_proj.weight"), "f32");
  EXPECT_EQ(table.computed("model.layers.4.self_attn.q_a_proj.weight"), "bf16"); // the later rule
  EXPECT_EQ(table.computed("model.layers.3.self_attn.o_proj.weight"), "f32");
  // Differences first: what a rule widens, and what it would have narrower.
  EXPECT_EQ(table.precision.differences, 2u);
  EXPECT_EQ(table.precision.table[0].pattern, "model.layers.{0..3,5..12}.self_attn.q_a_proj");
  EXPECT_EQ(table.precision.table[1].pattern, "model.layers.{0..3,5..12}.self_attn.o_proj");
  EXPECT_EQ(table.precision.table[2].pattern, "model.embed_tokens");
  EXPECT_EQ(table.rows("q_a_proj"),
            (Rows{"model.layers.{0..3,5..12}.self_attn.q_a_proj 12 bf16>f32 *.q_a_proj = f32 (--set)",
                  "model.layers.4.self_attn.q_a_proj 1 bf16>bf16 model.layers.4.* = stored (--set)"}));
}

// llm-compressor writes every module by name: as many rules as experts, and one decision.
TEST(Precision, expertsMayBeNamedOneByOneIfTheyAgree) {
  SmallModel model;
  std::vector<PrecisionRule> rules;
  for (int layer = 3; layer < 12; ++layer)
    for (int expert = 0; expert < 4; ++expert)
      rules.push_back(makeRule(fmt::format("model.layers.{}.mlp.experts.{}.up_proj", layer, expert), "f32",
                               fmt::format("rules.json:{}", 100 + 4 * layer + expert)));
  Table table(model.path(), "checkpoint", rules);
  EXPECT_EQ(table.error, "");
  EXPECT_EQ(table.rows("experts.{0..3}.up_proj"),
            (Rows{"model.layers.{3..11}.mlp.experts.{0..3}.up_proj 36 bf16>f32 "
                  "model.layers.{3..11}.mlp.experts.{}.up_proj = f32 (rules.json:112..144)",
                  "model.layers.12.mlp.experts.{0..3}.up_proj 4 bf16>bf16 stored (checkpoint)"}));
  rules.pop_back();
  EXPECT_EQ(rulesError(model, rules), "model.layers.11.mlp.experts.3.up_proj: experts of a layer must be computed "
                                      "alike (f32 in expert 0), but found bf16");
  EXPECT_EQ(rulesError(model, {makeRule("re:.*experts\\.2\\.up", "nvfp4", "rules.json:7")}),
            "model.layers.3.mlp.experts.2.up_proj: rule .*experts\\.2\\.up = nvfp4 (rules.json:7) asks for packed, but "
            "found bf16 in the checkpoint (glm-quantize makes a packed one)");
  EXPECT_EQ(rulesError(model, {makeRule("*", "int4", "--set")}),
            "--set: type of rule * must be nvfp4, bf16, f32, wide or stored, but found int4");
}

// What cannot be computed is still shown, the largest rows on top, so that one look says what a folder would need.
TEST(Precision, refusedRowsComeFirst) {
  Table card(SmallModel().path(), "card");
  EXPECT_EQ(card.rows("").front(),
            "model.layers.{3..9}.mlp.experts.{0..3}.gate_proj 28 bf16>refused * = nvfp4 (built-in card)");
  std::vector<std::string> refused;
  uint64_t before = UINT64_MAX;
  for (size_t i = 0; i < card.precision.differences; ++i) {
    const PrecisionRow &row = card.precision.table[i];
    if (row.computed != kRefused)
      continue;
    EXPECT_EQ(refused.size(), i) << row.pattern;
    EXPECT_LE(row.bytes, before);
    before = row.bytes;
    refused.push_back(row.pattern);
  }
  // Experts of layers 3 to 9, and the dense MLP of layer 2: three rows each. Widened after them: the indexer's head weights.
  EXPECT_EQ(refused.size(), 6u);
  EXPECT_EQ(card.precision.differences, 7u);
  EXPECT_EQ(card.computed("model.layers.2.mlp.up_proj.weight"), kRefused);
  EXPECT_EQ(card.computed("model.layers.3.mlp.gate.weight"), "bf16");
}

TEST(Precision, printsTextAndJson) {
  std::vector<PrecisionRow> rows = {{"model.layers.{3..75}.mlp.experts.{0..255}.gate_proj", 18688, "nvfp4", "nvfp4",
                                     132271570944, "* = nvfp4", "built-in card"},
                                    {"lm_head", 1, "bf16", "f32", 7, "lm_head = f32", "rules.json:3"}};
  const std::string head = "pattern                                                count  stored  computed             "
                           "bytes  rule (source)\n",
                    experts = "model.layers.{3..75}.mlp.experts.{0..255}.gate_proj    18688  nvfp4   nvfp4         "
                              "132271570944  * = nvfp4 (built-in card)\n",
                    lmHead =
                        "lm_head                                                    1  bf16    f32                   "
                        "   7  lm_head = f32 (rules.json:3)\n",
                    all = "all                                                    18689                        "
                          "132271570951\n";
  EXPECT_EQ(precisionText({.table = rows}), head + experts + lmHead + all);
  EXPECT_EQ(precisionText({.table = {rows[1], rows[0]}, .differences = 1}),
            "stored otherwise than a rule asks: 1 weight\n" + head + lmHead + "\nthe rest\n" + head + experts + all);
  nlohmann::json json = nlohmann::json::parse(precisionJson(rows));
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0], (nlohmann::json{{"pattern", rows[0].pattern},
                                     {"count", 18688},
                                     {"stored", "nvfp4"},
                                     {"computed", "nvfp4"},
                                     {"bytes", 132271570944},
                                     {"rule", "* = nvfp4"},
                                     {"source", "built-in card"}}));
}

} // namespace
