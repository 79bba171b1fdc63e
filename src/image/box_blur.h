/*
 * box: the box whose three passes stand for a Gaussian blur. Pure.
 *
 * Source: P. Gwosdek, S. Grewenig, A. Bruhn, J. Weickert, "Theoretical foundations of Gaussian
 * convolution by extended box filtering", 2011; single precision where Pillow has it.
 */
#ifndef BOX_BLUR_H
#define BOX_BLUR_H

#include <stdint.h>

#define BOX_ONE (1 << 24)

struct box_blur {
    int radius;         /* whole pixels on each side of the centre */
    uint32_t inner_24;  /* weight of each of those and of the centre, of BOX_ONE */
    uint32_t fringe_24; /* weight of the one pixel beyond, on each side */
};

/* The extended box whose three passes have the variance of the Gaussian; sigma in pixels, above 0.
 */
struct box_blur box_blur_of_sigma(double sigma);

#endif
