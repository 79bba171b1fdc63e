/*
 * png_whole: a PNG of moderate size, inflated at once, which is much faster than bit by bit.
 */
#ifndef PNG_WHOLE_DECODE_H
#define PNG_WHOLE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byte_source.h"
#include "png_unpack.h"

#define PNG_WHOLE_DECODE_MAX_BYTES                                                                 \
    ((size_t)48 << 20) /* of a picture; larger ones had better stream */

struct png_whole_decode;

struct png_whole_decode *png_whole_decode_new(void); /* NULL: out of memory */
void png_whole_decode_free(struct png_whole_decode *whole);

/* The PNG file, whose header says what the layout tells; both must stay. False: it is too large or
 * not in memory, or something is wrong with it, or memory is out: who reads it row by row will
 * learn what and where. */
bool png_whole_decode_begin(struct png_whole_decode *whole, const struct byte_source *source,
                            const struct png_layout *layout);

/* The next row, width x channels bytes. False: a row has no such filter. */
bool png_whole_decode_row(struct png_whole_decode *whole, uint8_t *row);

void png_whole_decode_end(struct png_whole_decode *whole); /* gives large buffers back */

#endif
