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
#include "png_chunk.h"

#define CHUNK_MAX_BYTES 1000000 /* larger ones are passed over */
#define TEXT_SIZE       16384   /* bytes of hexadecimal looked at: half as many of EXIF */

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

static int orientation_of_text(const uint8_t *data, size_t length, bool packed)
{
    static const char keyword[] = "Raw profile type exif"; /* its zero ends it in the chunk too */
    uint8_t text[TEXT_SIZE];

    if (length < sizeof(keyword) + 1 || memcmp(data, keyword, sizeof(keyword)) != 0)
        return EXIF_ORIENTATION_NORMAL;
    if (packed) /* one byte more: the method, always deflate */
        return orientation_of_ztxt(data + sizeof(keyword) + 1, length - sizeof(keyword) - 1);
    length -= sizeof(keyword);
    if (length > sizeof(text))
        length = sizeof(text);
    memcpy(text, data + sizeof(keyword), length);
    return orientation_of_hex(text, length);
}

int png_exif_orientation(const struct byte_source *source)
{
    int orientation = EXIF_ORIENTATION_NORMAL;
    struct buf scratch = BUF_INIT;
    struct png_chunk chunk;
    uint64_t at = PNG_SIGNATURE_BYTES;

    while (png_chunk_next(source, &at, &chunk, &scratch)) {
        bool exif = png_chunk_is(&chunk, "eXIf"), packed = png_chunk_is(&chunk, "zTXt");
        const uint8_t *data;

        if (chunk.size > CHUNK_MAX_BYTES || !(exif || packed || png_chunk_is(&chunk, "tEXt")) ||
            (data = png_chunk_data(source, &chunk, &scratch)) == NULL)
            continue;
        if (exif) {
            orientation = exif_orientation(data, chunk.size);
            break;
        }
        int found = orientation_of_text(data, chunk.size, packed);
        if (found != EXIF_ORIENTATION_NORMAL)
            orientation = found;
    }
    buf_release(&scratch);
    return orientation;
}
