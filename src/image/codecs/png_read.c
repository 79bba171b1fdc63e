/* SPDX-License-Identifier: MIT */
/*
 * png_read: libpng's reader, wrapped so that errors are returned: see png_read.h.
 *
 * libpng reports an error by longjmp. Each function here calls setjmp before it calls libpng, and
 * changes no local variable after that.
 */
#include "png_read.h"

#include <errno.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "buf.h"
#include "png_read_exif.h"
#include "png_read_profile.h"
#include "png_whole_decode.h"

#define WINDOW_BYTES ((size_t)256 << 10)

struct png_reader {
    png_structp png; /* NULL: closed */
    png_infop info;
    const struct byte_source *source;
    uint64_t next;      /* offset of the next byte for libpng */
    struct buf window;  /* of a source that is not in memory: some bytes of it */
    uint64_t window_at; /* their offset */
    bool truncated;     /* libpng needed bytes after the last one */
    bool read_failed;   /* the source could not be read; `text` is that of errno */
    int warnings;
    char text[128];    /* of the error that jumped */
    char warning[128]; /* libpng's last one */
    int height_px;
    int rows; /* returned so far */
    size_t row_size;
    struct png_layout layout;
    struct png_whole_decode *whole;
    bool is_whole;          /* `whole` has inflated the picture; libpng has read only the header */
    uint8_t *picture;       /* interlaced and not `is_whole`: all of it, from the first row on */
    uint8_t **picture_rows; /* the rows of `picture` */
    bool keep_truncated;
    bool cut_off; /* the remaining rows are filled up */
    uint8_t *profile;
};

static void on_error(png_structp png, png_const_charp text)
{
    struct png_reader *reader = png_get_error_ptr(png);

    snprintf(reader->text, sizeof(reader->text), "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    struct png_reader *reader = png_get_error_ptr(png);

    snprintf(reader->warning, sizeof(reader->warning), "%s", text);
    reader->warnings++;
}

/* Copies bytes of a source that is not in memory. Calls png_error if it cannot be read. */
static void read_through_window(struct png_reader *reader, uint8_t *out, size_t size)
{
    const struct byte_source *source = reader->source;
    uint64_t at = reader->next;

    while (size > 0) {
        if (at < reader->window_at || at - reader->window_at >= reader->window.size) {
            uint64_t left = source->size - at;
            size_t wanted = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;

            if (!byte_source_at(source, at, wanted, &reader->window))
                reader->read_failed = true;
            if (reader->read_failed)
                png_error(reader->png, strerror(errno));
            reader->window.size = wanted;
            reader->window_at = at;
        }
        size_t available = reader->window.size - (size_t)(at - reader->window_at);
        size_t part = size < available ? size : available;
        memcpy(out, reader->window.data + (at - reader->window_at), part);
        out += part;
        at += part;
        size -= part;
    }
}

static void on_read(png_structp png, png_bytep out, size_t size)
{
    struct png_reader *reader = png_get_io_ptr(png);
    const struct byte_source *source = reader->source;

    if (size > source->size - reader->next) {
        reader->truncated = true;
        png_error(png, "truncated");
    }
    if (source->bytes)
        memcpy(out, source->bytes + reader->next, size);
    else
        read_through_window(reader, out, size);
    reader->next += size;
}

/* Describes the error that libpng jumped out with. Returns -1. */
static int report(const struct png_reader *reader, struct mpp_error *error)
{
    if (reader->read_failed)
        return mpp_error_set(error, "cannot read: %s", reader->text);
    /* This text gives no reason; the warning before it does. */
    if (strcmp(reader->text, "Invalid IHDR data") == 0 && reader->warning[0])
        return mpp_error_set(error, "broken PNG: %s", reader->warning);
    if (strncmp(reader->text, "IEND", 4) == 0 && reader->height_px == 0)
        return mpp_error_set(error, "broken PNG: there is no picture in it (IDAT)");
    if (!reader->truncated)
        return mpp_error_set(error, "broken PNG: %s", reader->text);
    if (reader->height_px == 0)
        return mpp_error_set(error, "truncated PNG: the header is cut off");
    return mpp_error_set(error, "truncated PNG after row %d of %d", reader->rows,
                         reader->height_px);
}

struct png_reader *png_reader_new(void)
{
    struct png_reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        return NULL;
    reader->whole = png_whole_decode_new();
    if (!reader->whole) {
        free(reader);
        return NULL;
    }
    return reader;
}

void png_reader_free(struct png_reader *reader)
{
    if (!reader)
        return;
    png_reader_close(reader);
    png_whole_decode_free(reader->whole);
    free(reader);
}

/* libpng skips chunks that say nothing about the pixels. Texts and profiles could be decompression
 * bombs, and damage in them is no reason to refuse a picture. */
static void limit_chunks(png_structp png)
{
    static const png_byte skipped[] = "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0"
                                      "sBIT\0sCAL\0sPLT\0sRGB\0tEXt\0tIME\0zTXt";

    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, skipped, sizeof(skipped) / 5);
    png_set_user_limits(png, PNG_MAX_SIDE_PX, PNG_MAX_SIDE_PX);
    png_set_chunk_cache_max(png, 128);
    png_set_chunk_malloc_max(png, PNG_MAX_CHUNK_BYTES);
}

