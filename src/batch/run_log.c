/* SPDX-License-Identifier: MIT */
/* Journal, job log and summary.json of a run: see run_log.h. */
#include "run_log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomic_file.h"
#include "clock.h"
#include "json.h"
#include "option_table.h"
#include "output_directory.h"

/* ---- Opening ---- */

enum { OPTIONS_MAX = 64 }; /* that decide what comes out, in both tables */

struct option_texts {
    char name[OPTIONS_MAX][64], value[OPTIONS_MAX][OPTION_VALUE_SIZE];
    struct journal_option list[OPTIONS_MAX];
    size_t count;
};

/* Adds the options of a table that decide what comes out. A run can continue a journal only if all
 * of them are the same. */
static int describe(struct option_texts *texts, const struct mpb_option *options, void *settings,
                    struct mpp_error *error)
{
    struct option_table table = {options, settings};
    for (; options && options->name; options++) {
        size_t at = texts->count;
        if (!options->decides)
            continue;
        if (at == OPTIONS_MAX)
            return mpp_error_set(error, "more than %d options decide what comes out", OPTIONS_MAX);
        int size = snprintf(texts->name[at], sizeof texts->name[at], "--%s", options->name);
        if (size >= (int)sizeof texts->name[at])
            return mpp_error_set(error, "the name of option '--%.100s' is longer than %zu bytes",
                                 options->name, sizeof texts->name[at] - 3);
        option_table_format(&table, options, texts->value[at]);
        texts->list[at] = (struct journal_option){texts->name[at], texts->value[at]};
        texts->count++;
    }
    return 0;
}

/* Creates the run directory. One that the user has not named must not be a symbolic link: files
 * would be written outside the output directory. */
static int make_run_directory(const char *path, bool named, struct mpp_error *error)
{
    struct stat status;
    if (named)
        return output_directory_make(path, error);
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path) : 0, path);
    if (*parent && output_directory_make(parent, error))
        return -1;
    if (TEMP_FAILURE_RETRY(mkdir(path, 0777)) && errno != EEXIST)
        return mpp_error_set_errno(
            error, "cannot create the directory '%.800s' (--run-dir names another one)", path);
    if (lstat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        return mpp_error_set(error, "'%.800s' is not a directory; remove it", path);
    return 0;
}

static int open_journal(struct run_log *log, const char *directory,
                        const struct run_options *options, const void *settings,
                        const char *libraries, struct mpp_error *error)
{
    enum journal_mode mode = !run_options_write(options) ? JOURNAL_READ
                             : options->run.resume       ? JOURNAL_RESUME
                                                         : JOURNAL_FRESH;
    char host[65] = "";
    struct stat status;
    if (options->retry_failed && (stat(log->journal_path, &status) || !status.st_size))
        return mpp_error_set(error,
                             "--retry-failed continues an earlier run, but '%.800s' has none",
                             log->journal_path);
    if (options->run.dry_run && access(log->journal_path, F_OK))
        return 0; /* --dry-run --resume before the first run */
    if (mode != JOURNAL_READ && !options->journal &&
        make_run_directory(directory, options->run_directory, error))
        return -1;
    struct option_texts *texts = calloc(1, sizeof *texts);
    if (!texts)
        return mpp_error_set(error, "out of memory");
    gethostname(host, sizeof host - 1);
    struct journal_header header = {.version = MPP_VERSION,
                                    .libraries = libraries,
                                    .host = host,
                                    .job = log->job->name,
                                    .options = texts->list};
    int result = describe(texts, log->job->options, (void *)settings, error) ||
                         describe(texts, run_option_table, (void *)options, error)
                     ? -1
                     : 0;
    header.option_count = texts->count;
    if (!result)
        result = journal_open(&log->journal, log->journal_path, mode, &header, &log->index, error);
    free(texts);
    return result;
}

int run_log_open(struct run_log *log, const struct run_directory *directory,
                 const struct run_options *options, const struct mpb_job *job, const void *settings,
                 const char *libraries, struct mpp_error *error)
{
    *log = (struct run_log){.journal.fd = -1,
                            .begun_s = (double)clock_now_ns(CLOCK_REALTIME) * 1e-9,
                            .job = job,
                            .journal_path = directory->journal,
                            .summary_path = directory->summary};
    /* The journal first: its lock keeps this run from overwriting the job log of another one. */
    if (log->journal_path &&
        open_journal(log, directory->path, options, settings, libraries, error))
        return -1;
    return joblog_open(&log->joblog, run_options_write(options) ? options->joblog : NULL,
                       options->run.resume, error);
}

/* ---- Reading ---- */

int run_log_read_result(struct run_log *log, const struct journal_entry *entry, struct buf *line,
                        struct result_ref *ref, struct mpp_error *error)
{
    const char *text;
    size_t size;
    if (journal_read_line(&log->journal, entry->line, &text, &size, error))
        return -1;
    if (!journal_read_result(text, size, line, ref))
        *ref = (struct result_ref){.place = RESULT_NONE};
    return 0;
}

/* ---- Recording ---- */

