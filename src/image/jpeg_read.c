/*
 * jpeg_read: libjpeg's decompressor behind calls that return errors.
 *
 * The source manager is our own: the library's invents an end of image when bytes run out, ours
 * fails, so that a truncated file is told from a whole one.
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
    struct jpeg_decompress_struct codec;
    struct jpeg_scaled_decode *means;
    bool in_means; /* it has decoded the picture */
    bool created;
    bool truncated; /* bytes were wanted behind the last one */
    bool keep_truncated;
    int rows; /* delivered */
    JOCTET *profile;
};

static struct jpeg_reader *reader_of(j_decompress_ptr codec)
{
    return codec->client_data;
}

static void source_nothing(j_decompress_ptr codec)
{
    (void)codec;
}

static boolean source_fill(j_decompress_ptr codec)
{
    struct jpeg_reader *reader = reader_of(codec);

    static const JOCTET made_up_end[] = {0xFF, JPEG_EOI};

    if (reader->keep_truncated) {
        reader->failure.warnings += !reader->truncated;
        reader->truncated = true;
        codec->src->next_input_byte = made_up_end;
        codec->src->bytes_in_buffer = sizeof(made_up_end);
        return TRUE;
    }
    reader->truncated = true;
    jpeg_error_leave(&reader->failure, "truncated JPEG");
}

static void source_skip(j_decompress_ptr codec, long count)
{
    if (count <= 0)
        return;
    if ((size_t)count > codec->src->bytes_in_buffer) {
        source_fill(codec);
        return;
    }
    codec->src->next_input_byte += count;
    codec->src->bytes_in_buffer -= (size_t)count;
}

/* Called before each piece of work on a file of several scans. */
static void count_scans(j_common_ptr common)
{
    j_decompress_ptr codec = (j_decompress_ptr)common;

    if (codec->input_scan_number > JPEG_PROGRESSIVE_DC_MAX)
        jpeg_error_leave(&reader_of(codec)->failure, "progressive JPEG with more than 500 scans");
}

static int create(struct jpeg_reader *reader)
{
    if (setjmp(reader->failure.jump) != 0)
        return -1;
    jpeg_create_decompress(&reader->codec);
    reader->created = true;
    jpeg_save_markers(&reader->codec, JPEG_APP0 + 1, 0xFFFF); /* EXIF */
    jpeg_save_markers(&reader->codec, JPEG_APP0 + 2, 0xFFFF); /* ICC */
    return 0;
}

struct jpeg_reader *jpeg_reader_new(void)
{
    struct jpeg_reader *reader = calloc(1, sizeof(*reader));

    if (reader == NULL)
        return NULL;
    reader->codec.err = jpeg_error_init(&reader->failure);
    reader->means = jpeg_scaled_decode_new();
    if (reader->means == NULL || create(reader) == -1) {
        jpeg_reader_free(reader);
        return NULL;
    }
    reader->codec.client_data = reader;
    reader->codec.mem->max_memory_to_use = JPEG_MAX_MEMORY;
    reader->source = (struct jpeg_source_mgr){
        .init_source = source_nothing,
        .fill_input_buffer = source_fill,
        .skip_input_data = source_skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = source_nothing,
    };
    reader->codec.src = &reader->source;
    reader->progress.progress_monitor = count_scans;
    reader->codec.progress = &reader->progress;
    return reader;
}

void jpeg_reader_free(struct jpeg_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->created)
        jpeg_destroy_decompress(&reader->codec);
    jpeg_scaled_decode_free(reader->means);
    free(reader->profile);
    free(reader);
}

/* The first EXIF block counts. */
static int orientation_of(const struct jpeg_decompress_struct *codec)
{
    for (const struct jpeg_marker_struct *m = codec->marker_list; m != NULL; m = m->next) {
        if (m->marker == JPEG_APP0 + 1 && m->data_length >= 5 && memcmp(m->data, "Exif", 5) == 0)
            return exif_orientation(m->data, m->data_length);
    }
    return EXIF_ORIENTATION_NORMAL;
}

