/* SPDX-License-Identifier: MIT */
/* thumbnail_info: what is known about an image and its thumbnail once the thumbnail is made. */
#ifndef THUMBNAIL_INFO_H
#define THUMBNAIL_INFO_H

#include "codec.h"

struct thumbnail_info {
    const struct image_codec *source_format;
    const struct image_codec *format; /* of the output */
    int source_width_px;              /* as displayed: with the orientation applied */
    int source_height_px;
    int width_px; /* of the thumbnail */
    int height_px;
    int warnings; /* defects of the file that the decoder worked around */
};

#endif