int run_log_add(struct run_log *log, struct journal_record *record,
                const struct mpp_outcome *outcome, uint64_t output_bytes, struct mpp_error *error)
{
    if (log->journal.fd < 0 && !log->joblog.file)
        return 0;
    const struct journal_entry *earlier = journal_index_find(&log->index, &record->identity);
    enum journal_status was = earlier ? (enum journal_status)earlier->status : JOURNAL_DONE;
    int signal = outcome && outcome->exception ? outcome->exception->signal : 0;
    record->was = earlier ? &was : NULL;
    return journal_append(&log->journal, record, error) ||
                   joblog_put(&log->joblog, record, signal, output_bytes, error)
               ? -1
               : 0;
}

/* ---- summary.json ---- */

static void put_causes(struct buf *out, const struct failure_summary *failures)
{
    json_put_name(out, "causes");
    buf_put_u8(out, '[');
    for (size_t i = 0; i < failures->count; i++) {
        const struct failure_cause *cause = &failures->list[i];
        buf_printf(out, i ? ",{" : "{");
        json_put_uint_member(out, "count", cause->count);
        json_put_string_member(out, "message", cause->text);
        json_put_name(out, "examples");
        buf_put_u8(out, '[');
        for (uint64_t j = 0; j < cause->count && j < FAILURE_EXAMPLES; j++) {
            buf_printf(out, j ? "," : "");
            json_put_string(out, cause->examples[j]);
        }
        buf_put(out, "]}", 2);
    }
    buf_put_u8(out, ']');
    json_put_uint_member(out, "other_causes", failures->others);
}

static void put_ranks(struct buf *out, struct mpp_executor *executor, double elapsed_s)
{
    struct mpp_rank_stats stats;
    json_put_name(out, "ranks");
    buf_put_u8(out, '[');
    for (int rank = 0; mpp_executor_rank(executor, rank, &stats) == 0; rank++) {
        buf_printf(out, rank ? ",{" : "{");
        json_put_int_member(out, "rank", rank);
        json_put_string_member(out, "host", stats.host);
        json_put_int_member(out, "workers", stats.workers);
        json_put_uint_member(out, "tasks", stats.tasks);
        json_put_real_member(out, "busy_share", stats.busy_s / (elapsed_s * stats.workers), 4);
        buf_put_u8(out, '}');
    }
    buf_put_u8(out, ']');
}

static void put_summary(struct buf *out, const struct run_log *log, const struct console *console,
                        struct mpp_executor *executor, const struct run_log_end *end)
{
    const struct tally *tally = &console->tally;
    struct mpp_stats stats;
    char rate[64];
    mpp_executor_stats(executor, &stats);
    buf_put_u8(out, '{');
    json_put_string_member(out, "version", MPP_VERSION);
    json_put_string_member(out, "job", log->job->name);
    json_put_int_member(out, "exit_status", end->exit_status);
    json_put_string_member(out, "stopped_by", end->stopped_by);
    json_put_real_member(out, "started", log->begun_s, 3);
    json_put_real_member(out, "elapsed_s", end->elapsed_s, 3);
    json_put_uint_member(out, "done", tally->done);
    json_put_uint_member(out, "already_done", tally->kept);
    json_put_uint_member(out, "failed", tally->failed);
    json_put_uint_member(out, "skipped", tally->skipped);
    json_put_uint_member(out, "with_warnings", tally->warnings);
    snprintf(rate, sizeof rate, "%s_per_s", tally->unit);
    json_put_real_member(out, rate, progress_rate(tally, end->elapsed_s), 1);
    put_causes(out, &console->failures);
    json_put_int_member(out, "workers", stats.workers);
    json_put_uint_member(out, "steals", stats.steals);
    json_put_uint_member(out, "tasks_stolen", stats.tasks_stolen);
    json_put_uint_member(out, "workers_replaced", stats.workers_replaced);
    json_put_uint_member(out, "tasks_tried_again", stats.retries);
    json_put_int_member(out, "ranks_lost", stats.ranks_lost);
    json_put_int_member(out, "ranks_polling", stats.ranks_polling);
    put_ranks(out, executor, end->elapsed_s);
    buf_put(out, "}\n", 2);
}

/* Writes a file that appears complete or not at all. */
static int write_file(const char *path, const struct buf *content, struct mpp_error *error)
{
    struct atomic_file file = ATOMIC_FILE_INIT;
    bool exists;
    if (content->failed)
        return mpp_error_set(error, "out of memory for '%.300s'", path);
    int result = atomic_file_create(&file, path, error) ||
                         atomic_file_write(&file, content->data, content->size, error) ||
                         atomic_file_commit(&file, true, &exists, error)
                     ? -1
                     : 0;
    atomic_file_abandon(&file);
    return result;
}

/* ---- Closing ---- */

int run_log_close(struct run_log *log, const struct console *console, struct mpp_executor *executor,
                  const struct run_log_end *end, struct mpp_error *error)
{
    struct buf out = BUF_INIT;
    struct mpp_error second; /* only the first error is reported */
    bool writes = log->journal.fd >= 0 && !log->journal.read_only;
    int result = journal_close(&log->journal, error);
    result = joblog_close(&log->joblog, result ? &second : error) || result ? -1 : 0;
    if (writes) {
        put_summary(&out, log, console, executor, end);
        result = write_file(log->summary_path, &out, result ? &second : error) || result ? -1 : 0;
    }
    buf_release(&out);
    return result;
}

void run_log_release(struct run_log *log)
{
    struct mpp_error ignored;
    joblog_close(&log->joblog, &ignored);
    if (log->journal_path)
        journal_close(&log->journal, &ignored);
    journal_index_release(&log->index);
    *log = (struct run_log){.journal.fd = -1};
}
