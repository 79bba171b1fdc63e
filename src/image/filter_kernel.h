/*
 * kernel: the weights by which source samples make the samples of a thumbnail, along one side.
 * Pure.
 *
 * One row of weights does the work of four linear steps, composed exactly with their handling of
 * the edges:
 *
 *  - Gaussian blur: three passes of an extended box (P. Gwosdek et al., "Theoretical foundations of
 *    Gaussian convolution by extended box filtering", 2011), edge pixels repeated;
 *  - reduction: means of `reduction` pixels; the last mean may have fewer;
 *  - bicubic: a = -0.5 (R. Keys, 1981), widened by the scale where it shrinks, cut at the edges and
 *    normalised;
 *  - decoded scale: source pixels that a JPEG decoder delivers already averaged, 8 / `eighths` to a
 *    sample.
 */
#ifndef FILTER_KERNEL_H
#define FILTER_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "mpp_error.h"

#define FILTER_KERNEL_ONE_BITS                                                                     \
    14 /* weights are fixed point; a row sums to 1 << FILTER_KERNEL_ONE_BITS exactly                      \
        */
#define FILTER_KERNEL_TAPS_ALIGN 16
#define FILTER_KERNEL_SIGMA_MAX  1000.0

struct filter_kernel_shape {
    int source_px;
    int region_px; /* of those are shrunk, the others cut off: see region_first_px */
    int thumbnail_px;
    int reduction;       /* at least 1 */
    int eighths;         /* 1, 2, 4 or 8: the scale at which the samples come */
    double blur_sigma;   /* 0 to FILTER_KERNEL_SIGMA_MAX */
    bool mirrored;       /* the reference counts from the other end */
    int region_first_px; /* counted from there */
};

struct filter_kernel {
    struct filter_kernel_shape shape;
    int samples;      /* that come along this side */
    int taps;         /* of a row, a multiple of FILTER_KERNEL_TAPS_ALIGN */
    int *first;       /* per thumbnail sample: the source sample of its first weight; never falls */
    int *count;       /* weights that are there; zeros follow up to `taps` */
    int16_t *weights; /* thumbnail_px rows of `taps` */
};

/* Fills `kernel`, which is zero or holds an older one (then its memory is used again, and its
 * weights too if the shape is the same). -1: out of memory or a shape out of range. */
int filter_kernel_prepare(struct filter_kernel *kernel, const struct filter_kernel_shape *shape,
                          struct mpp_error *error);
void filter_kernel_release(struct filter_kernel *kernel);

#endif
