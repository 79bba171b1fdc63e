/*
 * stages ROUNDS FILE...: where the time of a thumbnail goes, 50x50 after a blur of 2, by CPU time
 * of this process around each stage; and that of libjpeg-turbo's bare decode at 1/8. The least of
 * the rounds counts, for each file and stage.
 *
 * What the library decodes, it decodes in one go: the share of its entropy decoder is that of a
 * decode to coefficients alone.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "filter_kernel.h"
#include "geometry.h"
#include "jpeg_error.h"
#include "jpeg_read.h"
#include "jpeg_scaled_decode.h"
#include "jpeg_write.h"
#include "png_read.h"
#include "png_write.h"
#include "resample.h"
#include "thumbnailer.h"

enum stage { READ, HEADER, ENTROPY, TRANSFORM, RESAMPLE, ENCODE, WRITE, STAGES };
static const char *const names[STAGES] = {
    "read",   "header", "entropy decode, inflate", "IDCT and colour, filters", "resample",
    "encode", "write"};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void fail(const char *path, const char *text)
{
    fprintf(stderr, "stages: %s: %s\n", path, text);
    exit(1);
}

struct run {
    double seconds[STAGES];
    double bare; /* 0: it is no JPEG */
    bool progressive;
};

/* All the decoders and tables that a worker keeps. */
static struct jpeg_reader *jpeg_reader;
static struct png_reader *png_reader;
static struct jpeg_writer *jpeg_writer;
static struct filter_kernel horizontal, vertical;
static struct resample resample;

static void read_file(const char *path, struct buf *bytes, double *seconds)
{
    struct stat status;
    double begun = now_s();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status))
        fail(path, "cannot be opened");
    buf_clear(bytes);
    uint8_t *to = buf_extend(bytes, (size_t)status.st_size);
    if (!to || read(fd, to, (size_t)status.st_size) != status.st_size)
        fail(path, "cannot be read");
    close(fd);
    *seconds = now_s() - begun;
}

/* Bare library calls: `eighths` 0 decodes to coefficients only. Returns CPU seconds. */
static double library_s(const struct buf *bytes, int eighths, bool *progressive)
{
    struct jpeg_error failure;
    struct jpeg_decompress_struct codec;
    uint8_t *volatile row = NULL;
    double begun = now_s();
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
    return now_s() - begun;
}

struct picture {
    struct geometry_size source, thumbnail;
    int channels, eighths;
};

static void prepare(const struct picture *picture, uint8_t *pixels)
{
    struct mpp_error error;
    const struct geometry_size *source = &picture->source, *thumbnail = &picture->thumbnail;
    struct filter_kernel_shape across = {
        .source_px = source->width_px,
        .region_px = source->width_px,
        .thumbnail_px = thumbnail->width_px,
        .reduction = geometry_reduction(source->width_px, thumbnail->width_px),
        .eighths = picture->eighths,
        .blur_sigma = 2};
    struct filter_kernel_shape down = across;
    down.source_px = down.region_px = source->height_px;
    down.thumbnail_px = thumbnail->height_px;
    down.reduction = geometry_reduction(source->height_px, thumbnail->height_px);
    if (filter_kernel_prepare(&horizontal, &across, &error) ||
        filter_kernel_prepare(&vertical, &down, &error) ||
        resample_begin(&resample, &horizontal, &vertical, picture->channels, pixels, &error))
        fail("filter", error.text);
}

static int next_row(bool jpeg, uint8_t *row, struct mpp_error *error)
{
    return jpeg ? jpeg_reader_row(jpeg_reader, row, error) : png_reader_row(png_reader, row, error);
}

static void open_picture(const char *path, const struct buf *bytes, bool jpeg,
                         struct picture *picture, const struct byte_source *source)
{
    struct mpp_error error;
    struct jpeg_header header;
    struct png_header png;
    if (jpeg ? jpeg_reader_open(jpeg_reader, bytes->data, bytes->size, &header, &error)
             : png_reader_open(png_reader, source, false, &png, &error))
        fail(path, error.text);
    picture->source = jpeg ? (struct geometry_size){header.width_px, header.height_px}
                           : (struct geometry_size){png.width_px, png.height_px};
    picture->channels = jpeg ? header.channels : png.channels;
    picture->thumbnail = geometry_fit(picture->source, (struct geometry_size){50, 50}, false);
    picture->eighths = jpeg ? geometry_dct_scale(picture->source, picture->thumbnail, 2) : 8;
}

static void write_file(const struct buf *out, const char *directory, double *seconds)
{
    char path[4096], whole[4096];
    double begun = now_s();
    snprintf(path, sizeof path, "%s/stages.tmp", directory);
    snprintf(whole, sizeof whole, "%s/stages.out", directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, out->data, out->size) != (ssize_t)out->size || close(fd) ||
        rename(path, whole))
        fail(path, "cannot be written");
    unlink(whole);
    *seconds = now_s() - begun;
}

