/*
 * list: names from a file or a pipe, one after the other (--files-from).
 *
 * Never blocks on a pipe: when nothing is there yet it says so. Names are bytes: any encoding, with
 * quotes, with newlines when the separator is NUL. Empty names are passed over; the last name needs
 * no separator behind it. Memory is constant.
 */
#ifndef LIST_H
#define LIST_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "mpp_error.h"

struct list {
    int fd; /* the caller's */
    char separator;
    bool ended;  /* the file has no more bytes */
    bool unfit;  /* the current name is too long or holds a NUL; the rest of it is dropped */
    size_t next; /* of bytes[] */
    size_t end;
    size_t name_size;
    char name[PATH_MAX];
    char bytes[65536];
};

enum list_status {
    LIST_NAME,  /* *name is valid until the next call */
    LIST_BAD,   /* one name cannot be used: *name is how it begins, error says why */
    LIST_LATER, /* nothing there yet */
    LIST_END,
    LIST_FAILED, /* the file cannot be read any further: error is filled */
};

void list_init(struct list *list, int fd, char separator);
enum list_status list_next(struct list *list, const char **name, struct mpp_error *error);

#endif
