/*
 * list: names from a file or a pipe, one after the other (--files-from).
 *
 * Never blocks on a pipe: when nothing is there yet it says so. Names are bytes: any encoding, with
 * quotes, with newlines when the separator is NUL. Empty names are passed over; the last name needs
 * no separator behind it. Memory is constant.
 */
#ifndef NAME_LIST_H
#define NAME_LIST_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "mpp_error.h"

struct name_list {
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

enum name_list_status {
    NAME_LIST_NAME,  /* *name is valid until the next call */
    NAME_LIST_BAD,   /* one name cannot be used: *name is how it begins, error says why */
    NAME_LIST_LATER, /* nothing there yet */
    NAME_LIST_END,
    NAME_LIST_FAILED, /* the file cannot be read any further: error is filled */
};

void name_list_init(struct name_list *list, int fd, char separator);
enum name_list_status name_list_next(struct name_list *list, const char **name,
                                     struct mpp_error *error);

#endif
