/* SPDX-License-Identifier: MIT */
/*
 * failure_summary: counts failures by cause. Two error messages have the same cause if they differ
 * only in numbers and in names in single quotes. Pure.
 *
 * Memory is constant: after FAILURE_SUMMARY_MAX different causes, failures with a new cause are
 * only counted together, in `others`.
 */
#ifndef FAILURE_SUMMARY_H
#define FAILURE_SUMMARY_H

#include <stddef.h>
#include <stdint.h>

enum {
    FAILURE_SUMMARY_MAX = 64, /* causes */
    FAILURE_EXAMPLES = 3,     /* of a cause */
    FAILURE_TEXT_SIZE = 256,
    FAILURE_NAME_SIZE = 512,
};

struct failure_cause {
    char key[FAILURE_TEXT_SIZE];  /* the message without numbers and quoted names */
    char text[FAILURE_TEXT_SIZE]; /* the first message */
    uint64_t count;
    char examples[FAILURE_EXAMPLES][FAILURE_NAME_SIZE]; /* the first sources; long names are cut */
};

struct failure_summary {
    struct failure_cause *list; /* allocated at the first failure */
    size_t count;
    uint64_t others;
};

/* Accepts a zero struct. */
void failure_summary_release(struct failure_summary *failures);

/* Counts a failure. Returns how many failures with the same cause were counted before. */
uint64_t failure_summary_add(struct failure_summary *failures, const char *message,
                             const char *source);

/* Sorts the list, most frequent cause first. */
void failure_summary_sort(struct failure_summary *failures);

#endif
