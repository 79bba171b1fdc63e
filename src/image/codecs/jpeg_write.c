/* SPDX-License-Identifier: MIT */
/*
 * jpeg_write: libjpeg's compressor with a destination manager that writes into a buf.
 */
#include "jpeg_write.h"

#include <stdlib.h>

#include "jpeg_error.h"

#define CHUNK_SIZE 16384 /* bytes by which the output grows */

struct jpeg_writer {
    struct jpeg_error failure;
    struct jpeg_destination_mgr destination;
    struct jpeg_compress_struct cinfo;
    bool created;
    struct buf *out;
};

/* Makes room for the next bytes. */
static void destination_extend(j_compress_ptr cinfo)
{
    struct jpeg_writer *writer = cinfo->client_data;
    uint8_t *room = buf_reserve(writer->out, CHUNK_SIZE);

    if (!room)
        jpeg_error_leave(&writer->failure, "out of memory");
    writer->destination.next_output_byte = room;
    writer->destination.free_in_buffer = CHUNK_SIZE;
}

static boolean destination_full(j_compress_ptr cinfo)
{
    struct jpeg_writer *writer = cinfo->client_data;

    writer->out->size += CHUNK_SIZE; /* all of it is used, whatever free_in_buffer says */
    destination_extend(cinfo);
    return TRUE;
}

static void destination_end(j_compress_ptr cinfo)
{
    struct jpeg_writer *writer = cinfo->client_data;

    writer->out->size += CHUNK_SIZE - writer->destination.free_in_buffer;
}

static int create(struct jpeg_writer *writer)
{
    if (setjmp(writer->failure.jump) != 0)
        return -1;
    jpeg_create_compress(&writer->cinfo);
    writer->created = true;
    return 0;
}

struct jpeg_writer *jpeg_writer_new(void)
{
    struct jpeg_writer *writer = calloc(1, sizeof(*writer));

    if (!writer)
        return NULL;
    writer->cinfo.err = jpeg_error_init(&writer->failure);
    if (create(writer)) {
        jpeg_writer_free(writer);
        return NULL;
    }
    writer->cinfo.client_data = writer;
    writer->destination.init_destination = destination_extend;
    writer->destination.empty_output_buffer = destination_full;
    writer->destination.term_destination = destination_end;
    writer->cinfo.dest = &writer->destination;
    return writer;
}

void jpeg_writer_free(struct jpeg_writer *writer)
{
    if (!writer)
        return;
    if (writer->created)
        jpeg_destroy_compress(&writer->cinfo);
    free(writer);
}

static void compress(struct jpeg_compress_struct *cinfo, const struct image_pixels *pixels,
                     const struct image_encoding *encoding)
{
    size_t pitch = (size_t)cinfo->image_width * (size_t)cinfo->input_components;

    jpeg_start_compress(cinfo, TRUE);
    if (encoding->profile)
        jpeg_write_icc_profile(cinfo, encoding->profile, (unsigned)encoding->profile_size);
    while (cinfo->next_scanline < cinfo->image_height) {
        /* libjpeg only reads the row, but its type is not const */
        JSAMPROW row = (JSAMPROW)(uintptr_t)(pixels->bytes + cinfo->next_scanline * pitch);

        jpeg_write_scanlines(cinfo, &row, 1);
    }
    jpeg_finish_compress(cinfo);
}

int jpeg_write(struct jpeg_writer *writer, const struct image_pixels *pixels,
               const struct image_encoding *encoding, struct buf *out, struct mpp_error *error)
{
    struct jpeg_compress_struct *cinfo = &writer->cinfo;

    writer->out = out;
    if (setjmp(writer->failure.jump) != 0) {
        jpeg_abort_compress(cinfo);
        return mpp_error_set(error, "cannot write the JPEG: %s", writer->failure.text);
    }
    cinfo->image_width = (JDIMENSION)pixels->width_px;
    cinfo->image_height = (JDIMENSION)pixels->height_px;
    cinfo->input_components = pixels->channels;
    cinfo->in_color_space = pixels->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(cinfo); /* 4:2:0 for colour, fixed Huffman tables */
    jpeg_set_quality(cinfo, encoding->quality, TRUE);
    cinfo->optimize_coding = encoding->optimize;
    if (encoding->progressive)
        jpeg_simple_progression(cinfo);
    compress(cinfo, pixels, encoding);
    return 0;
}
