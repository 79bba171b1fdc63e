/* SPDX-License-Identifier: MIT */
/*
 * simd: compiles a loop for several sets of vector instructions and chooses one at run time. Use it
 * for loops of integer arithmetic only: they give the same bytes with every set.
 */
#ifndef SIMD_H
#define SIMD_H

/* There is no level for AVX-512, because it was not faster. */
enum simd_level { SIMD_BASE, SIMD_AVX2, SIMD_LEVELS };

/* The best set that this processor has. The environment variable MPTHUMB_SIMD=base chooses the base
 * set. Determined once. */
enum simd_level simd_level(void);

/* Defines a function for each level from a SIMD_BODY function, and a table of them:
 *
 *     SIMD_BODY void sum_up(const int *values, int count) { ... }
 *     SIMD_VARIANTS(void, sum_up, (const int *values, int count), (values, count))
 *
 * and then sum_up_variants[simd_level()](values, count). */
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

/* The function that is inlined into its variants. */
#define SIMD_BODY static inline __attribute__((always_inline))

#endif
