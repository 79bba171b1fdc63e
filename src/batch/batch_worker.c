/* SPDX-License-Identifier: MIT */
/* A job of the engine as a job of the pool: see batch_worker.h. */
#include "batch_worker.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch_context.h"
#include "output_directory.h"
#include "recorded_output.h"
#include "result_stream.h"

struct batch_worker {
    const struct batch_setup *setup;
    void *state; /* of the job */
    struct mpb_context context;
    struct buf report;
};

/* What load has found out about a task. */
struct batch_load {
    bool kept;          /* an earlier run has done it */
    int64_t size_bytes; /* of the input; negative: unknown */
    int64_t mtime_ns;
    void *loaded; /* by the job */
    void (*unload)(void *loaded);
};

static struct mpb_task task_of(const struct task_order *order)
{
    return (struct mpb_task){
        .input = order->identity.key, .plan = order->plan, .member_count = order->member_count};
}

/* ---- Whether an earlier run has done the task ---- */

static bool output_is_intact(const struct batch_setup *setup, const struct task_order *order,
                             const uint64_t *xxh3, struct mpp_error *why)
{
    char path[2 * PATH_MAX];
    struct mpb_task task = task_of(order);
    setup->job->output_path(&setup->options->run, setup->settings, &task, path, sizeof path);
    return recorded_output_intact(path, xxh3, why);
}

static bool result_is_intact(const struct batch_setup *setup, const struct result_ref *ref)
{
    struct mpp_error why;
    if (ref->place != RESULT_SPOOLED)
        return true;
    struct spool_reader *reader = spool_reader_new(setup->directory->spool, &why);
    bool intact = reader && result_stream_pieces(ref, "", reader, NULL, NULL, &why) == 0;
    spool_reader_free(reader);
    return intact;
}

/* Sets *kept. -1: the output is not what the journal says, and nothing is to be made. */
static int find_earlier(const struct batch_setup *setup, const struct task_order *order, bool *kept,
                        struct mpp_error *error)
{
    const struct mpb_job *job = setup->job;
    const struct mpb_run *run = &setup->options->run;
    const struct recorded_task *recorded = &order->recorded;
    bool writes_file = job->output == MPB_OUTPUT_FILES && !order->identity.stage;
    bool reads_file = job->inputs == MPB_INPUT_FILES && !order->identity.stage;
    struct mpp_error why;
    *kept = true;
    if (run_options_only_verify(setup->options)) {
        if (!order->is_recorded)
            return mpp_error_set(error, "the journal does not say that it is done");
        return output_is_intact(setup, order, &recorded->xxh3, error) ? 0 : -1;
    }
    if (run->skip_existing && writes_file && output_is_intact(setup, order, NULL, &why))
        return 0;
    *kept = order->is_recorded &&
            (!reads_file || recorded_input_unchanged(order->identity.key, recorded->size_bytes,
                                                     recorded->mtime_ns)) &&
            (!writes_file || !recorded->xxh3 ||
             output_is_intact(setup, order, run->verify ? &recorded->xxh3 : NULL, &why)) &&
            result_is_intact(setup, &recorded->result);
    return 0;
}

/* ---- The functions of the pool's job ---- */

static int load_input(const struct batch_setup *setup, const struct task_order *order,
                      struct batch_load *load, struct mpp_error *error)
{
    const struct mpb_job *job = setup->job;
    struct mpb_task task = task_of(order);
    struct stat status;
    if (find_earlier(setup, order, &load->kept, error))
        return -1;
    if (load->kept || order->identity.stage)
        return 0;
    if (job->inputs == MPB_INPUT_FILES && stat(order->identity.key, &status) == 0) {
        load->size_bytes = status.st_size;
        load->mtime_ns = file_mtime_ns(&status);
    }
    load->unload = job->unload;
    return job->load ? job->load(&setup->options->run, setup->settings, &task, &load->loaded, error)
                     : 0;
}

static int batch_load(const void *initargs, struct mpp_bytes payload, void **loaded,
                      struct mpp_error *error)
{
    struct task_order order;
    struct batch_load *load = calloc(1, sizeof *load);
    if (!load)
        return mpp_error_set(error, "out of memory");
    load->size_bytes = -1;
    if (task_order_get(payload, &order, error) || load_input(initargs, &order, load, error)) {
        int saved = errno;
        free(load);
        errno = saved;
        return -1;
    }
    *loaded = load;
    return 0;
}

