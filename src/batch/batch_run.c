/* SPDX-License-Identifier: MIT */
/* The beginning, the rounds and the end of a run: see batch_state.h. */
#include "batch_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "output_directory.h"

/* Tasks between source and sink if results wait for each other: with RESULT_INLINE_MAX it bounds
 * the memory of results that are on their way. */
enum { COLLECTED_TASKS_MAX = 16384 };

#define LAST_RUN UINT32_C(0x7fffffff) /* with a journal; runs without one have higher numbers */

/* ---- The rounds ---- */

/* A launcher that is told to stop closes standard input: then its end is not that of the list. */
static bool list_was_cut_off(const struct batch_run *run)
{
    const char *list = run->options->run.files_from;
    return list && strcmp(list, "-") == 0 && atomic_load(&run->stopping);
}

/* Runs the tasks of a round. -1: not all of them have ended. */
static int run_round(struct batch_run *run, struct mpp_error *error)
{
    struct mpp_map map = {.job = run->job->name,
                          .source = batch_source,
                          .sink = batch_sink,
                          .context = run,
                          .buffersize = job_has_results(run->job) ? COLLECTED_TASKS_MAX : 0,
                          .chunksize = (size_t)run->options->chunk};
    collector_init(&run->collector, batch_deliver, run);
    run->ended = false;
    /* The list printed by --dry-run is in the order of the inputs. */
    int failed = run->options->run.dry_run ? mpp_map(run->executor, &map, error)
                                           : mpp_map_unordered(run->executor, &map, error);
    collector_release(&run->collector);
    if (run->left_out)
        batch_stop(run, "--retry-failed left out what no run has processed, so the output is "
                        "incomplete");
    if (failed && !atomic_load(&run->stopping))
        console_error(&run->console, error->text);
    else if (run->ended && !list_was_cut_off(run) && !run->unfinished && !run->undelivered &&
             !run->left_out)
        return 0;
    return -1;
}

/* Stores what the tasks of the current stage share in a spool file of its own, as the worker slot
 * after the last one. */
static int share(struct batch_run *run, struct mpp_error *error)
{
    const struct mpb_stage *stage = &run->job->stages[run->stage - 1];
    struct mpp_bytes bytes = {0};
    if (!stage->share)
        return 0;
    if (stage->share(run->planner, &bytes, error))
        return -1;
    struct spool_writer *writer = spool_writer_new(run->arguments->setup->directory->spool,
                                                   run->spool_run, 0, MPP_WORKERS_MAX, error);
    int failed = !writer || spool_writer_put(writer, bytes.data, bytes.size, error) ||
                         spool_writer_finish(writer, &run->members.shared, error) ||
                         spool_writer_sync(writer, error)
                     ? -1
                     : 0;
    spool_writer_free(writer);
    return failed;
}

/* Ends the output after the last round. */
static int finish_output(struct batch_run *run, struct mpp_error *error)
{
    if (run->job->output != MPB_OUTPUT_STREAM || run->options->run.dry_run)
        return 0;
    if (journal_sync(&run->log.journal, error)) /* or the output would be made again */
        return -1;
    return run->job->finish && run->job->finish(run->planner, &run->output, error)
               ? -1
               : result_stream_commit(&run->output, error);
}

/* Returns whether everything that can be done is done. */
static bool run_rounds(struct batch_run *run)
{
    struct mpp_error error;
    bool complete;
    while ((complete = run_round(run, &error) == 0) && !batch_is_last_round(run) &&
           !run->stage_failed && !run->options->run.dry_run) {
        if (atomic_load(&run->stopping))
            return false;
        stage_plan_release(&run->members);
        run->members = run->next_members;
        run->next_members = (struct stage_plan){0};
        run->stage++;
        if (share(run, &error)) {
            batch_stop(run, error.text);
            return false;
        }
    }
    if (run->stage_failed) {
        console_error(&run->console,
                      "the output was not written, because a task of a stage failed");
        return complete;
    }
    if (complete && finish_output(run, &error)) {
        batch_stop(run, error.text);
        complete = false;
    }
    return complete;
}

/* ---- The run ---- */

/* Before the first task there is nothing to finish, and opening a list that is a FIFO, or reading a
 * large journal, may take long. */
static void stop_or_exit(void *context, const char *why)
{
    struct batch_run *run = context;
    if (!atomic_load(&run->begun)) {
        log_line("stopped early: %s; no task was begun", why);
        _exit(EXIT_STOPPED);
    }
    batch_stop(run, why);
}

static void sync_journal(void *context)
{
    struct batch_run *run = context;
    struct mpp_error error;
    if (!atomic_load(&run->begun))
        return;
    if (journal_sync(&run->log.journal, &error))
        batch_stop(run, error.text);
    if (run->log.joblog.file)
        fflush(run->log.joblog.file); /* an error is reported with the next line */
}

