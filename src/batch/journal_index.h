/* SPDX-License-Identifier: MIT */
/*
 * journal_index: a hash table of the last line about each task of a journal, in 64 to 128 bytes of
 * memory per task. A run that is resumed looks its tasks up here.
 */
#ifndef JOURNAL_INDEX_H
#define JOURNAL_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal_line.h"
#include "mpp_error.h"

struct journal_index {
    struct journal_entry *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    uint64_t damaged; /* lines that could not be understood */
    uint32_t runs;    /* header lines */
};

/* Accepts a zero struct. */
void journal_index_release(struct journal_index *index);

/* NULL: the journal has no line about this task. */
const struct journal_entry *journal_index_find(const struct journal_index *index,
                                               const struct task_identity *identity);

/* Adds all complete lines of the file fd to the index. *valid is the size of the complete lines in
 * bytes; the rest of the file is an incomplete line, which the caller may remove. Fails if the file
 * does not begin with a header line or the beginning of one, unless it is empty. Also fails if a
 * header line has a higher format, or if its job or an option differs from `header`; the error
 * names both values. header NULL: accepts all jobs and options. */
int journal_index_read(struct journal_index *index, const struct journal_header *header, int fd,
                       uint64_t *valid, struct mpp_error *error);

/* Whether the file holds nothing but headers of runs, the last one perhaps incomplete. */
bool journal_is_bare(int fd);

#endif
