/* Failures by cause: see failure_summary.h. */
#include "failure_summary.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void failure_summary_release(struct failure_summary *causes)
{
    free(causes->list);
    *causes = (struct failure_summary){0};
}

/* Digits become one '#', what stands in quotes becomes ''. */
static void make_key(const char *message, char key[CAUSE_TEXT])
{
    size_t size = 0;
    for (const char *at = message; *at && size + 2 < CAUSE_TEXT; at++) {
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

static struct cause *find(struct failure_summary *causes, const char *message)
{
    char key[CAUSE_TEXT];
    make_key(message, key);
    for (size_t i = 0; i < causes->count; i++)
        if (strcmp(causes->list[i].key, key) == 0)
            return &causes->list[i];
    if (!causes->list)
        causes->list = calloc(FAILURE_SUMMARY_MAX, sizeof *causes->list);
    if (!causes->list || causes->count == FAILURE_SUMMARY_MAX)
        return NULL;
    struct cause *cause = &causes->list[causes->count++];
    memcpy(cause->key, key, sizeof key);
    snprintf(cause->text, sizeof cause->text, "%s", message);
    return cause;
}

uint64_t failure_summary_add(struct failure_summary *causes, const char *message,
                             const char *source)
{
    struct cause *cause = find(causes, message);
    if (!cause)
        return causes->others++;
    if (cause->count < CAUSE_EXAMPLES)
        snprintf(cause->examples[cause->count], CAUSE_NAME, "%s", source);
    return cause->count++;
}

static int by_count(const void *a, const void *b)
{
    uint64_t x = ((const struct cause *)a)->count, y = ((const struct cause *)b)->count;
    return x < y   ? 1
           : x > y ? -1
                   : strcmp(((const struct cause *)a)->key, ((const struct cause *)b)->key);
}

void failure_summary_sort(struct failure_summary *causes)
{
    if (causes->count)
        qsort(causes->list, causes->count, sizeof *causes->list, by_count);
}
