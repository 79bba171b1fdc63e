/*
 * made_image: the codecs' own writers, with random but fixed contents where a picture does not
 * matter.
 */
#include "image_fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

uint8_t made_value(int x, int y, int channel)
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

static void fill_row(const struct made_jpeg *made, int y, int channels, uint8_t *row)
{
    for (int x = 0; x < made->width; x++) {
        for (int c = 0; c < channels; c++)
            row[x * channels + c] =
                made->constant != NULL ? made->constant[c] : made_value(x, y, c);
    }
}

static void configure(const struct made_jpeg *made, struct jpeg_compress_struct *codec)
{
    static const J_COLOR_SPACE in[] = {JCS_GRAYSCALE, JCS_RGB, JCS_CMYK, JCS_CMYK};
    static const J_COLOR_SPACE stored[] = {JCS_GRAYSCALE, JCS_YCbCr, JCS_CMYK, JCS_YCCK};
    static const int channels[] = {1, 3, 4, 4};

    codec->image_width = (JDIMENSION)made->width;
    codec->image_height = (JDIMENSION)made->height;
    codec->input_components = channels[made->colors];
    codec->in_color_space = in[made->colors];
    jpeg_set_defaults(codec);
    jpeg_set_colorspace(codec, stored[made->colors]);
    jpeg_set_quality(codec, made->quality != 0 ? made->quality : 95, TRUE);
    if (made->progressive)
        jpeg_simple_progression(codec);
    if (made->no_adobe)
        codec->write_Adobe_marker = FALSE;
    codec->restart_in_rows = made->restart_interval;
}

void made_jpeg_write(const struct made_jpeg *made, struct buf *out)
{
    struct jpeg_compress_struct codec;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    uint8_t *row = calloc((size_t)made->width, 4);

    assert(row != NULL);
    codec.err = jpeg_std_error(&errors);
    jpeg_create_compress(&codec);
    jpeg_mem_dest(&codec, &bytes, &size);
    configure(made, &codec);
    jpeg_start_compress(&codec, TRUE);
    if (made->exif != NULL)
        jpeg_write_marker(&codec, JPEG_APP0 + 1, made->exif, made->exif_size);
    for (int y = 0; y < made->height; y++) {
        fill_row(made, y, codec.input_components, row);
        jpeg_write_scanlines(&codec, &row, 1);
    }
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    buf_put(out, bytes, size);
    free(bytes);
    free(row);
}

static void append(png_structp png, png_bytep bytes, size_t size)
{
    buf_put(png_get_io_ptr(png), bytes, size);
}

static void nothing(png_structp png)
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

/* What the samples of one pixel stand for, in 8 bits. */
static void expect_pixel(const struct made_png *made, const int *samples, const int *key,
                         uint8_t *expected, int channels)
{
    int count = samples_per_pixel(made->color_type);

    if (made->color_type == PNG_COLOR_TYPE_PALETTE) {
        png_color color = palette_color(samples[0]);

        expected[0] = color.red;
        expected[1] = color.green;
        expected[2] = color.blue;
        if (made->transparent)
            expected[3] = samples[0] < 2 ? palette_alpha[samples[0]] : 255;
        return;
    }
    for (int i = 0; i < count; i++)
        expected[i] = (uint8_t)to_8_bits(samples[i], made->depth);
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

static void set_transparency(const struct made_png *made, png_structp png, png_infop info,
                             const int *key)
{
    png_color_16 color = {.gray = (png_uint_16)key[0],
                          .red = (png_uint_16)key[0],
                          .green = (png_uint_16)key[1],
                          .blue = (png_uint_16)key[2]};

    if (made->color_type == PNG_COLOR_TYPE_PALETTE)
        png_set_tRNS(png, info, palette_alpha, 2, NULL);
    else
        png_set_tRNS(png, info, NULL, 0, &color);
}

/* All samples of the picture; the first few pixels repeat so that a key matches several. */
static int *make_samples(const struct made_png *made, int count)
{
    int total = made->width * made->height * count;
    int *samples = calloc((size_t)total + 4, sizeof(int));
    uint32_t random = (uint32_t)(made->depth * 100 + made->color_type);

    assert(samples != NULL);
    for (int i = 0; i < total; i++)
        samples[i] = i % (7 * count) < count && i >= count
                         ? samples[i % count]
                         : (int)(next_random(&random) & ((1u << made->depth) - 1));
    return samples;
}

static uint8_t **pack_rows(const struct made_png *made, const int *samples, int count)
{
    size_t size = ((size_t)(made->width * count * made->depth) + 7) / 8;
    uint8_t **rows = calloc((size_t)made->height, sizeof(rows[0]));

    assert(rows != NULL);
    for (int y = 0; y < made->height; y++) {
        rows[y] = calloc(size, 1);
        assert(rows[y] != NULL);
        for (int i = 0; i < made->width * count; i++)
            put_sample(rows[y], i, made->depth, samples[y * made->width * count + i]);
    }
    return rows;
}

void made_png_write(const struct made_png *made, struct buf *out, uint8_t *expected, int *channels)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    int count = samples_per_pixel(made->color_type);
    int *samples = make_samples(made, count);
    uint8_t **rows = pack_rows(made, samples, count);
    png_color palette[256];

    png_set_write_fn(png, out, append, nothing);
    png_set_IHDR(png, info, (png_uint_32)made->width, (png_uint_32)made->height, made->depth,
                 made->color_type, made->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    for (int i = 0; i < 256; i++)
        palette[i] = palette_color(i);
    if (made->color_type == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, MADE_PALETTE_SIZE(made->depth));
    if (made->transparent)
        set_transparency(made, png, info, samples);
    png_set_rows(png, info, rows);
    png_write_png(png, info, PNG_TRANSFORM_IDENTITY, NULL);
    png_destroy_write_struct(&png, &info);

    *channels = (made->color_type == PNG_COLOR_TYPE_PALETTE ? 3 : count) + made->transparent;
    for (int i = 0; i < made->width * made->height; i++)
        expect_pixel(made, samples + i * count, samples, expected + i * *channels, *channels);
    for (int y = 0; y < made->height; y++)
        free(rows[y]);
    free(rows);
    free(samples);
}

static void put_big_endian(struct buf *out, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_put_u8(out, (uint8_t)(value >> shift));
}

void made_chunk(struct buf *out, const char *type, const void *data, uint32_t size)
{
    uLong crc = crc32(crc32(0, NULL, 0), (const Bytef *)type, 4);

    if (size > 0)
        crc = crc32(crc, data, size);
    put_big_endian(out, size);
    buf_put(out, type, 4);
    buf_put(out, data, size);
    put_big_endian(out, (uint32_t)crc);
}