static void batch_unload(void *loaded)
{
    struct batch_load *load = loaded;
    if (load->loaded)
        load->unload(load->loaded);
    free(load);
}

static int batch_open(void **state, const void *initargs, struct mpp_error *error)
{
    const struct batch_setup *setup = initargs;
    struct batch_worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return mpp_error_set(error, "out of memory");
    worker->setup = setup;
    worker->context.spool_directory = setup->directory->spool;
    if (setup->job->open &&
        setup->job->open(&worker->state, &setup->options->run, setup->settings, error)) {
        int saved = errno;
        free(worker);
        errno = saved;
        return -1;
    }
    *state = worker;
    return 0;
}

static void batch_close(void *state)
{
    struct batch_worker *worker = state;
    if (worker->setup->job->close)
        worker->setup->job->close(worker->state);
    batch_context_release(&worker->context);
    buf_release(&worker->report);
    free(worker);
}

static int call_job(struct batch_worker *worker, const struct task_order *order,
                    struct mpp_error *error)
{
    const struct mpb_job *job = worker->setup->job;
    struct mpb_task task = task_of(order);
    uint32_t stage = order->identity.stage;
    if (worker->setup->options->run.dry_run && job->output != MPB_OUTPUT_FILES)
        return 0;
    return stage ? job->stages[stage - 1].run(worker->state, &task, &worker->context, error)
                 : job->run(worker->state, &task, &worker->context, error);
}

static int run_task(struct batch_worker *worker, const struct task_order *order,
                    const struct batch_load *load, struct mpp_error *error)
{
    struct mpb_context *context = &worker->context;
    struct task_report *report = &context->report;
    if (load && load->kept) {
        report->status = REPORT_KEPT;
        return 0;
    }
    if (load) {
        report->size_bytes = load->size_bytes;
        report->mtime_ns = load->mtime_ns;
    }
    int failed = call_job(worker, order, error);
    if (!failed && report->status == REPORT_DONE)
        failed = batch_context_finish(context, error);
    if (failed || report->status != REPORT_DONE)
        batch_context_drop(context);
    if (failed && context->disk_full)
        failed = mpb_stop(context, error->text);
    return failed && report->status != REPORT_STOP ? -1 : 0;
}

static int batch_run_task(void *state, struct mpp_bytes payload, struct mpp_context *pool,
                          struct mpp_error *error)
{
    struct batch_worker *worker = state;
    const struct batch_load *load = mpp_context_loaded(pool);
    struct task_order order;
    if (task_order_get(payload, &order, error))
        return -1;
    batch_context_begin(&worker->context, pool, &order, load ? load->loaded : NULL);
    if (run_task(worker, &order, load, error))
        return -1;
    buf_clear(&worker->report);
    task_report_put(&worker->report, &worker->context.report);
    return worker->report.failed ||
                   mpp_context_set_result(pool, worker->report.data, worker->report.size)
               ? mpp_error_set(error, "out of memory")
               : 0;
}

static int batch_flush(void *state, struct mpp_error *error)
{
    struct batch_worker *worker = state;
    struct mpp_error why;
    if (batch_context_flush(&worker->context, &why) == 0)
        return 0;
    return worker->context.disk_full ? mpp_error_set(error, "%c%s", STOPPING_ERROR, why.text)
                                     : mpp_error_set(error, "%s", why.text);
}

struct mpp_job batch_worker_job(const struct batch_setup *setup)
{
    const struct mpb_job *job = setup->job;
    bool looks_at_files = job->inputs == MPB_INPUT_FILES || job->output == MPB_OUTPUT_FILES ||
                          job->load || job_has_results(job);
    return (struct mpp_job){.name = job->name,
                            .summary = job->summary,
                            .open = batch_open,
                            .load = looks_at_files ? batch_load : NULL,
                            .unload = looks_at_files ? batch_unload : NULL,
                            .run = batch_run_task,
                            .flush = batch_flush,
                            .close = batch_close};
}

int batch_worker_initialize(const void *initargs, struct mpp_error *error)
{
    const struct batch_setup *setup = initargs;
    const struct mpb_run *run = &setup->options->run;
    const char *const directories[] = {setup->job->output == MPB_OUTPUT_FILES ? run->output : NULL,
                                       setup->directory->spool};
    for (int i = 0; i < 2; i++)
        if (directories[i] && run_options_write(setup->options))
            output_directory_make(directories[i], error);
    return 0;
}
