/* SPDX-License-Identifier: MIT */
/*
 * check: CHECK(condition, format, ...) for test functions that return 0 or -1. If the condition is
 * false, it prints the place, the condition and the formatted text to stderr and returns -1.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: check failed: %s: ", __FILE__, __LINE__, #condition);          \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

#endif
