/*
 * naming: which output belongs to which input. Strings in, strings out; the file system is not
 * asked.
 *
 * An output path is relative to the output directory and never leaves it: no leading slash, no
 * `..`.
 */
#ifndef OUTPUT_NAME_H
#define OUTPUT_NAME_H

#include <limits.h>
#include <stdbool.h>

#include "mpp_error.h"

struct output_name {
    bool flat;          /* base names only */
    const char *suffix; /* goes before the extension; "" for none */

    /* What the outputs are, as the caller numbers formats; 0: the same as their sources, and the
     * extension stays. Otherwise an extension that names this format stays, one that names another
     * is replaced by `extension` (with its dot), and a name without either gets it appended. */
    int format;
    const char *extension;
    int (*format_of_name)(const char *name); /* 0: the name says nothing */
};

/* Behind the last slash. */
const char *output_name_base(const char *path);

/* Whether `path` is the directory or lies below it. Both are absolute and without links. */
bool path_is_within(const char *path, const char *directory);

/* A directory's own name, for what goes below it: its last component; of one that has none or that
 * is `.` or `..`, the last component of its real path. "" for the root. Writes at most NAME_MAX+1
 * bytes. */
void output_name_directory(const char *path, const char *real_path, char name[NAME_MAX + 1]);

/* The output for a file at `path` below the directory `prefix` ("" for none). */
int output_name_output(const struct output_name *naming, const char *prefix, const char *path,
                       char output[PATH_MAX], struct mpp_error *error);

/* The path under which a listed name is kept: without leading and repeated slashes and `.`
 * components. Refuses `..` and names that name no file. */
int output_name_listed(const char *name, char path[PATH_MAX], struct mpp_error *error);

/* Is this what output_name_output makes: does the stem end in the suffix? Never for an empty suffix. */
bool output_name_has_suffix(const struct output_name *naming, const char *path);

/* Do different names below one directory always get different outputs? */
bool output_name_is_unique(const struct output_name *naming);

#endif
