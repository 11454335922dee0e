// PTX text to a Module.
#pragma once

#include "runtime/artifact/Result.h"
#include "runtime/ptx/text/Module.h"

namespace glm::ptx {

/// Parse the text of one PTX module. Errors name `place` (a file, or what the driver calls the image) and the line:
/// `kernels.ptx:17: instruction must end with ;, but found }`. Never crashes and never takes more than linear time and
/// memory, whatever the text is.
Result<Module> parse(std::string text, std::string_view place);

} // namespace glm::ptx
