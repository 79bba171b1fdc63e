/* SPDX-License-Identifier: MIT */
/*
 * jpeg_progressive_dc: decodes only the DC coefficients of a progressive JPEG, which give the
 * picture at 1/8 of its size. The other scans are skipped, and memory is two bytes for each block;
 * libjpeg would keep every coefficient. Called by jpeg_scaled_decode.c.
 *
 * It decodes common files without errors and refuses all others, which libjpeg then decodes.
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

enum { JPEG_SCANS_MAX = 500 }; /* of a file; more would be a decompression bomb */

struct jpeg_progressive_dc_plane {
    int16_t *values; /* of the blocks, row by row; as in the file, not yet times the quantizer */
    size_t stride;   /* blocks in a row, with those that fill up the last MCU */
};

struct jpeg_progressive_dc;

struct jpeg_progressive_dc *jpeg_progressive_dc_new(void); /* NULL: out of memory */
void jpeg_progressive_dc_free(struct jpeg_progressive_dc *dc);

/* Decodes a file. `cinfo` has read its header up to the first scan; `bytes` are the rest of the
 * file. Returns a plane for each component, valid until the next call. NULL: the file is refused;
 * `cinfo` is unchanged. */
const struct jpeg_progressive_dc_plane *
jpeg_progressive_dc_run(struct jpeg_progressive_dc *dc, const struct jpeg_decompress_struct *cinfo,
                        const uint8_t *bytes, size_t size);

#endif
