/* SPDX-License-Identifier: MIT */
/*
 * test_image: whole files through the thumbnailer. Every kind of PNG and JPEG keeps its pixels,
 * gets the right format and the right orientation.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <png.h>

#include "image_fixture.h"
#include "jpeg_read.h"
#include "png_read.h"
#include "thumbnailer.h"

static const struct thumbnail_options same_size = {.box_width_px = 1000,
                                                   .box_height_px = 1000,
                                                   .format = &image_codec_png,
                                                   .quality = 75,
                                                   .background = {255, 255, 255},
                                                   .orient = true};

/* A decoded file. */
struct decoded_png {
    int width, height, channels;
    uint8_t *pixels;
};

static struct decoded_png decode_png(const struct buf *file)
{
    struct png_reader *reader = png_reader_new();
    struct byte_source source = {.bytes = file->data, .size = file->size};
    struct image_header header;
    struct decoded_png picture;
    size_t pitch;

    assert_int_equal(png_reader_open(reader, &source, 0, &header, NULL), 0);
    png_reader_start(reader);
    picture = (struct decoded_png){header.width_px, header.height_px, header.channels, NULL};
    pitch = (size_t)(picture.width * picture.channels);
    picture.pixels = malloc(pitch * (size_t)picture.height);
    for (int y = 0; y < picture.height; y++)
        assert_int_equal(png_reader_row(reader, picture.pixels + (size_t)y * pitch, NULL), 0);
    png_reader_free(reader);
    return picture;
}

/* Makes a thumbnail, which must succeed, and decodes it. */
static struct decoded_png thumbnail_of(const struct buf *file,
                                       const struct thumbnail_options *options)
{
    struct thumbnailer *thumbnailer = thumbnailer_new();
    struct thumbnail_info info;
    struct mpp_error error = {""};
    struct buf out = BUF_INIT;
    struct decoded_png picture;

    if (thumbnailer_run(thumbnailer, &(struct byte_source){.bytes = file->data, .size = file->size},
                        options, &out, &info, &error))
        fail_msg("%s", error.text);
    picture = decode_png(&out);
    assert_int_equal(info.width_px, picture.width);
    assert_int_equal(info.height_px, picture.height);
    buf_release(&out);
    thumbnailer_free(thumbnailer);
    return picture;
}

/* Premultiplication leaves a colour only as many steps as alpha has. */
static void check_pixels(const struct decoded_png *got, const uint8_t *expected, const char *name)
{
    for (int i = 0; i < got->width * got->height; i++) {
        const uint8_t *a = got->pixels + i * got->channels;
        const uint8_t *b = expected + i * got->channels;
        int alpha = got->channels % 2 == 0 ? b[got->channels - 1] : 255;

        for (int c = 0; c < got->channels; c++) {
            int off = c == got->channels - 1 || alpha == 255 ? 0
                      : alpha == 0                           ? 255
                                                             : 128 / alpha + 1;

            if (abs(a[c] - b[c]) > off)
                fail_msg("%s: pixel %d, channel %d: %d, not %d", name, i, c, a[c], b[c]);
        }
    }
}

static void every_png_kind_keeps_its_pixels(void **state)
{
    static const struct {
        int color_type;
        const int depths[6];
        bool transparency;
    } kinds[] = {
        {PNG_COLOR_TYPE_GRAY, {1, 2, 4, 8, 16}, true}, {PNG_COLOR_TYPE_RGB, {8, 16}, true},
        {PNG_COLOR_TYPE_PALETTE, {1, 2, 4, 8}, true},  {PNG_COLOR_TYPE_GRAY_ALPHA, {8, 16}, false},
        {PNG_COLOR_TYPE_RGB_ALPHA, {8, 16}, false},
    };
    uint8_t expected[19 * 13 * 4];

    (void)state;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        for (const int *depth = kinds[k].depths; *depth != 0; depth++) {
            for (int variant = 0; variant < (kinds[k].transparency ? 4 : 2); variant++) {
                struct png_fixture fixture = {.width = 19,
                                              .height = 13,
                                              .depth = *depth,
                                              .color_type = kinds[k].color_type,
                                              .interlaced = variant % 2 != 0,
                                              .transparent = variant / 2 != 0};
                struct buf file = BUF_INIT;
                struct decoded_png got;
                char name[64];
                int channels;

                snprintf(name, sizeof(name), "type %d, depth %d, variant %d", fixture.color_type,
                         fixture.depth, variant);
                png_fixture_write(&fixture, &file, expected, &channels);
                got = thumbnail_of(&file, &same_size);
                assert_int_equal(got.width, 19);
                assert_int_equal(got.height, 13);
                assert_int_equal(got.channels, channels);
                check_pixels(&got, expected, name);
                free(got.pixels);
                buf_release(&file);
            }
        }
    }
}

