/* SPDX-License-Identifier: MIT */
/*
 * test_jpeg_scaled_decode: compares our decoder for JPEGs at 1/8 and 2/8 with samples computed from
 * libjpeg's coefficients, for every kind of file that it decodes. It must refuse other kinds,
 * truncated files and most damaged files, and never read or write out of bounds.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jpeg_error.h"
#include "jpeg_scaled_decode.h"

struct jpeg_kind {
    const char *name;
    int width, height, quality;
    J_COLOR_SPACE stored; /* JCS_GRAYSCALE, JCS_YCbCr or JCS_RGB */
    int across, down;     /* sampling factors of the first component; 0: 1 */
    int contrast;         /* of noise, out of 255 */
    int restart;          /* MCUs; 0: none */
    bool progressive, optimized;
    bool separate; /* one scan for each component */
};

struct jpeg_file {
    unsigned char *bytes;
    unsigned long size;
};

static uint32_t next_random(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 16;
}

static void write_rows(struct jpeg_compress_struct *cinfo, int contrast)
{
    uint32_t random = 1;
    int channels = cinfo->input_components;
    JSAMPROW row = malloc((size_t)cinfo->image_width * (size_t)channels);
    assert_non_null(row);
    for (unsigned y = 0; y < cinfo->image_height; y++) {
        for (unsigned i = 0; i < cinfo->image_width * (unsigned)channels; i++) {
            int noise = (int)(next_random(&random) % 256) * contrast / 255 - contrast / 2;
            int value = 60 + (int)(i / 3 % 97) + (int)(y % 61) + noise;
            row[i] = (JSAMPLE)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
        jpeg_write_scanlines(cinfo, &row, 1);
    }
    free(row);
}

/* One scan for each component, which baseline allows too. */
static const jpeg_scan_info separate_scans[] = {
    {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};

static struct jpeg_file make_file(const struct jpeg_kind *kind)
{
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr errors;
    struct jpeg_file file = {0};
    cinfo.err = jpeg_std_error(&errors);
    jpeg_create_compress(&cinfo);
    jpeg_mem_dest(&cinfo, &file.bytes, &file.size);
    cinfo.image_width = (JDIMENSION)kind->width;
    cinfo.image_height = (JDIMENSION)kind->height;
    cinfo.input_components = kind->stored == JCS_GRAYSCALE ? 1 : 3;
    cinfo.in_color_space = kind->stored == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&cinfo);
    jpeg_set_colorspace(&cinfo, kind->stored);
    jpeg_set_quality(&cinfo, kind->quality, TRUE);
    cinfo.comp_info[0].h_samp_factor = kind->across ? kind->across : 1;
    cinfo.comp_info[0].v_samp_factor = kind->down ? kind->down : 1;
    cinfo.restart_interval = (unsigned)kind->restart;
    cinfo.optimize_coding = kind->optimized;
    if (kind->progressive)
        jpeg_simple_progression(&cinfo);
    if (kind->separate) {
        cinfo.scan_info = separate_scans;
        cinfo.num_scans = 3;
    }
    jpeg_start_compress(&cinfo, TRUE);
    write_rows(&cinfo, kind->contrast);
    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);
    return file;
}

/* ---- With libjpeg's coefficients ---- */

/* Mean of the cosine of a frequency over one of `scale` parts of a block's side. */
static double mean_of_cosine(int frequency, int part, int scale)
{
    double sum = 0;
    int pixels = 8 / scale;
    for (int x = part * pixels; x < (part + 1) * pixels; x++)
        sum += cos((2 * x + 1) * frequency * M_PI / 16);
    return sum / pixels * (frequency ? 0.5 : sqrt(0.125));
}

/* Rows and columns of the first coefficients in the order of the file. */
static const int first_coefficients[5][2] = {{0, 0}, {0, 1}, {1, 0}, {2, 0}, {1, 1}};

/* The sample of a component at (x, y) of the picture at eighths / 8. */
static double sample_of(struct jpeg_decompress_struct *cinfo, jvirt_barray_ptr *coefficients,
                        int number, int eighths, int x, int y)
{
    const jpeg_component_info *info = &cinfo->comp_info[number];
    int across = cinfo->max_h_samp_factor / info->h_samp_factor;
    int down = cinfo->max_v_samp_factor / info->v_samp_factor;
    int scale = cinfo->progressive_mode ? eighths : eighths * across;
    int column = cinfo->progressive_mode ? x / across : x;
    int row = cinfo->progressive_mode ? y / down : y;
    int terms = scale == 1 ? 1 : 5;
    JBLOCKARRAY rows = cinfo->mem->access_virt_barray((j_common_ptr)cinfo, coefficients[number],
                                                      (JDIMENSION)(row / scale), 1, FALSE);
    const JCOEF *block = rows[0][column / scale];
    double sum = 0;
    for (int k = 0; k < terms; k++) {
        int v = first_coefficients[k][0], u = first_coefficients[k][1];
        sum += block[8 * v + u] * cinfo->quant_tbl_ptrs[info->quant_tbl_no]->quantval[8 * v + u] *
               mean_of_cosine(u, column % scale, scale) * mean_of_cosine(v, row % scale, scale);
    }
    sum += 128;
    return sum < 0 ? 0 : sum > 255 ? 255 : sum;
}

