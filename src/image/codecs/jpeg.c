/* SPDX-License-Identifier: MIT */
/*
 * The JPEG format, a row of the codec table: see codec.h.
 *
 * Decoding is in jpeg_read.c, which uses libjpeg or, at small scales, jpeg_scaled_decode.c.
 * Encoding is in jpeg_write.c.
 */
#include "codec.h"
#include "jpeg_read.h"
#include "jpeg_write.h"

#include <string.h>

static const char *const extensions[] = {".jpg", ".jpeg", ".jpe", ".jfif", NULL};

static bool sniff(const uint8_t *bytes, size_t size)
{
    static const uint8_t start[] = {0xFF, 0xD8, 0xFF}; /* SOI and the start of any marker */
    return size >= sizeof start && memcmp(bytes, start, sizeof start) == 0;
}

static void *decoder_new(void)
{
    return jpeg_reader_new();
}

static void decoder_free(void *decoder)
{
    jpeg_reader_free(decoder);
}

static int open_source(void *decoder, const struct byte_source *source, unsigned mode,
                       struct image_header *header, struct mpp_error *error)
{
    return jpeg_reader_open(decoder, source->bytes, (size_t)source->size, mode, header, error);
}

static int start(void *decoder, int eighths, struct mpp_error *error)
{
    return jpeg_reader_start(decoder, eighths, error);
}

static int read_row(void *decoder, uint8_t *row, struct mpp_error *error)
{
    return jpeg_reader_row(decoder, row, error);
}

static int finish(void *decoder, struct mpp_error *error)
{
    return jpeg_reader_finish(decoder, error);
}

static int warnings(const void *decoder)
{
    return jpeg_reader_warnings(decoder);
}

static void close_source(void *decoder)
{
    jpeg_reader_close(decoder);
}

static void *encoder_new(void)
{
    return jpeg_writer_new();
}

static void encoder_free(void *encoder)
{
    jpeg_writer_free(encoder);
}

static int encode(void *encoder, const struct image_pixels *pixels,
                  const struct image_encoding *encoding, struct buf *out, struct mpp_error *error)
{
    return jpeg_write(encoder, pixels, encoding, out, error);
}

const struct image_codec image_codec_jpeg = {
    .name = "jpeg",
    .title = "JPEG",
    .extensions = extensions,
    .scales = 1 | 2 | 4 | 8,
    .sniff = sniff,
    .decoder_new = decoder_new,
    .decoder_free = decoder_free,
    .open = open_source,
    .start = start,
    .read_row = read_row,
    .finish = finish,
    .warnings = warnings,
    .close = close_source,
    .encoder_new = encoder_new,
    .encoder_free = encoder_free,
    .encode = encode,
};