static void expand_to_8_bits(struct png_reader *reader, bool exact)
{
    png_structp png = reader->png;

    if (exact && png_get_color_type(png, reader->info) != PNG_COLOR_TYPE_PALETTE)
        png_set_expand_gray_1_2_4_to_8(png);
    else
        png_set_expand(png); /* palette, bits below 8, tRNS */
    if (exact)
        png_set_strip_16(png);
    else
        png_set_scale_16(png);
    if (png_get_interlace_type(png, reader->info) != PNG_INTERLACE_NONE)
        png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);
}

static void set_layout_palette(struct png_reader *reader)
{
    struct png_layout *layout = &reader->layout;
    png_colorp colors = NULL;
    png_bytep alphas = NULL;
    int count = 0, alpha_count = 0;

    png_get_PLTE(reader->png, reader->info, &colors, &count);
    png_get_tRNS(reader->png, reader->info, &alphas, &alpha_count, NULL);
    for (int i = 0; i < 256; i++) {
        layout->colors[i][3] = i < alpha_count ? alphas[i] : 255;
        if (i >= count)
            continue;
        layout->colors[i][0] = colors[i].red;
        layout->colors[i][1] = colors[i].green;
        layout->colors[i][2] = colors[i].blue;
    }
}

static void set_layout_key(struct png_reader *reader)
{
    struct png_layout *layout = &reader->layout;
    png_color_16p key = NULL;

    if (!png_get_tRNS(reader->png, reader->info, NULL, NULL, &key) || !key)
        return;
    layout->has_key = true;
    layout->key[0] = layout->samples == 1 ? key->gray : key->red;
    layout->key[1] = key->green;
    layout->key[2] = key->blue;
}

/* Describes the file's samples for png_unpack, before expand_to_8_bits changes what libpng says
 * about them. */
static void set_layout(struct png_reader *reader, bool exact)
{
    png_structp png = reader->png;
    int color_type = png_get_color_type(png, reader->info);

    reader->layout = (struct png_layout){
        .width = (int)png_get_image_width(png, reader->info),
        .height = (int)png_get_image_height(png, reader->info),
        .depth = png_get_bit_depth(png, reader->info),
        .samples = png_get_channels(png, reader->info),
        .interlaced = png_get_interlace_type(png, reader->info) != PNG_INTERLACE_NONE,
        .is_palette = color_type == PNG_COLOR_TYPE_PALETTE,
        .cut = exact,
    };
    if (reader->layout.is_palette)
        set_layout_palette(reader);
    else if (!exact && !(color_type & PNG_COLOR_MASK_ALPHA))
        set_layout_key(reader);
}

int png_reader_open(struct png_reader *reader, const struct byte_source *source, unsigned mode,
                    struct image_header *header, struct mpp_error *error)
{
    const bool exact = mode & IMAGE_DECODE_EXACT;

