// How figures look to people and to scripts.
#pragma once

#include "runtime/exec/Profile.h"

#include <nlohmann/json.hpp>

namespace glm {

/// "1.50 GiB", "640 B".
std::string formatBytes(double bytes);

/// Tokens per second, 0 if no time passed.
double perSecond(double count, double seconds);

/// A table on stderr: family, launches and time of a step, share.
void printProfile(const Profile &profile);

/// [{kernel, launches, seconds}], sums over all steps.
nlohmann::json profileJson(const Profile &profile);

} // namespace glm
