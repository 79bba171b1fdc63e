/* SPDX-License-Identifier: MIT */
/*
 * Makes image files for tests with libjpeg and libpng: see image_fixture.h. PNGs have random
 * pixels, from a fixed seed.
 */
#include "image_fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

uint8_t fixture_value(int x, int y, int channel)
{
    switch (channel) {
    case 0:
        return (uint8_t)(40 + 3 * x);
    case 1:
        return (uint8_t)(200 - 2 * y);
    default:
        return (uint8_t)(60 + x + y);
    }
}

static void fill_row(const struct jpeg_fixture *fixture, int y, int channels, uint8_t *row)
{
    for (int x = 0; x < fixture->width; x++) {
        for (int c = 0; c < channels; c++)
            row[x * channels + c] =
                fixture->constant ? fixture->constant[c] : fixture_value(x, y, c);
    }
}

static void configure(const struct jpeg_fixture *fixture, struct jpeg_compress_struct *cinfo)
{
    static const J_COLOR_SPACE in[] = {JCS_GRAYSCALE, JCS_RGB, JCS_CMYK, JCS_CMYK};
    static const J_COLOR_SPACE stored[] = {JCS_GRAYSCALE, JCS_YCbCr, JCS_CMYK, JCS_YCCK};
    static const int channels[] = {1, 3, 4, 4};

    cinfo->image_width = (JDIMENSION)fixture->width;
    cinfo->image_height = (JDIMENSION)fixture->height;
    cinfo->input_components = channels[fixture->colors];
    cinfo->in_color_space = in[fixture->colors];
    jpeg_set_defaults(cinfo);
    jpeg_set_colorspace(cinfo, stored[fixture->colors]);
    jpeg_set_quality(cinfo, fixture->quality != 0 ? fixture->quality : 95, TRUE);
    if (fixture->progressive)
        jpeg_simple_progression(cinfo);
    if (fixture->no_adobe)
        cinfo->write_Adobe_marker = FALSE;
    cinfo->restart_in_rows = fixture->restart_interval;
}

void jpeg_fixture_write(const struct jpeg_fixture *fixture, struct buf *out)
{
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    uint8_t *row = calloc((size_t)fixture->width, 4);

    assert(row);
    cinfo.err = jpeg_std_error(&errors);
    jpeg_create_compress(&cinfo);
    jpeg_mem_dest(&cinfo, &bytes, &size);
    configure(fixture, &cinfo);
    jpeg_start_compress(&cinfo, TRUE);
    if (fixture->exif)
        jpeg_write_marker(&cinfo, JPEG_APP0 + 1, fixture->exif, fixture->exif_size);
    for (int y = 0; y < fixture->height; y++) {
        fill_row(fixture, y, cinfo.input_components, row);
        jpeg_write_scanlines(&cinfo, &row, 1);
    }
    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);
    buf_put(out, bytes, size);
    free(bytes);
    free(row);
}

static void append_bytes(png_structp png, png_bytep bytes, size_t size)
{
    buf_put(png_get_io_ptr(png), bytes, size);
}