static void encode(const struct picture *picture, const uint8_t *pixels, bool jpeg, struct buf *out)
{
    struct mpp_error error;
    const struct jpeg_writing as_jpeg = {.quality = 75};
    const struct png_writing as_png = {.optimize = false};
    int width = picture->thumbnail.width_px, height = picture->thumbnail.height_px;
    if (jpeg ? jpeg_write(jpeg_writer, pixels, width, height, picture->channels, &as_jpeg, out,
                          &error)
             : png_write(pixels, width, height, picture->channels, &as_png, out, &error))
        fail("thumbnail", error.text);
}

static struct run run_once(const char *path, struct buf *bytes, const char *directory)
{
    struct run run = {.bare = 0};
    struct picture picture;
    struct mpp_error error;
    struct buf out = BUF_INIT;
    read_file(path, bytes, &run.seconds[READ]);
    struct byte_source source = {.bytes = bytes->data, .size = bytes->size};
    bool jpeg = image_sniff(bytes->data, bytes->size) == IMAGE_JPEG;
    double begun = now_s();
    open_picture(path, bytes, jpeg, &picture, &source);
    run.seconds[HEADER] = now_s() - begun;

    size_t row_bytes = ((size_t)picture.source.width_px + 8) * (size_t)picture.channels;
    uint8_t *row = malloc(row_bytes), *pixels = malloc((size_t)50 * 50 * 4);
    if (!row || !pixels)
        fail(path, "out of memory");
    begun = now_s();
    prepare(&picture, pixels);
    run.seconds[RESAMPLE] = now_s() - begun;
    begun = now_s();
    if (jpeg && jpeg_reader_start(jpeg_reader, picture.eighths, 0, &error))
        fail(path, error.text);
    if (vertical.samples && next_row(jpeg, row, &error)) /* a PNG is inflated for its first row */
        fail(path, error.text);
    run.seconds[ENTROPY] = now_s() - begun;
    for (int y = 0; y < vertical.samples; y++) {
        begun = now_s();
        if (y && next_row(jpeg, row, &error))
            fail(path, error.text);
        double decoded = now_s();
        resample_push(&resample, row);
        run.seconds[TRANSFORM] += y ? decoded - begun : 0;
        run.seconds[RESAMPLE] += now_s() - decoded;
    }
    begun = now_s();
    encode(&picture, pixels, jpeg, &out);
    run.seconds[ENCODE] = now_s() - begun;
    write_file(&out, directory, &run.seconds[WRITE]);
    jpeg_reader_close(jpeg_reader);
    png_reader_close(png_reader);
    if (jpeg) {
        run.bare = library_s(bytes, 1, &run.progressive);
        if (run.seconds[TRANSFORM] > run.seconds[ENTROPY]) { /* the library's: all is in its rows */
            double all = run.seconds[TRANSFORM] + run.seconds[ENTROPY];
            double entropy = library_s(bytes, 0, &run.progressive);
            run.seconds[ENTROPY] = entropy < all ? entropy : all;
            run.seconds[TRANSFORM] = all - run.seconds[ENTROPY];
        }
    }
    buf_release(&out);
    free(row);
    free(pixels);
    return run;
}

static void keep_least(struct run *best, const struct run *run)
{
    for (int stage = 0; stage < STAGES; stage++)
        if (run->seconds[stage] < best->seconds[stage])
            best->seconds[stage] = run->seconds[stage];
    if (run->bare < best->bare)
        best->bare = run->bare;
}

int main(int argc, char **argv)
{
    double total[STAGES] = {0}, all = 0, baseline = 0, bare = 0;
    int rounds = argc > 2 ? atoi(argv[1]) : 0, files = 0;
    char directory[] = "/tmp/stages-XXXXXX";
    struct buf bytes = BUF_INIT;
    jpeg_reader = jpeg_reader_new();
    png_reader = png_reader_new();
    jpeg_writer = jpeg_writer_new();
    if (rounds < 1 || !jpeg_reader || !png_reader || !jpeg_writer || !mkdtemp(directory)) {
        fprintf(stderr, "usage: stages ROUNDS FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++, files++) {
        struct run best = run_once(argv[i], &bytes, directory);
        for (int round = 1; round < rounds; round++) {
            struct run run = run_once(argv[i], &bytes, directory);
            keep_least(&best, &run);
        }
        double sum = 0;
        for (int stage = 0; stage < STAGES; stage++) {
            total[stage] += best.seconds[stage];
            sum += best.seconds[stage];
        }
        all += sum;
        if (best.bare > 0 && !best.progressive) {
            baseline += sum;
            bare += best.bare;
        }
    }
    rmdir(directory);
    printf("%d files, %.3f ms each\n", files, 1e3 * all / files);
    for (int stage = 0; stage < STAGES; stage++)
        printf("  %-26s %5.1f %%\n", names[stage], 100 * total[stage] / all);
    if (bare > 0)
        printf("baseline JPEGs: all of it takes %.2f times the library's bare decode at 1/8 "
               "(wanted on photos: at most 1.25)\n",
               baseline / bare);
    return 0;
}
