/* SPDX-License-Identifier: MIT */
/*
 * Measures the CPU time of each stage of a thumbnail (50x50 after a blur of 2), and of
 * libjpeg-turbo's plain decode at 1/8 for comparison:
 *
 *     stage_times ROUNDS FILE...
 *
 * For each file and stage the shortest of the rounds counts. Rows that libjpeg decodes cannot be
 * divided into entropy decoding and the rest; there the time of decoding to coefficients is taken
 * for the entropy decoder.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "codec.h"
#include "filter_kernel.h"
#include "geometry.h"
#include "jpeg_error.h"
#include "resample.h"

enum stage { READ, HEADER, ENTROPY, TRANSFORM, RESAMPLE, ENCODE, WRITE, STAGES };
static const char *const names[STAGES] = {
    "read",   "header", "entropy decode, inflate", "IDCT and colour, filters", "resample",
    "encode", "write"};

static double cpu_s(void)
{
    return (double)clock_now_ns(CLOCK_PROCESS_CPUTIME_ID) * 1e-9;
}

static void fail(const char *path, const char *text)
{
    fprintf(stderr, "stage_times: %s: %s\n", path, text);
    exit(1);
}

struct stage_times {
    double seconds[STAGES];
    double plain_s; /* libjpeg's plain decode; 0: not a JPEG */
    bool progressive;
};

/* What a worker keeps from one image to the next. */
enum { CODECS_MAX = 16 };
static void *decoders[CODECS_MAX], *encoders[CODECS_MAX];
static struct filter_kernel horizontal, vertical;
static struct resample resample;

static void read_file(const char *path, struct buf *bytes, double *seconds)
{
    struct stat status;
    double begun = cpu_s();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status))
        fail(path, "cannot be opened");
    buf_clear(bytes);
    uint8_t *to = buf_extend(bytes, (size_t)status.st_size);
    if (!to || read(fd, to, (size_t)status.st_size) != status.st_size)
        fail(path, "cannot be read");
    close(fd);
    *seconds = cpu_s() - begun;
}

/* Decodes a JPEG with libjpeg alone; `eighths` 0 decodes to coefficients only. Returns CPU
 * seconds. */
static double libjpeg_s(const struct buf *bytes, int eighths, bool *progressive)
{
    struct jpeg_error failure;
    struct jpeg_decompress_struct codec;
    uint8_t *volatile row = NULL;
    double begun = cpu_s();
    codec.err = jpeg_error_init(&failure);
    jpeg_create_decompress(&codec);
    if (setjmp(failure.jump) == 0) {
        jpeg_mem_src(&codec, bytes->data, bytes->size);
        jpeg_read_header(&codec, TRUE);
        *progressive = codec.progressive_mode;
        if (!eighths) {
            jpeg_read_coefficients(&codec);
        } else {
            codec.scale_num = (unsigned)eighths;
            codec.scale_denom = 8;
            jpeg_start_decompress(&codec);
            row = malloc((size_t)codec.output_width * (size_t)codec.output_components);
            JSAMPROW target = row;
            while (codec.output_scanline < codec.output_height)
                jpeg_read_scanlines(&codec, &target, 1);
        }
    }
    jpeg_destroy_decompress(&codec);
    free(row);
    return cpu_s() - begun;
}

struct timed_image {
    const struct image_codec *codec;
    void *decoder, *encoder;
    struct geometry_size source, thumbnail;
    int channels, eighths;
};

static void prepare(const struct timed_image *image, uint8_t *pixels)
{
    struct mpp_error error;
    const struct geometry_size *source = &image->source, *thumbnail = &image->thumbnail;
    struct filter_kernel_shape across = {
        .source_px = source->width_px,
        .region_px = source->width_px,
        .thumbnail_px = thumbnail->width_px,
        .reduction = geometry_reduction(source->width_px, thumbnail->width_px),
        .eighths = image->eighths,
        .blur_sigma = 2};
    struct filter_kernel_shape down = across;
    down.source_px = down.region_px = source->height_px;
    down.thumbnail_px = thumbnail->height_px;
    down.reduction = geometry_reduction(source->height_px, thumbnail->height_px);
    if (filter_kernel_prepare(&horizontal, &across, &error) ||
        filter_kernel_prepare(&vertical, &down, &error) ||
        resample_begin(&resample, &horizontal, &vertical, image->channels, pixels, &error))
        fail("filter", error.text);
}

/* Uses the decoder and the encoder of the format, made for its first image. */
static void choose_codec(const char *path, const struct buf *bytes, struct timed_image *image)
{
    image->codec = image_codec_by_content(bytes->data, bytes->size);
    if (!image->codec)
        fail(path, "not an image");
    unsigned number = image_codec_number(image->codec);
    if (number > CODECS_MAX)
        fail(path, "too many codecs");
    if (!decoders[number - 1]) {
        decoders[number - 1] = image->codec->decoder_new();
        encoders[number - 1] = image->codec->encoder_new ? image->codec->encoder_new() : NULL;
    }
    image->decoder = decoders[number - 1];
    image->encoder = encoders[number - 1];
    if (!image->decoder || (image->codec->encoder_new && !image->encoder))
        fail(path, "out of memory");
}

static void open_image(const char *path, const struct byte_source *source,
                       struct timed_image *image)
{
    struct mpp_error error;
    struct image_header header;
    if (image->codec->open(image->decoder, source, 0, &header, &error))
        fail(path, error.text);
    image->source = (struct geometry_size){header.width_px, header.height_px};
    image->channels = header.channels;
    image->thumbnail = geometry_fit(image->source, (struct geometry_size){50, 50}, false);
    image->eighths =
        image_codec_scale(image->codec, geometry_decode_scale(image->source, image->thumbnail, 2));
}

