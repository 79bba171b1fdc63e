/* SPDX-License-Identifier: MIT */
/*
 * thumbnail_colors: converts a finished thumbnail to the colours in which it is written: sRGB
 * instead of the colours of its ICC profile, RGB instead of CMYK, and a background instead of alpha
 * if the output format has none. Called by thumbnailer.c.
 */
#ifndef THUMBNAIL_COLORS_H
#define THUMBNAIL_COLORS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "icc.h"
#include "mpp_error.h"
#include "thumbnail_info.h"
#include "thumbnail_options.h"

/* What the bytes of a pixel mean; see struct image_header. */
struct thumbnail_colors {
    int channels;
    bool alpha;
    bool cmyk, inverted;
    const void *profile;
    size_t profile_size;
};

/* Converts the pixels in `thumbnail` in place and updates `colors`. Pixels with alpha must be
 * premultiplied, except with `options->exact`; afterwards they are not premultiplied. With `exact`,
 * colours other than CMYK are not converted and keep their profile, as in Pillow. Reads
 * info->format. Counts a profile that cannot be used in info->warnings. `spare` is overwritten, and
 * may be exchanged with `thumbnail`. -1: out of memory. */
int thumbnail_colors_finish(struct icc *icc, const struct thumbnail_options *options,
                            struct thumbnail_colors *colors, struct buf *thumbnail,
                            struct buf *spare, struct thumbnail_info *info,
                            struct mpp_error *error);

#endif
