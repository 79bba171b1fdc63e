/* SPDX-License-Identifier: MIT */
/*
 * test_image_damage: truncated, damaged and hostile files: which ones the thumbnailer refuses, and
 * its error messages.
 *
 * If MPP_CORPUS is set to a directory of images, every file in it is tried, too. No file may cause
 * a crash or a hang, and after an error the output is unchanged.
 */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <png.h>

#include "image_fixture.h"
#include "jpeg_progressive_dc.h"
#include "jpeg_read.h"
#include "thumbnailer.h"

static const struct thumbnail_options same_size = {.box_width_px = 1000,
                                                   .box_height_px = 1000,
                                                   .format = &image_codec_png,
                                                   .quality = 75,
                                                   .background = {255, 255, 255},
                                                   .orient = true};

static void expect_error(const void *bytes, size_t size, const struct thumbnail_options *options,
                         const char *text)
{
    struct thumbnailer *thumbnailer = thumbnailer_new();
    struct thumbnail_info info;
    struct mpp_error error = {""};
    struct buf out = BUF_INIT;

    buf_put(&out, "kept", 4);
    assert_int_equal(thumbnailer_run(thumbnailer,
                                     &(struct byte_source){.bytes = bytes, .size = size}, options,
                                     &out, &info, &error),
                     -1);
    if (!strstr(error.text, text))
        fail_msg("'%s' is not in '%s'", text, error.text);
    assert_int_equal(out.size, 4);
    buf_release(&out);
    thumbnailer_free(thumbnailer);
}

/* Truncates the file at every byte: it is refused, or nothing is missing that the thumbnail
 * needs. */
static void truncate_everywhere(const struct buf *file, size_t signature, const char *truncated)
{
    struct thumbnail_options options = {
        .box_width_px = 10, .box_height_px = 10, .blur_sigma = 2, .quality = 75, .orient = true};
    struct thumbnailer *thumbnailer = thumbnailer_new();
    struct buf whole = BUF_INIT;
    struct buf out = BUF_INIT;
    struct thumbnail_info info;
    struct mpp_error error;
    size_t refused = 0;

    assert_int_equal(thumbnailer_run(thumbnailer,
                                     &(struct byte_source){.bytes = file->data, .size = file->size},
                                     &options, &whole, &info, NULL),
                     0);
    assert_int_equal(info.warnings, 0);
    for (size_t size = 0; size < file->size; size++) {
        uint8_t *cut = malloc(size + (size == 0));

        memcpy(cut, file->data, size);
        buf_clear(&out);
        if (thumbnailer_run(thumbnailer, &(struct byte_source){.bytes = cut, .size = size},
                            &options, &out, &info, &error)) {
            const char *text = size == 0          ? "empty file"
                               : size < signature ? "not a JPEG or PNG file"
                                                  : truncated;

            if (!strstr(error.text, text))
                fail_msg("truncated to %zu: '%s' is not in '%s'", size, text, error.text);
            assert_int_equal(out.size, 0);
            refused++;
        } else {
            assert_int_equal(out.size, whole.size);
            assert_memory_equal(out.data, whole.data, whole.size);
        }
        free(cut);
    }
    assert_in_range(refused, file->size - 16, file->size); /* 16: PNG's IEND and a CRC */
    buf_release(&whole);
    buf_release(&out);
    thumbnailer_free(thumbnailer);
}

static void files_truncated_at_every_byte(void **state)
{
    static const struct jpeg_fixture jpegs[] = {
        {.colors = FIXTURE_RGB, .width = 33, .height = 40, .quality = 60},
        {.colors = FIXTURE_GRAY, .width = 70, .height = 20, .quality = 60, .progressive = true},
        {.colors = FIXTURE_RGB, .width = 33, .height = 40, .quality = 60, .restart_interval = 1},
    };
    static const struct png_fixture pngs[] = {
        {.width = 20, .height = 15, .depth = 8, .color_type = PNG_COLOR_TYPE_RGB},
        {.width = 20,
         .height = 15,
         .depth = 4,
         .color_type = PNG_COLOR_TYPE_PALETTE,
         .transparent = true},
        {.width = 20,
         .height = 15,
         .depth = 8,
         .color_type = PNG_COLOR_TYPE_GRAY,
         .interlaced = true},
    };
    uint8_t expected[20 * 15 * 4];
    int channels;

    (void)state;
    for (size_t k = 0; k < 3; k++) {
        struct buf file = BUF_INIT;

        jpeg_fixture_write(&jpegs[k], &file);
        truncate_everywhere(&file, 3, "truncated JPEG");
        buf_release(&file);
        png_fixture_write(&pngs[k], &file, expected, &channels);
        truncate_everywhere(&file, 8, "truncated PNG");
        buf_release(&file);
    }
}

/* libjpeg makes up rows for data that end too early. A file with an end marker after them is
 * damaged but accepted; other bytes after them mean that it is broken. */
