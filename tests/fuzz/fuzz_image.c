/* Any bytes through the whole pipeline: see fuzz_image.h. */
#include "fuzz_image.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "thumbnailer.h"

#define MAX_PIXELS 300000 /* of one input, so that many can be tried */

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* As far as the chunks can be followed. */
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

struct input {
    const uint8_t *bytes;
    size_t size;
};

static bool read_at(void *context, uint64_t at, void *to, size_t size)
{
    const struct input *input = context;
    if (at > input->size || size > input->size - at)
        abort(); /* more than the file has was asked for */
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
        .format = choice & 0x100 ? IMAGE_JPEG : IMAGE_PNG,
        .orient = choice & 0x200,
        .progressive = choice & 0x400,
        .background = {255, 0, (uint8_t)choice},
        .quality = 75,
        .max_pixels = MAX_PIXELS,
    };
}

void fuzz_image(const uint8_t *data, size_t size, const void *head, size_t head_size)
{
    static struct thumbnailer *thumbnailer; /* as in a worker: one for all */
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
    struct input input = {bytes, size};
    bool is_png = image_sniff(bytes, size) == IMAGE_PNG, streams = is_png && choice & 0x1000;
    struct byte_source source = {
        .bytes = streams ? NULL : bytes, .size = size, .read_at = read_at, .context = &input};
    struct thumbnail_options options = options_of(choice);
    int failed = thumbnailer_run(thumbnailer, &source, &options, &out, &info, &error);
    if (failed ? out.size || !error.text[0] : !out.size)
        abort(); /* neither a thumbnail nor a reason, or both */
    buf_release(&out);
    free(bytes);
}
