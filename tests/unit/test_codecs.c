/* SPDX-License-Identifier: MIT */
/*
 * test_codecs: the codec table with one more row, the PPM codec of codec_ppm.c: formats are
 * recognised by content, file name and name, and the thumbnailer reads and writes the new format
 * like the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "codec.h"
#include "thumbnailer.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct thumbnail_options small = {.box_width_px = 10,
                                               .box_height_px = 10,
                                               .quality = 75,
                                               .background = {10, 200, 30},
                                               .orient = true};

/* ---- The table ---- */

static void every_row_is_complete(void **state)
{
    (void)state;
    assert_int_equal(image_codec_count(), 3);
    assert_null(image_codec_at(3));
    for (size_t i = 0; i < image_codec_count(); i++) {
        const struct image_codec *codec = image_codec_at(i);
        assert_true(codec->name && codec->title && codec->extensions && codec->extensions[0]);
        for (const char *const *extension = codec->extensions; *extension; extension++)
            assert_int_equal((*extension)[0], '.');
        assert_true(codec->scales & 8 && codec->scales <= 15);
        assert_true(codec->sniff && codec->decoder_new && codec->decoder_free && codec->open &&
                    codec->start && codec->read_row && codec->finish && codec->warnings &&
                    codec->close && codec->encode);
        assert_true(!codec->encoder_new == !codec->encoder_free);
        assert_ptr_equal(image_codec_by_name(codec->name), codec);
    }
}

