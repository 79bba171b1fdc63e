/*
 * check: in a function that returns 0 or -1, what must be so; otherwise it is said on stderr, with
 * more as by printf, and the function returns -1.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s: ", __FILE__, __LINE__, #condition);                \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

#endif
