/* SPDX-License-Identifier: MIT */
/*
 * output_name: computes the path of the output for each input. No function accesses the file
 * system.
 *
 * An output path is relative to the output directory and never leads out of it: it has no leading
 * slash and no `..`.
 */
#ifndef OUTPUT_NAME_H
#define OUTPUT_NAME_H

#include <limits.h>
#include <stdbool.h>

#include "mpp_error.h"

struct output_name_rules {
    bool flat;          /* outputs have base names only, without directories */
    const char *suffix; /* inserted before the extension; "" for none */

    /* The format of the outputs, as a number chosen by the caller. 0: the same as the source, and
     * the extension is kept. Otherwise an extension of this format is kept, an extension of another
     * format is replaced by `extension` (which includes its dot), and `extension` is appended to
     * all other names. */
    int format;
    const char *extension;
    int (*format_of_name)(const char *name); /* 0: the name has no extension of a format */
};

/* The part of the path after the last slash. */
const char *output_name_base(const char *path);

/* Whether `path` is the directory or lies below it. Both must be absolute, as realpath returns
 * them. */
bool path_is_within(const char *path, const char *directory);

/* The name of the directory for the outputs of an input directory: the last component of `path`,
 * or, if that is empty, `.` or `..`, the last component of `real_path`. "" for the root. */
void output_name_directory(const char *path, const char *real_path, char name[NAME_MAX + 1]);

/* The output path for the input `path`, which is relative to its input directory. It goes below the
 * directory `prefix`; "" for none. */
int output_name_make(const struct output_name_rules *rules, const char *prefix, const char *path,
                     char output[PATH_MAX], struct mpp_error *error);

/* Turns a name from --files-from into a path for output_name_make: removes leading and repeated
 * slashes and `.` components. Refuses names with a component `..` and names without any other
 * component. */
int output_name_listed(const char *name, char path[PATH_MAX], struct mpp_error *error);

/* True if the name looks like one made by output_name_make: what precedes its extension ends in the
 * suffix. False if the suffix is empty. */
bool output_name_has_suffix(const struct output_name_rules *rules, const char *path);

/* True if different inputs below one directory always get different outputs. */
bool output_name_is_unique(const struct output_name_rules *rules);

#endif