static void every_jpeg_kind_keeps_its_pixels(void **state)
{
    static const struct jpeg_fixture kinds[] = {
        {.colors = FIXTURE_GRAY, .width = 37, .height = 29},
        {.colors = FIXTURE_RGB, .width = 37, .height = 29},
        {.colors = FIXTURE_RGB, .width = 37, .height = 29, .progressive = true},
        {.colors = FIXTURE_GRAY, .width = 1, .height = 1},
        {.colors = FIXTURE_RGB, .width = 3, .height = 61, .restart_interval = 1},
    };

    (void)state;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        struct buf file = BUF_INIT;
        struct decoded_png got;

        jpeg_fixture_write(&kinds[k], &file);
        got = thumbnail_of(&file, &same_size);
        assert_int_equal(got.width, kinds[k].width);
        assert_int_equal(got.height, kinds[k].height);
        assert_int_equal(got.channels, kinds[k].colors == FIXTURE_GRAY ? 1 : 3);
        for (int i = 0; i < got.width * got.height * got.channels; i++) {
            int pixel = i / got.channels;
            int want = fixture_value(pixel % got.width, pixel / got.width, i % got.channels);

            if (abs(got.pixels[i] - want) > 8)
                fail_msg("kind %zu, byte %d: %d, not %d", k, i, got.pixels[i], want);
        }
        free(got.pixels);
        buf_release(&file);
    }
}

static void cmyk_jpegs_become_rgb(void **state)
{
    static const uint8_t ink[] = {205, 155, 55, 235}; /* as Adobe writes 50, 100, 200, 20 */
    static const struct {
        enum fixture_colors colors;
        bool no_adobe;
        uint8_t rgb[3];
    } rows[] = {
        {FIXTURE_CMYK, false, {189, 143, 51}},
        {FIXTURE_YCCK, false, {189, 143, 51}},
        {FIXTURE_CMYK, true, {4, 8, 16}},
    };

    (void)state;
    for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
        struct jpeg_fixture fixture = {.colors = rows[k].colors,
                                       .width = 20,
                                       .height = 20,
                                       .quality = 100,
                                       .no_adobe = rows[k].no_adobe,
                                       .constant = ink};
        struct buf file = BUF_INIT;
        struct decoded_png got;

        jpeg_fixture_write(&fixture, &file);
        got = thumbnail_of(&file, &same_size);
        assert_int_equal(got.channels, 3);
        for (int i = 0; i < 20 * 20 * 3; i++)
            assert_in_range(got.pixels[i] + 3, rows[k].rgb[i % 3], rows[k].rgb[i % 3] + 6);
        free(got.pixels);
        buf_release(&file);
    }
}

static void exif_turns_box_and_picture(void **state)
{
    uint8_t exif[] = "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    struct jpeg_fixture fixture = {.colors = FIXTURE_GRAY,
                                   .width = 64,
                                   .height = 48,
                                   .exif = exif,
                                   .exif_size = sizeof(exif) - 1};
    struct thumbnail_options options = same_size;
    struct buf file = BUF_INIT;
    struct decoded_png got;

    (void)state;
    jpeg_fixture_write(&fixture,
                       &file); /* brightness grows with x; displayed turned to the right, with y */
    got = thumbnail_of(&file, &options);
    assert_int_equal(got.width, 48);
    assert_int_equal(got.height, 64);
    assert_in_range(got.pixels[48 * 40 + 20] + 4, fixture_value(40, 0, 0),
                    fixture_value(40, 0, 0) + 8);
    free(got.pixels);
    options.box_width_px = 12;
    options.box_height_px = 1000;
    got = thumbnail_of(&file, &options);
    assert_int_equal(got.width, 12);
    assert_int_equal(got.height, 16);
    free(got.pixels);
    options.orient = false;
    got = thumbnail_of(&file, &options);
    assert_int_equal(got.width, 12);
    assert_int_equal(got.height, 9);
    free(got.pixels);
    buf_release(&file);
}

