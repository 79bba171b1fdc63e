/* SPDX-License-Identifier: MIT */
/*
 * png_chunk: walks over the chunks of a PNG file without reading past its end. Used for everything
 * that is read without libpng: profile, EXIF, and pictures that are inflated at once.
 */
#ifndef PNG_CHUNK_H
#define PNG_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byte_source.h"

enum { PNG_SIGNATURE_BYTES = 8 };

struct png_chunk {
    char type[4];
    uint64_t at; /* offset of its data in the file */
    size_t size; /* of its data */
};

/* Reads the head of the chunk at offset *at and sets *at to the chunk's end. The first chunk is at
 * PNG_SIGNATURE_BYTES. False: there is no complete chunk. `scratch` as in byte_source.h. */
bool png_chunk_next(const struct byte_source *source, uint64_t *at, struct png_chunk *chunk,
                    struct buf *scratch);

bool png_chunk_is(const struct png_chunk *chunk, const char *type);

/* The chunk's data. NULL: the checksum is wrong, or the data cannot be read. `scratch` as in
 * byte_source.h. */
const uint8_t *png_chunk_data(const struct byte_source *source, const struct png_chunk *chunk,
                              struct buf *scratch);

#endif
