/*
 * png_read: the rows of a PNG, 8 bits a channel: gray, gray and alpha, RGB or RGBA.
 *
 * Palettes, bits below 8 and transparent colours are expanded, 16 bits rounded. Rows stream, but
 * for an interlaced file, which is held whole. Of an animation the first picture comes. gAMA is
 * not applied.
 */
#ifndef PNG_READ_H
#define PNG_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byte_source.h"
#include "mpp_error.h"

#define PNG_MAX_SIDE_PX     1000000
#define PNG_MAX_CHUNK_BYTES 8000000 /* of one chunk other than IDAT, inflated */

struct png_header {
    int width_px;
    int height_px;
    int channels;        /* of the rows that will come: 1 to 4, alpha last */
    int orientation;     /* 1 to 8, from EXIF */
    const void *profile; /* ICC; NULL: none. Stays until close */
    size_t profile_size;
};

struct png_reader;

struct png_reader *png_reader_new(void); /* NULL: out of memory */
void png_reader_free(struct png_reader *reader);

/* Reads up to the picture. `source` must stay until close. Spends no memory that grows with the
 * picture. exact: as Pillow loads it: 16 bits are cut to 8, and the transparent colour of gray and
 * RGB is a colour like others. */
int png_reader_open(struct png_reader *reader, const struct byte_source *source, bool exact,
                    struct png_header *header, struct mpp_error *error);

/* From now on rows that are cut off are black, or transparent where there is alpha, which counts as
 * a warning. */
void png_reader_keep_truncated(struct png_reader *reader);

/* The next of height_px rows: width x channels bytes. */
int png_reader_row(struct png_reader *reader, uint8_t *row, struct mpp_error *error);

/* Damage that was decoded over since open. */
int png_reader_warnings(const struct png_reader *reader);

void png_reader_close(struct png_reader *reader);

#endif