static void to_rgb(const struct jpeg_decompress_struct *cinfo, const double *samples, double *rgb)
{
    memcpy(rgb, samples, 3 * sizeof *rgb);
    if (cinfo->jpeg_color_space == JCS_YCbCr) {
        double blue = samples[1] - 128, red = samples[2] - 128;
        rgb[0] = samples[0] + 1.402 * red;
        rgb[1] = samples[0] - 0.344136 * blue - 0.714136 * red;
        rgb[2] = samples[0] + 1.772 * blue;
    }
}

static void compare(const struct jpeg_kind *kind, const struct jpeg_file *file, int eighths,
                    const struct jpeg_scaled_decode *scaled)
{
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr errors;
    cinfo.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&cinfo);
    jpeg_mem_src(&cinfo, file->bytes, file->size);
    jpeg_read_header(&cinfo, TRUE);
    jvirt_barray_ptr *coefficients = jpeg_read_coefficients(&cinfo);
    int channels = cinfo.num_components;
    int width = (kind->width * eighths + 7) / 8, height = (kind->height * eighths + 7) / 8;
    uint8_t *row = malloc((size_t)width * 3);
    assert_non_null(row);
    for (int y = 0; y < height; y++) {
        jpeg_scaled_decode_row(scaled, y, row);
        for (int x = 0; x < width; x++) {
            double samples[3] = {0}, rgb[3];
            for (int i = 0; i < channels; i++)
                samples[i] = sample_of(&cinfo, coefficients, i, eighths, x, y);
            to_rgb(&cinfo, samples, rgb);
            for (int i = 0; i < channels; i++) {
                double wanted = rgb[i] < 0 ? 0 : rgb[i] > 255 ? 255 : rgb[i];
                if (fabs(row[x * channels + i] - wanted) > 1.9) /* roundings of three samples */
                    fail_msg("%s, %d/8, (%d, %d), channel %d: %d instead of %.2f", kind->name,
                             eighths, x, y, i, row[x * channels + i], wanted);
            }
        }
    }
    free(row);
    jpeg_destroy_decompress(&cinfo);
}

/* ---- With our decoder ---- */

/* False: the file is refused. */
static bool decode(struct jpeg_scaled_decode *scaled, const uint8_t *bytes, size_t size,
                   int eighths)
{
    struct jpeg_error failure;
    struct jpeg_decompress_struct cinfo;
    volatile bool decoded = false;
    cinfo.err = jpeg_error_init(&failure);
    jpeg_create_decompress(&cinfo);
    if (setjmp(failure.jump) == 0) {
        jpeg_mem_src(&cinfo, bytes, size);
        jpeg_read_header(&cinfo, TRUE);
        decoded = jpeg_scaled_decode_run(scaled, &cinfo, eighths, cinfo.src->next_input_byte,
                                         cinfo.src->bytes_in_buffer);
    }
    jpeg_destroy_decompress(&cinfo);
    return decoded;
}

#define SIZES(...)                                                                                 \
    {.width = 1, .height = 1, __VA_ARGS__}, {.width = 9, .height = 31, __VA_ARGS__},               \
    {                                                                                              \
        .width = 133, .height = 77, __VA_ARGS__                                                    \
    }

static const struct jpeg_kind decoded[] = {
    SIZES(.name = "gray", .quality = 75, .stored = JCS_GRAYSCALE, .contrast = 60),
    SIZES(.name = "gray, sampling factors without meaning", .quality = 75, .stored = JCS_GRAYSCALE,
          .across = 2, .down = 2, .contrast = 60),
    SIZES(.name = "4:4:4", .quality = 75, .stored = JCS_YCbCr, .contrast = 60),
    SIZES(.name = "4:2:0", .quality = 75, .stored = JCS_YCbCr, .across = 2, .down = 2,
          .contrast = 60),
    SIZES(.name = "RGB", .quality = 75, .stored = JCS_RGB, .contrast = 60),
    SIZES(.name = "long codes", .quality = 100, .stored = JCS_YCbCr, .across = 2, .down = 2,
          .contrast = 250),
    SIZES(.name = "optimized codes", .quality = 92, .stored = JCS_YCbCr, .across = 2, .down = 2,
          .contrast = 100, .optimized = true),
    SIZES(.name = "smooth, optimized codes", .quality = 20, .stored = JCS_YCbCr, .optimized = true),
    SIZES(.name = "restarts", .quality = 85, .stored = JCS_YCbCr, .across = 2, .down = 2,
          .contrast = 90, .restart = 3),
    SIZES(.name = "a restart at each MCU", .quality = 85, .stored = JCS_GRAYSCALE, .contrast = 90,
          .restart = 1),
};

