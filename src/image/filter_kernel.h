/* SPDX-License-Identifier: MIT */
/*
 * filter_kernel: the weights of a filter that turns decoded samples into thumbnail pixels, along
 * the width or the height of the picture. resample.h applies one kernel to the rows and one to the
 * columns. Pure.
 *
 * Each thumbnail pixel has one row of weights. A row combines four linear steps, with Pillow's
 * handling of the edges:
 *
 *  - Gaussian blur: three passes of an extended box filter (P. Gwosdek et al., "Theoretical
 *    foundations of Gaussian convolution by extended box filtering", 2011); edge pixels are
 *    repeated;
 *  - reduction: means of `reduction` pixels; the last mean may have fewer;
 *  - bicubic filter: a = -0.5 (R. Keys, "Cubic convolution interpolation for digital image
 *    processing", 1981), widened by the scale when it shrinks, cut at the edges and normalised;
 *  - scaled decoding: a decoded sample is the mean of 8 / `eighths` source pixels.
 */
#ifndef FILTER_KERNEL_H
#define FILTER_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "mpp_error.h"

/* Weights are fixed point; each row sums to exactly 1 << FILTER_KERNEL_ONE_BITS. */
#define FILTER_KERNEL_ONE_BITS   14
#define FILTER_KERNEL_TAPS_ALIGN 16
#define FILTER_KERNEL_SIGMA_MAX  1000.0

struct filter_kernel_shape {
    int source_px;
    int region_px;       /* length of the part of the source that the thumbnail shows */
    int region_first_px; /* where that part begins; counted from the end if `mirrored` */
    int thumbnail_px;
    int reduction;     /* at least 1 */
    int eighths;       /* 1, 2, 4 or 8: the scale of decoding */
    double blur_sigma; /* standard deviation in source pixels, 0 to FILTER_KERNEL_SIGMA_MAX */
    bool mirrored;     /* the steps begin at the other end, where the displayed picture begins */
};

struct filter_kernel {
    struct filter_kernel_shape shape;
    int samples;      /* decoded samples along this side */
    int taps;         /* weights in a row; a multiple of FILTER_KERNEL_TAPS_ALIGN */
    int *first;       /* for each thumbnail pixel: index of the first sample; never decreases */
    int *count;       /* for each thumbnail pixel: number of samples; the other weights are 0 */
    int16_t *weights; /* thumbnail_px rows of `taps` */
};

/* Computes a kernel. `kernel` is all zero, or was computed before; if it has this shape already,
 * nothing is done. -1: out of memory, or the blur is out of range; then `kernel` is empty. */
int filter_kernel_prepare(struct filter_kernel *kernel, const struct filter_kernel_shape *shape,
                          struct mpp_error *error);
void filter_kernel_release(struct filter_kernel *kernel);

#endif
