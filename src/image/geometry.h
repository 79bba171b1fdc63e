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

/* The largest size inside `box` with the source's aspect ratio; the source's own size when that
 * fits. The free side is rounded to the neighbour that keeps the ratio best, never below 1. All
 * sides at least 1. */
struct geometry_size geometry_fit(struct geometry_size source, struct geometry_size box);

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
