/* SPDX-License-Identifier: MIT */
/* How often each word occurs in many files: mpirun -n 4 wordcount --shortest 4 texts */
#include <inttypes.h>
#include <mpbatch.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct worker {
    const int *shortest; /* the setting: shorter words do not count */
    void *words;         /* a tree of struct word, see tsearch(3) */
    struct mpb_context *context;
    struct mpp_error *error;
    int failed;
};

struct word {
    uint64_t count;
    char text[256];
};

static int open_worker(void **state, const struct mpb_run *run, const void *settings,
                       struct mpp_error *error)
{
    (void)run;
    struct worker *worker = *state = calloc(1, sizeof *worker);
    if (!worker)
        return mpp_error_set(error, "out of memory");
    worker->shortest = settings;
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct word *)a)->text, ((const struct word *)b)->text);
}

static void write_word(const void *node, VISIT visit, void *worker_of_words)
{
    const struct word *word = *(const struct word *const *)node;
    struct worker *worker = worker_of_words;
    char line[300];
    int size = snprintf(line, sizeof line, "%s %" PRIu64 "\n", word->text, word->count);
    if (visit == postorder || visit == leaf) /* in the order of the words */
        worker->failed |= mpb_write(worker->context, line, (size_t)size, worker->error);
}

/* Adds the words of a file, or words with their counts. Closes the file. */
static void add_words(struct worker *worker, FILE *file, const char *format)
{
    struct word next = {.count = 1}, *word, **found;
    while (file && !worker->failed) {
        if (fscanf(file, "%*[^a-zA-Z]") == EOF || fscanf(file, format, next.text, &next.count) < 1)
            break;
        if (strlen(next.text) < (size_t)*worker->shortest)
            continue;
        word = malloc(sizeof *word);
        *word = (struct word){0};
        memcpy(word->text, next.text, sizeof next.text);
        found = tsearch(word, &worker->words, by_text);
        (*found)->count += next.count;
        if (*found != word)
            free(word);
    }
    if (!file || ferror(file))
        worker->failed = mpp_error_set_errno(worker->error, "cannot read");
    if (file)
        fclose(file);
}

static int run(void *state, const struct mpb_task *task, struct mpb_context *context,
               struct mpp_error *error)
{
    struct worker *worker = state;
    struct mpp_bytes bytes;
    *worker = (struct worker){.shortest = worker->shortest, .context = context, .error = error};
    if (!task->member_count) /* not in a stage */
        add_words(worker, fopen(task->input, "r"), "%255[a-zA-Z]");
    for (size_t i = 0; i < task->member_count && !worker->failed; i++) {
        worker->failed = mpb_member(context, i, &bytes, error);
        if (!worker->failed && bytes.size)
            add_words(worker, fmemopen((void *)bytes.data, bytes.size, "r"), "%255s %" SCNu64);
    }
    twalk_r(worker->words, write_word, worker);
    tdestroy(worker->words, free);
    return worker->failed;
}

int main(int argc, char **argv)
{
    static const struct mpb_option options[] = {
        {.name = "shortest", .type = MPB_INT, .argument = "N", .initial = "1", .group = "Words",
         .help = "count words of at least N letters", .minimum = 1, .decides = true},
        {0}};
    static const struct mpb_stage stages[] = {{"merge", 16, run}, {"total", 0, run}, {0}};
    static const struct mpb_job wordcount = {
        .name = "wordcount", .summary = "counts words", .output = MPB_OUTPUT_STREAM,
        .options = options, .settings_size = sizeof(int), .open = open_worker, .run = run,
        .close = free, .stages = stages};
    static const struct mpb_job *const jobs[] = {&wordcount, NULL};
    return mpb_main(argc, argv, jobs);
}
