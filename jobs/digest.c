/* SPDX-License-Identifier: MIT */
/*
 * digest: the job that computes a checksum of each file, as lines that `sha256sum -c` or
 * `xxhsum -c` accepts, in the order of the inputs.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <nettle/sha2.h>
#include <nettle/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "jobs.h"
#include "regular_file.h"

enum { READ_BYTES = 256 << 10, HEX_SIZE = 2 * SHA256_DIGEST_SIZE + 16 };
enum digest_algorithm { DIGEST_SHA256, DIGEST_XXH3 };

struct digest_settings {
    int algorithm; /* enum digest_algorithm */
    bool total;
};

/* A checksum that is being computed. */
struct digest_sum {
    enum digest_algorithm algorithm;
    struct sha256_ctx sha256;
    XXH3_state_t *xxh3;
};

static int sum_begin(struct digest_sum *sum, const struct digest_settings *settings,
                     struct mpp_error *error)
{
    sum->algorithm = (enum digest_algorithm)settings->algorithm;
    sum->xxh3 = sum->xxh3 ? sum->xxh3 : XXH3_createState();
    sha256_init(&sum->sha256);
    return sum->xxh3 && XXH3_64bits_reset(sum->xxh3) == XXH_OK
               ? 0
               : mpp_error_set(error, "out of memory");
}

static void sum_add(struct digest_sum *sum, const void *bytes, size_t size)
{
    if (sum->algorithm == DIGEST_SHA256)
        sha256_update(&sum->sha256, size, bytes);
    else
        XXH3_64bits_update(sum->xxh3, bytes, size);
}

