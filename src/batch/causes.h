/*
 * causes: failures by what caused them. Messages that differ in numbers and in quoted names only
 * are of one cause. Constant memory: what comes after CAUSES_MAX different causes is counted as
 * "others". Pure.
 */
#ifndef CAUSES_H
#define CAUSES_H

#include <stddef.h>
#include <stdint.h>

enum { CAUSES_MAX = 64, CAUSE_EXAMPLES = 3, CAUSE_TEXT = 256, CAUSE_NAME = 512 };

struct cause {
    char key[CAUSE_TEXT];  /* the message without what differs */
    char text[CAUSE_TEXT]; /* the first message */
    uint64_t count;
    char examples[CAUSE_EXAMPLES][CAUSE_NAME]; /* the first sources, cut where they are long */
};

struct causes {
    struct cause *list; /* malloc'd */
    size_t count;
    uint64_t others;
};

void causes_release(struct causes *causes); /* zero is fine */

/* Counts a failure; returns how many of its cause there were before. */
uint64_t causes_add(struct causes *causes, const char *message, const char *source);

void causes_sort(struct causes *causes); /* the most frequent first */

#endif
