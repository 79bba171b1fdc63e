/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target without a fuzzer, as a test:
 *
 *     replay TARGET [FILE...]              runs it on the files, on its seeds, and on some thousand
 *                                          mutations of the seeds, always the same
 *     replay --write TARGET DIRECTORY      writes the seeds into files, for the fuzzer
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_target.h"
#include "seeds.h"

enum { MUTATIONS = 400 }; /* of each seed */

static uint32_t next_random(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

/* Runs the target on a copy, so that a sanitizer detects a read past its end. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* Changes a few bytes, removes or doubles a piece, or cuts the end off. */
static void mutate(const struct buf *seed, struct buf *out, uint32_t *random)
{
    size_t at = next_random(random) % seed->size;
    size_t piece = next_random(random) % (seed->size - at) % 40;
    buf_clear(out);
    switch (next_random(random) % 6) {
    case 0:
        buf_put(out, seed->data, at);
        buf_put(out, seed->data + at + piece, seed->size - at - piece);
        break;
    case 1:
        buf_put(out, seed->data, at + piece);
        buf_put(out, seed->data + at, seed->size - at);
        break;
    case 2:
        buf_put(out, seed->data, at);
        break;
    default:
        buf_put(out, seed->data, seed->size);
    }
    for (unsigned wrong = next_random(random) % 5; out->size && wrong > 0; wrong--) {
        static const uint8_t likely[] = {0, 1, 0x7F, 0x80, 0xFF};
        uint32_t value = next_random(random);
        out->data[next_random(random) % out->size] =
            value & 1 ? likely[(value >> 1) % sizeof likely] : (uint8_t)(value >> 1);
    }
}

static void run_seeds(const char *target)
{
    struct buf seed = BUF_INIT, mutated = BUF_INIT;
    uint32_t random = 1;
    int number = 0;
    for (; buf_clear(&seed), seed_make(target, number, &seed); number++) {
        run(seed.data, seed.size);
        for (int i = 0; i < MUTATIONS; i++) {
            mutate(&seed, &mutated, &random);
            run(mutated.data, mutated.size);
        }
    }
    buf_release(&seed);
    buf_release(&mutated);
    printf("%d seeds, %d mutations of each\n", number, MUTATIONS);
    if (!number)
        exit(2);
}

static void run_file(const char *path)
{
    struct buf content = BUF_INIT;
    FILE *file = fopen(path, "rb");
    size_t got = 1;
    while (file && got) {
        uint8_t *to = buf_reserve(&content, 65536);
        if (!to)
            abort();
        got = fread(to, 1, 65536, file);
        content.size += got;
    }
    if (!file || ferror(file)) {
        perror(path);
        exit(2);
    }
    fclose(file);
    run(content.data, content.size);
    buf_release(&content);
}

static int write_seeds(const char *target, const char *directory)
{
    struct buf seed = BUF_INIT;
    for (int number = 0; buf_clear(&seed), seed_make(target, number, &seed); number++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/seed-%d", directory, number);
        FILE *file = fopen(path, "wb");
        if (!file || fwrite(seed.data, 1, seed.size, file) != seed.size || fclose(file)) {
            perror(path);
            return 1;
        }
    }
    buf_release(&seed);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--write") == 0)
        return write_seeds(argv[2], argv[3]);
    if (argc < 2) {
        fprintf(stderr, "usage: replay TARGET [FILE...]\n");
        return 2;
    }
    for (int i = 2; i < argc; i++)
        run_file(argv[i]);
    run_seeds(argv[1]);
    return 0;
}
