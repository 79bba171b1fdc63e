/* SPDX-License-Identifier: MIT */
/* The inputs of a run: see batch_inputs.h. */
#include "batch_inputs.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "output_name.h"

int batch_inputs_init(struct batch_inputs *inputs, const struct run_options *options,
                      const struct mpb_job *job, struct mpp_error *error)
{
    const struct mpb_run *run = &options->run;
    struct stat status;
    inputs->options = options;
    inputs->list_fd = -1;
    inputs->number = inputs->argument = 0;
    inputs->walking = inputs->listing = false;
    inputs->words = job->inputs == MPB_INPUT_WORDS;
    directory_walk_init(&inputs->walk);
    inputs->unique =
        options->count || (run->input_count == 1 && !run->files_from && !inputs->words &&
                           stat(run->inputs[0], &status) == 0 && S_ISDIR(status.st_mode));
    if (job->output == MPB_OUTPUT_STREAM && !inputs->words && run->output &&
        stat(run->output, &status) == 0 && S_ISREG(status.st_mode)) {
        inputs->output = run->output;
        inputs->output_dev = status.st_dev;
        inputs->output_ino = status.st_ino;
    }
    if (name_set_init_random(&inputs->seen, error))
        return -1;
    if (!run->files_from)
        return 0;
    inputs->list_fd = name_list_open(run->files_from, error);
    if (inputs->list_fd < 0)
        return -1;
    inputs->listing = true;
    name_list_init(&inputs->names, inputs->list_fd, options->null ? '\0' : '\n');
    return 0;
}

void batch_inputs_release(struct batch_inputs *inputs)
{
    directory_walk_release(&inputs->walk);
    name_set_release(&inputs->seen);
    if (inputs->list_fd > STDIN_FILENO)
        close(inputs->list_fd);
}

void batch_inputs_exclude(struct batch_inputs *inputs, const char *directory)
{
    struct stat status;
    if (stat(directory, &status) == 0)
        directory_walk_exclude(&inputs->walk, status.st_dev, status.st_ino);
}

/* ---- Which inputs are used ---- */

/* A pattern with a slash is compared with the path below the argument, any other with the last
 * component. */
static bool matches(const struct pattern_list *list, const char *below)
{
    const char *slash = strrchr(below, '/');
    for (size_t i = 0; i < list->count; i++) {
        const char *pattern = list->patterns[i];
        if (fnmatch(pattern, strchr(pattern, '/') || !slash ? below : slash + 1, 0) == 0)
            return true;
    }
    return false;
}

/* The shard of an input is a function of its name only. */
static bool is_used(const struct run_options *options, const struct mpb_input *input)
{
    const struct shard *shard = &options->shard;
    if (shard->count && XXH3_64bits(input->name, strlen(input->name)) % (uint64_t)shard->count !=
                            (uint64_t)shard->number - 1)
        return false;
    return input->origin != MPB_WALKED ||
           ((!options->include.count || matches(&options->include, input->below)) &&
            !matches(&options->exclude, input->below));
}

/* A file that was found or listed is looked at only if it has the name of the output or is a link:
 * there can be many. */
bool batch_inputs_is_output(const struct batch_inputs *inputs, const struct mpb_input *input)
{
    struct stat status;
    return inputs->output &&
           (input->origin == MPB_NAMED || input->link ||
            strcmp(output_name_base(input->name), output_name_base(inputs->output)) == 0) &&
           stat(input->name, &status) == 0 && status.st_dev == inputs->output_dev &&
           status.st_ino == inputs->output_ino;
}

/* ---- One input ---- */

static enum batch_input_status next_number(struct batch_inputs *inputs, struct mpb_input *input)
{
    if (inputs->number == inputs->options->count)
        return BATCH_INPUT_END;
    static const char word[] = "task ";
    char *end = inputs->name + sizeof inputs->name - 1;
    char *name = decimal_before(end, inputs->number++) - (sizeof word - 1);
    memcpy(name, word, sizeof word - 1);
    *end = '\0';
    *input = (struct mpb_input){.origin = MPB_NUMBERED, .name = name, .below = name};
    return BATCH_INPUT;
}