static void png_and_jpeg_output(void **state)
{
    struct png_fixture fixture = {.width = 16,
                                  .height = 16,
                                  .depth = 1,
                                  .color_type = PNG_COLOR_TYPE_GRAY,
                                  .transparent = true};
    struct thumbnail_options options = same_size;
    struct thumbnailer *thumbnailer = thumbnailer_new();
    struct jpeg_reader *reader = jpeg_reader_new();
    struct image_header header;
    struct thumbnail_info info;
    struct buf file = BUF_INIT;
    struct buf out = BUF_INIT;
    uint8_t expected[16 * 16 * 2];
    uint8_t row[16];
    int channels;

    (void)state;
    assert_null(image_codec_by_name("ppm")); /* see test_codecs */
    png_fixture_write(&fixture, &file, expected, &channels);
    options.format = NULL;
    assert_int_equal(thumbnailer_run(thumbnailer,
                                     &(struct byte_source){.bytes = file.data, .size = file.size},
                                     &options, &out, &info, NULL),
                     0);
    assert_ptr_equal(info.source_format, &image_codec_png);
    assert_ptr_equal(info.format, &image_codec_png);
    assert_ptr_equal(image_codec_by_content(out.data, out.size), &image_codec_png);
    buf_clear(&out);
    options.format = &image_codec_jpeg;
    options.quality = 100;
    assert_int_equal(thumbnailer_run(thumbnailer,
                                     &(struct byte_source){.bytes = file.data, .size = file.size},
                                     &options, &out, &info, NULL),
                     0);
    assert_ptr_equal(info.format, &image_codec_jpeg);
    assert_int_equal(jpeg_reader_open(reader, out.data, out.size, 0, &header, NULL), 0);
    assert_int_equal(header.channels, 1);
    assert_int_equal(jpeg_reader_start(reader, 8, NULL), 0);
    assert_int_equal(jpeg_reader_row(reader, row, NULL), 0);
    for (int x = 0; x < 16; x++) {
        int want = expected[2 * x + 1] == 0 ? 255 : expected[2 * x];

        assert_in_range(row[x] + 5, want, want + 10);
    }
    jpeg_reader_free(reader);
    thumbnailer_free(thumbnailer);
    buf_release(&file);
    buf_release(&out);
}

struct partly_readable {
    const struct buf *file;
    uint64_t readable; /* bytes; reading fails after them */
};

static bool read_part(void *context, uint64_t at, void *to, size_t size)
{
    const struct partly_readable *partial = context;

    if (at + size > partial->readable) {
        errno = EIO;
        return false;
    }
    memcpy(to, partial->file->data + at, size);
    return true;
}

/* A PNG that streams gives the same thumbnail as one in memory; errors of reading are reported. */
static void a_png_streams(void **state)
{
    struct thumbnail_options options = {
        .box_width_px = 20, .box_height_px = 20, .blur_sigma = 2, .quality = 75};
    struct thumbnailer *thumbnailer = thumbnailer_new();
    uint8_t *expected = malloc(700 * 500 * 4);
    int channels;

    (void)state;
    assert_non_null(expected);
    for (int interlaced = 0; interlaced <= 1; interlaced++) {
        struct png_fixture fixture = {.width = 700,
                                      .height = 500,
                                      .depth = 8,
                                      .color_type = PNG_COLOR_TYPE_RGB,
                                      .interlaced = interlaced};
        struct buf file = BUF_INIT, whole = BUF_INIT, read = BUF_INIT;
        struct thumbnail_info info;
        struct mpp_error error = {""};

        png_fixture_write(&fixture, &file, expected, &channels);
        struct partly_readable partial = {.file = &file, .readable = file.size};
        struct byte_source in_memory = {.bytes = file.data, .size = file.size};
        struct byte_source source = {.size = file.size, .read_at = read_part, .context = &partial};
        assert_true(file.size > 600000); /* several windows */
        assert_int_equal(thumbnailer_run(thumbnailer, &in_memory, &options, &whole, &info, &error),
                         0);
        assert_int_equal(thumbnailer_run(thumbnailer, &source, &options, &read, &info, &error), 0);
        assert_int_equal(read.size, whole.size);
        assert_memory_equal(read.data, whole.data, whole.size);
        partial.readable = file.size / 2;
        assert_int_equal(thumbnailer_run(thumbnailer, &source, &options, &read, &info, &error), -1);
        assert_string_equal(error.text, "cannot read: Input/output error");
        partial.readable = 0; /* not even the signature */
        assert_int_equal(thumbnailer_run(thumbnailer, &source, &options, &read, &info, &error), -1);
        assert_string_equal(error.text, "cannot read: Input/output error");
        buf_release(&file);
        buf_release(&whole);
        buf_release(&read);
    }
    free(expected);
    thumbnailer_free(thumbnailer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_png_streams),
        cmocka_unit_test(every_png_kind_keeps_its_pixels),
        cmocka_unit_test(every_jpeg_kind_keeps_its_pixels),
        cmocka_unit_test(cmyk_jpegs_become_rgb),
        cmocka_unit_test(exif_turns_box_and_picture),
        cmocka_unit_test(png_and_jpeg_output),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