static const struct jpeg_kind decoded_at_an_eighth[] = {
    SIZES(.name = "progressive gray", .quality = 75, .stored = JCS_GRAYSCALE, .contrast = 60,
          .progressive = true),
    SIZES(.name = "progressive 4:2:0", .quality = 90, .stored = JCS_YCbCr, .across = 2, .down = 2,
          .contrast = 120, .progressive = true),
    SIZES(.name = "progressive 4:2:2", .quality = 90, .stored = JCS_YCbCr, .across = 2, .down = 1,
          .contrast = 120, .progressive = true),
    SIZES(.name = "progressive 4:4:4, restarts", .quality = 60, .stored = JCS_YCbCr,
          .contrast = 120, .progressive = true, .restart = 2),
};

static const struct jpeg_kind refused[] = {
    SIZES(.name = "4:2:2", .quality = 75, .stored = JCS_YCbCr, .across = 2, .down = 1),
    SIZES(.name = "scans of one component", .quality = 75, .stored = JCS_YCbCr, .separate = true),
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_every_kind(void **state)
{
    (void)state;
    struct jpeg_scaled_decode *scaled = jpeg_scaled_decode_new();
    for (size_t i = 0; i < COUNT(decoded) + COUNT(decoded_at_an_eighth); i++) {
        const struct jpeg_kind *kind =
            i < COUNT(decoded) ? &decoded[i] : &decoded_at_an_eighth[i - COUNT(decoded)];
        struct jpeg_file file = make_file(kind);
        for (int eighths = 1; eighths <= 2; eighths++) {
            if (eighths == 2 && kind->progressive)
                continue;
            if (!decode(scaled, file.bytes, file.size, eighths))
                fail_msg("%s, %d x %d, %d/8: refused", kind->name, kind->width, kind->height,
                         eighths);
            compare(kind, &file, eighths, scaled);
        }
        free(file.bytes);
    }
    jpeg_scaled_decode_free(scaled);
}

static void test_refused_kinds(void **state)
{
    (void)state;
    struct jpeg_scaled_decode *scaled = jpeg_scaled_decode_new();
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct jpeg_file file = make_file(&refused[i]);
        assert_false(decode(scaled, file.bytes, file.size, 1));
        assert_false(decode(scaled, file.bytes, file.size, 2));
        free(file.bytes);
    }
    for (size_t i = 0; i < COUNT(decoded_at_an_eighth); i++) {
        struct jpeg_file file = make_file(&decoded_at_an_eighth[i]);
        assert_false(decode(scaled, file.bytes, file.size, 2));
        free(file.bytes);
    }
    jpeg_scaled_decode_free(scaled);
}

/* A truncated file is always refused. */
static void test_truncated_anywhere(void **state)
{
    (void)state;
    const struct jpeg_kind kinds[] = {{.width = 40,
                                       .height = 40,
                                       .quality = 80,
                                       .stored = JCS_YCbCr,
                                       .across = 2,
                                       .down = 2,
                                       .contrast = 60,
                                       .restart = 2},
                                      {.width = 40,
                                       .height = 40,
                                       .quality = 80,
                                       .stored = JCS_YCbCr,
                                       .across = 2,
                                       .down = 2,
                                       .contrast = 60,
                                       .progressive = true}};
    struct jpeg_scaled_decode *scaled = jpeg_scaled_decode_new();
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct jpeg_file file = make_file(&kinds[i]);
        for (size_t size = 1; size < file.size; size++) {
            uint8_t *bytes = malloc(size);
            assert_non_null(bytes);
            memcpy(bytes, file.bytes, size);
            assert_false(decode(scaled, bytes, size, 1));
            free(bytes);
        }
        free(file.bytes);
    }
    jpeg_scaled_decode_free(scaled);
}

/* Wrong bytes in the second half: the decoder returns and stays within its memory. */
static void test_damage(void **state)
{
    (void)state;
    struct jpeg_scaled_decode *scaled = jpeg_scaled_decode_new();
    uint32_t random = 7;
    for (size_t i = 0; i < COUNT(decoded) + COUNT(decoded_at_an_eighth); i++) {
        struct jpeg_kind kind =
            i < COUNT(decoded) ? decoded[i] : decoded_at_an_eighth[i - COUNT(decoded)];
        struct jpeg_file file = make_file(&kind);
        for (int round = 0; round < 300; round++) {
            uint8_t *bytes = malloc(file.size);
            assert_non_null(bytes);
            memcpy(bytes, file.bytes, file.size);
            for (unsigned wrong = next_random(&random) % 4; wrong-- > 0;) {
                /* not in the header, which could then say that the picture is large */
                size_t at = file.size / 2 + next_random(&random) % (file.size - file.size / 2);
                bytes[at] = (uint8_t)next_random(&random);
            }
            if (decode(scaled, bytes, file.size, 1 + round % 2)) {
                uint8_t row[133 * 3];
                jpeg_scaled_decode_row(scaled, 0, row);
            }
            free(bytes);
        }
        free(file.bytes);
    }
    jpeg_scaled_decode_free(scaled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),
        cmocka_unit_test(test_refused_kinds),
        cmocka_unit_test(test_truncated_anywhere),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