static void end_at_once(void *context)
{
    struct batch_run *run = context;
    journal_sync(&run->log.journal, NULL);
    log_line("ended at once; run the same command with --resume to continue");
    _exit(EXIT_STOPPED);
}

static double time_limit_s(const struct batch_run *run)
{
    double limit_s = run->options->time_limit_s;
    if (limit_s == TIME_LIMIT_AUTO)
        return early_stop_remaining_s(getenv("SLURM_JOB_END_TIME"), (int64_t)time(NULL));
    double left_s = limit_s - (monotonic_now_s() - run->arguments->begun_s);
    return limit_s > 0 && left_s <= 0 ? 1e-3 : left_s;
}

/* The spool is of use to a run that continues this one. */
static void remove_spool(struct batch_run *run, enum exit_status status)
{
    const struct run_directory *directory = run->arguments->setup->directory;
    struct mpp_error error;
    bool useful = (status != EXIT_DONE || run->options->keep_spool) && directory->journal;
    if (!directory->spool || run->options->run.dry_run)
        return;
    /* A worker that starts late makes the directory, and a network file system does not remove one
     * with open files. */
    mpp_shutdown(run->executor, true, false, &error);
    stage_plan_release(&run->members);
    stage_plan_release(&run->next_members);
    spool_reader_free(run->spool);
    run->spool = NULL;
    if (useful)
        rmdir(directory->spool); /* fails unless it is empty */
    else if (spool_remove(directory->spool, directory->journal ? 0 : run->spool_run,
                          directory->journal ? LAST_RUN : run->spool_run, &error))
        console_error(&run->console, error.text);
    if (run->options->spool)
        rmdir(run->options->spool); /* the same */
    if (!directory->journal && directory->path)
        rmdir(directory->path); /* the same */
}

/* Prints the summary. -1: it cannot be printed. */
static int print_summary(struct batch_run *run, double elapsed_s)
{
    struct mpp_stats pool;
    mpp_executor_stats(run->executor, &pool);
    if (run->options->run.dry_run)
        return console_finish_dry(&run->console);
    if (run_options_only_verify(run->options))
        return console_finish_verify(&run->console);
    return console_finish(&run->console, &pool, run->arguments->confined, elapsed_s);
}

/* Closes the files, prints the summary, and returns the exit status. */
static enum exit_status finish(struct batch_run *run, bool complete)
{
    struct mpp_error error;
    enum exit_status status = complete ? run->console.tally.failed ? EXIT_SOME_FAILED : EXIT_DONE
                              : atomic_load(&run->stopping) ? EXIT_STOPPED
                                                            : EXIT_INTERNAL;
    double elapsed_s = monotonic_now_s() - run->arguments->begun_s;
    struct run_log_end end = {.exit_status = status,
                              .stopped_by = status == EXIT_STOPPED ? run->stopped_by.text : NULL,
                              .elapsed_s = elapsed_s};
    bool known = run->log.journal.failed && status == EXIT_STOPPED; /* it has stopped the run */
    if (run_log_close(&run->log, &run->console, run->executor, &end, &error)) {
        if (!known)
            console_error(&run->console, error.text);
        if (status <= EXIT_SOME_FAILED)
            status = EXIT_STOPPED; /* some finished inputs may be missing in the journal */
    }
    if (run->refused) {
        console_error(&run->console, run->stopped_by.text);
        status = EXIT_USAGE;
    } else if (status == EXIT_STOPPED && run->stopped_by.text[0]) {
        mpp_error_set(&error, "stopped early: %s; run the same command with --resume to continue",
                      run->stopped_by.text);
        console_error(&run->console, error.text);
    }
    if (print_summary(run, elapsed_s))
        status = EXIT_INTERNAL;
    early_stop_exit_on_sigint((int)status);
    remove_spool(run, status);
    return status;
}

static int count_lost_ranks(void *context)
{
    const struct batch_run *run = context;
    struct mpp_stats stats;
    mpp_executor_stats(run->executor, &stats);
    return stats.ranks_lost;
}

/* Handles signals and the time limit from now on. */
static int watch(struct batch_run *run, struct mpp_error *error)
{
    struct early_stop_options options = {.limit_s = time_limit_s(run),
                                         .tick_s = run->options->journal_sync_s,
                                         .on_stop = stop_or_exit,
                                         .on_second_sigint = end_at_once,
                                         .on_tick = sync_journal,
                                         .hydra_reports_deaths = early_stop_launched_by_hydra(),
                                         .lost_ranks = count_lost_ranks,
                                         .context = run};
    return early_stop_start(&run->early_stop, &options, error);
}

/* ---- Begin and end ---- */

