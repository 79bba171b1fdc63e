/* Which vector instructions there are: see simd.h. */
#include "simd.h"

#include <stdlib.h>
#include <string.h>

static enum simd_level there_is(void)
{
#ifdef __x86_64__
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return SIMD_AVX512;
    if (__builtin_cpu_supports("avx2"))
        return SIMD_AVX2;
#endif
    return SIMD_BASE;
}

enum simd_level simd_level(void)
{
    static enum simd_level level = SIMD_LEVELS;
    if (level != SIMD_LEVELS)
        return level;
    enum simd_level best = there_is();
    const char *wanted = getenv("MPTHUMB_SIMD");
    if (wanted && strcmp(wanted, "base") == 0)
        best = SIMD_BASE;
    else if (wanted && strcmp(wanted, "avx2") == 0 && best > SIMD_AVX2)
        best = SIMD_AVX2;
    return level = best;
}