    *reader = (struct png_reader){.source = source,
                                  .whole = reader->whole,
                                  .keep_truncated = mode & IMAGE_DECODE_KEEP_TRUNCATED};
    reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, on_error, on_warning);
    if (!reader->png)
        return mpp_error_set(error, "out of memory");
    if (setjmp(png_jmpbuf(reader->png)) != 0)
        return report(reader, error);
    reader->info = png_create_info_struct(reader->png);
    if (!reader->info)
        return mpp_error_set(error, "out of memory");
    png_set_read_fn(reader->png, reader, on_read);
    limit_chunks(reader->png);
    png_read_info(reader->png, reader->info);
    header->width_px = (int)png_get_image_width(reader->png, reader->info);
    header->height_px = (int)png_get_image_height(reader->png, reader->info);
    header->cmyk = header->inverted = false;
    header->orientation = png_read_exif_orientation(source);
    header->profile = reader->profile = png_read_profile(source, &header->profile_size);
    reader->height_px = header->height_px;
    set_layout(reader, exact);
    expand_to_8_bits(reader, exact); /* allocates two rows */
    header->channels = reader->layout.channels = png_get_channels(reader->png, reader->info);
    header->alpha = header->channels % 2 == 0;
    reader->row_size = png_get_rowbytes(reader->png, reader->info);
    return 0;
}

void png_reader_start(struct png_reader *reader)
{
    reader->is_whole = png_whole_decode_begin(reader->whole, reader->source, &reader->layout);
}

static int allocate_picture(struct png_reader *reader, struct mpp_error *error)
{
    size_t height = (size_t)reader->height_px;
    size_t size;

    if (!size_multiply(reader->row_size, height, &size))
        return mpp_error_set(error, "out of memory for the interlaced PNG");
    reader->picture = calloc(1, size);
    reader->picture_rows = malloc(height * sizeof(reader->picture_rows[0]));
    if (!reader->picture || !reader->picture_rows)
        return mpp_error_set(error, "out of memory for the interlaced PNG");
    for (size_t y = 0; y < height; y++)
        reader->picture_rows[y] = reader->picture + y * reader->row_size;
    return 0;
}

/* Interlaced: the first row needs the whole file. */
static int read_picture(struct png_reader *reader, struct mpp_error *error)
{
    if (allocate_picture(reader, error))
        return -1;
    if (setjmp(png_jmpbuf(reader->png)) != 0) {
        reader->warnings++;
        return reader->truncated && reader->keep_truncated ? 0 : report(reader, error);
    }
    png_read_image(reader->png, reader->picture_rows);
    return 0;
}

static int stream_row(struct png_reader *reader, uint8_t *row, struct mpp_error *error)
{
    if (!reader->truncated && setjmp(png_jmpbuf(reader->png)) == 0) {
        png_read_row(reader->png, row, NULL);
        reader->rows++;
        return 0;
    }
    if (!reader->truncated || !reader->keep_truncated)
        return report(reader, error);
    reader->warnings += reader->cut_off ? 0 : 1;
    reader->cut_off = true;
    memset(row, 0, reader->row_size);
    return 0;
}

int png_reader_row(struct png_reader *reader, uint8_t *row, struct mpp_error *error)
{
    if (reader->is_whole)
        return png_whole_decode_row(reader->whole, row)
                   ? 0
                   : mpp_error_set(error, "broken PNG: bad adaptive filter value");
    if (!reader->layout.interlaced)
        return stream_row(reader, row, error);
    if (!reader->picture && read_picture(reader, error))
        return -1;
    memcpy(row, reader->picture_rows[reader->rows++], reader->row_size);
    return 0;
}

int png_reader_warnings(const struct png_reader *reader)
{
    return reader->warnings;
}

void png_reader_close(struct png_reader *reader)
{
    if (reader->png)
        png_destroy_read_struct(&reader->png, &reader->info, NULL);
    free(reader->picture);
    free(reader->picture_rows);
    png_whole_decode_end(reader->whole);
    free(reader->profile);
    buf_release(&reader->window);
    *reader = (struct png_reader){.whole = reader->whole};
}
