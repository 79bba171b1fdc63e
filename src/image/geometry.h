/* SPDX-License-Identifier: MIT */
/*
 * geometry: the size of a thumbnail, and the scale at which its source has to be decoded. Pure.
 *
 * Sizes and box reduction are those of Pillow's Image.thumbnail (reducing_gap 2.0) for every input.
 */
#ifndef GEOMETRY_H
#define GEOMETRY_H

#include <stdbool.h>

struct geometry_size {
    int width_px;
    int height_px;
};

/* The largest size inside `box` with the source's aspect ratio. Unless `enlarge`, a source that
 * fits keeps its size. The side that the box does not fix is rounded up or down, whichever keeps
 * the ratio best, to at least 1. All sides of the arguments are at least 1. */
struct geometry_size geometry_fit(struct geometry_size source, struct geometry_size box,
                                  bool enlarge);

enum geometry_mode {
    GEOMETRY_INSIDE, /* the whole source, inside the box */
    GEOMETRY_COVER,  /* fills the box; the rest of the source is cut off, equally at both ends */
    GEOMETRY_FILL,   /* the whole source, stretched to the box */
};

/* The part of a source that is shown, and the size of its thumbnail. */
struct geometry_plan {
    struct geometry_size region;
    int left_px, top_px; /* of the region in the source */
    struct geometry_size thumbnail;
};

/* Unless `enlarge`, no side of the thumbnail is longer than the same side of the region. */
struct geometry_plan geometry_plan(struct geometry_size source, struct geometry_size box,
                                   enum geometry_mode mode, bool enlarge);

/* The integer factor by which Pillow shortens one side, by averaging pixels, before it applies the
 * bicubic filter. At least 1. */
int geometry_reduction(double source_px, int thumbnail_px);

/* The scale, in eighths (1, 2, 4 or 8), at which Pillow's Image.draft decodes a source that is not
 * blurred. */
int geometry_draft_scale(struct geometry_size source, struct geometry_size thumbnail);

/* The smallest scale, in eighths (1, 2, 4 or 8), at which a source can be decoded without a visible
 * difference in the thumbnail. */
int geometry_decode_scale(struct geometry_size source, struct geometry_size thumbnail,
                          double blur_sigma);

/* Whether an EXIF orientation (1 to 8) swaps width and height. */
bool geometry_swaps_sides(int orientation);

#endif
