/*
 * causes: failures by what caused them. Messages that differ in numbers and in quoted names only
 * are of one cause. Constant memory: what comes after FAILURE_SUMMARY_MAX different causes is counted as
 * "others". Pure.
 */
#ifndef FAILURE_SUMMARY_H
#define FAILURE_SUMMARY_H

#include <stddef.h>
#include <stdint.h>

enum { FAILURE_SUMMARY_MAX = 64, CAUSE_EXAMPLES = 3, CAUSE_TEXT = 256, CAUSE_NAME = 512 };

struct cause {
    char key[CAUSE_TEXT];  /* the message without what differs */
    char text[CAUSE_TEXT]; /* the first message */
    uint64_t count;
    char examples[CAUSE_EXAMPLES][CAUSE_NAME]; /* the first sources, cut where they are long */
};

struct failure_summary {
    struct cause *list; /* malloc'd */
    size_t count;
    uint64_t others;
};

void failure_summary_release(struct failure_summary *causes); /* zero is fine */

/* Counts a failure; returns how many of its cause there were before. */
uint64_t failure_summary_add(struct failure_summary *causes, const char *message,
                             const char *source);

void failure_summary_sort(struct failure_summary *causes); /* the most frequent first */

#endif
