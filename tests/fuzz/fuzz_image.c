/* SPDX-License-Identifier: MIT */
/* Runs the thumbnailer on any bytes: see fuzz_image.h. */
#include "fuzz_image.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "thumbnailer.h"

#define MAX_PIXELS 300000 /* small, so that many inputs can be tried */

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Corrects the checksums of a PNG, up to the first chunk that is not complete. */
static void repair_checksums(uint8_t *bytes, size_t size)
{
    for (size_t at = 8; at + 12 <= size;) {
        size_t length = big_endian(bytes + at);
        if (length > size - at - 12)
            return;
        uint32_t crc = libdeflate_crc32(0, bytes + at + 4, 4 + length);
        for (int i = 0; i < 4; i++)
            bytes[at + 8 + length + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += 12 + length;
    }
}

struct fuzz_input {
    const uint8_t *bytes;
    size_t size;
};

static bool read_at(void *context, uint64_t at, void *to, size_t size)
{
    const struct fuzz_input *input = context;
    if (at > input->size || size > input->size - at)
        abort(); /* the decoder read past the end of the file */
    memcpy(to, input->bytes + at, size);
    return true;
}

static struct thumbnail_options options_of(unsigned choice)
{
    return (struct thumbnail_options){
        .box_width_px = choice & 1 ? 20 : 64,
        .box_height_px = choice & 2 ? 20 : 48,
        .fit = (choice >> 2) % 3,
        .enlarge = choice & 0x10,
        .blur_sigma = choice & 0x20 ? 2 : 0,
        .exact = choice & 0x40,
        .keep_truncated = choice & 0x80,
        .format = choice & 0x100 ? &image_codec_jpeg : &image_codec_png,
        .orient = choice & 0x200,
        .progressive = choice & 0x400,
        .background = {255, 0, (uint8_t)choice},
        .quality = 75,
        .max_pixels = MAX_PIXELS,
    };
}

void fuzz_image(const uint8_t *data, size_t size, const void *head, size_t head_size)
{
    static struct thumbnailer *thumbnailer; /* one for all inputs, as in a worker */
    if (size < head_size + 2)
        return;
    uint8_t *bytes = malloc(size);
    struct buf out = BUF_INIT;
    struct thumbnail_info info;
    struct mpp_error error;
    if (!thumbnailer)
        thumbnailer = thumbnailer_new();
    if (!thumbnailer || !bytes)
        abort();
    memcpy(bytes, data, size);
    memcpy(bytes, head, head_size);
    unsigned choice = (unsigned)data[size - 1] << 8 | data[size - 2];
    if (choice & 0x800)
        repair_checksums(bytes, size);
    struct fuzz_input input = {bytes, size};
    const struct image_codec *codec = image_codec_by_content(bytes, size);
    bool streams = codec && codec->streams && choice & 0x1000;
    struct byte_source source = {
        .bytes = streams ? NULL : bytes, .size = size, .read_at = read_at, .context = &input};
    struct thumbnail_options options = options_of(choice);
    int failed = thumbnailer_run(thumbnailer, &source, &options, &out, &info, &error);
    if (failed ? out.size || !error.text[0] : !out.size)
        abort(); /* neither a thumbnail nor an error text, or both */
    buf_release(&out);
    free(bytes);
}
