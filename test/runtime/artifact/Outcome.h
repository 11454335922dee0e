// A program called as a shell calls it, and what it said.
#pragma once

#include "test/runtime/artifact/TemporaryFolder.h"

#include <sys/wait.h>

namespace glm::test {

struct Outcome {
  int code = -1;
  std::string out, err;
};

/// `command` as a shell reads it, with `input` as its stdin; what it says is collected in files of `folder`.
inline Outcome runProgram(const TemporaryFolder &folder, const std::string &command, const std::string &input = "") {
  std::string in = folder.write("in", input), out = folder.path() / "out", err = folder.path() / "err";
  int status = std::system((command + " >" + out + " 2>" + err + " <" + in).c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, folder.read("out"), folder.read("err")};
}

} // namespace glm::test