static void a_damaged_jpeg_needs_an_end(void **state)
{
    struct jpeg_fixture fixture = {.colors = FIXTURE_RGB, .width = 64, .height = 64, .quality = 90};
    struct thumbnailer *thumbnailer = thumbnailer_new();
    struct thumbnail_info info;
    struct buf file = BUF_INIT;
    struct buf out = BUF_INIT;
    size_t middle;

    (void)state;
    jpeg_fixture_write(&fixture, &file);
    middle = file.size - 300;
    memcpy(file.data + middle, "\xFF\xD9", 2);
    assert_int_equal(thumbnailer_run(thumbnailer,
                                     &(struct byte_source){.bytes = file.data, .size = middle + 2},
                                     &same_size, &out, &info, NULL),
                     0);
    assert_int_not_equal(info.warnings, 0);
    memcpy(file.data + middle, "\xFF\xD8", 2);
    expect_error(file.data, middle + 2, &same_size, "broken JPEG");
    buf_release(&file);
    buf_release(&out);
    thumbnailer_free(thumbnailer);
}

static void the_error_names_the_last_row(void **state)
{
    struct jpeg_fixture fixture = {
        .colors = FIXTURE_RGB, .width = 64, .height = 480, .quality = 90};
    struct thumbnail_options options = same_size;
    struct buf file = BUF_INIT;

    (void)state;
    jpeg_fixture_write(&fixture, &file);
    expect_error(file.data, file.size - 1000, &options, "truncated JPEG after row ");
    expect_error(file.data, file.size - 1000, &options, " of 480");
    options.box_width_px = options.box_height_px =
        20; /* fewer rows are decoded; the message counts rows of the source */
    expect_error(file.data, file.size - 60, &options, "truncated JPEG after row 4");
    buf_release(&file);
}

static size_t find_marker(const struct buf *file, uint8_t marker, bool last)
{
    size_t found = 0;

    for (size_t i = 0; i + 1 < file->size; i++) {
        if (file->data[i] == 0xFF && file->data[i + 1] == marker && (last || found == 0))
            found = i;
    }
    assert_int_not_equal(found, 0);
    return found;
}

static void too_many_pixels_are_refused(void **state)
{
    static const uint8_t size_20000[] = {0, 0, 0x4E, 0x20, 0, 0, 0x4E, 0x20, 8, 0, 0, 0, 0};
    static const uint8_t size_long[] = {0, 0x10, 0, 0, 0, 0, 0, 1, 8, 0, 0, 0, 0};
    struct jpeg_fixture fixture = {.colors = FIXTURE_GRAY, .width = 16, .height = 16};
    struct buf file = BUF_INIT;
    size_t at;

    (void)state;
    buf_put(&file, "\x89PNG\r\n\x1a\n", 8);
    png_fixture_chunk(&file, "IHDR", size_20000, 13);
    png_fixture_chunk(&file, "IDAT", "", 0);
    expect_error(file.data, file.size, &same_size, "20000 x 20000 pixels are more than");
    buf_clear(&file);
    buf_put(&file, "\x89PNG\r\n\x1a\n", 8);
    png_fixture_chunk(&file, "IHDR", size_long, 13);
    expect_error(file.data, file.size, &same_size, "broken PNG");
    buf_clear(&file);
    jpeg_fixture_write(&fixture, &file);
    at = find_marker(&file, 0xC0, false);
    memset(file.data + at + 5, 0xFA, 4); /* 64250 x 64250 */
    expect_error(file.data, file.size, &same_size, "64250 x 64250 pixels are more than");
    buf_release(&file);
}

static void unsupported_jpegs_are_named(void **state)
{
    struct jpeg_fixture fixture = {.colors = FIXTURE_GRAY, .width = 16, .height = 16};
    struct buf file = BUF_INIT;
    size_t at;

    (void)state;
    jpeg_fixture_write(&fixture, &file);
    at = find_marker(&file, 0xC0, false);
    file.data[at + 4] = 12;
    expect_error(file.data, file.size, &same_size, "precision 12");
    file.data[at + 4] = 8;
    file.data[at + 1] = 0xC3; /* lossless */
    expect_error(file.data, file.size, &same_size, "SOF type 0xc3");
    buf_release(&file);
}

static void a_bomb_of_scans_is_refused(void **state)
{
    struct jpeg_fixture fixture = {
        .colors = FIXTURE_GRAY, .width = 16, .height = 16, .progressive = true};
    struct buf file = BUF_INIT;
    struct buf bomb = BUF_INIT;
    size_t at;

    (void)state;
    jpeg_fixture_write(&fixture, &file);
    at = find_marker(&file, 0xDA, true);
    buf_put(&bomb, file.data, at);
    for (int i = 0; i < 2 * JPEG_SCANS_MAX; i++)
        buf_put(&bomb, file.data + at, file.size - 2 - at);
    buf_put(&bomb, "\xFF\xD9", 2);
    expect_error(bomb.data, bomb.size, &same_size, "more than 500 scans");
    buf_release(&file);
    buf_release(&bomb);
}