static void write_file(const struct buf *out, const char *directory, double *seconds)
{
    char path[4096], whole[4096];
    double begun = cpu_s();
    snprintf(path, sizeof path, "%s/stage_times.tmp", directory);
    snprintf(whole, sizeof whole, "%s/stage_times.out", directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, out->data, out->size) != (ssize_t)out->size || close(fd) ||
        rename(path, whole))
        fail(path, "cannot be written");
    unlink(whole);
    *seconds = cpu_s() - begun;
}

static void encode(const struct timed_image *image, const uint8_t *bytes, struct buf *out)
{
    struct mpp_error error;
    const struct image_encoding encoding = {.quality = 75};
    struct image_pixels pixels = {.bytes = bytes,
                                  .width_px = image->thumbnail.width_px,
                                  .height_px = image->thumbnail.height_px,
                                  .channels = image->channels};
    if (image->codec->encode(image->encoder, &pixels, &encoding, out, &error))
        fail("thumbnail", error.text);
}

/* The first row counts as entropy decoding: our decoders do all of it before. */
static void decode_and_resample(const char *path, const struct timed_image *image, uint8_t *row,
                                struct stage_times *times)
{
    struct mpp_error error;
    double begun = cpu_s();
    if (image->codec->start(image->decoder, image->eighths, &error) ||
        image->codec->read_row(image->decoder, row, &error))
        fail(path, error.text);
    times->seconds[ENTROPY] = cpu_s() - begun;
    for (int y = 0; y < vertical.samples; y++) {
        begun = cpu_s();
        if (y && image->codec->read_row(image->decoder, row, &error))
            fail(path, error.text);
        double decoded = cpu_s();
        resample_push(&resample, row);
        times->seconds[TRANSFORM] += y ? decoded - begun : 0;
        times->seconds[RESAMPLE] += cpu_s() - decoded;
    }
}

static void time_libjpeg(const struct buf *bytes, struct stage_times *times)
{
    times->plain_s = libjpeg_s(bytes, 1, &times->progressive);
    if (times->seconds[TRANSFORM] <= times->seconds[ENTROPY])
        return;
    /* libjpeg decoded it, row by row */
    double all = times->seconds[TRANSFORM] + times->seconds[ENTROPY];
    double entropy = libjpeg_s(bytes, 0, &times->progressive);
    times->seconds[ENTROPY] = entropy < all ? entropy : all;
    times->seconds[TRANSFORM] = all - times->seconds[ENTROPY];
}

static struct stage_times time_once(const char *path, struct buf *bytes, const char *directory)
{
    struct stage_times times = {.plain_s = 0};
    struct timed_image image;
    struct buf out = BUF_INIT;
    read_file(path, bytes, &times.seconds[READ]);
    struct byte_source source = {.bytes = bytes->data, .size = bytes->size};
    choose_codec(path, bytes, &image);
    double begun = cpu_s();
    open_image(path, &source, &image);
    times.seconds[HEADER] = cpu_s() - begun;

    uint8_t *row = malloc(((size_t)image.source.width_px + 8) * (size_t)image.channels);
    uint8_t *pixels = malloc((size_t)50 * 50 * 4);
    if (!row || !pixels)
        fail(path, "out of memory");
    begun = cpu_s();
    prepare(&image, pixels);
    times.seconds[RESAMPLE] = cpu_s() - begun;
    decode_and_resample(path, &image, row, &times);
    begun = cpu_s();
    encode(&image, pixels, &out);
    times.seconds[ENCODE] = cpu_s() - begun;
    write_file(&out, directory, &times.seconds[WRITE]);
    image.codec->close(image.decoder);
    if (image.codec == &image_codec_jpeg)
        time_libjpeg(bytes, &times);
    buf_release(&out);
    free(row);
    free(pixels);
    return times;
}

static void keep_shortest(struct stage_times *best, const struct stage_times *times)
{
    for (int stage = 0; stage < STAGES; stage++)
        if (times->seconds[stage] < best->seconds[stage])
            best->seconds[stage] = times->seconds[stage];
    if (times->plain_s < best->plain_s)
        best->plain_s = times->plain_s;
}

int main(int argc, char **argv)
{
    double total[STAGES] = {0}, all = 0, baseline = 0, plain = 0;
    int rounds = argc > 2 ? atoi(argv[1]) : 0, files = 0;
    char directory[] = "/tmp/stage_times-XXXXXX";
    struct buf bytes = BUF_INIT;
    if (rounds < 1 || !mkdtemp(directory)) {
        fprintf(stderr, "usage: stage_times ROUNDS FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++, files++) {
        struct stage_times best = time_once(argv[i], &bytes, directory);
        for (int round = 1; round < rounds; round++) {
            struct stage_times times = time_once(argv[i], &bytes, directory);
            keep_shortest(&best, &times);
        }
        double sum = 0;
        for (int stage = 0; stage < STAGES; stage++) {
            total[stage] += best.seconds[stage];
            sum += best.seconds[stage];
        }
        all += sum;
        if (best.plain_s > 0 && !best.progressive) {
            baseline += sum;
            plain += best.plain_s;
        }
    }
    rmdir(directory);
    printf("%d files, %.3f ms each\n", files, 1e3 * all / files);
    for (int stage = 0; stage < STAGES; stage++)
        printf("  %-26s %5.1f %%\n", names[stage], 100 * total[stage] / all);
    if (plain > 0)
        printf(
            "baseline JPEGs: a thumbnail takes %.2f times as long as libjpeg's plain decode at 1/8 "
            "(aim for photos: at most 1.25)\n",
            baseline / plain);
    return 0;
}