static void formats_by_content(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const struct image_codec *codec;
    } cases[] = {
        {"\xFF\xD8\xFF\xE0", 4, &image_codec_jpeg},
        {"\xFF\xD8\xFF", 3, &image_codec_jpeg},
        {"\xFF\xD8", 2, NULL},
        {"\x89PNG\r\n\x1a\n", 8, &image_codec_png},
        {"\x89PNG\r\n\x1a", 7, NULL},
        {"\x89PNG\n\x1a\n\n", 8, NULL},
        {"P6\n1 1\n255\n", 11, &image_codec_ppm},
        {"P4\n1 1\n", 7, NULL},
        {"GIF89a..", 8, NULL},
        {"", 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_ptr_equal(image_codec_by_content(cases[i].bytes, cases[i].size), cases[i].codec);
}

static void formats_by_file_name(void **state)
{
    static const struct {
        const char *path;
        const struct image_codec *codec;
    } cases[] = {
        {"a.jpg", &image_codec_jpeg},
        {"a.JPEG", &image_codec_jpeg},
        {"d.e/a.Jpe", &image_codec_jpeg},
        {"a.jfif", &image_codec_jpeg},
        {"a.b.PNG", &image_codec_png},
        {"a.ppm", &image_codec_ppm},
        {"d/a.PGM", &image_codec_ppm},
        {"a.png.gif", NULL},
        {"a", NULL},
        {"d.png/a", NULL},
        {".png", NULL},
        {"d/.jpg", NULL},
        {"", NULL},
        {"a.", NULL},
        {"a.jpgx", NULL},
        {"a.jp", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_ptr_equal(image_codec_by_file_name(cases[i].path), cases[i].codec);
}

static void formats_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(image_codec_by_name("jpeg"), &image_codec_jpeg);
    assert_ptr_equal(image_codec_by_name("jpg"), &image_codec_jpeg);
    assert_ptr_equal(image_codec_by_name("png"), &image_codec_png);
    assert_ptr_equal(image_codec_by_name("ppm"), &image_codec_ppm);
    assert_null(image_codec_by_name("jpe"));
    assert_null(image_codec_by_name("PNG"));
    assert_null(image_codec_by_name("same"));
    assert_null(image_codec_by_name(""));
}

static void numbers_and_lists(void **state)
{
    char text[128], cut[8];

    (void)state;
    assert_int_equal(image_codec_number(NULL), 0);
    assert_null(image_codec_by_number(0));
    assert_null(image_codec_by_number(4));
    assert_null(image_codec_by_number(255));
    for (size_t i = 0; i < image_codec_count(); i++)
        assert_ptr_equal(image_codec_by_number(image_codec_number(image_codec_at(i))),
                         image_codec_at(i));
    assert_string_equal(image_codec_titles(text, sizeof text), "JPEG, PNG or PPM");
    assert_string_equal(image_codec_names(NULL, text, sizeof text), "jpeg, png or ppm");
    assert_string_equal(image_codec_names("same", text, sizeof text), "same, jpeg, png or ppm");
    assert_string_equal(image_codec_titles(cut, sizeof cut), "JPEG, P");
}

static void scales_are_those_of_the_codec(void **state)
{
    (void)state;
    for (int eighths = 1; eighths <= 8; eighths *= 2) {
        assert_int_equal(image_codec_scale(&image_codec_jpeg, eighths), eighths);
        assert_int_equal(image_codec_scale(&image_codec_ppm, eighths), 8);
    }
}

/* ---- Thumbnails ---- */

/* A PPM of one colour. */
static void put_ppm(struct buf *out, int width, int height, const uint8_t color[3])
{
    char head[64];
    int size = snprintf(head, sizeof head, "P6\n%d %d\n255\n", width, height);

    buf_put(out, head, (size_t)size);
    for (int i = 0; i < width * height; i++)
        buf_put(out, color, 3);
}

/* Checks that a file is a PPM of this size and of one colour, within `tolerance`. */
static void check_ppm(const struct buf *file, int width, int height, const uint8_t color[3],
                      int tolerance)
{
    char head[64];
    int size = snprintf(head, sizeof head, "P6\n%d %d\n255\n", width, height);

    assert_int_equal(file->size, size + width * height * 3);
    assert_memory_equal(file->data, head, (size_t)size);
    for (int i = 0; i < width * height * 3; i++)
        assert_in_range(file->data[size + i] + tolerance, color[i % 3],
                        color[i % 3] + 2 * tolerance);
}

/* Makes a thumbnail of `file`; it must succeed. */
static struct thumbnail_info run(const struct buf *file, const struct thumbnail_options *options,
                                 struct buf *out)
{
    struct thumbnailer *thumbnailer = thumbnailer_new();
    struct byte_source source = {.bytes = file->data, .size = file->size};
    struct thumbnail_info info;
    struct mpp_error error = {""};

    buf_clear(out);
    if (thumbnailer_run(thumbnailer, &source, options, out, &info, &error))
        fail_msg("%s", error.text);
    thumbnailer_free(thumbnailer);
    return info;
}

static void a_ppm_becomes_a_ppm(void **state)
{
    static const uint8_t color[] = {200, 100, 50};
    struct thumbnail_options options = small;
    struct buf file = BUF_INIT, out = BUF_INIT;

    (void)state;
    put_ppm(&file, 40, 20, color);
    for (int exact = 0; exact <= 1; exact++) {
        options.exact = exact;
        struct thumbnail_info info = run(&file, &options, &out);
        assert_ptr_equal(info.source_format, &image_codec_ppm);
        assert_ptr_equal(info.format, &image_codec_ppm);
        assert_int_equal(info.warnings, 0);
        check_ppm(&out, 10, 5, color, 0);
    }
    buf_release(&file);
    buf_release(&out);
}

/* One white-space byte ends the header. Bytes after it are pixels, even if they are white space. */
static void pixels_may_begin_with_white_space(void **state)
{
    struct thumbnail_options options = small;
    struct buf file = BUF_INIT, out = BUF_INIT;

    (void)state;
    for (uint8_t space = 9; space <= 32; space = space == 13 ? 32 : space + 1) {
        const uint8_t color[] = {space, 10, 32};
        buf_clear(&file);
        put_ppm(&file, 40, 20, color);
        run(&file, &options, &out);
        check_ppm(&out, 10, 5, color, 0);
    }
    buf_release(&file);
    buf_release(&out);
}

static void a_ppm_header_must_end_with_white_space(void **state)
{
    static const char *const heads[] = {"P6\n1 1\n255", "P6\n1 1\n2550\n", "P6\n1 1\n255x"};
    struct thumbnailer *thumbnailer = thumbnailer_new();
    struct thumbnail_options options = small;
    struct thumbnail_info info;
    struct mpp_error error;
    struct buf out = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < COUNT(heads); i++) {
        struct byte_source source = {.bytes = (const uint8_t *)heads[i], .size = strlen(heads[i])};
        assert_int_equal(thumbnailer_run(thumbnailer, &source, &options, &out, &info, &error), -1);
        assert_string_equal(error.text, "broken PPM");
    }
    thumbnailer_free(thumbnailer);
}

static void formats_are_converted_both_ways(void **state)
{
    static const uint8_t color[] = {200, 100, 50};
    struct thumbnail_options options = small;
    struct buf file = BUF_INIT, out = BUF_INIT, back = BUF_INIT;

    (void)state;
    put_ppm(&file, 40, 20, color);
    for (size_t i = 0; i < image_codec_count(); i++) {
        options.format = image_codec_at(i);
        run(&file, &options, &out);
        assert_ptr_equal(image_codec_by_content(out.data, out.size), options.format);
        options.format = image_codec_by_file_name("thumbnail.ppm");
        assert_ptr_equal(run(&out, &options, &back).source_format, image_codec_at(i));
        check_ppm(&back, 10, 5, color, 4);
    }
    buf_release(&file);
    buf_release(&out);
    buf_release(&back);
}

/* PPM holds no alpha: transparent pixels become the background. */
static void alpha_is_flattened_for_a_format_without_it(void **state)
{
    static const uint8_t transparent[] = {0, 0, 0, 0};
    struct image_pixels pixels = {
        .bytes = transparent, .width_px = 1, .height_px = 1, .channels = 4};
    struct thumbnail_options options = small;
    struct buf file = BUF_INIT, out = BUF_INIT;

    (void)state;
    assert_int_equal(
        image_codec_png.encode(NULL, &pixels, &(struct image_encoding){0}, &file, NULL), 0);
    options.format = &image_codec_ppm;
    run(&file, &options, &out);
    check_ppm(&out, 1, 1, options.background, 0);
    buf_release(&file);
    buf_release(&out);
}

static void a_truncated_ppm_is_refused_or_kept(void **state)
{
    static const uint8_t color[] = {200, 100, 50};
    struct thumbnailer *thumbnailer = thumbnailer_new();
    struct thumbnail_options options = small;
    struct thumbnail_info info;
    struct mpp_error error;
    struct buf file = BUF_INIT, out = BUF_INIT;

    (void)state;
    put_ppm(&file, 40, 20, color);
    struct byte_source source = {.bytes = file.data, .size = file.size - 1};
    assert_int_equal(thumbnailer_run(thumbnailer, &source, &options, &out, &info, &error), -1);
    assert_string_equal(error.text, "truncated PPM");
    assert_int_equal(out.size, 0);
    options.keep_truncated = true;
    assert_int_equal(thumbnailer_run(thumbnailer, &source, &options, &out, &info, &error), 0);
    assert_int_equal(info.warnings, 1);
    source.size = 0;
    assert_int_equal(thumbnailer_run(thumbnailer, &source, &options, &out, &info, &error), -1);
    assert_string_equal(error.text, "empty file");
    source = (struct byte_source){.bytes = (const uint8_t *)"P4\n", .size = 3};
    assert_int_equal(thumbnailer_run(thumbnailer, &source, &options, &out, &info, &error), -1);
    assert_string_equal(error.text, "not a JPEG, PNG or PPM file");
    thumbnailer_free(thumbnailer);
    buf_release(&file);
    buf_release(&out);
}

/* open must refuse sizes that no picture can have: the filters rely on it. */
static void impossible_sizes_are_refused(void **state)
{
    static const char *const heads[] = {"P6\n-5 -5\n255\n", "P6\n0 9\n255\n", "P6\n9 0\n255\n",
                                        "P6\n2147483647 1\n255\n"};
    struct thumbnailer *thumbnailer = thumbnailer_new();
    struct thumbnail_options options = small;
    struct thumbnail_info info;
    struct mpp_error error;
    struct buf out = BUF_INIT;

    (void)state;
    options.max_pixels = UINT64_MAX;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct byte_source source = {.bytes = (const uint8_t *)heads[i], .size = strlen(heads[i])};
        assert_int_equal(thumbnailer_run(thumbnailer, &source, &options, &out, &info, &error), -1);
        assert_string_equal(error.text, "broken PPM");
    }
    thumbnailer_free(thumbnailer);
    buf_release(&out);
}

