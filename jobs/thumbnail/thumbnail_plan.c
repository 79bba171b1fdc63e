/* SPDX-License-Identifier: MIT */
/* The outputs of inputs: see thumbnail_plan.h. */
#include "thumbnail_plan.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "name_set.h"
#include "output_name.h"
#include "thumbnail_settings.h"
#include "thumbnail_task.h"

/* An argument that is a directory. */
struct planned_directory {
    size_t argument;           /* its index */
    char *real;                /* its path without symbolic links */
    char prefix[NAME_MAX + 1]; /* its outputs go below this directory; "" for none */
    bool in_output;            /* it is the output directory or lies below it */
};

struct thumbnail_plan {
    const struct mpb_run *run;
    bool beside;
    struct output_name_rules name_rules;
    struct planned_directory *directories;
    size_t directory_count;
    char *output_real;    /* NULL: the output directory does not exist yet, or --beside */
    bool among_inputs;    /* outputs can go to directories that contain inputs */
    bool named_in_output; /* an argument is a file in the output directory */
    bool unique;          /* different inputs always have different outputs: no name_set needed */
    struct name_set outputs;
    char output[PATH_MAX];
    struct buf encoded;
};

static int format_of_name(const char *name)
{
    return (int)image_codec_number(image_codec_by_file_name(name));
}

/* ---- Preparing ---- */

static int prepare_output(struct thumbnail_plan *plan, struct mpp_error *error)
{
    const char *output = plan->run->output;
    struct stat status;
    if (plan->beside || stat(output, &status))
        return 0; /* it does not exist: nothing will be written */
    plan->output_real = realpath(output, NULL);
    return plan->output_real ? 0 : mpp_error_set_errno(error, "cannot use the output directory");
}

