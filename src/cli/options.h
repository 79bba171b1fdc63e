/*
 * options: the command line of mpthumb as a struct. Nothing is opened, nothing printed.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "image.h"
#include "mpp_error.h"

struct options {
    bool help;
    bool version;

    char *const *inputs; /* within argv */
    size_t input_count;
    const char *files_from; /* NULL: none; "-": stdin */
    bool null;              /* its names end with a zero byte */

    const char *output; /* a directory; NULL with beside */
    bool flat;
    bool beside;
    const char *suffix; /* "" for none */

    struct thumbnail_options image; /* its format IMAGE_UNKNOWN: same */
    int workers;                    /* a rank; 0: as many as there are cores */
    int read_ahead;                 /* inputs a worker */

    bool verbose;
    bool quiet;
    bool dry_run;
};

/* Reorders argv, as getopt does: inputs and options may be mixed, and `--` ends the options. With
 * help or version nothing else is checked. Not to be called from two threads. */
int options_parse(int argc, char **argv, struct options *options, struct mpp_error *error);

#endif
