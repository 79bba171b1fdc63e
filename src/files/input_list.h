/* SPDX-License-Identifier: MIT */
/*
 * input_list: the names of all inputs of a run, one at a time: the arguments in their order, the
 * files below each argument that is a directory, then the names read from a file (--files-from).
 *
 * Names are found on demand; memory is one directory listing per level of depth. stat is called
 * only for the arguments themselves. Whether files found in directories and names from a file exist
 * and can be read is found out by the worker that opens them.
 */
#ifndef INPUT_LIST_H
#define INPUT_LIST_H

#include "directory_walk.h"
#include "name_list.h"

enum input_origin {
    INPUT_NAMED,  /* an argument */
    INPUT_WALKED, /* found below an argument that is a directory */
    INPUT_LISTED, /* from the file of names */
};

struct input {
    enum input_origin origin;
    const char *path;
    const char *below; /* WALKED: the path relative to the argument; otherwise equal to path */
    size_t argument;   /* NAMED, WALKED: index of the argument */
    bool link;         /* WALKED: it is a symbolic link */
};

struct input_list {
    char *const *arguments;
    size_t count;
    size_t next;
    bool words;         /* arguments are texts: none is a directory; false after init */
    bool walking;       /* the argument before `next` is being walked */
    bool reading_names; /* there is a file of names, and its end has not been reached */
    struct directory_walk walk;
    struct name_list names;
    const char *names_path; /* of the file of names */
};

enum input_list_status {
    INPUT_LIST_ITEM,  /* *input is valid until the next call */
    INPUT_LIST_BAD,   /* input->path cannot be used, error says why; more inputs may follow */
    INPUT_LIST_LATER, /* the file of names is a pipe that has no complete name yet */
    INPUT_LIST_END,
};

void input_list_init(struct input_list *list, char *const *arguments, size_t count);
void input_list_release(struct input_list *list);

/* Adds the names in the open file fd: see name_list_init. Errors of reading are reported about
 * `path`. The caller keeps the ownership of both. */
void input_list_add_names_from(struct input_list *list, const char *path, int fd, char separator);

/* Leaves out a directory, as directory_walk_exclude. */
void input_list_exclude(struct input_list *list, dev_t dev, ino_t ino);

enum input_list_status input_list_next(struct input_list *list, struct input *input,
                                       struct mpp_error *error);

#endif
