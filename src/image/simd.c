/* SPDX-License-Identifier: MIT */
/* The vector instructions of this processor: see simd.h. */
#include "simd.h"

#include <stdlib.h>
#include <string.h>

static enum simd_level best(void)
{
    const char *wanted = getenv("MPTHUMB_SIMD");
    if (wanted && strcmp(wanted, "base") == 0)
        return SIMD_BASE;
#ifdef __x86_64__
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2"))
        return SIMD_AVX2;
#endif
    return SIMD_BASE;
}

enum simd_level simd_level(void)
{
    static enum simd_level level = SIMD_LEVELS;
    if (level == SIMD_LEVELS)
        level = best();
    return level;
}
