/*
 * inputs: what a run is to work on, one name at a time: the arguments in their order, each
 * directory walked, then the names of a list.
 *
 * Lazy, and in constant memory but for one listing per level of depth. It asks the file system what
 * each argument is, and nothing about the files it meets in directories. Whether a name that was
 * given is there at all is found out by whoever opens it.
 */
#ifndef INPUTS_H
#define INPUTS_H

#include "directory_walk.h"
#include "name_list.h"

enum input_origin {
    INPUT_NAMED,  /* an argument */
    INPUT_WALKED, /* found in the directory that is an argument */
    INPUT_LISTED, /* from the list */
};

struct input {
    enum input_origin origin;
    const char *path;
    const char *below; /* WALKED: the path relative to the argument; else the same as path */
    size_t argument;   /* NAMED, WALKED: its number, from 0 */
    bool link;         /* WALKED: a symbolic link */
};

struct inputs {
    char *const *arguments;
    size_t count;
    size_t next;
    bool walking;
    bool listing; /* there is a list, and it has not ended */
    struct directory_walk walk;
    struct name_list list;
};

enum inputs_status {
    INPUTS_ITEM,  /* *input is valid until the next call */
    INPUTS_BAD,   /* input->path cannot be used: error says why; there may be more */
    INPUTS_LATER, /* the list has nothing yet */
    INPUTS_END,
};

void inputs_init(struct inputs *inputs, char *const *arguments, size_t count);
void inputs_release(struct inputs *inputs);
void inputs_add_list(struct inputs *inputs, int fd, char separator); /* fd stays the caller's */
void inputs_exclude(struct inputs *inputs, dev_t dev, ino_t ino);    /* as directory_walk_exclude */

enum inputs_status inputs_next(struct inputs *inputs, struct input *input, struct mpp_error *error);

#endif
