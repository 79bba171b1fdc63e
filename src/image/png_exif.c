/*
 * png_exif: a bounded walk over the chunks. A text profile is inflated no further than the first
 * directory is ever found in.
 */
#include "png_exif.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ZLIB_CONST /* next_in points to const */
#include <zlib.h>

#include "exif.h"

#define TEXT_SIZE 16384 /* bytes of hexadecimal looked at: half as many of EXIF */

struct chunk {
    const uint8_t *type; /* four letters */
    const uint8_t *data;
    size_t length;
};

/* The next whole chunk at `*at`; false when there is none. */
static bool next_chunk(const uint8_t *bytes, size_t size, size_t *at, struct chunk *chunk)
{
    const uint8_t *p = bytes + *at;
    const size_t around = 12; /* length, type and CRC */

    if (size < *at || size - *at < around)
        return false;
    chunk->length = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    if (chunk->length > size - *at - around)
        return false;
    chunk->type = p + 4;
    chunk->data = p + 8;
    *at += around + chunk->length;
    return true;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "\nexif\n   LENGTH\n" and then digits, broken into lines. They are turned into bytes in place. */
static int orientation_of_hex(uint8_t *text, size_t size)
{
    size_t lines = 0;
    size_t digits = 0;
    size_t at = 0;

    while (at < size && lines < 3)
        lines += text[at++] == '\n';
    for (; at < size; at++) {
        int digit = hex_digit(text[at]);

        if (digit < 0)
            continue;
        if (digits % 2 == 0)
            text[digits / 2] = (uint8_t)(digit << 4);
        else
            text[digits / 2] |= (uint8_t)digit;
        digits++;
    }
    return exif_orientation(text, digits / 2);
}

static int orientation_of_ztxt(const uint8_t *data, size_t length)
{
    uint8_t text[TEXT_SIZE];
    z_stream stream = {
        .next_in = data, .avail_in = (uInt)length, .next_out = text, .avail_out = sizeof(text)};

    if (inflateInit(&stream) != Z_OK)
        return EXIF_ORIENTATION_NORMAL;
    inflate(&stream, Z_SYNC_FLUSH); /* whatever it says: what came out is judged */
    inflateEnd(&stream);
    return orientation_of_hex(text, sizeof(text) - stream.avail_out);
}

static int orientation_of_text(const struct chunk *chunk)
{
    static const char keyword[] = "Raw profile type exif"; /* its zero ends it in the chunk too */
    uint8_t text[TEXT_SIZE];
    size_t length = chunk->length;

    if (length < sizeof(keyword) + 1 || memcmp(chunk->data, keyword, sizeof(keyword)) != 0)
        return EXIF_ORIENTATION_NORMAL;
    if (memcmp(chunk->type, "zTXt", 4) == 0) /* one byte more: the method, always deflate */
        return orientation_of_ztxt(chunk->data + sizeof(keyword) + 1, length - sizeof(keyword) - 1);
    length -= sizeof(keyword);
    if (length > sizeof(text))
        length = sizeof(text);
    memcpy(text, chunk->data + sizeof(keyword), length);
    return orientation_of_hex(text, length);
}

int png_exif_orientation(const void *bytes, size_t size)
{
    int orientation = EXIF_ORIENTATION_NORMAL;
    struct chunk chunk;
    size_t at = 8; /* behind the signature */

    while (next_chunk(bytes, size, &at, &chunk)) {
        if (memcmp(chunk.type, "eXIf", 4) == 0)
            return exif_orientation(chunk.data, chunk.length);
        if (memcmp(chunk.type, "zTXt", 4) == 0 || memcmp(chunk.type, "tEXt", 4) == 0) {
            int found = orientation_of_text(&chunk);

            if (found != EXIF_ORIENTATION_NORMAL)
                orientation = found;
        }
    }
    return orientation;
}
