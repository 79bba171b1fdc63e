/* SPDX-License-Identifier: MIT */
/*
 * The PNG format, a row of the codec table: see codec.h.
 *
 * Decoding is in png_read.c, which uses libpng or, for files of moderate size, png_whole_decode.c.
 * Encoding is in png_write.c and keeps nothing between two images.
 */
#include "codec.h"
#include "png_read.h"
#include "png_write.h"

#include <string.h>

static const char *const extensions[] = {".png", NULL};

static bool sniff(const uint8_t *bytes, size_t size)
{
    static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    return size >= sizeof signature && memcmp(bytes, signature, sizeof signature) == 0;
}

static void *decoder_new(void)
{
    return png_reader_new();
}

static void decoder_free(void *decoder)
{
    png_reader_free(decoder);
}

static int open_source(void *decoder, const struct byte_source *source, unsigned mode,
                       struct image_header *header, struct mpp_error *error)
{
    return png_reader_open(decoder, source, mode, header, error);
}

static int start(void *decoder, int eighths, struct mpp_error *error)
{
    (void)eighths; /* always 8 */
    (void)error;
    png_reader_start(decoder);
    return 0;
}

static int read_row(void *decoder, uint8_t *row, struct mpp_error *error)
{
    return png_reader_row(decoder, row, error);
}

/* What follows the last row does not matter: each row was complete. */
static int finish(void *decoder, struct mpp_error *error)
{
    (void)decoder;
    (void)error;
    return 0;
}

static int warnings(const void *decoder)
{
    return png_reader_warnings(decoder);
}

static void close_source(void *decoder)
{
    png_reader_close(decoder);
}

static int encode(void *encoder, const struct image_pixels *pixels,
                  const struct image_encoding *encoding, struct buf *out, struct mpp_error *error)
{
    (void)encoder;
    return png_write(pixels, encoding, out, error);
}

const struct image_codec image_codec_png = {
    .name = "png",
    .title = "PNG",
    .extensions = extensions,
    .streams = true,
    .scales = 8,
    .holds_alpha = true,
    .sniff = sniff,
    .decoder_new = decoder_new,
    .decoder_free = decoder_free,
    .open = open_source,
    .start = start,
    .read_row = read_row,
    .finish = finish,
    .warnings = warnings,
    .close = close_source,
    .encode = encode,
};
