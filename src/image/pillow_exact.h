/* SPDX-License-Identifier: MIT */
/*
 * pillow_exact: blurs and shrinks a picture in memory with the steps and the arithmetic of Pillow,
 * so that the result has the same bytes as Pillow's. Used for the option --exact. By default
 * resample.h is used, which is faster and needs less memory. Pure.
 *
 * The steps: three passes of an extended box filter along the rows and three along the columns,
 * each rounded to 8 bits; means of blocks of pixels; a bicubic filter along the rows, then along
 * the columns, in 22-bit fixed point.
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
    struct geometry_size source; /* of the decoded pixels */

    /* The size of the picture in decoded pixels. It is smaller than `source` by a part of a pixel
     * when scaled decoding has rounded the size up. */
    double region_width_px;
    double region_height_px;

    struct geometry_size thumbnail; /* the same as `source`: nothing is shrunk */
    struct geometry_plan cut;       /* a region smaller than `source` is cut out after the blur */
    int channels;                   /* 1 to 4 */
    bool alpha;                     /* the last channel is alpha */
    double blur_sigma;              /* 0: none */
};

/* `pixels` hold the source, rows without gaps, and are replaced by the thumbnail. -1: out of
 * memory; `pixels` is then empty. */
int pillow_exact_shrink(const struct pillow_exact_shape *shape, struct buf *pixels,
                        struct mpp_error *error);

#endif