static int add_directory(struct thumbnail_plan *plan, size_t argument, struct mpp_error *error)
{
    const struct mpb_run *run = plan->run;
    const char *path = run->inputs[argument];
    struct planned_directory *directory = &plan->directories[plan->directory_count];
    bool alone = run->input_count == 1 && !run->files_from;
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
static void note_file(struct thumbnail_plan *plan, const char *path)
{
    char parent[PATH_MAX];
    ptrdiff_t size = output_name_base(path) - path;
    if (!plan->output_real || size >= PATH_MAX)
        return;
    snprintf(parent, sizeof parent, "%.*s.", (int)size, path);
    char *real = realpath(path, NULL);
    char *place = realpath(parent, NULL);
    plan->named_in_output |= (real && path_is_within(real, plan->output_real)) ||
                             (place && path_is_within(place, plan->output_real));
    free(real);
    free(place);
}

static int prepare_arguments(struct thumbnail_plan *plan, struct mpp_error *error)
{
    const struct mpb_run *run = plan->run;
    struct stat status;
    plan->directories = calloc(run->input_count + 1, sizeof *plan->directories);
    if (!plan->directories)
        return mpp_error_set(error, "out of memory");
    for (size_t i = 0; i < run->input_count; i++) {
        if (stat(run->inputs[i], &status) == 0 && S_ISDIR(status.st_mode)) {
            if (add_directory(plan, i, error))
                return -1;
        } else {
            note_file(plan, run->inputs[i]);
        }
    }
    plan->among_inputs |= plan->beside || plan->named_in_output;
    bool alone = run->input_count == 1 && plan->directory_count == 1 && !run->files_from;
    plan->unique = alone && output_name_is_unique(&plan->name_rules);
    if (alone && plan->output_real && !*plan->name_rules.suffix &&
        strcmp(plan->directories[0].real, plan->output_real) == 0)
        return mpp_error_set(error, "the output directory is the input directory; use another "
                                    "--output or a --suffix");
    return 0;
}

void thumbnail_plan_end(void *planner)
{
    struct thumbnail_plan *plan = planner;
    name_set_release(&plan->outputs);
    for (size_t i = 0; i < plan->directory_count; i++)
        free(plan->directories[i].real);
    free(plan->directories);
    free(plan->output_real);
    buf_release(&plan->encoded);
    free(plan);
}

int thumbnail_plan_begin(void **planner, const struct mpb_run *run, const void *settings,
                         struct mpp_error *error)
{
    const struct thumbnail_settings *options = settings;
    const struct image_codec *format = options->image.format;
    struct thumbnail_plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return mpp_error_set(error, "out of memory");
    plan->run = run;
    plan->beside = options->beside;
    plan->name_rules = (struct output_name_rules){.flat = options->flat || options->beside,
                                                  .suffix = options->suffix,
                                                  .format = (int)image_codec_number(format),
                                                  .extension = format ? format->extensions[0] : "",
                                                  .format_of_name = format_of_name};
    if (name_set_init_random(&plan->outputs, error) || prepare_output(plan, error) ||
        prepare_arguments(plan, error)) {
        thumbnail_plan_end(plan);
        return -1;
    }
    *planner = plan;
    return 0;
}

/* ---- One input ---- */

static const struct planned_directory *directory_of(const struct thumbnail_plan *plan,
                                                    const struct mpb_input *input)
{
    if (input->origin != MPB_WALKED)
        return NULL;
    for (size_t i = 0; i < plan->directory_count; i++)
        if (plan->directories[i].argument == input->argument)
            return &plan->directories[i];
    return NULL;
}

static int name_output(struct thumbnail_plan *plan, const struct mpb_input *input,
                       struct mpp_error *error)
{
    const struct planned_directory *directory = directory_of(plan, input);
    char path[PATH_MAX];
    const char *from = input->below;
    if (input->origin == MPB_NAMED)
        from = output_name_base(input->name);
    if (input->origin == MPB_LISTED && !plan->beside) {
        if (output_name_listed(input->name, path, error))
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
static int check_place(const struct thumbnail_plan *plan, unsigned *flags, struct mpp_error *error)
{
    char place[2 * PATH_MAX];
    if (plan->beside || plan->named_in_output)
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
static int check_link(const struct thumbnail_plan *plan, const struct mpb_input *input,
                      struct mpp_error *error)
{
    if (!input->link || !plan->output_real)
        return 0;
    char *real = realpath(input->name, NULL);
    bool exposed = real && path_is_within(real, plan->output_real);
    for (size_t i = 0; exposed && i < plan->directory_count; i++)
        exposed =
            !plan->directories[i].in_output || !path_is_within(real, plan->directories[i].real);
    free(real);
    return exposed ? mpp_error_set(error, "is a symbolic link into the output directory") : 0;
}

static int check_unique(struct thumbnail_plan *plan, const struct mpb_input *input,
                        struct mpp_error *error)
{
    char beside[2 * PATH_MAX];
    const char *place = plan->output;
    bool added;
    if (plan->unique)
        return 0;
    if (plan->beside) {
        int folder = (int)(output_name_base(input->name) - input->name);
        snprintf(beside, sizeof beside, "%.*s%s", folder, input->name, plan->output);
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

static int make_task(struct thumbnail_plan *plan, const struct mpb_input *input,
                     struct thumbnail_task *task, struct mpp_error *error)
{
    *task = (struct thumbnail_task){.source = input->name, .output = plan->output};
    if (input->origin == MPB_WALKED)
        task->flags |= THUMBNAIL_WALKED;
    if (input->origin == MPB_LISTED && !plan->beside)
        task->flags |= THUMBNAIL_LISTED;
    if (input->origin != MPB_WALKED && plan->among_inputs &&
        output_name_has_suffix(&plan->name_rules, input->name))
        task->flags |= THUMBNAIL_SUFFIXED;
    if (name_output(plan, input, error) || check_place(plan, &task->flags, error) ||
        check_link(plan, input, error))
        return -1;
    return check_unique(plan, input, error);
}

enum mpb_plan thumbnail_plan_input(void *planner, const struct mpb_input *input,
                                   struct mpp_bytes *bytes, struct mpp_error *error)
{
    struct thumbnail_plan *plan = planner;
    struct thumbnail_task task;
    if (input->origin == MPB_WALKED && plan->among_inputs &&
        output_name_has_suffix(&plan->name_rules, input->name)) {
        mpp_error_set(error, "its suffix marks it as a thumbnail");
        return MPB_PLAN_SKIP;
    }
    if (make_task(plan, input, &task, error))
        return MPB_PLAN_REFUSE;
    buf_clear(&plan->encoded);
    thumbnail_task_put(&plan->encoded, &task);
    if (plan->encoded.failed) {
        mpp_error_set(error, "out of memory");
        return MPB_PLAN_REFUSE;
    }
    *bytes = (struct mpp_bytes){plan->encoded.data, plan->encoded.size};
    return MPB_PLAN_TASK;
}
