/* SPDX-License-Identifier: MIT */
/*
 * test_pngsuite: decodes every valid file of PngSuite and compares the pixels with libpng's: all
 * colour types, depths, filters, sizes, interlacing and transparency. The files are in the
 * directory pngsuite of MPP_CORPUS. Skipped if MPP_CORPUS is not set.
 */
#include <dirent.h>
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

#include "buf.h"
#include "png_read.h"

enum { SKIPPED = 77, FILES_MIN = 150 };

static void read_file(const char *path, struct buf *content)
{
    FILE *file = fopen(path, "rb");
    size_t got = 1;

    assert_non_null(file);
    while (got > 0) {
        got = fread(buf_reserve(content, 65536), 1, 65536, file);
        content->size += got;
    }
    fclose(file);
}

struct file_position {
    const struct buf *file;
    size_t at;
};

static void read_from_file(png_structp png, png_bytep out, size_t size)
{
    struct file_position *position = png_get_io_ptr(png);

    if (size > position->file->size - position->at)
        png_error(png, "truncated");
    memcpy(out, position->file->data + position->at, size);
    position->at += size;
}

/* Decodes with libpng alone, to 8 bits a channel. exact: 16 bits are cut and a transparent colour
 * is an ordinary colour. */
static uint8_t *decode_with_libpng(const struct buf *file, bool exact, size_t *row_bytes,
                                   int *height)
{
    struct file_position position = {.file = file};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    uint8_t *volatile pixels = NULL;
    png_bytep *volatile rows = NULL;

    if (setjmp(png_jmpbuf(png)) != 0)
        fail_msg("libpng cannot read it");
    png_set_read_fn(png, &position, read_from_file);
    png_read_info(png, info);
    if (exact && png_get_color_type(png, info) != PNG_COLOR_TYPE_PALETTE)
        png_set_expand_gray_1_2_4_to_8(png);
    else
        png_set_expand(png);
    if (exact)
        png_set_strip_16(png);
    else
        png_set_scale_16(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    *row_bytes = png_get_rowbytes(png, info);
    *height = (int)png_get_image_height(png, info);
    pixels = malloc(*row_bytes * (size_t)*height);
    rows = malloc((size_t)*height * sizeof(*rows));
    for (int y = 0; y < *height; y++)
        rows[y] = pixels + (size_t)y * *row_bytes;
    png_read_image(png, rows);
    png_destroy_read_struct(&png, &info, NULL);
    free(rows);
    return pixels;
}

static bool read_at(void *context, uint64_t at, void *to, size_t size)
{
    const struct buf *file = context;

    memcpy(to, file->data + at, size);
    return true;
}

/* A file in memory is inflated at once, another one streams; pixels must be the same. */
static void compare(const char *name, struct buf *file, bool exact, bool streams)
{
    struct png_reader *reader = png_reader_new();
    struct byte_source source = {.bytes = streams ? NULL : file->data,
                                 .size = file->size,
                                 .read_at = read_at,
                                 .context = file};
    struct image_header header;
    struct mpp_error error = {""};
    size_t row_bytes;
    int height;
    uint8_t *wanted = decode_with_libpng(file, exact, &row_bytes, &height);
    uint8_t *row = malloc(row_bytes);

    if (png_reader_open(reader, &source, exact ? IMAGE_DECODE_EXACT : 0, &header, &error))
        fail_msg("%s: %s", name, error.text);
    png_reader_start(reader);
    assert_int_equal(header.height_px, height);
    assert_int_equal((size_t)header.width_px * (size_t)header.channels, row_bytes);
    for (int y = 0; y < height; y++) {
        if (png_reader_row(reader, row, &error))
            fail_msg("%s: %s", name, error.text);
        if (memcmp(row, wanted + (size_t)y * row_bytes, row_bytes) != 0)
            fail_msg("%s: row %d differs%s%s", name, y, exact ? ", exact" : "",
                     streams ? ", streaming" : "");
    }
    png_reader_free(reader);
    free(row);
    free(wanted);
}

static char directory_path[4096];

static void valid_files_have_the_pixels_of_libpng(void **state)
{
    DIR *directory = opendir(directory_path);
    int files = 0;

    (void)state;
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        const char *dot = strrchr(entry->d_name, '.');
        struct buf file = BUF_INIT;
        char path[8192];

        if (!dot || strcmp(dot, ".png") != 0 || entry->d_name[0] == 'x')
            continue;
        snprintf(path, sizeof(path), "%s/%s", directory_path, entry->d_name);
        read_file(path, &file);
        for (int way = 0; way < 4; way++)
            compare(entry->d_name, &file, way & 1, way & 2);
        buf_release(&file);
        files++;
    }
    closedir(directory);
    assert_in_range(files, FILES_MIN, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(valid_files_have_the_pixels_of_libpng)};
    const char *corpus = getenv("MPP_CORPUS");

    if (!corpus || *corpus == '\0') {
        printf("skipped: MPP_CORPUS is not set\n");
        return SKIPPED;
    }
    snprintf(directory_path, sizeof(directory_path), "%s/pngsuite", corpus);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