static int open_output(struct batch_run *run, struct mpp_error *error)
{
    const struct mpb_run *options = &run->options->run;
    const struct run_directory *directory = run->arguments->setup->directory;
    if (run->job->output == MPB_OUTPUT_FILES && options->output) {
        if (run_options_write(run->options) && output_directory_make(options->output, error))
            return -1;
        batch_inputs_exclude(&run->inputs, options->output);
    }
    if (!job_has_results(run->job) || options->dry_run)
        return 0;
    run->spool = spool_reader_new(directory->spool, error);
    return run->spool ? 0 : -1;
}

/* After the journal is locked: another run may be writing the same output. */
static int open_stream(struct batch_run *run, struct mpp_error *error)
{
    const char *output = run->options->run.output, *list = run->options->run.files_from;
    struct stat ours, other;
    if (run->job->output != MPB_OUTPUT_STREAM || run->options->run.dry_run)
        return 0;
    if (output && list && stat(output, &ours) == 0 && stat(list, &other) == 0 &&
        ours.st_dev == other.st_dev && ours.st_ino == other.st_ino)
        return mpp_error_set(error, "--output and --files-from are the same file");
    if (result_stream_open(&run->output, output, error))
        return -1;
    if (run->output.path)
        return 0;
    run->console.stream = stderr;
    if (run->log.index.count)
        log_line("all results are printed again, from the first on");
    return 0;
}

/* Without a journal nothing keeps other runs out of the spool directory: a random number does. */
static uint32_t random_run_number(void)
{
    uint32_t number;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) < 0)
        number = (uint32_t)getpid();
    return number | (LAST_RUN + 1);
}

static int open_log(struct batch_run *run, struct mpp_error *error)
{
    const struct batch_arguments *arguments = run->arguments;
    const struct batch_setup *setup = arguments->setup;
    if (run_log_open(&run->log, setup->directory, run->options, run->job, setup->settings,
                     arguments->libraries, error))
        return -1;
    run->spool_run = run->log.journal_path ? run->log.journal.run : random_run_number();
    if (run->log.index.damaged)
        log_line("%" PRIu64 " damaged lines of the journal were ignored", run->log.index.damaged);
    if (!run->options->run.verbose && !run->options->run.dry_run)
        run->console.failures_listed_in = run->log.journal_path;
    return 0;
}

static int begin(struct batch_run *run, struct mpp_error *error)
{
    const struct mpb_job *job = run->job;
    if (batch_inputs_init(&run->inputs, run->options, job, error) || open_output(run, error))
        return -1;
    if (job->begin &&
        job->begin(&run->planner, &run->options->run, run->arguments->setup->settings, error))
        return -1;
    run->planning = true;
    if (name_set_init_random(&run->stage_keys, error))
        return -1;
    if (open_log(run, error) || open_stream(run, error))
        return -1;
    if (job->output != MPB_OUTPUT_FILES && run->arguments->setup->directory->path)
        batch_inputs_exclude(&run->inputs, run->arguments->setup->directory->path);
    return 0;
}

static void release(struct batch_run *run)
{
    if (run->planning && run->job->end)
        run->job->end(run->planner);
    run_log_release(&run->log);
    batch_inputs_release(&run->inputs);
    name_set_release(&run->stage_keys);
    stage_plan_release(&run->members);
    stage_plan_release(&run->next_members);
    spool_reader_free(run->spool);
    result_stream_release(&run->output);
    console_release(&run->console);
    buf_release(&run->payload);
    buf_release(&run->line);
    free(run);
}

enum exit_status batch_run(struct mpp_executor *executor, const struct batch_arguments *arguments)
{
    const struct mpb_job *job = arguments->setup->job;
    struct tally words = {.unit = job->unit ? job->unit : "tasks",
                          .input_unit = job->inputs == MPB_INPUT_FILES ? "files" : "tasks",
                          .warned = job->warned ? job->warned : "with warnings"};
    enum exit_status status = EXIT_USAGE;
    struct mpp_error error;
    struct batch_run *run = calloc(1, sizeof *run);
    if (!run)
        return EXIT_INTERNAL;
    run->executor = executor;
    run->arguments = arguments;
    run->job = job;
    run->options = arguments->setup->options;
    run->output.file = ATOMIC_FILE_INIT;
    run->log.journal.fd = -1;
    console_init(&run->console, &words, run->options->quiet);
    if (watch(run, &error)) {
        console_error(&run->console, error.text);
        release(run);
        return EXIT_INTERNAL;
    }
    if (begin(run, &error)) {
        console_error(&run->console, error.text);
        early_stop_end(&run->early_stop);
    } else {
        atomic_store(&run->begun, true);
        bool complete = run_rounds(run);
        early_stop_end(&run->early_stop);
        status = finish(run, complete);
    }
    release(run);
    return status;
}
