/* SPDX-License-Identifier: MIT */
/*
 * jpeg_read: libjpeg's decompressor, wrapped so that errors are returned: see jpeg_read.h.
 *
 * The source manager is our own. That of libjpeg inserts an end marker when the bytes run out; ours
 * fails, so that a truncated file is detected.
 */
#include "jpeg_read.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "exif.h"
#include "jpeg_error.h"
#include "jpeg_progressive_dc.h"
#include "jpeg_scaled_decode.h"

struct jpeg_reader {
    struct jpeg_error failure;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct cinfo;
    struct jpeg_scaled_decode *scaled;
    bool is_scaled; /* `scaled` has decoded the picture, libjpeg has read only the header */
    bool created;   /* cinfo has to be destroyed */
    unsigned mode;  /* flags of enum image_decode_mode */
    bool truncated; /* the decoder needed bytes after the last one */
    bool keep_truncated;
    int rows; /* returned so far */
    JOCTET *profile;
};

static struct jpeg_reader *reader_of(j_decompress_ptr cinfo)
{
    return cinfo->client_data;
}

static void source_no_operation(j_decompress_ptr cinfo)
{
    (void)cinfo;
}

static boolean source_fill(j_decompress_ptr cinfo)
{
    struct jpeg_reader *reader = reader_of(cinfo);
    static const JOCTET made_up_end[] = {0xFF, JPEG_EOI};

    if (reader->keep_truncated) {
        reader->failure.warnings += !reader->truncated;
        reader->truncated = true;
        cinfo->src->next_input_byte = made_up_end;
        cinfo->src->bytes_in_buffer = sizeof(made_up_end);
        return TRUE;
    }
    reader->truncated = true;
    jpeg_error_leave(&reader->failure, "truncated JPEG");
}

static void source_skip(j_decompress_ptr cinfo, long count)
{
    if (count <= 0)
        return;
    if ((size_t)count > cinfo->src->bytes_in_buffer) {
        source_fill(cinfo);
        return;
    }
    cinfo->src->next_input_byte += count;
    cinfo->src->bytes_in_buffer -= (size_t)count;
}

/* libjpeg's progress monitor; called often while a file of several scans is decoded. */
static void limit_scans(j_common_ptr common)
{
    j_decompress_ptr cinfo = (j_decompress_ptr)common;

    if (cinfo->input_scan_number > JPEG_SCANS_MAX)
        jpeg_error_leave(&reader_of(cinfo)->failure, "progressive JPEG with more than 500 scans");
}

static int create(struct jpeg_reader *reader)
{
    if (setjmp(reader->failure.jump) != 0)
        return -1;
    jpeg_create_decompress(&reader->cinfo);
    reader->created = true;
    jpeg_save_markers(&reader->cinfo, JPEG_APP0 + 1, 0xFFFF); /* EXIF */
    jpeg_save_markers(&reader->cinfo, JPEG_APP0 + 2, 0xFFFF); /* ICC */
    return 0;
}

struct jpeg_reader *jpeg_reader_new(void)
{
    struct jpeg_reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        return NULL;
    reader->cinfo.err = jpeg_error_init(&reader->failure);
    reader->scaled = jpeg_scaled_decode_new();
    if (!reader->scaled || create(reader)) {
        jpeg_reader_free(reader);
        return NULL;
    }
    reader->cinfo.client_data = reader;
    reader->cinfo.mem->max_memory_to_use = JPEG_MAX_MEMORY;
    reader->source = (struct jpeg_source_mgr){
        .init_source = source_no_operation,
        .fill_input_buffer = source_fill,
        .skip_input_data = source_skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = source_no_operation,
    };
    reader->cinfo.src = &reader->source;
    reader->progress.progress_monitor = limit_scans;
    reader->cinfo.progress = &reader->progress;
    return reader;
}

void jpeg_reader_free(struct jpeg_reader *reader)
{
    if (!reader)
        return;
    if (reader->created)
        jpeg_destroy_decompress(&reader->cinfo);
    jpeg_scaled_decode_free(reader->scaled);
    free(reader->profile);
    free(reader);
}

/* If there are several EXIF blocks, the first one counts. */
static int orientation_of(const struct jpeg_decompress_struct *cinfo)
{
    for (const struct jpeg_marker_struct *m = cinfo->marker_list; m; m = m->next) {
        if (m->marker == JPEG_APP0 + 1 && m->data_length >= 5 && memcmp(m->data, "Exif", 5) == 0)
            return exif_orientation(m->data, m->data_length);
    }
    return EXIF_ORIENTATION_NORMAL;
}

