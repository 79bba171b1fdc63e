/*
 * jpeg_write: libjpeg's compressor with a destination that grows a buf.
 */
#include "jpeg_write.h"

#include <stdlib.h>

#include "jpeg_error.h"

#define CHUNK_SIZE 16384 /* bytes of room asked for at a time */

struct jpeg_writer {
    struct jpeg_error failure;
    struct jpeg_destination_mgr destination;
    struct jpeg_compress_struct codec;
    bool created;
    struct buf *out;
};

/* Room for the next bytes behind those that are there. */
static void destination_room(j_compress_ptr codec)
{
    struct jpeg_writer *writer = codec->client_data;
    uint8_t *room = buf_reserve(writer->out, CHUNK_SIZE);

    if (room == NULL)
        jpeg_error_leave(&writer->failure, "out of memory");
    writer->destination.next_output_byte = room;
    writer->destination.free_in_buffer = CHUNK_SIZE;
}

static boolean destination_full(j_compress_ptr codec)
{
    struct jpeg_writer *writer = codec->client_data;

    writer->out->size +=
        CHUNK_SIZE; /* libjpeg calls when all of it is used, whatever it says is left */
    destination_room(codec);
    return TRUE;
}

static void destination_end(j_compress_ptr codec)
{
    struct jpeg_writer *writer = codec->client_data;

    writer->out->size += CHUNK_SIZE - writer->destination.free_in_buffer;
}

static int create(struct jpeg_writer *writer)
{
    if (setjmp(writer->failure.jump) != 0)
        return -1;
    jpeg_create_compress(&writer->codec);
    writer->created = true;
    return 0;
}

struct jpeg_writer *jpeg_writer_new(void)
{
    struct jpeg_writer *writer = calloc(1, sizeof(*writer));

    if (writer == NULL)
        return NULL;
    writer->codec.err = jpeg_error_init(&writer->failure);
    if (create(writer) == -1) {
        jpeg_writer_free(writer);
        return NULL;
    }
    writer->codec.client_data = writer;
    writer->destination.init_destination = destination_room;
    writer->destination.empty_output_buffer = destination_full;
    writer->destination.term_destination = destination_end;
    writer->codec.dest = &writer->destination;
    return writer;
}

void jpeg_writer_free(struct jpeg_writer *writer)
{
    if (writer == NULL)
        return;
    if (writer->created)
        jpeg_destroy_compress(&writer->codec);
    free(writer);
}

static void compress(struct jpeg_compress_struct *codec, const uint8_t *pixels,
                     const struct jpeg_writing *how)
{
    size_t pitch = (size_t)codec->image_width * (size_t)codec->input_components;

    jpeg_start_compress(codec, TRUE);
    if (how->profile)
        jpeg_write_icc_profile(codec, how->profile, (unsigned)how->profile_size);
    while (codec->next_scanline < codec->image_height) {
        /* libjpeg only reads, but its type does not say so */
        JSAMPROW row = (JSAMPROW)(uintptr_t)(pixels + codec->next_scanline * pitch);

        jpeg_write_scanlines(codec, &row, 1);
    }
    jpeg_finish_compress(codec);
}

int jpeg_write(struct jpeg_writer *writer, const uint8_t *pixels, int width_px, int height_px,
               int channels, const struct jpeg_writing *how, struct buf *out,
               struct mpp_error *error)
{
    struct jpeg_compress_struct *codec = &writer->codec;

    writer->out = out;
    if (setjmp(writer->failure.jump) != 0) {
        jpeg_abort_compress(codec);
        return mpp_error_set(error, "cannot write the JPEG: %s", writer->failure.text);
    }
    codec->image_width = (JDIMENSION)width_px;
    codec->image_height = (JDIMENSION)height_px;
    codec->input_components = channels;
    codec->in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(codec); /* 4:2:0 for colour, fixed Huffman tables */
    jpeg_set_quality(codec, how->quality, TRUE);
    codec->optimize_coding = how->optimize;
    if (how->progressive)
        jpeg_simple_progression(codec);
    compress(codec, pixels, how);
    return 0;
}