static void bad_bytes_and_options_are_refused(void **state)
{
    struct thumbnail_options options = same_size;
    struct png_fixture fixture = {
        .width = 9, .height = 9, .depth = 8, .color_type = PNG_COLOR_TYPE_GRAY};
    struct buf file = BUF_INIT;
    uint8_t expected[81];
    int channels;

    (void)state;
    png_fixture_write(&fixture, &file, expected, &channels);
    file.data[file.size - 20] ^= 1; /* within the pixels or their CRC */
    expect_error(file.data, file.size, &options, "broken PNG");
    file.data[file.size - 20] ^= 1;
    expect_error("", 0, &options, "empty file");
    expect_error("GIF89a", 6, &options, "not a JPEG or PNG file");
    options.box_height_px = 0;
    expect_error(file.data, file.size, &options, "box");
    options = same_size;
    options.blur_sigma = -1;
    expect_error(file.data, file.size, &options, "blur");
    options = same_size;
    options.quality = 101;
    expect_error(file.data, file.size, &options, "quality");
    buf_release(&file);
}

static void damage_is_counted_or_refused_but_never_fatal(void **state)
{
    struct jpeg_fixture fixture = {.colors = FIXTURE_RGB, .width = 60, .height = 45, .quality = 80};
    struct png_fixture png_fixture = {
        .width = 30, .height = 20, .depth = 8, .color_type = PNG_COLOR_TYPE_RGB};
    struct thumbnailer *thumbnailer = thumbnailer_new();
    struct thumbnail_options options = {
        .box_width_px = 10, .box_height_px = 10, .blur_sigma = 2, .quality = 75, .orient = true};
    uint8_t expected[30 * 20 * 3];
    uint32_t random = 7;
    int done = 0;
    int warned = 0;

    (void)state;
    for (int round = 0; round < 4000; round++) {
        struct buf file = BUF_INIT;
        struct buf out = BUF_INIT;
        struct thumbnail_info info;
        int channels;

        fixture.progressive = round % 4 == 0;
        if (round % 2 == 0)
            jpeg_fixture_write(&fixture, &file);
        else
            png_fixture_write(&png_fixture, &file, expected, &channels);
        for (int i = 0; i <= round % 3; i++) {
            random = random * 1664525u + 1013904223u;
            file.data[(random >> 8) % file.size] ^= (uint8_t)(1u << (random >> 29));
        }
        if (thumbnailer_run(thumbnailer,
                            &(struct byte_source){.bytes = file.data, .size = file.size}, &options,
                            &out, &info, NULL) == 0) {
            done++;
            warned += info.warnings > 0;
        }
        buf_release(&file);
        buf_release(&out);
    }
    assert_in_range(done, 100, 3900); /* some were refused, some were not */
    assert_in_range(warned, 10, 3900);
    thumbnailer_free(thumbnailer);
}

static struct thumbnailer *corpus_thumbnailer;
static int corpus_done;
static int corpus_refused;

static int run_corpus_file(const char *path, const struct stat *status, int type, struct FTW *at)
{
    struct thumbnail_options options = {
        .box_width_px = 50, .box_height_px = 50, .blur_sigma = 2, .quality = 75, .orient = true};
    struct buf file = BUF_INIT;
    struct buf out = BUF_INIT;
    struct thumbnail_info info;
    struct mpp_error error = {""};
    FILE *stream;

    (void)at;
    if (type != FTW_F)
        return 0;
    stream = fopen(path, "rb");
    assert_non_null(stream);
    assert_non_null(buf_reserve(&file, (size_t)status->st_size + 1));
    file.size = fread(file.data, 1, (size_t)status->st_size, stream);
    fclose(stream);
    if (thumbnailer_run(corpus_thumbnailer,
                        &(struct byte_source){.bytes = file.data, .size = file.size}, &options,
                        &out, &info, &error) == 0) {
        corpus_done++;
        assert_non_null(image_codec_by_content(out.data, out.size));
        assert_in_range(info.width_px, 1, 50);
        assert_in_range(info.height_px, 1, 50);
    } else {
        corpus_refused++;
        assert_int_equal(out.size, 0);
        assert_int_not_equal(error.text[0], '\0');
    }
    buf_release(&file);
    buf_release(&out);
    return 0;
}

static void the_corpus(void **state)
{
    const char *corpus = getenv("MPP_CORPUS");

    (void)state;
    if (!corpus || *corpus == '\0') {
        print_message("skipped: MPP_CORPUS is not set\n");
        skip();
    }
    corpus_thumbnailer = thumbnailer_new();
    assert_int_equal(nftw(corpus, run_corpus_file, 16, FTW_PHYS), 0);
    print_message("corpus: %d thumbnails, %d refused\n", corpus_done, corpus_refused);
    assert_int_not_equal(corpus_done + corpus_refused, 0);
    thumbnailer_free(corpus_thumbnailer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_truncated_at_every_byte),
        cmocka_unit_test(a_damaged_jpeg_needs_an_end),
        cmocka_unit_test(the_error_names_the_last_row),
        cmocka_unit_test(too_many_pixels_are_refused),
        cmocka_unit_test(unsupported_jpegs_are_named),
        cmocka_unit_test(a_bomb_of_scans_is_refused),
        cmocka_unit_test(bad_bytes_and_options_are_refused),
        cmocka_unit_test(damage_is_counted_or_refused_but_never_fatal),
        cmocka_unit_test(the_corpus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
