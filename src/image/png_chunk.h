/*
 * png_chunk: the chunks of a PNG file, within its bounds. Pure.
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
    uint64_t at; /* of its data */
    size_t size;
};

/* The chunk at *at, which begins behind the signature and becomes its end. False: there is no whole
 * one. `scratch` as in byte_source.h. */
bool png_chunk_next(const struct byte_source *source, uint64_t *at, struct png_chunk *chunk,
                    struct buf *scratch);

bool png_chunk_is(const struct png_chunk *chunk, const char *type);

/* Its data, when their CRC is right; else NULL. */
const uint8_t *png_chunk_data(const struct byte_source *source, const struct png_chunk *chunk,
                              struct buf *scratch);

#endif
