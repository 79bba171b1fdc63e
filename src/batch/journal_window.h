/* SPDX-License-Identifier: MIT */
/*
 * journal_window: reads lines of a file at given offsets through a window in memory. Lines that
 * stand one after the other, or near each other, are read with few system calls.
 */
#ifndef JOURNAL_WINDOW_H
#define JOURNAL_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "mpp_error.h"

struct journal_window {
    int fd;          /* owned by the caller; its file offset is not used */
    uint64_t begin;  /* offset in the file of the bytes in memory */
    struct buf text; /* the bytes */
};

void journal_window_release(struct journal_window *window);

/* Reads the line that begins at offset `at`. *line is valid until the next call; *size is without
 * the newline. *complete false: the file ends before a newline; the line is what is left, perhaps
 * nothing. -1: the file cannot be read, or the line is longer than JOURNAL_LINE_MAX. */
int journal_window_line(struct journal_window *window, uint64_t at, const char **line, size_t *size,
                        bool *complete, struct mpp_error *error);

#endif
