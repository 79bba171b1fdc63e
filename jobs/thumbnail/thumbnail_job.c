/* SPDX-License-Identifier: MIT */
/*
 * thumbnail_job: the job that makes a thumbnail of each file: it reads and decodes the image, blurs
 * and shrinks it, and writes the encoded result. What is here runs in worker processes.
 *
 * A worker reads and writes the files itself: it gets their names and returns a small report. Error
 * texts follow "mpthumb: 'SOURCE': ". The work is divided:
 *
 *     thumbnail_settings.c   the options
 *     thumbnail_plan.c       names the outputs, on rank 0
 *     thumbnail_source.c     opens and reads the source; can be ahead of the task
 *     this file              makes the thumbnail and writes it
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "atomic_file.h"
#include "jobs.h"
#include "output_directory.h"
#include "output_name.h"
#include "read_write_full.h"
#include "thumbnail_libraries.h"
#include "thumbnail_plan.h"
#include "thumbnail_settings.h"
#include "thumbnail_source.h"
#include "thumbnail_task.h"
#include "thumbnailer.h"

struct thumbnail_worker {
    const struct mpb_run *run;
    const struct thumbnail_settings *settings;
    struct thumbnailer *thumbnailer;
    int root;        /* descriptor of the output directory; -1: none */
    char *root_path; /* its real path; NULL: none */
    struct buf output;
};

/* One task while it is being done. */
struct task_run {
    struct thumbnail_task task;
    struct thumbnail_source *source;
    struct mpb_context *context;
    int write_errno; /* why the output could not be written; 0: it was, or was not tried */
};

static void worker_free(struct thumbnail_worker *worker)
{
    if (!worker)
        return;
    thumbnailer_free(worker->thumbnailer);
    if (worker->root >= 0)
        close(worker->root);
    free(worker->root_path);
    buf_release(&worker->output);
    free(worker);
}

static int thumbnail_open(void **out, const struct mpb_run *run, const void *settings,
                          struct mpp_error *error)
{
    struct thumbnail_worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return mpp_error_set(error, "out of memory");
    worker->run = run;
    worker->settings = settings;
    worker->root = -1;
    worker->thumbnailer = thumbnailer_new();
    if (!worker->thumbnailer) {
        mpp_error_set(error, "out of memory");
        goto failed;
    }
    if (run->output && !run->dry_run && output_directory_open(run->output, &worker->root, error))
        goto failed;
    if (run->output)
        worker->root_path = realpath(run->output, NULL);
    *out = worker;
    return 0;
failed:
    worker_free(worker);
    return -1;
}

static void thumbnail_close(void *worker)
{
    worker_free(worker);
    thumbnail_source_free_unused();
}

/* ---- The source ---- */

static int thumbnail_load(const struct mpb_run *run, const void *settings,
                          const struct mpb_task *task, void **loaded, struct mpp_error *error)
{
    (void)settings;
    struct thumbnail_task wanted = thumbnail_task_get(task);
    struct thumbnail_source *source = thumbnail_source_load(&wanted, run->dry_run, error);
    *loaded = source;
    return source ? 0 : -1;
}

static void thumbnail_unload(void *loaded)
{
    thumbnail_source_free(loaded);
}

/* ---- The output ---- */

/* The size of the directory in a path, with its slash. */
static int folder_size(const char *path)
{
    return (int)(output_name_base(path) - path);
}

static void output_path(const struct mpb_run *run, const void *settings,
                        const struct mpb_task *task, char *path, size_t size)
{
    (void)settings;
    struct thumbnail_task wanted = thumbnail_task_get(task);
    if (run->output)
        snprintf(path, size, "%s%s%s", run->output,
                 run->output[strlen(run->output) - 1] == '/' ? "" : "/", wanted.output);
    else
        snprintf(path, size, "%.*s%s", folder_size(wanted.source), wanted.source, wanted.output);
}

/* Refuses a file from a list that lies in the output directory: it could be a thumbnail. */
static int refuse_inside_output(const struct thumbnail_worker *worker, const struct task_run *run,
                                struct mpp_error *error)
{
    if (!(run->task.flags & THUMBNAIL_LISTED) || !worker->root_path)
        return 0;
    char *real = realpath(run->task.source, NULL);
    bool inside = real && path_is_within(real, worker->root_path);
    free(real);
    return inside ? mpp_error_set(error, "lies in the output directory; choose another --output")
                  : 0;
}

/* Opens the directory that the output's path is relative to. The caller closes *fd unless it is the
 * root. */
