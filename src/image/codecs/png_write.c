/* SPDX-License-Identifier: MIT */
/*
 * png_write: libpng's writer, which writes into a buf: see png_write.h.
 */
#include "png_write.h"

#include <setjmp.h>
#include <stdio.h>

#include <png.h>

#define COMPRESSION_LEVEL 6 /* as Pillow */
#define COMPRESSION_BEST  9 /* with optimize */

struct png_writer {
    struct buf *out;
    char text[128]; /* of the error that jumped */
};

static void on_error(png_structp png, png_const_charp text)
{
    struct png_writer *writer = png_get_error_ptr(png);

    snprintf(writer->text, sizeof(writer->text), "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void on_write(png_structp png, png_bytep bytes, size_t size)
{
    struct png_writer *writer = png_get_io_ptr(png);

    buf_put(writer->out, bytes, size);
    if (writer->out->failed)
        png_error(png, "out of memory");
}

static void on_flush(png_structp png)
{
    (void)png;
}

/* All calls of libpng that may jump. The caller has called setjmp. */
static void write_picture(png_structp png, png_infop info, const struct image_pixels *pixels,
                          const struct image_encoding *encoding)
{
    static const int color_types[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                      PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    size_t row_bytes = (size_t)pixels->width_px * (size_t)pixels->channels;

    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_IHDR(png, info, (png_uint_32)pixels->width_px, (png_uint_32)pixels->height_px, 8,
                 color_types[pixels->channels - 1], PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, encoding->optimize ? COMPRESSION_BEST : COMPRESSION_LEVEL);
    if (encoding->profile)
        png_set_iCCP(png, info, "ICC", PNG_COMPRESSION_TYPE_BASE, encoding->profile,
                     (png_uint_32)encoding->profile_size);
    png_write_info(png, info);
    for (int y = 0; y < pixels->height_px; y++)
        png_write_row(png, pixels->bytes + (size_t)y * row_bytes);
    png_write_end(png, NULL);
}

int png_write(const struct image_pixels *pixels, const struct image_encoding *encoding,
              struct buf *out, struct mpp_error *error)
{
    struct png_writer writer = {.out = out};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;

    if (!info) {
        png_destroy_write_struct(&png, NULL);
        return mpp_error_set(error, "out of memory");
    }
    if (setjmp(png_jmpbuf(png)) != 0) {
        png_destroy_write_struct(&png, &info);
        return mpp_error_set(error, "cannot write the PNG: %s", writer.text);
    }
    png_set_write_fn(png, &writer, on_write, on_flush);
    png_set_benign_errors(png, 1); /* a profile that libpng refuses is left out */
    write_picture(png, info, pixels, encoding);
    png_destroy_write_struct(&png, &info);
    return 0;
}
