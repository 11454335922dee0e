// What every fuzz target shares. A target defines `run`; a crash, a leak, a sanitizer's finding or a broken `require` ends the program
// and leaves the input in a file.
#pragma once

#include "runtime/artifact/Json.h"
#include "runtime/artifact/Result.h"

#include <string>
#include <string_view>

namespace glm::fuzz {

/// One input. Must not keep state: an input that is run again must take the same way.
void run(std::string_view input);

/// Ends the program unless `holds`; `detail` is printed.
void require(bool holds, std::string_view rule, std::string_view detail = {});

/// A refusal must have the form of all messages.
void requireRefusal(const Error &error);

/// The input as a file, or nothing if it is refused, which is checked.
std::optional<JsonFile> parse(const std::string &name, std::string_view input);

/// Gives `file` the keys of `base` that it lacks, so that short inputs get far; null stands for a key that is absent.
void complete(JsonFile &file, const nlohmann::json &base);

/// The member `key` of `file` as a file of its own, or nothing if it is no object.
std::optional<JsonFile> takeFile(JsonFile &file, const char *key, const std::string &name);

} // namespace glm::fuzz
