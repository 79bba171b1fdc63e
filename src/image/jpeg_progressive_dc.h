/*
 * jpeg_scans: the means of the blocks of a progressive JPEG, from its DC scans alone: two bytes a
 * block, where the library would hold every coefficient.
 *
 * It takes what is common and flawless; all else it leaves to the library.
 *
 * Source: ITU-T T.81 (1992), annexes B (markers) and G (progressive scans).
 */
#ifndef JPEG_PROGRESSIVE_DC_H
#define JPEG_PROGRESSIVE_DC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h> /* jpeglib.h needs FILE and size_t */

#include <jpeglib.h>

enum { JPEG_PROGRESSIVE_DC_MAX = 500 }; /* of a file: more are a bomb */

struct jpeg_progressive_dc_plane {
    int16_t *means; /* row by row; as in the file, not yet times their quantizer */
    size_t stride;  /* blocks in a row, those of whole MCUs */
};

struct jpeg_progressive_dc;

struct jpeg_progressive_dc *jpeg_progressive_dc_new(void); /* NULL: out of memory */
void jpeg_progressive_dc_free(struct jpeg_progressive_dc *scans);

/* `codec` has read the header and that of the first scan, what follows it is `bytes`. The planes of
 * its components stay valid until the next call. NULL: it is not for this decoder, or damaged, and
 * nothing has happened. */
const struct jpeg_progressive_dc_plane *
jpeg_progressive_dc_run(struct jpeg_progressive_dc *scans,
                        const struct jpeg_decompress_struct *codec, const uint8_t *bytes,
                        size_t size);

#endif
