/*
 * exact: Pillow's very pixels: blur and shrink with its arithmetic and its steps, on a whole
 * picture in memory. Pure.
 *
 * Three passes of an extended box along the rows, three down the columns, each rounded to 8 bits;
 * means of whole pixels; bicubic along the rows, then down the columns, in 22-bit fixed point.
 *
 * Sources: the behaviour of Pillow 9.4's GaussianBlur, Image.reduce and Image.resize; P. Gwosdek et
 * al., "Theoretical foundations of Gaussian convolution by extended box filtering", 2011; R. Keys,
 * "Cubic convolution interpolation for digital image processing", 1981.
 */
#ifndef PILLOW_EXACT_H
#define PILLOW_EXACT_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "geometry.h"
#include "mpp_error.h"

struct pillow_exact_shape {
    struct geometry_size source; /* of the pixels that are there */
    double region_width_px;  /* which of them are the picture, from the left and the top: all, */
    double region_height_px; /* or part of the last one, where a decoder rounded up */
    struct geometry_size thumbnail; /* equal to source: nothing is shrunk */
    struct geometry_plan cut;       /* when its region is smaller: that is cut out after the blur */
    int channels;                   /* 1 to 4 */
    bool alpha;                     /* the last of them */
    double blur_sigma;              /* 0: none */
};

/* `pixels`: rows of the source without gaps; it becomes the thumbnail. -1: out of memory. */
int pillow_exact_shrink(const struct pillow_exact_shape *shape, struct buf *pixels,
                        struct mpp_error *error);

#endif
