/* SPDX-License-Identifier: MIT */
/*
 * The thumbnail job: see thumbnail_job.h. It runs in worker processes.
 *
 * A worker reads and writes the files itself: it gets their names and returns a small outcome.
 * Error texts follow "mpthumb: 'SOURCE': ". The work is divided:
 *
 *     thumbnail_source.c     opens and reads the source; can be ahead of the task
 *     thumbnail_resume.c     finds out whether the task was done by an earlier run
 *     this file              makes the thumbnail and writes it
 *     thumbnail_message.c    encodes tasks and outcomes
 */
#include "thumbnail_job.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "atomic_file.h"
#include "output_directory.h"
#include "output_name.h"
#include "thumbnail_message.h"
#include "thumbnail_resume.h"
#include "thumbnail_source.h"
#include "thumbnailer.h"

struct thumbnail_worker {
    const struct thumbnail_setup *setup;
    struct thumbnailer *thumbnailer;
    int root;        /* descriptor of the output directory; -1: none */
    char *root_path; /* its real path; NULL: none */
    struct buf output;
    struct buf outcome;
};

/* One task while it is being done. */
struct task_run {
    struct thumbnail_task task;
    struct thumbnail_source *source;
    struct thumbnail_outcome outcome;
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
    buf_release(&worker->outcome);
    free(worker);
}

static int thumbnail_open(void **out, const void *initargs, struct mpp_error *error)
{
    struct thumbnail_worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return mpp_error_set(error, "out of memory");
    worker->setup = initargs;
    worker->root = -1;
    worker->thumbnailer = thumbnailer_new();
    if (!worker->thumbnailer) {
        mpp_error_set(error, "out of memory");
        goto failed;
    }
    if (worker->setup->output && !worker->setup->dry_run &&
        output_directory_open(worker->setup->output, &worker->root, error))
        goto failed;
    if (worker->setup->output)
        worker->root_path = realpath(worker->setup->output, NULL);
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

static int thumbnail_load(const void *initargs, struct mpp_bytes payload, void **loaded,
                          struct mpp_error *error)
{
    struct thumbnail_task task;
    struct thumbnail_source *source;
    if (thumbnail_task_decode(payload, &task, error))
        return -1;
    source = thumbnail_source_load(initargs, &task, error);
    *loaded = source;
    return source ? 0 : -1;
}

static void thumbnail_unload(void *loaded)
{
    thumbnail_source_free(loaded);
}

/* ---- The output ---- */

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
    char directory[PATH_MAX] = ".";
    const char *slash = strrchr(run->task.source, '/');
    size_t size = slash ? (size_t)(slash - run->task.source) + 1 : 0;
    if (size >= sizeof directory)
        return mpp_error_set(error, "its path is too long");
    if (size) {
        memcpy(directory, run->task.source, size);
        directory[size] = '\0';
    }
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

static int make_thumbnail(struct thumbnail_worker *worker, struct task_run *run,
                          struct mpp_error *error)
{
    struct thumbnail_options options = worker->setup->image;
    struct thumbnail_outcome *outcome = &run->outcome;
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
    if (thumbnailer_run(worker->thumbnailer, &image, &options, &worker->output, &outcome->info,
                        error))
        return -1;
    if (worker->output.failed)
        return mpp_error_set(error, "out of memory");
    if ((run->task.flags & THUMBNAIL_SUFFIXED) &&
        outcome->info.source_width_px <= options.box_width_px &&
        outcome->info.source_height_px <= options.box_height_px) {
        outcome->status = THUMBNAIL_OWN_OUTPUT;
        return 0;
    }
    outcome->source_bytes = image.size;
    outcome->output_bytes = worker->output.size;
    outcome->output_xxh3 = XXH3_64bits(worker->output.data, worker->output.size);
    return write_output(worker, run, error);
}

/* Whether the output of every other source would fail, too. */
static bool concerns_all_outputs(int number)
{
    return number == ENOSPC || number == EDQUOT || number == EROFS;
}

/* The error that ends the run, which is printed without the source: with the whole path of the
 * output. */
static int set_write_error(const struct thumbnail_worker *worker, const struct task_run *run,
                           struct mpp_error *error)
{
    const char *reason = strerror(run->write_errno);
    const char *source = run->task.source;
    const char *slash = strrchr(source, '/');
    if (worker->root >= 0)
        return mpp_error_set(error, "cannot write '%.400s/%.500s': %s", worker->setup->output,
                             run->task.output, reason);
    int size = slash ? (int)(slash - source) + 1 : 0;
    return mpp_error_set(error, "cannot write '%.*s%.400s': %s", size < 500 ? size : 500, source,
                         run->task.output, reason);
}

static int run_task(struct thumbnail_worker *worker, struct task_run *run, struct mpp_error *error)
{
    run->outcome.mismatch = run->source->mismatch;
    run->outcome.source_mtime_ns = thumbnail_mtime_ns(&run->source->status);
    if (run->source->kept) {
        run->outcome.status = THUMBNAIL_KEPT;
        return 0;
    }
    if (run->source->not_image) {
        run->outcome.status = THUMBNAIL_SKIPPED;
        return 0;
    }
    if (refuse_inside_output(worker, run, error))
        return -1;
    return worker->setup->dry_run ? 0 : make_thumbnail(worker, run, error);
}

static int thumbnail_run(void *opaque, struct mpp_bytes payload, struct mpp_context *context,
                         struct mpp_error *error)
{
    struct thumbnail_worker *worker = opaque;
    struct task_run run = {.source = mpp_context_loaded(context)};
    if (thumbnail_task_decode(payload, &run.task, error))
        return -1;
    if (run_task(worker, &run, error)) {
        if (!run.write_errno || !concerns_all_outputs(run.write_errno))
            return -1;
        set_write_error(worker, &run, error);
        run.outcome.status = THUMBNAIL_CANNOT_WRITE;
        run.outcome.text = error->text;
    }
    buf_clear(&worker->outcome);
    thumbnail_outcome_encode(&run.outcome, &worker->outcome);
    return worker->outcome.failed ||
                   mpp_context_set_result(context, worker->outcome.data, worker->outcome.size)
               ? mpp_error_set(error, "out of memory")
               : 0;
}

const struct mpp_job thumbnail_job = {
    .name = "thumbnail",
    .summary = "makes a thumbnail of an image file",
    .open = thumbnail_open,
    .load = thumbnail_load,
    .unload = thumbnail_unload,
    .run = thumbnail_run,
    .close = thumbnail_close,
};
