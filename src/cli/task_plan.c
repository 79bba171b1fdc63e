/* SPDX-License-Identifier: MIT */
/* Turns inputs into tasks: see task_plan.h. */
#include "task_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output_directory.h"

static int format_of_name(const char *name)
{
    return (int)image_codec_number(image_codec_by_file_name(name));
}

/* ---- Preparing ---- */

static int prepare_output(struct task_plan *plan, struct mpp_error *error)
{
    struct stat status;
    int fd;
    if (plan->options->beside)
        return 0;
    if (plan->options->dry_run) {
        if (stat(plan->options->output, &status))
            return 0;
    } else {
        if (output_directory_open(plan->options->output, &fd, error))
            return -1;
        int failed = fstat(fd, &status);
        close(fd);
        if (failed)
            return mpp_error_set_errno(error, "cannot use the output directory");
    }
    plan->output_real = realpath(plan->options->output, NULL);
    if (!plan->output_real)
        return mpp_error_set_errno(error, "cannot use the output directory");
    input_list_exclude(&plan->inputs, status.st_dev, status.st_ino);
    return 0;
}

static int prepare_list(struct task_plan *plan, struct mpp_error *error)
{
    const char *name = plan->options->files_from;
    if (!name)
        return 0;
    plan->list_fd = name_list_open(name, error);
    if (plan->list_fd < 0)
        return -1;
    input_list_add_names_from(&plan->inputs, name, plan->list_fd,
                              plan->options->null ? '\0' : '\n');
    return 0;
}

static int add_directory(struct task_plan *plan, size_t argument, struct mpp_error *error)
{
    const struct mpthumb_options *options = plan->options;
    const char *path = options->inputs[argument];
    struct planned_directory *directory = &plan->directories[plan->directory_count];
    bool alone = options->input_count == 1 && !options->files_from;
    directory->real = realpath(path, NULL);
    if (!directory->real)
        return mpp_error_set_errno(error, "cannot use '%.800s'", path);
    plan->directory_count++;
    directory->argument = argument;
    if (!alone)
        output_name_directory(path, directory->real, directory->prefix);
    directory->in_output = plan->output_real && path_is_within(directory->real, plan->output_real);
    plan->among_inputs |= directory->in_output;
    return 0;
}

/* Notes whether an argument that is a file lies in the output directory: the directory in its path,
 * or the target of a symbolic link. */
static void note_file(struct task_plan *plan, const char *path)
{
    char parent[PATH_MAX];
    size_t size = (size_t)(output_name_base(path) - path);
    if (!plan->output_real || size >= sizeof parent)
        return;
    memcpy(parent, path, size);
    memcpy(parent + size, ".", size ? 1 : 2);
    parent[size ? size : 1] = '\0';
    char *real = realpath(path, NULL);
    char *place = realpath(parent, NULL);
    plan->named_in_output |= (real && path_is_within(real, plan->output_real)) ||
                             (place && path_is_within(place, plan->output_real));
    free(real);
    free(place);
}

static int prepare_arguments(struct task_plan *plan, struct mpp_error *error)
{
    const struct mpthumb_options *options = plan->options;
    struct stat status;
    plan->directories = calloc(options->input_count + 1, sizeof *plan->directories);
    if (!plan->directories)
        return mpp_error_set(error, "out of memory");
    for (size_t i = 0; i < options->input_count; i++) {
        if (stat(options->inputs[i], &status) == 0 && S_ISDIR(status.st_mode)) {
            if (add_directory(plan, i, error))
                return -1;
        } else {
            note_file(plan, options->inputs[i]);
        }
    }
    plan->among_inputs |= options->beside || plan->named_in_output;
    plan->unique = options->input_count == 1 && plan->directory_count == 1 &&
                   !options->files_from && output_name_is_unique(&plan->name_rules);
    return 0;
}

int task_plan_init(struct task_plan *plan, const struct mpthumb_options *options,
                   struct mpp_error *error)
{
    const struct image_codec *format = options->image.format;
    uint64_t key[2];
    memset(plan, 0, sizeof *plan);
    plan->options = options;
    plan->list_fd = -1;
    plan->name_rules = (struct output_name_rules){.flat = options->flat || options->beside,
                                                  .suffix = options->suffix,
                                                  .format = (int)image_codec_number(format),
                                                  .extension = format ? format->extensions[0] : "",
                                                  .format_of_name = format_of_name};
    input_list_init(&plan->inputs, options->inputs, options->input_count);
    if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
        return mpp_error_set_errno(error, "cannot get random numbers");
    name_set_init(&plan->outputs, key);
    if (prepare_output(plan, error) || prepare_list(plan, error))
        return -1;
    return prepare_arguments(plan, error);
}

void task_plan_release(struct task_plan *plan)
{
    input_list_release(&plan->inputs);
    name_set_release(&plan->outputs);
    for (size_t i = 0; i < plan->directory_count; i++)
        free(plan->directories[i].real);
    free(plan->directories);
    free(plan->output_real);
    if (plan->list_fd > STDIN_FILENO)
        close(plan->list_fd);
}

/* ---- One input ---- */

static const struct planned_directory *directory_of(const struct task_plan *plan,
                                                    const struct input *input)
{
    if (input->origin != INPUT_WALKED)
        return NULL;
    for (size_t i = 0; i < plan->directory_count; i++)
        if (plan->directories[i].argument == input->argument)
            return &plan->directories[i];
    return NULL;
}