static bool read_file_at(void *context, uint64_t at, void *to, size_t size)
{
    const struct buf *file = context;
    memcpy(to, file->data + at, size);
    return true;
}

static void a_codec_that_does_not_stream_needs_the_file_in_memory(void **state)
{
    static const uint8_t color[] = {200, 100, 50};
    struct thumbnailer *thumbnailer = thumbnailer_new();
    struct thumbnail_info info;
    struct mpp_error error;
    struct buf file = BUF_INIT, out = BUF_INIT;

    (void)state;
    put_ppm(&file, 40, 20, color);
    struct byte_source source = {.size = file.size, .read_at = read_file_at, .context = &file};
    assert_int_equal(thumbnailer_run(thumbnailer, &source, &small, &out, &info, &error), -1);
    assert_string_equal(error.text, "a PPM that is not in memory");
    thumbnailer_free(thumbnailer);
    buf_release(&file);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(formats_by_content),
        cmocka_unit_test(formats_by_file_name),
        cmocka_unit_test(formats_by_name),
        cmocka_unit_test(numbers_and_lists),
        cmocka_unit_test(scales_are_those_of_the_codec),
        cmocka_unit_test(a_ppm_becomes_a_ppm),
        cmocka_unit_test(pixels_may_begin_with_white_space),
        cmocka_unit_test(a_ppm_header_must_end_with_white_space),
        cmocka_unit_test(formats_are_converted_both_ways),
        cmocka_unit_test(alpha_is_flattened_for_a_format_without_it),
        cmocka_unit_test(a_truncated_ppm_is_refused_or_kept),
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(a_codec_that_does_not_stream_needs_the_file_in_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
