// How figures look to people and to scripts.
#pragma once

#include "runtime/artifact/Result.h"
#include "runtime/exec/Profile.h"

#include <nlohmann/json.hpp>

namespace glm {

/// "1.50 GiB", "640 B".
std::string formatBytes(double bytes);

/// Whether all that was printed has reached stdout: results that did not reach a full disk are not results.
Result<void> flushOutput();

/// Tokens per second, 0 if no time passed.
double perSecond(double count, double seconds);

/// A table on stderr: family, launches and time of a step, share.
void printProfile(const Profile &profile);

/// [{kernel, launches, seconds}], sums over all steps.
nlohmann::json profileJson(const Profile &profile);

} // namespace glm
