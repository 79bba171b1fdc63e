/*
 * simd: which vector instructions this machine has, for loops that are compiled for each of them.
 * Pure integer arithmetic gives the same bytes with all.
 */
#ifndef SIMD_H
#define SIMD_H

/* AVX-512 was tried, and was no faster. */
enum simd_level { SIMD_BASE, SIMD_AVX2, SIMD_LEVELS };

/* The best there is, or the base where the environment variable MPTHUMB_SIMD is "base"; asked once.
 */
enum simd_level simd_level(void);

/* One function for each level, in a table by level, from a body that is inlined into them:
 *     SIMD_VARIANTS(void, sum_up, (const int *values, int count), (values, count))
 * makes sum_up_variants[] of sum_up. */
#ifdef __x86_64__
#define SIMD_VARIANTS(type, name, parameters, arguments)                                           \
    static type name##_base parameters                                                             \
    {                                                                                              \
        return name arguments;                                                                     \
    }                                                                                              \
    __attribute__((target("avx2"))) static type name##_avx2 parameters                             \
    {                                                                                              \
        return name arguments;                                                                     \
    }                                                                                              \
    static type(*const name##_variants[SIMD_LEVELS]) parameters = {name##_base, name##_avx2};
#else
#define SIMD_VARIANTS(type, name, parameters, arguments)                                           \
    static type(*const name##_variants[SIMD_LEVELS]) parameters = {name, name};
#endif

/* The body of variants. */
#define SIMD_BODY static inline __attribute__((always_inline))

#endif
