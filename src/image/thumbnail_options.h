/* SPDX-License-Identifier: MIT */
/* thumbnail_options: what kind of thumbnail to make, the same for any number of images. */
#ifndef THUMBNAIL_OPTIONS_H
#define THUMBNAIL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "codec.h"

#define IMAGE_MAX_PIXELS UINT64_C(268435456) /* the default limit */

enum image_fit {
    IMAGE_INSIDE, /* the whole picture fits inside the box and keeps its aspect ratio */
    IMAGE_COVER,  /* the picture fills the box; the rest is cut off, equally at both ends */
    IMAGE_FILL,   /* the picture is stretched to the box */
};

struct thumbnail_options {
    int box_width_px;
    int box_height_px;
    enum image_fit fit;
    bool enlarge;                     /* false: no side becomes longer than it was */
    double blur_sigma;                /* Gaussian standard deviation in source pixels; 0: none */
    const struct image_codec *format; /* of the output; NULL: that of the source, by content */
    int quality;                      /* of JPEG output, 1 to 100 */
    bool progressive;                 /* JPEG output */
    bool optimize;                    /* smaller output, made more slowly */
    uint8_t background[3]; /* RGB, behind transparent pixels if the output has no alpha */
    uint64_t max_pixels;   /* larger pictures are refused; 0: IMAGE_MAX_PIXELS */
    bool keep_truncated;   /* make a thumbnail of the part of a truncated file that exists */
    bool orient;           /* apply the EXIF orientation before fitting the picture into the box */
    bool exact;            /* Pillow's pixels; holds the whole picture in memory */
};

#endif
