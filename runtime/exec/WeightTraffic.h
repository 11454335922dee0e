// How many bytes of weights a step reads, at least.
//
// A weight counts once a step, however many launches read it. Tables of routed experts count by the experts that the
// step's rows chose, which the taps "experts.<layer>" show: distinct experts / count of the table's bytes. Embedding
// launches gather: they count one row of their table per row of the step.
#pragma once

#include "runtime/exec/Executor.h"

namespace glm {

class WeightTraffic final : public StepObserver {
public:
  WeightTraffic(Executor &executor, const Weights &weights);
  void stepBegins(const Step &step, int64_t program) override;
  void launchDone(int64_t launch, int64_t rows, double seconds) override;

  /// Over all steps seen.
  double bytes() const { return sum; }

private:
  /// What one launch is the first of its program to read.
  struct Share {
    double whole = 0;   ///< bytes
    double perRow = 0;  ///< bytes of one row of a gathered table
    double experts = 0; ///< bytes of tables over all routed experts
  };

  std::vector<Share> sharesOf(const Program &program, const Weights &weights) const;
  int64_t distinctExperts(const Tap &tap, int64_t rows);

  Executor *executor;
  std::vector<std::vector<Share>> shares; ///< [program][launch]
  int64_t program = 0;
  /// Share of the experts that the latest router chose; 1 before any was seen.
  double touched = 1;
  double sum = 0;
};

} // namespace glm
