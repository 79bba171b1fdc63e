/*
 * geometry: how large a thumbnail is, and how much of a JPEG has to be decoded for it. Pure.
 *
 * Source: the behaviour of Pillow's Image.thumbnail (reducing_gap 2.0), which the sizes and the box
 * reduction equal for every input.
 */
#ifndef GEOMETRY_H
#define GEOMETRY_H

#include <stdbool.h>

struct geometry_size {
    int width_px;
    int height_px;
};

/* The largest size inside `box` with the source's aspect ratio; unless `enlarge`, the source's own
 * size when that fits. The free side is rounded to the neighbour that keeps the ratio best, never
 * below 1. All sides at least 1. */
struct geometry_size geometry_fit(struct geometry_size source, struct geometry_size box,
                                  bool enlarge);

enum geometry_mode {
    GEOMETRY_INSIDE, /* all of the source, inside the box */
    GEOMETRY_COVER,  /* fills the box: what is left over is cut off, as much at both ends */
    GEOMETRY_FILL,   /* fills the box: the aspect ratio is given up */
};

/* Which part of a picture becomes a thumbnail of which size. */
struct geometry_plan {
    struct geometry_size region;
    int left_px, top_px; /* of it in the source */
    struct geometry_size thumbnail;
};

/* Unless `enlarge`, no side of the thumbnail is longer than that of the region. */
struct geometry_plan geometry_plan(struct geometry_size source, struct geometry_size box,
                                   enum geometry_mode mode, bool enlarge);

/* By which integer Pillow averages whole pixels before it filters, for one side. At least 1. */
int geometry_reduction(double source_px, int thumbnail_px);

/* In how many eighths Pillow decodes a JPEG that it need not blur, 1, 2, 4 or 8. */
int geometry_draft_scale(struct geometry_size source, struct geometry_size thumbnail);

/* In how many eighths a JPEG is to be decoded, 1, 2, 4 or 8. */
int geometry_dct_scale(struct geometry_size source, struct geometry_size thumbnail,
                       double blur_sigma);

/* Do the EXIF orientations (1 to 8) swap the sides? */
bool geometry_swaps_sides(int orientation);

#endif
