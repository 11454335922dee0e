// The instruction forms of this room.
#pragma once

#include "runtime/ptx/isa/Form.h"

namespace glm::ptx {

/// All of them; one table per source file below.
std::span<const Form> asyncForms();

std::span<const Form> mbarrierForms();
std::span<const Form> copyForms();          ///< cp.async
std::span<const Form> bulkForms();          ///< cp.async.bulk, cp.reduce.async.bulk
std::span<const Form> tensorForms();        ///< cp.async.bulk.tensor and its kin
std::span<const Form> tensorMapForms();     ///< tensormap.*, prefetch.tensormap
std::span<const Form> remoteStoreForms();   ///< st.async, red.async, st.bulk
std::span<const Form> proxyForms();         ///< fence.proxy.* and the fences of asynchronous operations
std::span<const Form> cachePolicyForms();   ///< createpolicy, applypriority, discard
std::span<const Form> launchControlForms(); ///< clusterlaunchcontrol

} // namespace glm::ptx
