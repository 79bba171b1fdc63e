/* SPDX-License-Identifier: MIT */
/*
 * name_list: reads names from a file or a pipe, one at a time (--files-from).
 *
 * Names are bytes in any encoding; nothing is special except the separator, so names may contain
 * quotes, and newlines if the separator is a zero byte. Empty names are skipped. The last name
 * needs no separator after it.
 *
 * No call blocks on a pipe: if no complete name has arrived yet, NAME_LIST_LATER is returned.
 * Memory is constant.
 */
#ifndef NAME_LIST_H
#define NAME_LIST_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "mpp_error.h"

struct name_list {
    int fd; /* owned by the caller */
    char separator;
    bool ended;  /* end of file was reached */
    bool unfit;  /* the current name is too long or contains a zero byte */
    size_t next; /* the unread bytes are bytes[next] to bytes[end - 1] */
    size_t end;
    size_t name_size;
    char name[PATH_MAX];
    char bytes[65536];
};

enum name_list_status {
    NAME_LIST_NAME,   /* *name is valid until the next call */
    NAME_LIST_BAD,    /* a name cannot be used, error says why; *name is its beginning */
    NAME_LIST_LATER,  /* no complete name has arrived yet */
    NAME_LIST_END,    /* there are no more names */
    NAME_LIST_FAILED, /* reading failed, error says why */
};

/* Opens a file of names for reading; "-" is standard input. Returns its descriptor, which the
 * caller closes unless it is that of standard input. -1: it cannot be opened or is a directory. */
int name_list_open(const char *path, struct mpp_error *error);

void name_list_init(struct name_list *list, int fd, char separator);
enum name_list_status name_list_next(struct name_list *list, const char **name,
                                     struct mpp_error *error);

#endif