static void sum_end(struct digest_sum *sum, char hex[HEX_SIZE])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    if (sum->algorithm == DIGEST_XXH3) {
        snprintf(hex, HEX_SIZE, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(sum->xxh3));
        return;
    }
    sha256_digest(&sum->sha256, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

/* ---- Workers ---- */

struct digest_worker {
    const struct digest_settings *settings;
    struct digest_sum sum;
    uint8_t bytes[READ_BYTES];
};

static int digest_open(void **state, const struct mpb_run *run, const void *settings,
                       struct mpp_error *error)
{
    (void)run;
    struct digest_worker *worker = malloc(sizeof *worker);
    if (!worker)
        return mpp_error_set(error, "out of memory");
    worker->settings = settings;
    worker->sum.xxh3 = NULL;
    *state = worker;
    return 0;
}

static void digest_close(void *state)
{
    struct digest_worker *worker = state;
    XXH3_freeState(worker->sum.xxh3);
    free(worker);
}

static int add_file(struct digest_worker *worker, const char *path, struct mpp_error *error)
{
    struct stat status;
    ssize_t got;
    int fd = regular_file_open(path, &status, error);
    if (fd < 0)
        return -1;
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* only advice: failures do not matter */
    while ((got = TEMP_FAILURE_RETRY(read(fd, worker->bytes, sizeof worker->bytes))) > 0)
        sum_add(&worker->sum, worker->bytes, (size_t)got);
    int failed = got < 0 ? mpp_error_set_errno(error, "cannot read") : 0;
    close(fd);
    return failed;
}

/* Makes the line for a file: "HEX  NAME" as sha256sum, or "XXH3 (NAME) = HEX" as xxhsum writes it.
 * If the name has a newline, a carriage return or, for sha256sum, a backslash, they are escaped
 * with a backslash, and the line begins with one; xxhsum cannot read such names. The caller frees
 * the line. NULL: out of memory. */
static char *make_line(enum digest_algorithm algorithm, const char *name, const char *hex)
{
    bool sha256 = algorithm == DIGEST_SHA256;
    bool escapes = name[strcspn(name, sha256 ? "\n\r\\" : "\n\r")];
    size_t size = 2 * strlen(name) + strlen(hex) + 16;
    char *line = malloc(size), *to = line;
    if (!line)
        return NULL;
    to += sprintf(to, "%s%s%s", escapes ? "\\" : "", sha256 ? hex : "XXH3 (", sha256 ? "  " : "");
    for (; *name; name++) {
        bool special = escapes && strchr("\n\r\\", *name);
        if (special)
            *to++ = '\\';
        *to++ = !special ? *name : *name == '\n' ? 'n' : *name == '\r' ? 'r' : '\\';
    }
    if (sha256)
        strcpy(to, "\n");
    else
        sprintf(to, ") = %s\n", hex);
    return line;
}

static int digest_run(void *state, const struct mpb_task *task, struct mpb_context *context,
                      struct mpp_error *error)
{
    struct digest_worker *worker = state;
    char hex[HEX_SIZE];
    if (sum_begin(&worker->sum, worker->settings, error) || add_file(worker, task->input, error))
        return -1;
    sum_end(&worker->sum, hex);
    char *line = make_line(worker->sum.algorithm, task->input, hex);
    if (!line)
        return mpp_error_set(error, "out of memory");
    int failed = mpb_write(context, line, strlen(line), error);
    free(line);
    return failed;
}

/* ---- --total, on rank 0 ---- */

struct digest_total {
    bool wanted;
    struct digest_sum sum;
};

static int digest_begin(void **planner, const struct mpb_run *run, const void *settings,
                        struct mpp_error *error)
{
    (void)run;
    const struct digest_settings *options = settings;
    struct digest_total *total = calloc(1, sizeof *total);
    if (!total || sum_begin(&total->sum, options, error)) {
        free(total);
        return mpp_error_set(error, "out of memory");
    }
    total->wanted = options->total;
    *planner = total;
    return 0;
}

static int digest_collect(void *planner, const struct mpb_piece *piece, struct mpb_output *output,
                          struct mpp_error *error)
{
    struct digest_total *total = planner;
    if (!total->wanted)
        return mpb_output_write(output, piece->bytes.data, piece->bytes.size, error);
    sum_add(&total->sum, piece->bytes.data, piece->bytes.size);
    return 0;
}

static int digest_finish(void *planner, struct mpb_output *output, struct mpp_error *error)
{
    struct digest_total *total = planner;
    char hex[HEX_SIZE];
    if (!total->wanted)
        return 0;
    sum_end(&total->sum, hex);
    char *line = make_line(total->sum.algorithm, "-", hex);
    int failed = line ? mpb_output_write(output, line, strlen(line), error)
                      : mpp_error_set(error, "out of memory");
    free(line);
    return failed;
}

static void digest_end(void *planner)
{
    struct digest_total *total = planner;
    XXH3_freeState(total->sum.xxh3);
    free(total);
}

static const char *digest_libraries(void)
{
    static char text[64];
    snprintf(text, sizeof text, "nettle %d.%d\n", nettle_version_major(), nettle_version_minor());
    return text;
}

static const char *const algorithms[] = {[DIGEST_SHA256] = "sha256", [DIGEST_XXH3] = "xxh3", NULL};

static const struct mpb_option options[] = {
    {.name = "algorithm",
     .letter = 'a',
     .type = MPB_CHOICE,
     .argument = "NAME",
     .initial = "sha256",
     .help = "sha256; or xxh3: faster, not for security",
     .group = "Digests",
     .choices = algorithms,
     .offset = offsetof(struct digest_settings, algorithm),
     .decides = true},
    {.name = "total",
     .type = MPB_FLAG,
     .help = "print only the digest of the lines for all files",
     .group = "Digests",
     .offset = offsetof(struct digest_settings, total)},
    {0},
};

const struct mpb_job digest_job = {
    .name = "digest",
    .summary = "computes a checksum of each file",
    .description =
        "Prints the checksum of each file that is named or lies in a named directory, in "
        "the order of the\ninputs, as lines that `sha256sum -c` or `xxhsum -c` accepts.",
    .unit = "files",
    .libraries = digest_libraries,
    .output = MPB_OUTPUT_STREAM,
    .options = options,
    .settings_size = sizeof(struct digest_settings),
    .begin = digest_begin,
    .collect = digest_collect,
    .finish = digest_finish,
    .end = digest_end,
    .open = digest_open,
    .run = digest_run,
    .close = digest_close,
};
