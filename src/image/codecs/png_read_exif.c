/* SPDX-License-Identifier: MIT */
/*
 * Finds the EXIF orientation of a PNG: see png_read_exif.h. Work and memory are bounded: large
 * chunks are skipped, and only the start of a text is inflated, which contains the orientation.
 */
#include "png_read_exif.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ZLIB_CONST /* next_in points to const */
#include <zlib.h>

#include "exif.h"
#include "png_chunk.h"

#define CHUNK_MAX_BYTES 1000000 /* larger chunks are skipped */
#define TEXT_SIZE       16384   /* bytes of hexadecimal text that are read */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* `text` is "\nexif\n   LENGTH\n" and then digits in lines. They are converted to bytes in
 * place. */
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
    inflate(&stream, Z_SYNC_FLUSH); /* after an error the bytes inflated before it are used */
    inflateEnd(&stream);
    return orientation_of_hex(text, sizeof(text) - stream.avail_out);
}

static int orientation_of_text(const uint8_t *data, size_t length, bool compressed)
{
    static const char keyword[] = "Raw profile type exif"; /* with its zero byte, as in the chunk */
    uint8_t text[TEXT_SIZE];

    if (length < sizeof(keyword) + 1 || memcmp(data, keyword, sizeof(keyword)) != 0)
        return EXIF_ORIENTATION_NORMAL;
    if (compressed) /* one more byte names the method, which is always deflate */
        return orientation_of_ztxt(data + sizeof(keyword) + 1, length - sizeof(keyword) - 1);
    length -= sizeof(keyword);
    if (length > sizeof(text))
        length = sizeof(text);
    memcpy(text, data + sizeof(keyword), length);
    return orientation_of_hex(text, length);
}

int png_read_exif_orientation(const struct byte_source *source)
{
    int orientation = EXIF_ORIENTATION_NORMAL;
    struct buf scratch = BUF_INIT;
    struct png_chunk chunk;
    uint64_t at = PNG_SIGNATURE_BYTES;

    while (png_chunk_next(source, &at, &chunk, &scratch)) {
        bool exif = png_chunk_is(&chunk, "eXIf"), compressed = png_chunk_is(&chunk, "zTXt");
        const uint8_t *data;

        if (chunk.size > CHUNK_MAX_BYTES || !(exif || compressed || png_chunk_is(&chunk, "tEXt")) ||
            !(data = png_chunk_data(source, &chunk, &scratch)))
            continue;
        if (exif) {
            orientation = exif_orientation(data, chunk.size);
            break;
        }
        int found = orientation_of_text(data, chunk.size, compressed);
        if (found != EXIF_ORIENTATION_NORMAL)
            orientation = found;
    }
    buf_release(&scratch);
    return orientation;
}