/* The next argument. If it is a directory, that is going to be walked: END. */
static enum batch_input_status next_argument(struct batch_inputs *inputs, struct mpb_input *input,
                                             struct mpp_error *error)
{
    const char *path = inputs->options->run.inputs[inputs->argument];
    struct stat status;
    snprintf(inputs->name, sizeof inputs->name, "%s", path);
    *input = (struct mpb_input){.origin = MPB_NAMED,
                                .name = inputs->name,
                                .below = inputs->name,
                                .argument = inputs->argument++};
    if (!*path || strlen(path) >= PATH_MAX) {
        mpp_error_set(error, *path ? "the path is too long" : "the name is empty");
        return BATCH_INPUT_BAD;
    }
    if (inputs->words || stat(path, &status) || !S_ISDIR(status.st_mode))
        return BATCH_INPUT;
    inputs->walking = directory_walk_start(&inputs->walk, path, error) == 0;
    return inputs->walking ? BATCH_INPUT_END : BATCH_INPUT_UNREAD;
}

static enum batch_input_status next_walked(struct batch_inputs *inputs, struct mpb_input *input,
                                           struct mpp_error *error)
{
    enum walk_status status = directory_walk_next(&inputs->walk, error);
    *input = (struct mpb_input){.origin = MPB_WALKED,
                                .name = inputs->walk.path,
                                .below = inputs->walk.path + inputs->walk.top_size,
                                .argument = inputs->argument - 1,
                                .link = status == WALK_LINK};
    inputs->walking = status != WALK_END;
    return status == WALK_END   ? BATCH_INPUT_END
           : status == WALK_BAD ? BATCH_INPUT_UNREAD
                                : BATCH_INPUT;
}

static enum batch_input_status next_listed(struct batch_inputs *inputs, struct mpb_input *input,
                                           struct mpp_error *error)
{
    const char *name = "";
    enum name_list_status status = name_list_next(&inputs->names, &name, error);
    *input = (struct mpb_input){.origin = MPB_LISTED, .name = name, .below = name};
    switch (status) {
    case NAME_LIST_NAME:
        return BATCH_INPUT;
    case NAME_LIST_BAD:
        return BATCH_INPUT_BAD;
    case NAME_LIST_LATER:
        return BATCH_INPUT_LATER;
    case NAME_LIST_FAILED:
        input->name = inputs->options->run.files_from;
        inputs->listing = false;
        return BATCH_INPUT_UNREAD;
    case NAME_LIST_END:
        break;
    }
    inputs->listing = false;
    return BATCH_INPUT_END;
}

/* The next input, which may be left out. */
static enum batch_input_status next_input(struct batch_inputs *inputs, struct mpb_input *input,
                                          struct mpp_error *error)
{
    enum batch_input_status status = BATCH_INPUT_END;
    if (inputs->options->count)
        return next_number(inputs, input);
    while (status == BATCH_INPUT_END &&
           (inputs->walking || inputs->argument < inputs->options->run.input_count))
        status = inputs->walking ? next_walked(inputs, input, error)
                                 : next_argument(inputs, input, error);
    return status == BATCH_INPUT_END && inputs->listing ? next_listed(inputs, input, error)
                                                        : status;
}

enum batch_input_status batch_inputs_next(struct batch_inputs *inputs, struct mpb_input *input,
                                          struct mpp_error *error)
{
    enum batch_input_status status;
    inputs->tasks = 0;
    do
        status = next_input(inputs, input, error);
    while ((status == BATCH_INPUT || status == BATCH_INPUT_BAD) &&
           !is_used(inputs->options, input));
    return status;
}

int batch_inputs_occurrence(struct batch_inputs *inputs, const char *name, uint64_t *occurrence,
                            struct mpp_error *error)
{
    bool counts = !inputs->unique && !inputs->options->no_journal;
    *occurrence = inputs->tasks++;
    return counts ? name_set_count(&inputs->seen, name, occurrence, error) : 0;
}
