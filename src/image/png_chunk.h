/*
 * png_chunk: the chunks of a PNG file in memory, within its bounds. Pure.
 */
#ifndef PNG_CHUNK_H
#define PNG_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PNG_SIGNATURE_BYTES = 8 };

struct png_chunk {
    const uint8_t *type; /* four letters */
    const uint8_t *data;
    size_t size;
};

/* The chunk at *at, which begins behind the signature and becomes its end. False: there is no whole
 * one. */
bool png_chunk_next(const uint8_t *bytes, size_t size, size_t *at, struct png_chunk *chunk);

bool png_chunk_is(const struct png_chunk *chunk, const char *type);
bool png_chunk_is_good(const struct png_chunk *chunk); /* its CRC is right */

#endif
