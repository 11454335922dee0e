#include "frontend/config/Pattern.h"

#include "test/runtime/artifact/TemporaryFolder.h"

#include <gtest/gtest.h>
#include <random>

using namespace glm;
using glm::test::messageOf;

namespace {

/// The definition, as slow as it is plain.
bool matchesByDefinition(std::string_view glob, std::string_view text) {
  if (glob.empty())
    return text.empty();
  if (glob[0] == '*')
    return matchesByDefinition(glob.substr(1), text) || (!text.empty() && matchesByDefinition(glob, text.substr(1)));
  return !text.empty() && (glob[0] == '?' || glob[0] == text[0]) && matchesByDefinition(glob.substr(1), text.substr(1));
}

std::string lastOf(const RuleSet &set, const std::string &module) {
  auto rule = set.last(module);
  return !rule ? rule.error().message : *rule ? (*rule)->source : "none";
}

RuleSet setOf(const std::vector<std::string> &patterns) {
  std::vector<PrecisionRule> rules;
  for (const std::string &pattern : patterns)
    rules.push_back(makeRule(pattern, "wide", pattern));
  auto set = RuleSet::make(rules);
  if (!set)
    throw std::runtime_error(set.error().message);
  return std::move(*set);
}

TEST(Pattern, globsMatchWholeNames) {
  EXPECT_TRUE(globMatches("model.layers.1*", "model.layers.10.mlp.gate")); // ModelOpt's own trap: that is what it says
  EXPECT_FALSE(globMatches("model.layers.1.*", "model.layers.10.mlp.gate"));
  EXPECT_TRUE(globMatches("model.layers.1.*", "model.layers.1.mlp.gate"));
  EXPECT_FALSE(globMatches("model.layers.1", "model.layers.10"));
  EXPECT_TRUE(globMatches("*.mlp.gate", "model.layers.3.mlp.gate"));
  EXPECT_FALSE(globMatches("*.mlp.gate", "model.layers.3.mlp.gate_proj"));
  EXPECT_TRUE(globMatches("*indexer.w?_b", "a.indexer.wq_b"));
  EXPECT_TRUE(globMatches("[a]", "[a]")); // no sets
}

TEST(Pattern, globsAgreeWithTheDefinition) {
  std::mt19937_64 generator(5);
  auto random = [&](const char *letters, size_t most) {
    std::string text;
    for (size_t length = generator() % (most + 1); text.size() < length;)
      text += letters[generator() % 4];
    return text;
  };
  int matched = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string glob = random("a*b?", 7), text = random("abab", 9);
    matched += globMatches(glob, text);
    ASSERT_EQ(globMatches(glob, text), matchesByDefinition(glob, text)) << glob << " on " << text;
  }
  EXPECT_GT(matched, 1000);
}

TEST(Pattern, globsNeverExplode) {
  std::string glob, text(400, 'a');
  for (int i = 0; i < 100; ++i)
    glob += "*a";
  EXPECT_FALSE(globMatches(glob + "b", text)); // a backtracking matcher does not come back from this
  EXPECT_TRUE(globMatches(glob, text));
}

TEST(Pattern, laterRulesWin) {
  RuleSet set = setOf({"a.*", "a.b", "re:a\\.c", "*", "a.d"});
  EXPECT_EQ(lastOf(set, "a.b"), "*");
  EXPECT_EQ(lastOf(set, "a.d"), "a.d");
  RuleSet named = setOf({"*", "a.b", "a.?", "a.c", "a.b"});
  EXPECT_EQ(lastOf(named, "a.b"), "a.b");
  EXPECT_EQ(lastOf(named, "a.c"), "a.c");
  EXPECT_EQ(lastOf(named, "a.d"), "a.?");
  EXPECT_EQ(lastOf(named, "x"), "*");
  EXPECT_EQ(lastOf(setOf({"a"}), "x"), "none");
}

// compressed-tensors uses Python's re.match: from the start, not to the end.
TEST(Pattern, expressionsMatchFromTheStart) {
  RuleSet set = setOf({"re:.*self_attn\\.(?!indexer\\.)", "re:lm_head$"});
  EXPECT_EQ(lastOf(set, "model.layers.0.self_attn.o_proj"), "re:.*self_attn\\.(?!indexer\\.)");
  EXPECT_EQ(lastOf(set, "model.layers.0.self_attn.indexer.wk"), "none");
  EXPECT_EQ(lastOf(set, "lm_head"), "re:lm_head$");
  EXPECT_EQ(lastOf(set, "x.lm_head"), "none");
  EXPECT_EQ(lastOf(set, "lm_head.x"), "none");
}

TEST(Pattern, refusesExpressions) {
  auto refusal = [](const char *pattern, const char *type) {
    return messageOf(RuleSet::make({makeRule(pattern, type, "x.json:7")}));
  };
  EXPECT_EQ(refusal("re:a(b", "wide"),
            "x.json:7: pattern re:a(b must be a regular expression, but found missing closing parenthesis at 3");
  EXPECT_EQ(refusal("a*", "fp8"), "x.json:7: type of rule a* must be nvfp4, bf16, f32, wide or stored, but found fp8");
  EXPECT_EQ(lastOf(setOf({"re:(a+)+$"}), std::string(60, 'a') + "b"),
            "re:(a+)+$: pattern re:(a+)+$ must be decided in 1000000 steps for " + std::string(60, 'a') +
                "b, but found match limit exceeded");
}

TEST(Pattern, knowsWhatMayNameExperts) {
  for (const char *pattern :
       {"m.mlp.experts.7.up_proj", "m.mlp.experts.7*", "*7.up_proj", "*experts.?.up_proj", "re:.*", "*.1*"})
    EXPECT_TRUE(setOf({pattern}).mayNameExperts()) << pattern;
  for (const char *pattern : {"model.layers.3*", "*.mlp.experts.*", "model.layers.3.mlp.experts*", "lm_head", "*",
                              "model.layers.3.mlp.experts.*.up_proj"})
    EXPECT_FALSE(setOf({pattern}).mayNameExperts()) << pattern;
}

} // namespace