/* Describes the error that libjpeg jumped out with. Returns -1. */
static int report(const struct jpeg_reader *reader, struct mpp_error *error)
{
    const struct jpeg_decompress_struct *cinfo = &reader->cinfo;
    long row = reader->rows;

    if (!reader->truncated) {
        if (strcmp(reader->failure.text, "Backing store not supported") == 0)
            return mpp_error_set(error, "progressive JPEG needs more than %ld MB to decode",
                                 JPEG_MAX_MEMORY / (1024 * 1024));
        return mpp_error_set(error, "broken JPEG: %s", reader->failure.text);
    }
    if (cinfo->image_height == 0)
        return mpp_error_set(error, "truncated JPEG: the header is cut off");
    if (cinfo->output_height > 0) /* rows are counted at the decoded scale */
        row = row * (long)cinfo->image_height / (long)cinfo->output_height;
    return mpp_error_set(error, "truncated JPEG after row %ld of %u", row, cinfo->image_height);
}

static int fill_header(struct jpeg_reader *reader, struct image_header *header,
                       struct mpp_error *error)
{
    const struct jpeg_decompress_struct *cinfo = &reader->cinfo;

    switch (cinfo->num_components) {
    case 1:
        header->channels = 1;
        break;
    case 3:
    case 4:
        header->channels = cinfo->num_components;
        break;
    default:
        return mpp_error_set(error, "JPEG with %d colour components is not supported",
                             cinfo->num_components);
    }
    header->width_px = (int)cinfo->image_width;
    header->height_px = (int)cinfo->image_height;
    header->alpha = false;
    header->cmyk = cinfo->num_components == 4;
    header->inverted = header->cmyk && cinfo->saw_Adobe_marker; /* as Adobe's programs write */
    header->orientation = orientation_of(cinfo);
    header->profile = reader->profile;
    return 0;
}

int jpeg_reader_open(struct jpeg_reader *reader, const void *bytes, size_t size, unsigned mode,
                     struct image_header *header, struct mpp_error *error)
{
    unsigned profile_size = 0;

    reader->is_scaled = false;
    reader->mode = mode;
    reader->truncated = reader->keep_truncated = false; /* a truncated header is always an error */
    reader->rows = 0;
    reader->failure.warnings = 0;
    reader->cinfo.image_height = 0;
    reader->cinfo.output_height = 0;
    reader->source.next_input_byte = bytes;
    reader->source.bytes_in_buffer = size;
    if (setjmp(reader->failure.jump) != 0)
        return report(reader, error);
    jpeg_read_header(&reader->cinfo, TRUE);
    header->profile_size = 0;
    if (jpeg_read_icc_profile(&reader->cinfo, &reader->profile, &profile_size))
        header->profile_size = profile_size;
    return fill_header(reader, header, error);
}

int jpeg_reader_start(struct jpeg_reader *reader, int eighths, struct mpp_error *error)
{
    struct jpeg_decompress_struct *cinfo = &reader->cinfo;

    reader->keep_truncated = reader->mode & IMAGE_DECODE_KEEP_TRUNCATED;
    reader->is_scaled =
        !(reader->mode & IMAGE_DECODE_EXACT) && eighths <= 2 &&
        jpeg_scaled_decode_run(reader->scaled, cinfo, eighths, reader->source.next_input_byte,
                               reader->source.bytes_in_buffer);
    if (reader->is_scaled)
        return 0;
    if (setjmp(reader->failure.jump) != 0)
        return report(reader, error);
    cinfo->scale_num = (unsigned)eighths;
    cinfo->scale_denom = 8;
    cinfo->dct_method = JDCT_ISLOW;
    if (cinfo->num_components == 1)
        cinfo->out_color_space = JCS_GRAYSCALE;
    else
        cinfo->out_color_space = cinfo->num_components == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_start_decompress(cinfo);
    return 0;
}

int jpeg_reader_row(struct jpeg_reader *reader, uint8_t *row, struct mpp_error *error)
{
    struct jpeg_decompress_struct *cinfo = &reader->cinfo;

    if (reader->is_scaled) {
        jpeg_scaled_decode_row(reader->scaled, reader->rows++, row);
        return 0;
    }
    if (setjmp(reader->failure.jump) != 0)
        return report(reader, error);
    jpeg_read_scanlines(cinfo, &row, 1);
    reader->rows++;
    return 0;
}

int jpeg_reader_finish(struct jpeg_reader *reader, struct mpp_error *error)
{
    if (reader->is_scaled) /* it has checked the end of the file */
        return 0;
    if (setjmp(reader->failure.jump) != 0)
        return reader->truncated ? 0 : report(reader, error);
    jpeg_finish_decompress(&reader->cinfo);
    return 0;
}

int jpeg_reader_warnings(const struct jpeg_reader *reader)
{
    return reader->failure.warnings;
}

void jpeg_reader_close(struct jpeg_reader *reader)
{
    if (setjmp(reader->failure.jump) == 0)
        jpeg_abort_decompress(&reader->cinfo);
    free(reader->profile);
    reader->profile = NULL;
}
