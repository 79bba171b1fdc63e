/* SPDX-License-Identifier: MIT */
/*
 * thumbnail_settings: the options of the thumbnail job, as a table and as what they are parsed
 * into.
 */
#ifndef THUMBNAIL_SETTINGS_H
#define THUMBNAIL_SETTINGS_H

#include <stdbool.h>

#include "mpbatch.h"
#include "thumbnail_options.h"

struct thumbnail_settings {
    /* If `format` is NULL, each output has the format of its source's name, or, if the name has no
     * known extension, of its source's content. */
    struct thumbnail_options image;
    int fit, on_truncated; /* indices of choices; thumbnail_settings_check stores them in image */
    bool no_orient;        /* the same */
    bool flat, beside;
    const char *suffix; /* "" for none */
};

extern const struct mpb_option thumbnail_option_table[];

/* The check function of the job. */
int thumbnail_settings_check(void *settings, struct mpb_run *run, struct mpp_error *error);

#endif
