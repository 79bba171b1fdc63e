/*
 * image: from the bytes of a JPEG or PNG file to the bytes of its thumbnail. No files, no
 * processes.
 *
 * Everything here is called from one thread of one process; a thumbnailer keeps decoders and tables
 * from one image to the next. Reference: Pillow's open, ImageOps.exif_transpose,
 * GaussianBlur(blur_sigma), thumbnail(box), save.
 */
#ifndef THUMBNAILER_H
#define THUMBNAILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "byte_source.h"
#include "mpp_error.h"

enum image_format {
    IMAGE_UNKNOWN,
    IMAGE_JPEG,
    IMAGE_PNG,
};

/* By content: the magic bytes at the start. Needs at most 16 bytes. */
enum image_format image_sniff(const void *bytes, size_t size);

/* By name: .jpg .jpeg .jpe .jfif .png in any case; IMAGE_UNKNOWN for every other extension. */
enum image_format image_format_of_name(const char *name);

#define IMAGE_MAX_PIXELS UINT64_C(268435456) /* the usual limit */

enum image_fit {
    IMAGE_INSIDE, /* the whole picture fits inside the box and keeps its aspect ratio */
    IMAGE_COVER,  /* the box is filled; what is left over is cut off evenly at both ends */
    IMAGE_FILL,   /* the box is filled, and the picture distorted */
};

struct thumbnail_options {
    int box_width_px;
    int box_height_px;
    enum image_fit fit;
    bool enlarge;             /* small pictures too; otherwise no side becomes longer than it was */
    double blur_sigma;        /* Gaussian standard deviation in source pixels; 0: none */
    enum image_format format; /* of the output; IMAGE_UNKNOWN: the input's, by content */
    int quality;              /* of JPEG output, 1 to 100 */
    bool progressive;         /* JPEG output */
    bool optimize;            /* smaller output, made more slowly */
    uint8_t background[3];    /* RGB, below what is transparent in a JPEG */
    uint64_t max_pixels;      /* more are refused before memory is spent; 0: IMAGE_MAX_PIXELS */
    bool keep_truncated;      /* what there is of a file that is cut off; otherwise it is refused */
    bool orient;              /* apply the EXIF orientation (before the box is fitted) */
    bool exact;               /* Pillow's very pixels; the whole picture is held in memory */
};

struct thumbnail_info {
    enum image_format source_format;
    enum image_format format;
    int source_width_px; /* as seen: after the orientation was applied */
    int source_height_px;
    int width_px;
    int height_px;
    int warnings; /* of the decoder: the file is damaged but was decoded */
};

struct thumbnailer;

struct thumbnailer *thumbnailer_new(void); /* NULL: out of memory */
void thumbnailer_free(struct thumbnailer *thumbnailer);

/* The source must be in memory unless it is a PNG. Appends the encoded thumbnail to `out`. -1:
 * error says what is wrong with the image in a few words that follow "mpthumb: 'FILE': " well, for
 * example "truncated JPEG after row 120 of 480". */
int thumbnailer_run(struct thumbnailer *thumbnailer, const struct byte_source *source,
                    const struct thumbnail_options *options, struct buf *out,
                    struct thumbnail_info *info, struct mpp_error *error);

#endif
