/*
 * jpeg_read: the rows of a JPEG in memory, decoded at n/8 of its size: gray, RGB or CMYK.
 *
 * One reader serves many images: open, start, row for each row, finish, close; close may come at
 * any time. Multi-picture files give their first picture.
 */
#ifndef JPEG_READ_H
#define JPEG_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mpp_error.h"

#define JPEG_MAX_MEMORY                                                                            \
    (1024L * 1024 * 1024) /* bytes; progressive decoding holds all coefficients */

struct jpeg_header {
    int width_px; /* as stored */
    int height_px;
    int channels;        /* of the rows that will come: 1, 3, or 4 for CMYK */
    bool inverted;       /* CMYK: 255 stands for no ink, as Adobe's marker says */
    int orientation;     /* 1 to 8, from EXIF */
    const void *profile; /* ICC; NULL: none. Stays until close */
    size_t profile_size;
};

struct jpeg_reader;

struct jpeg_reader *jpeg_reader_new(void); /* NULL: out of memory */
void jpeg_reader_free(struct jpeg_reader *reader);

/* Reads the header. `bytes` must stay until close. Spends no memory that grows with the picture. */
int jpeg_reader_open(struct jpeg_reader *reader, const void *bytes, size_t size,
                     struct jpeg_header *header, struct mpp_error *error);

enum jpeg_way {
    JPEG_EXACT =
        1, /* to the last bit as the library does; otherwise what hardly shows is left out */
    JPEG_KEEP_TRUNCATED = 2, /* what is cut off is made up, which counts as a warning */
};

/* Begins to decode at `eighths` (1, 2, 4 or 8): sides are the header's times eighths / 8, rounded
 * up. `way`: of enum jpeg_way, or 0. */
int jpeg_reader_start(struct jpeg_reader *reader, int eighths, unsigned way,
                      struct mpp_error *error);

/* The next row: scaled width x channels bytes. */
int jpeg_reader_row(struct jpeg_reader *reader, uint8_t *row, struct mpp_error *error);

/* After the last row: is what follows it an end? Rows that a damaged stream made up are betrayed by
 * nonsense there. That nothing follows is no error. */
int jpeg_reader_finish(struct jpeg_reader *reader, struct mpp_error *error);

/* Damage that was decoded over since open. */
int jpeg_reader_warnings(const struct jpeg_reader *reader);

void jpeg_reader_close(struct jpeg_reader *reader);

#endif
