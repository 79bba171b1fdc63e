/* SPDX-License-Identifier: MIT */
/*
 * A job for tests of large results: each task writes --size bytes that are computed from its
 * number, so that a test knows what comes out. test_stages.py computes the same bytes.
 *
 * A result consists of blocks of 1 MiB. A block is the same pseudo-random MiB, rotated by a number
 * that differs from block to block; the last block is cut off.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <mpbatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 20 };

struct settings {
    size_t size;
    const char *crash; /* task 0 crashes unless this file exists, and creates it */
    const char *wait;  /* task 0 waits until this file exists */
};

struct block_writer {
    const struct settings *settings;
    uint8_t pattern[2 * BLOCK_BYTES];
};

static int open_worker(void **state, const struct mpb_run *run, const void *settings,
                       struct mpp_error *error)
{
    (void)run;
    uint64_t x = UINT64_C(88172645463325252);
    struct block_writer *worker = malloc(sizeof *worker);
    if (!worker)
        return mpp_error_set(error, "out of memory");
    worker->settings = settings;
    for (size_t i = 0; i < BLOCK_BYTES; i++) { /* xorshift64 */
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        worker->pattern[i] = worker->pattern[i + BLOCK_BYTES] = (uint8_t)x;
    }
    *state = worker;
    return 0;
}

static void crash_once(const char *mark)
{
    int fd = open(mark, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return;
    close(fd);
    raise(SIGKILL);
}

static int run(void *state, const struct mpb_task *task, struct mpb_context *context,
               struct mpp_error *error)
{
    const struct block_writer *worker = state;
    const struct settings *settings = worker->settings;
    uint64_t number;
    if (sscanf(task->input, "task %" SCNu64, &number) != 1)
        return mpp_error_set(error, "inputs are given with --count");
    if (settings->crash && number == 0)
        crash_once(settings->crash);
    while (settings->wait && number == 0 && access(settings->wait, F_OK))
        usleep(1000);
    for (size_t at = 0; at < settings->size; at += BLOCK_BYTES) {
        size_t left = settings->size - at;
        size_t begin = (number * 104729 + at / BLOCK_BYTES * 7919) % BLOCK_BYTES;
        if (mpb_write(context, worker->pattern + begin, left < BLOCK_BYTES ? left : BLOCK_BYTES,
                      error))
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mpb_option options[] = {
        {.name = "size",
         .type = MPB_BYTES,
         .argument = "BYTES",
         .initial = "1M",
         .help = "of each result",
         .group = "Results",
         .offset = offsetof(struct settings, size),
         .decides = true},
        {.name = "crash",
         .type = MPB_TEXT,
         .argument = "FILE",
         .help = "the first task crashes once, and then FILE exists",
         .group = "Results",
         .offset = offsetof(struct settings, crash)},
        {.name = "wait",
         .type = MPB_TEXT,
         .argument = "FILE",
         .help = "the first task waits until FILE exists",
         .group = "Results",
         .offset = offsetof(struct settings, wait)},
        {0},
    };
    static const struct mpb_job job = {.name = "large_results",
                                       .summary = "has large results",
                                       .inputs = MPB_INPUT_WORDS,
                                       .output = MPB_OUTPUT_STREAM,
                                       .permissions = MPB_MAY_WRITE,
                                       .options = options,
                                       .settings_size = sizeof(struct settings),
                                       .open = open_worker,
                                       .run = run,
                                       .close = free};
    static const struct mpb_job *const jobs[] = {&job, NULL};
    return mpb_main(argc, argv, jobs);
}