/* Says why the library was left; -1. */
static int report(const struct jpeg_reader *reader, struct mpp_error *error)
{
    const struct jpeg_decompress_struct *codec = &reader->codec;
    long row = reader->rows;

    if (!reader->truncated) {
        if (strcmp(reader->failure.text, "Backing store not supported") == 0)
            return mpp_error_set(error, "progressive JPEG needs more than %ld MB to decode",
                                 JPEG_MAX_MEMORY / (1024 * 1024));
        return mpp_error_set(error, "broken JPEG: %s", reader->failure.text);
    }
    if (codec->image_height == 0)
        return mpp_error_set(error, "truncated JPEG: the header is cut off");
    if (codec->output_height > 0) /* rows came scaled */
        row = row * (long)codec->image_height / (long)codec->output_height;
    return mpp_error_set(error, "truncated JPEG after row %ld of %u", row, codec->image_height);
}

static int describe(struct jpeg_reader *reader, struct jpeg_header *header, struct mpp_error *error)
{
    const struct jpeg_decompress_struct *codec = &reader->codec;

    switch (codec->num_components) {
    case 1:
        header->channels = 1;
        break;
    case 3:
    case 4:
        header->channels = codec->num_components;
        break;
    default:
        return mpp_error_set(error, "JPEG with %d colour components is not supported",
                             codec->num_components);
    }
    header->width_px = (int)codec->image_width;
    header->height_px = (int)codec->image_height;
    header->inverted = codec->num_components == 4 && codec->saw_Adobe_marker;
    header->orientation = orientation_of(codec);
    header->profile = reader->profile;
    return 0;
}

int jpeg_reader_open(struct jpeg_reader *reader, const void *bytes, size_t size,
                     struct jpeg_header *header, struct mpp_error *error)
{
    unsigned profile_size = 0;

    reader->in_means = false;
    reader->truncated = reader->keep_truncated = false;
    reader->rows = 0;
    reader->failure.warnings = 0;
    reader->codec.image_height = 0;
    reader->codec.output_height = 0;
    reader->source.next_input_byte = bytes;
    reader->source.bytes_in_buffer = size;
    if (setjmp(reader->failure.jump) != 0)
        return report(reader, error);
    jpeg_read_header(&reader->codec, TRUE);
    header->profile_size = 0;
    if (jpeg_read_icc_profile(&reader->codec, &reader->profile, &profile_size))
        header->profile_size = profile_size;
    return describe(reader, header, error);
}

int jpeg_reader_start(struct jpeg_reader *reader, int eighths, unsigned way,
                      struct mpp_error *error)
{
    struct jpeg_decompress_struct *codec = &reader->codec;

    reader->keep_truncated = way & JPEG_KEEP_TRUNCATED;
    reader->in_means =
        !(way & JPEG_EXACT) && eighths <= 2 &&
        jpeg_scaled_decode_run(reader->means, codec, eighths, reader->source.next_input_byte,
                               reader->source.bytes_in_buffer);
    if (reader->in_means)
        return 0;
    if (setjmp(reader->failure.jump) != 0)
        return report(reader, error);
    codec->scale_num = (unsigned)eighths;
    codec->scale_denom = 8;
    codec->dct_method = JDCT_ISLOW;
    if (codec->num_components == 1)
        codec->out_color_space = JCS_GRAYSCALE;
    else
        codec->out_color_space = codec->num_components == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_start_decompress(codec);
    return 0;
}

int jpeg_reader_row(struct jpeg_reader *reader, uint8_t *row, struct mpp_error *error)
{
    struct jpeg_decompress_struct *codec = &reader->codec;
    if (reader->in_means) {
        jpeg_scaled_decode_row(reader->means, reader->rows++, row);
        return 0;
    }
    if (setjmp(reader->failure.jump) != 0)
        return report(reader, error);
    jpeg_read_scanlines(codec, &row, 1);
    reader->rows++;
    return 0;
}

int jpeg_reader_finish(struct jpeg_reader *reader, struct mpp_error *error)
{
    if (reader->in_means) /* which has seen the end */
        return 0;
    if (setjmp(reader->failure.jump) != 0)
        return reader->truncated ? 0 : report(reader, error);
    jpeg_finish_decompress(&reader->codec);
    return 0;
}

int jpeg_reader_warnings(const struct jpeg_reader *reader)
{
    return reader->failure.warnings;
}

void jpeg_reader_close(struct jpeg_reader *reader)
{
    if (setjmp(reader->failure.jump) == 0)
        jpeg_abort_decompress(&reader->codec);
    free(reader->profile);
    reader->profile = NULL;
}