static void no_flush(png_structp png)
{
    (void)png;
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

static int samples_per_pixel(int color_type)
{
    switch (color_type) {
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        return 2;
    case PNG_COLOR_TYPE_RGB:
        return 3;
    case PNG_COLOR_TYPE_RGB_ALPHA:
        return 4;
    default:
        return 1;
    }
}

static png_color palette_color(int index)
{
    return (png_color){.red = (png_byte)(index * 37),
                       .green = (png_byte)(255 - index),
                       .blue = (png_byte)(index * 11 + 5)};
}

static const png_byte palette_alpha[] = {0, 128};

static int to_8_bits(int value, int depth)
{
    int most = (1 << depth) - 1;

    return (value * 255 + most / 2) / most;
}

/* The pixel that the samples encode, in 8 bits. */
static void expect_pixel(const struct png_fixture *fixture, const int *samples, const int *key,
                         uint8_t *expected, int channels)
{
    int count = samples_per_pixel(fixture->color_type);

    if (fixture->color_type == PNG_COLOR_TYPE_PALETTE) {
        png_color color = palette_color(samples[0]);

        expected[0] = color.red;
        expected[1] = color.green;
        expected[2] = color.blue;
        if (fixture->transparent)
            expected[3] = samples[0] < 2 ? palette_alpha[samples[0]] : 255;
        return;
    }
    for (int i = 0; i < count; i++)
        expected[i] = (uint8_t)to_8_bits(samples[i], fixture->depth);
    if (channels > count) /* tRNS */
        expected[count] = memcmp(samples, key, (size_t)count * sizeof(samples[0])) == 0 ? 0 : 255;
}

static void put_sample(uint8_t *row, int index, int depth, int value)
{
    if (depth == 16) {
        row[2 * index] = (uint8_t)(value >> 8);
        row[2 * index + 1] = (uint8_t)value;
    } else {
        int bit = index * depth;

        row[bit / 8] |= (uint8_t)(value << (8 - depth - bit % 8));
    }
}

static void set_transparency(const struct png_fixture *fixture, png_structp png, png_infop info,
                             const int *key)
{
    png_color_16 color = {.gray = (png_uint_16)key[0],
                          .red = (png_uint_16)key[0],
                          .green = (png_uint_16)key[1],
                          .blue = (png_uint_16)key[2]};

    if (fixture->color_type == PNG_COLOR_TYPE_PALETTE)
        png_set_tRNS(png, info, palette_alpha, 2, NULL);
    else
        png_set_tRNS(png, info, NULL, 0, &color);
}

/* All samples of the picture; the first few pixels repeat so that a key matches several. */
static int *make_samples(const struct png_fixture *fixture, int count)
{
    int total = fixture->width * fixture->height * count;
    int *samples = calloc((size_t)total + 4, sizeof(int));
    uint32_t random = (uint32_t)(fixture->depth * 100 + fixture->color_type);

    assert(samples);
    for (int i = 0; i < total; i++)
        samples[i] = i % (7 * count) < count && i >= count
                         ? samples[i % count]
                         : (int)(next_random(&random) & ((1u << fixture->depth) - 1));
    return samples;
}

static uint8_t **pack_rows(const struct png_fixture *fixture, const int *samples, int count)
{
    size_t size = ((size_t)(fixture->width * count * fixture->depth) + 7) / 8;
    uint8_t **rows = calloc((size_t)fixture->height, sizeof(rows[0]));

    assert(rows);
    for (int y = 0; y < fixture->height; y++) {
        rows[y] = calloc(size, 1);
        assert(rows[y]);
        for (int i = 0; i < fixture->width * count; i++)
            put_sample(rows[y], i, fixture->depth, samples[y * fixture->width * count + i]);
    }
    return rows;
}

void png_fixture_write(const struct png_fixture *fixture, struct buf *out, uint8_t *expected,
                       int *channels)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    int count = samples_per_pixel(fixture->color_type);
    int *samples = make_samples(fixture, count);
    uint8_t **rows = pack_rows(fixture, samples, count);
    png_color palette[256];

    png_set_write_fn(png, out, append_bytes, no_flush);
    png_set_IHDR(png, info, (png_uint_32)fixture->width, (png_uint_32)fixture->height,
                 fixture->depth, fixture->color_type,
                 fixture->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    for (int i = 0; i < 256; i++)
        palette[i] = palette_color(i);
    if (fixture->color_type == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, FIXTURE_PALETTE_SIZE(fixture->depth));
    if (fixture->transparent)
        set_transparency(fixture, png, info, samples);
    png_set_rows(png, info, rows);
    png_write_png(png, info, PNG_TRANSFORM_IDENTITY, NULL);
    png_destroy_write_struct(&png, &info);

    *channels = (fixture->color_type == PNG_COLOR_TYPE_PALETTE ? 3 : count) + fixture->transparent;
    for (int i = 0; i < fixture->width * fixture->height; i++)
        expect_pixel(fixture, samples + i * count, samples, expected + i * *channels, *channels);
    for (int y = 0; y < fixture->height; y++)
        free(rows[y]);
    free(rows);
    free(samples);
}

static void put_big_endian(struct buf *out, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_put_u8(out, (uint8_t)(value >> shift));
}

void png_fixture_chunk(struct buf *out, const char *type, const void *data, uint32_t size)
{
    uLong crc = crc32(crc32(0, NULL, 0), (const Bytef *)type, 4);

    if (size > 0)
        crc = crc32(crc, data, size);
    put_big_endian(out, size);
    buf_put(out, type, 4);
    buf_put(out, data, size);
    put_big_endian(out, (uint32_t)crc);
}
