// The golden vectors notice mistakes: each one moves some golden's logits far beyond the bound that right programs
// keep.
#include "test/numerics/Goldens.h"
#include "test/numerics/Metrics.h"
#include "test/numerics/Reference.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace glm::test {
namespace {

/// A mistake and the golden that is meant to see it.
struct Witness {
  Mistake mistake;
  const char *golden;
  const char *tensor = "logits";
};

const std::vector<Witness> kWitnesses = {
    {Mistake::HalfSplitIndexerRope, "share"},  {Mistake::GateAndUpSwapped, "every"},
    {Mistake::CorrectionBiasDropped, "ratio"}, {Mistake::CorrectionBiasInWeights, "share"},
    {Mistake::SharedLayerOwnIndex, "share"},   {Mistake::OneGlobalScale, "groups-ct"},
    {Mistake::MaskAfterTopk, "ratio"},         {Mistake::HighNibbleFirst, "share-card"},
    {Mistake::LatentNormEps, "groups"},        {Mistake::SharedExpertScaled, "groups"},
    {Mistake::IndexerNopeFirst, "groups"},     {Mistake::HiddenBeforeNormToMtp, "share", "mtp_logits"},
};

/// The largest difference of any sequence, in units of the spread.
double worst(const Witness &witness, Mistake mistake) {
  const GoldenCase &golden = goldenCase(witness.golden);
  bool draft = witness.tensor == std::string("mtp_logits");
  auto reference = Reference::open(checkpointFolder(golden), {.mistake = mistake, .draft = draft});
  if (!reference)
    throw std::runtime_error(reference.error().message);
  double largest = 0;
  for (int64_t sequence : goldenValues(golden).sequences(witness.tensor)) {
    ReferenceOutput output = reference->run(goldenPrompt(golden, sequence));
    Matrix expected = goldenValues(golden).floats(fmt::format("{}.{}", sequence, witness.tensor));
    largest = std::max(largest, compareLogits(expected, draft ? output.draftLogits : output.logits).relative());
  }
  return largest;
}

class MistakeSeen : public testing::TestWithParam<Witness> {};

TEST_P(MistakeSeen, farBeyondTheBound) {
  double wrong = worst(GetParam(), GetParam().mistake), right = worst(GetParam(), Mistake::None);
  fmt::print("{:28} on {:10}: {:.2e} of the spread, {:.1e} without it\n", mistakeName(GetParam().mistake),
             GetParam().golden, wrong, right);
  // The bound of the golden tests is 1e-4: a mistake has to stand out from it a hundredfold, rounding has to stay
  // within.
  EXPECT_GE(wrong, 1e-2);
  EXPECT_LE(right, 1e-4);
}

TEST(MistakeList, everyMistakeHasAWitness) {
  for (Mistake mistake : allMistakes())
    EXPECT_TRUE(std::ranges::any_of(kWitnesses, [&](const Witness &witness) { return witness.mistake == mistake; }))
        << mistakeName(mistake);
}

INSTANTIATE_TEST_SUITE_P(Goldens, MistakeSeen, testing::ValuesIn(kWitnesses),
                         [](const auto &info) { return mistakeName(info.param.mistake); });

} // namespace
} // namespace glm::test
