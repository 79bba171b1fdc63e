/* SPDX-License-Identifier: MIT */
/* Counts failures by cause: see failure_summary.h. */
#include "failure_summary.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void failure_summary_release(struct failure_summary *failures)
{
    free(failures->list);
    *failures = (struct failure_summary){0};
}

/* The key is the message with a '#' for each run of digits and '' for each quoted name. */
static void make_key(const char *message, char key[FAILURE_TEXT_SIZE])
{
    size_t size = 0;
    for (const char *at = message; *at && size + 2 < FAILURE_TEXT_SIZE; at++) {
        const char *end = *at == '\'' ? strchr(at + 1, '\'') : NULL;
        if (end) {
            key[size++] = '\'';
            key[size++] = '\'';
            at = end;
        } else if (!isdigit((unsigned char)*at)) {
            key[size++] = *at;
        } else if (size == 0 || key[size - 1] != '#') {
            key[size++] = '#';
        }
    }
    key[size] = '\0';
}

/* The cause of a message; added if it is new. NULL: there is no room for another one. */
static struct failure_cause *find_or_add(struct failure_summary *failures, const char *message)
{
    char key[FAILURE_TEXT_SIZE];
    make_key(message, key);
    for (size_t i = 0; i < failures->count; i++)
        if (strcmp(failures->list[i].key, key) == 0)
            return &failures->list[i];
    if (!failures->list)
        failures->list = calloc(FAILURE_SUMMARY_MAX, sizeof *failures->list);
    if (!failures->list || failures->count == FAILURE_SUMMARY_MAX)
        return NULL;
    struct failure_cause *cause = &failures->list[failures->count++];
    memcpy(cause->key, key, sizeof key);
    snprintf(cause->text, sizeof cause->text, "%s", message);
    return cause;
}

uint64_t failure_summary_add(struct failure_summary *failures, const char *message,
                             const char *source)
{
    struct failure_cause *cause = find_or_add(failures, message);
    if (!cause)
        return failures->others++;
    if (cause->count < FAILURE_EXAMPLES)
        snprintf(cause->examples[cause->count], FAILURE_NAME_SIZE, "%s", source);
    return cause->count++;
}

static int by_count(const void *a, const void *b)
{
    const struct failure_cause *first = a, *second = b;
    if (first->count != second->count)
        return first->count < second->count ? 1 : -1;
    return strcmp(first->key, second->key);
}

void failure_summary_sort(struct failure_summary *failures)
{
    if (failures->count)
        qsort(failures->list, failures->count, sizeof *failures->list, by_count);
}
