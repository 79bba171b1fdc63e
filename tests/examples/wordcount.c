/* SPDX-License-Identifier: MIT */
/* How often each word occurs in many files: mpirun -n 4 wordcount --shortest 4 texts */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* twalk_r, tdestroy */
#endif
#include <inttypes.h>
#include <mpbatch.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct counter {
    const int *shortest; /* the option: shorter words do not count */
    void *words;         /* a tree of struct word, see tsearch(3) */
    struct mpb_context *context;
    struct mpp_error *error;
    int failed;
};

struct word {
    char text[256];
    uint64_t count;
};

static int open_counter(void **state, const struct mpb_run *run, const void *settings,
                        struct mpp_error *error)
{
    (void)run;
    struct counter *counter = *state = calloc(1, sizeof *counter);
    if (!counter)
        return mpp_error_set(error, "out of memory");
    counter->shortest = settings;
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct word *)a)->text, ((const struct word *)b)->text);
}

static void add_word(struct counter *counter, const struct word *added)
{
    struct word *word = calloc(1, sizeof *word), **found = NULL;
    if (word)
        memcpy(word->text, added->text, sizeof word->text);
    if (word && (found = tsearch(word, &counter->words, by_text)))
        (*found)->count += added->count;
    else
        counter->failed = mpp_error_set(counter->error, "out of memory");
    if (!found || *found != word)
        free(word);
}

/* Adds the words of a file, or words with their counts, and closes it. */
static void add_words(struct counter *counter, FILE *file, const char *format)
{
    struct word word = {.count = 1};
    while (file && !counter->failed && fscanf(file, "%*[^a-zA-Z]") != EOF &&
           fscanf(file, format, word.text, &word.count) > 0)
        if (strlen(word.text) >= (size_t)*counter->shortest)
            add_word(counter, &word);
    if (!file || ferror(file))
        counter->failed = mpp_error_set_errno(counter->error, "cannot read");
    if (file)
        fclose(file);
}

static void write_word(const void *node, VISIT visit, void *closure)
{
    const struct word *word = *(const struct word *const *)node;
    struct counter *counter = closure;
    char line[300];
    int size = snprintf(line, sizeof line, "%s %" PRIu64 "\n", word->text, word->count);
    if (!counter->failed && (visit == postorder || visit == leaf)) /* the words are sorted */
        counter->failed = mpb_write(counter->context, line, (size_t)size, counter->error);
}

/* A task counts the words of a file, or, in a stage, adds up what other tasks have counted. */
static int run(void *state, const struct mpb_task *task, struct mpb_context *context,
               struct mpp_error *error)
{
    struct counter *counter = state;
    struct mpp_bytes bytes;
    *counter = (struct counter){.shortest = counter->shortest, .context = context, .error = error};
    if (!task->member_count)
        add_words(counter, fopen(task->input, "r"), "%255[a-zA-Z]");
    for (size_t i = 0; i < task->member_count && !counter->failed; i++) {
        counter->failed = mpb_member(context, i, &bytes, error);
        if (!counter->failed && bytes.size)
            add_words(counter, fmemopen((void *)bytes.data, bytes.size, "r"), "%255s %" SCNu64);
    }
    twalk_r(counter->words, write_word, counter);
    tdestroy(counter->words, free);
    return counter->failed;
}

static const struct mpb_option options[] = {
    {.name = "shortest",
     .type = MPB_INT,
     .argument = "N",
     .initial = "1",
     .help = "count words of at least N letters",
     .group = "Words",
     .minimum = 1,
     .maximum = 255,
     .decides = true},
    {0},
};
static const struct mpb_stage stages[] = {
    {.name = "merge", .group = 16, .run = run}, {.name = "total", .run = run}, {0}};
static const struct mpb_job wordcount = {.name = "wordcount",
                                         .summary = "counts words",
                                         .output = MPB_OUTPUT_STREAM,
                                         .options = options,
                                         .settings_size = sizeof(int),
                                         .open = open_counter,
                                         .run = run,
                                         .close = free,
                                         .stages = stages};

int main(int argc, char **argv)
{
    return mpb_main(argc, argv, (const struct mpb_job *const[]){&wordcount, NULL});
}
