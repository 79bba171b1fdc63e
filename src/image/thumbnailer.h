/* SPDX-License-Identifier: MIT */
/*
 * thumbnailer: makes a thumbnail of one image. Input and output are the bytes of image files.
 *
 * It opens no files and starts no processes. A thumbnailer keeps decoders, encoders and filter
 * tables from one image to the next, so a process should use one thumbnailer for all its images. It
 * must not be used by two threads at a time.
 *
 *     struct thumbnailer *thumbnailer = thumbnailer_new();
 *     struct byte_source source = {.bytes = file, .size = file_size};
 *     if (thumbnailer_run(thumbnailer, &source, &options, &out, &info, &error))
 *         ... error.text ...
 *
 * The result is that of Pillow's open, ImageOps.exif_transpose, GaussianBlur(blur_sigma),
 * thumbnail(box) and save: with `exact` the same pixels, otherwise a picture that looks the same.
 */
#ifndef THUMBNAILER_H
#define THUMBNAILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "byte_source.h"
#include "codec.h"
#include "mpp_error.h"

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

struct thumbnail_info {
    const struct image_codec *source_format;
    const struct image_codec *format; /* of the output */
    int source_width_px;              /* as displayed: with the orientation applied */
    int source_height_px;
    int width_px; /* of the thumbnail */
    int height_px;
    int warnings; /* defects of the file that the decoder worked around */
};

struct thumbnailer;

struct thumbnailer *thumbnailer_new(void); /* NULL: out of memory */
void thumbnailer_free(struct thumbnailer *thumbnailer);

/* Appends the encoded thumbnail to `out` and fills `info`. The source must be in memory unless its
 * codec `streams`. Memory that grows with the picture is allocated only after the size in the
 * header has been checked.
 *
 * -1: the image cannot be used; the contents of `out` are then unchanged. `error` says why in a few
 * words that can follow "mpthumb: 'FILE': ", for example "truncated JPEG after row 120 of 480". */
int thumbnailer_run(struct thumbnailer *thumbnailer, const struct byte_source *source,
                    const struct thumbnail_options *options, struct buf *out,
                    struct thumbnail_info *info, struct mpp_error *error);

#endif