static int open_base(const struct thumbnail_worker *worker, const struct task_run *run, int *fd,
                     struct mpp_error *error)
{
    *fd = worker->root;
    if (worker->root >= 0)
        return 0;
    char directory[PATH_MAX];
    int size = folder_size(run->task.source);
    if (size >= PATH_MAX)
        return mpp_error_set(error, "its path is too long");
    snprintf(directory, sizeof directory, "%.*s", size ? size : 1, size ? run->task.source : ".");
    *fd = TEMP_FAILURE_RETRY(open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return *fd < 0 ? mpp_error_set_errno(error, "cannot open its directory") : 0;
}

static int commit(struct atomic_file *file, const struct thumbnail_worker *worker,
                  const struct task_run *run, struct mpp_error *error)
{
    bool replace = !(run->task.flags & THUMBNAIL_NO_REPLACE);
    bool exists;
    if (atomic_file_is_at(file, &run->source->status))
        return mpp_error_set(error, "its thumbnail would replace the image itself; "
                                    "choose another --output or a --suffix");
    if (atomic_file_commit(file, replace, &exists, error))
        return -1;
    /* It is no error if an earlier run has written the same bytes. */
    if (exists && !atomic_file_holds(file, worker->output.data, worker->output.size))
        return mpp_error_set(error,
                             "its thumbnail would replace '%.800s', which may be an input; "
                             "remove that or choose another --suffix",
                             run->task.output);
    return 0;
}

static int write_output(struct thumbnail_worker *worker, struct task_run *run,
                        struct mpp_error *error)
{
    struct atomic_file file = ATOMIC_FILE_INIT;
    int base;
    int result = -1;
    if (open_base(worker, run, &base, error))
        return -1;
    errno = 0;
    if (atomic_file_open(&file, base, run->task.output, error) == 0 &&
        atomic_file_write(&file, worker->output.data, worker->output.size, error) == 0)
        result = commit(&file, worker, run, error);
    run->write_errno = result ? errno : 0;
    atomic_file_abandon(&file);
    if (base != worker->root)
        close(base);
    return result;
}

/* ---- The task ---- */

/* Tells the engine what was made. */
static void report(const struct thumbnail_worker *worker, const struct task_run *run,
                   const struct thumbnail_info *info)
{
    struct mpb_context *context = run->context;
    const struct buf *output = &worker->output;
    mpb_output_file(context, run->task.output, output->size,
                    XXH3_64bits(output->data, output->size));
    mpb_field_int(context, "width", info->width_px);
    mpb_field_int(context, "height", info->height_px);
    if (info->warnings)
        mpb_warn(context);
    if (worker->run->verbose && worker->settings->beside)
        mpb_line(context, "A thumbnail for %s was saved as %.*s%s", run->task.source,
                 folder_size(run->task.source), run->task.source, run->task.output);
}

static int make_thumbnail(struct thumbnail_worker *worker, struct task_run *run,
                          struct mpp_error *error)
{
    struct thumbnail_options options = worker->settings->image;
    struct thumbnail_info info = {0};
    struct thumbnail_source *source = run->source;
    if (!source->bytes.size && !source->streams && thumbnail_source_read(source, error))
        return -1;
    struct byte_source image = {.bytes = source->streams ? NULL : source->bytes.data,
                                .size = source->streams ? (uint64_t)source->status.st_size
                                                        : source->bytes.size,
                                .read_at = thumbnail_source_read_at,
                                .context = source};
    if (!options.format)
        options.format = image_codec_by_file_name(run->task.source);
    buf_clear(&worker->output);
    if (thumbnailer_run(worker->thumbnailer, &image, &options, &worker->output, &info, error))
        return -1;
    if (worker->output.failed)
        return mpp_error_set(error, "out of memory");
    if ((run->task.flags & THUMBNAIL_SUFFIXED) && info.source_width_px <= options.box_width_px &&
        info.source_height_px <= options.box_height_px)
        return mpb_skip(run->context, "its suffix and its size mark it as a thumbnail");
    if (write_output(worker, run, error))
        return -1;
    report(worker, run, &info);
    return 0;
}

/* The error that ends the run, which is printed without the source: with the whole path of the
 * output. */
static int stop_writing(const struct thumbnail_worker *worker, const struct task_run *run)
{
    struct mpp_error error;
    const char *reason = strerror(run->write_errno);
    int size = folder_size(run->task.source);
    if (worker->root >= 0)
        mpp_error_set(&error, "cannot write '%.400s/%.500s': %s", worker->run->output,
                      run->task.output, reason);
    else
        mpp_error_set(&error, "cannot write '%.*s%.400s': %s", size < 500 ? size : 500,
                      run->task.source, run->task.output, reason);
    return mpb_stop(run->context, error.text);
}

static int thumbnail_run(void *state, const struct mpb_task *task, struct mpb_context *context,
                         struct mpp_error *error)
{
    struct thumbnail_worker *worker = state;
    struct task_run run = {
        .task = thumbnail_task_get(task), .source = mpb_loaded(context), .context = context};
    if (run.source->not_image)
        return mpb_skip(context, "neither its name nor its content is that of an image");
    if (refuse_inside_output(worker, &run, error))
        return -1;
    if (worker->run->dry_run || make_thumbnail(worker, &run, error) == 0)
        return 0;
    return concerns_all_files(run.write_errno) ? stop_writing(worker, &run) : -1;
}

static const struct mpb_default defaults[] = {{"timeout", "300"}, {0}};

const struct mpb_job thumbnail_job = {
    .name = "thumbnail",
    .program = "mpthumb",
    .summary = "makes a thumbnail of each image file",
    .description = "Makes a thumbnail of each image file that is named or lies in a named "
                   "directory.",
    .unit = "images",
    .warned = "with decoder warnings",
    .libraries = thumbnail_libraries,
    .output = MPB_OUTPUT_FILES,
    .output_default = "thumbs",
    .options = thumbnail_option_table,
    .defaults = defaults,
    .settings_size = sizeof(struct thumbnail_settings),
    .check = thumbnail_settings_check,
    .begin = thumbnail_plan_begin,
    .plan = thumbnail_plan_input,
    .end = thumbnail_plan_end,
    .open = thumbnail_open,
    .output_path = output_path,
    .load = thumbnail_load,
    .unload = thumbnail_unload,
    .run = thumbnail_run,
    .close = thumbnail_close,
};
