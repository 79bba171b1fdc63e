/*
 * jpeg_write: a small picture to JPEG bytes: 4:2:0, no metadata but a colour profile.
 */
#ifndef JPEG_WRITE_H
#define JPEG_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "mpp_error.h"

struct jpeg_writer; /* keeps libjpeg's compressor from one picture to the next */

struct jpeg_writer *jpeg_writer_new(void); /* NULL: out of memory */
void jpeg_writer_free(struct jpeg_writer *writer);

struct jpeg_writing {
    int quality; /* 1 to 100 */
    bool progressive;
    bool optimize;       /* Huffman tables of its own: smaller, and slower */
    const void *profile; /* ICC, to be embedded; NULL: none */
    size_t profile_size;
};

/* Appends to `out`. `pixels`: rows without gaps, 1 (gray) or 3 (RGB) bytes a pixel. On -1 `out` may
 * have grown. */
int jpeg_write(struct jpeg_writer *writer, const uint8_t *pixels, int width_px, int height_px,
               int channels, const struct jpeg_writing *how, struct buf *out,
               struct mpp_error *error);

#endif