static int name_output(struct task_plan *plan, const struct input *input, struct mpp_error *error)
{
    const struct planned_directory *directory = directory_of(plan, input);
    char path[PATH_MAX];
    const char *from = input->below;
    if (input->origin == INPUT_NAMED)
        from = output_name_base(input->path);
    if (input->origin == INPUT_LISTED && !plan->options->beside) {
        if (output_name_listed(input->path, path, error))
            return -1;
        from = path;
    }
    if (!*output_name_base(from))
        return mpp_error_set(error, "ends with a slash, but there is no such directory");
    return output_name_make(&plan->name_rules, directory ? directory->prefix : "", from,
                            plan->output, error);
}

/* Checks whether the output goes into a directory that is walked. With a suffix it can be
 * distinguished from inputs, and the worker must not replace existing files. Without one it is
 * refused. */
static int check_place(const struct task_plan *plan, unsigned *flags, struct mpp_error *error)
{
    char place[2 * PATH_MAX];
    if (plan->options->beside || plan->named_in_output)
        *flags |= THUMBNAIL_NO_REPLACE;
    if (!plan->output_real)
        return 0;
    snprintf(place, sizeof place, "%s/%s", plan->output_real[1] ? plan->output_real : "",
             plan->output);
    for (size_t i = 0; i < plan->directory_count; i++) {
        const struct planned_directory *directory = &plan->directories[i];
        if (!directory->in_output || !path_is_within(place, directory->real))
            continue;
        if (!*plan->name_rules.suffix)
            return mpp_error_set(error,
                                 "its thumbnail %.800s would be written among the inputs; "
                                 "use another --output or a --suffix",
                                 plan->output);
        *flags |= THUMBNAIL_NO_REPLACE;
    }
    return 0;
}

/* Refuses a symbolic link, found in a walked directory, to a file in the output directory: a
 * thumbnail could replace that file. A file that is itself in a walked directory is safe. */
static int check_link(const struct task_plan *plan, const struct input *input,
                      struct mpp_error *error)
{
    if (!input->link || !plan->output_real)
        return 0;
    char *real = realpath(input->path, NULL);
    bool exposed = real && path_is_within(real, plan->output_real);
    for (size_t i = 0; exposed && i < plan->directory_count; i++)
        exposed =
            !plan->directories[i].in_output || !path_is_within(real, plan->directories[i].real);
    free(real);
    return exposed ? mpp_error_set(error, "is a symbolic link into the output directory") : 0;
}

static int check_unique(struct task_plan *plan, const struct input *input, struct mpp_error *error)
{
    char beside[2 * PATH_MAX];
    const char *place = plan->output;
    bool added;
    if (plan->unique)
        return 0;
    if (plan->options->beside) {
        int folder = (int)(output_name_base(input->path) - input->path);
        snprintf(beside, sizeof beside, "%.*s%s", folder, input->path, plan->output);
        place = beside;
    }
    if (name_set_add(&plan->outputs, place, &added, error))
        return -1;
    return added
               ? 0
               : mpp_error_set(error,
                               "its thumbnail would replace the thumbnail %.800s of another input",
                               place);
}

static int make_task(struct task_plan *plan, const struct input *input, struct thumbnail_task *task,
                     struct mpp_error *error)
{
    *task = (struct thumbnail_task){.source = plan->source, .output = plan->output};
    if (input->origin == INPUT_WALKED)
        task->flags |= THUMBNAIL_WALKED;
    if (input->origin == INPUT_LISTED && !plan->options->beside)
        task->flags |= THUMBNAIL_LISTED;
    if (input->origin != INPUT_WALKED && plan->among_inputs &&
        output_name_has_suffix(&plan->name_rules, input->path))
        task->flags |= THUMBNAIL_SUFFIXED;
    if (name_output(plan, input, error) || check_place(plan, &task->flags, error) ||
        check_link(plan, input, error))
        return -1;
    return check_unique(plan, input, error);
}

enum plan_status task_plan_next(struct task_plan *plan, struct thumbnail_task *task,
                                struct mpp_error *error)
{
    struct input input;
    enum input_list_status status = input_list_next(&plan->inputs, &input, error);
    if (status == INPUT_LIST_END)
        return PLAN_END;
    if (status == INPUT_LIST_LATER)
        return PLAN_LATER;
    snprintf(plan->source, sizeof plan->source, "%s", input.path);
    bool list_failed = input.origin == INPUT_LISTED && !plan->inputs.reading_names;
    if (status == INPUT_LIST_BAD)
        return input.origin == INPUT_WALKED || list_failed ? PLAN_UNREAD : PLAN_BAD;
    if (input.origin == INPUT_WALKED && plan->among_inputs &&
        output_name_has_suffix(&plan->name_rules, input.path))
        return PLAN_SKIP;
    return make_task(plan, &input, task, error) ? PLAN_BAD : PLAN_TASK;
}

void task_plan_output_path(const struct mpthumb_options *options, const struct thumbnail_task *task,
                           char *path, size_t size)
{
    if (options->beside) {
        int folder = (int)(output_name_base(task->source) - task->source);
        snprintf(path, size, "%.*s%s", folder, task->source, task->output);
    } else {
        const char *end = strchr(options->output, '\0');
        snprintf(path, size, "%s%s%s", options->output, end[-1] == '/' ? "" : "/", task->output);
    }
}
