/* SPDX-License-Identifier: MIT */
/*
 * The PGM and PPM formats (Netpbm's P5 and P6, 8 bits), for tests only: a minimal codec in one
 * file. IMAGE_EXTRA_CODECS adds it to the codec table, see image.cmake.
 */
#include "codec.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ppm_decoder {
    const uint8_t *bytes;
    size_t size;
    size_t at; /* of the next row */
    size_t row_bytes;
    bool keep_truncated;
    int warnings;
};

static const char *const extensions[] = {".ppm", ".pgm", NULL};

static bool sniff(const uint8_t *bytes, size_t size)
{
    return size >= 3 && bytes[0] == 'P' && (bytes[1] == '5' || bytes[1] == '6') && bytes[2] == '\n';
}

static void *decoder_new(void)
{
    return calloc(1, sizeof(struct ppm_decoder));
}

static void decoder_free(void *decoder)
{
    free(decoder);
}

static int open_source(void *opaque, const struct byte_source *source, unsigned mode,
                       struct image_header *header, struct mpp_error *error)
{
    struct ppm_decoder *decoder = opaque;
    char head[64] = "";
    int kind, width, height, end = 0;

    memcpy(head, source->bytes,
           source->size < sizeof head ? (size_t)source->size : sizeof head - 1);
    /* One white-space byte ends the header; "\n" in the format would skip any number of them. */
    if (sscanf(head, "P%d\n%d %d\n255%n", &kind, &width, &height, &end) != 3 || !end ||
        !isspace((unsigned char)head[end]) || width < 1 || height < 1 || width > INT_MAX / 3)
        return mpp_error_set(error, "broken PPM");
    *header = (struct image_header){
        .width_px = width, .height_px = height, .channels = kind == 6 ? 3 : 1, .orientation = 1};
    *decoder = (struct ppm_decoder){.bytes = source->bytes,
                                    .size = (size_t)source->size,
                                    .at = (size_t)end + 1,
                                    .row_bytes = (size_t)(width * header->channels),
                                    .keep_truncated = mode & IMAGE_DECODE_KEEP_TRUNCATED};
    return 0;
}

static int start(void *decoder, int eighths, struct mpp_error *error)
{
    (void)decoder;
    return eighths == 8 ? 0 : mpp_error_set(error, "a PPM cannot be decoded at %d/8", eighths);
}

static int read_row(void *opaque, uint8_t *row, struct mpp_error *error)
{
    struct ppm_decoder *decoder = opaque;

    if (decoder->row_bytes <= decoder->size - decoder->at) {
        memcpy(row, decoder->bytes + decoder->at, decoder->row_bytes);
        decoder->at += decoder->row_bytes;
        return 0;
    }
    if (!decoder->keep_truncated)
        return mpp_error_set(error, "truncated PPM");
    memset(row, 0, decoder->row_bytes);
    decoder->warnings = 1;
    return 0;
}

static int finish(void *decoder, struct mpp_error *error)
{
    (void)decoder;
    (void)error;
    return 0;
}

static int warnings(const void *opaque)
{
    const struct ppm_decoder *decoder = opaque;
    return decoder->warnings;
}

static void close_source(void *decoder)
{
    memset(decoder, 0, sizeof(struct ppm_decoder));
}

static int encode(void *encoder, const struct image_pixels *pixels,
                  const struct image_encoding *encoding, struct buf *out, struct mpp_error *error)
{
    char head[64];
    int size = snprintf(head, sizeof head, "P%d\n%d %d\n255\n", pixels->channels == 3 ? 6 : 5,
                        pixels->width_px, pixels->height_px);

    (void)encoder;
    (void)encoding;
    buf_put(out, head, (size_t)size);
    buf_put(out, pixels->bytes,
            (size_t)pixels->width_px * (size_t)pixels->height_px * (size_t)pixels->channels);
    return out->failed ? mpp_error_set(error, "out of memory") : 0;
}

const struct image_codec image_codec_ppm = {
    .name = "ppm",
    .title = "PPM",
    .extensions = extensions,
    .scales = 8,
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
