// A small instruction set for tests of decoding: enough forms for ordinary text, and handlers that nobody runs.
#pragma once

#include "runtime/ptx/isa/Form.h"
#include "runtime/ptx/isa/Program.h"

#include <string>

namespace glm::ptx {

const FormTable &toyForms();

/// Decode `text`, headed by a version and a target, for the chip of that target.
Result<std::unique_ptr<Program>> decodeToy(const std::string &text, std::string_view chip = "sm_90a",
                                           std::string_view version = "8.8");

} // namespace glm::ptx
