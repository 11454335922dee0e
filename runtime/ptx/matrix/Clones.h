// Functions with inner loops, compiled for several hosts and chosen when the library is loaded. All give the same results:
// they round every operation as written (-ffp-contract=off).
#pragma once

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
/// Sanitizers instrument the resolvers, which run before the sanitizers do.
#define GLM_PTX_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define GLM_PTX_CLONES
#endif
