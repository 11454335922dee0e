// Every input that is refused, how it comes about, and the line that the program must say: one table for tests and for people.
#pragma once

#include "test/frontend/glm-compile/Place.h"

#include <string>
#include <vector>

namespace glm::test {

struct BadInput {
  std::string what; ///< in words; a row of the table
  Start start = Start::Wide;
  std::function<void(const Place &)> spoil;
  /// What must stand on stderr, a line each, whole. PLACE is the folder in which the program was called, # a number or a hash that
  /// depends on the code that was generated, or on how the checkpoint was written.
  std::string said;
  /// The program and its arguments.
  std::vector<std::string> words = {GLM_COMPILE, "model", "-o", "out.glm"};
  Limits limits = {};
};

struct Section {
  std::string title;
  int code; ///< 1: refused; 0: warned of
  std::vector<BadInput> rows;
};

Section badFolders();
Section badHeaders();
Section badTensors();
Section badValues();
Section badConfigs();
Section badQuantization();
Section badOutputs();
Section badArtifacts();
Section badRuns();
Section warnings();

} // namespace glm::test
