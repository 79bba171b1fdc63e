/* SPDX-License-Identifier: MIT */
/* Journal, job log and summary.json of a run: see run_log.h. */
#include "run_log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "atomic_file.h"
#include "directory_walk.h"
#include "json.h"
#include "mpthumb_help.h"
#include "output_directory.h"

enum { OPTIONS_MAX = 24 };

static double realtime_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- The options that affect the outputs ---- */

struct option_list {
    struct journal_option list[OPTIONS_MAX];
    size_t count;
};

static void add(struct option_list *options, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(struct option_list *options, const char *name, const char *format, ...)
{
    struct journal_option *option = &options->list[options->count++];
    va_list args;
    option->name = name;
    va_start(args, format);
    vsnprintf(option->value, sizeof option->value, format, args);
    va_end(args);
}

static const char *yes(bool value)
{
    return value ? "yes" : "no";
}

/* A run can continue a journal only if all these options are the same. */
static void describe_options(struct option_list *to, const struct mpthumb_options *options)
{
    static const char *const fits[] = {
        [IMAGE_INSIDE] = "inside", [IMAGE_COVER] = "cover", [IMAGE_FILL] = "fill"};
    const struct thumbnail_options *image = &options->image;
    to->count = 0;
    add(to, "--size", "%dx%d", image->box_width_px, image->box_height_px);
    add(to, "--fit", "%s", fits[image->fit]);
    add(to, "--enlarge", "%s", yes(image->enlarge));
    add(to, "--blur", "%.17g", image->blur_sigma);
    add(to, "--no-orient", "%s", yes(!image->orient));
    add(to, "--exact", "%s", yes(image->exact));
    add(to, "--max-pixels", "%llu", (unsigned long long)image->max_pixels);
    add(to, "--on-truncated", "%s", image->keep_truncated ? "keep" : "fail");
    add(to, "--format", "%s", image->format ? image->format->name : "same");
    add(to, "--quality", "%d", image->quality);
    add(to, "--progressive", "%s", yes(image->progressive));
    add(to, "--optimize", "%s", yes(image->optimize));
    add(to, "--background", "%02x%02x%02x", image->background[0], image->background[1],
        image->background[2]);
    add(to, "--beside", "%s", yes(options->beside));
    add(to, "--flat", "%s", yes(options->flat));
    add(to, "--suffix", "%s", options->suffix);
    add(to, "--shard", options->shards ? "%d/%d" : "all of them", options->shard, options->shards);
}

/* ---- Opening ---- */

/* The default path of a file, in the output directory; each shard has its own. NULL: out of
 * memory. */
static char *path_of(const struct mpthumb_options *options, const char *base, const char *extension)
{
    char shard[48] = "";
    char *path = NULL;
    if (options->shards)
        snprintf(shard, sizeof shard, "-%d-of-%d", options->shard, options->shards);
    if (asprintf(&path, "%s/" METADATA_DIRECTORY "/%s%s%s", options->output, base, shard,
                 extension) < 0)
        return NULL;
    return path;
}

static int name_files(struct run_log *log, const struct mpthumb_options *options,
                      struct mpp_error *error)
{
    char directory[PATH_MAX];
    struct stat status;
    if (options->no_journal || (options->dry_run && !options->resume) ||
        (options->beside && !options->journal))
        return 0;
    if (options->journal) {
        log->journal_path = strdup(options->journal);
        if (asprintf(&log->summary_path, "%s.summary.json", options->journal) < 0)
            log->summary_path = NULL;
    } else {
        snprintf(directory, sizeof directory, "%s/" METADATA_DIRECTORY, options->output);
        if (!options->dry_run && TEMP_FAILURE_RETRY(mkdir(directory, 0777)) && errno != EEXIST)
            return mpp_error_set_errno(error, "cannot create the directory '%.300s'", directory);
        if (lstat(directory, &status) == 0 && !S_ISDIR(status.st_mode))
            return mpp_error_set(error, "'%.300s' is not a directory; remove it", directory);
        log->journal_path = path_of(options, "journal", ".jsonl");
        log->summary_path = path_of(options, "summary", ".json");
    }
    return log->journal_path && log->summary_path ? 0 : mpp_error_set(error, "out of memory");
}

int run_log_open(struct run_log *log, const struct mpthumb_options *options,
                 struct mpp_error *error)
{
    struct option_list list;
    char host[65] = "";
    bool check = options->verify && !options->resume;
    enum journal_mode mode = check || options->dry_run ? JOURNAL_READ
                             : options->resume         ? JOURNAL_RESUME
                                                       : JOURNAL_FRESH;
    *log = (struct run_log){.journal.fd = -1, .begun_s = realtime_now_s()};
    if (name_files(log, options, error) ||
        joblog_open(&log->joblog, options->joblog, options->resume, error))
        return -1;
    if (!log->journal_path)
        return 0;
    if (mode == JOURNAL_READ && !check && access(log->journal_path, F_OK))
        return 0; /* --dry-run --resume before the first run */
    describe_options(&list, options);
    gethostname(host, sizeof host - 1);
    struct journal_header header = {.version = MPP_VERSION,
                                    .libraries = mpthumb_version_text(),
                                    .host = host,
                                    .options = list.list,
                                    .option_count = list.count};
    return journal_open(&log->journal, log->journal_path, mode, &header, &log->index, error);
}

const struct journal_entry *run_log_find(const struct run_log *log, const char *source)
{
    return journal_index_find(&log->index, source);
}

/* ---- Recording ---- */

int run_log_add(struct run_log *log, const struct journal_record *record,
                const struct mpp_outcome *outcome, uint64_t output_bytes, struct mpp_error *error)
{
    bool failed = record->status == JOURNAL_FAILED;
    struct joblog_entry entry = {
        .host = record->host,
        .end_s = log->joblog.file ? realtime_now_s() : 0,
        .run_s = record->run_s,
        .sent_bytes = record->size_bytes > 0 ? (uint64_t)record->size_bytes : 0,
        .received_bytes = output_bytes,
        .exit_value = failed,
        .signal = failed && outcome && outcome->exception ? outcome->exception->signal : 0,
        .source = record->source};
    if (journal_append(&log->journal, record, error))
        return -1;
    return joblog_put(&log->joblog, &entry, error);
}

/* ---- summary.json ---- */

static void put_causes(struct buf *out, const struct failure_summary *failures)
{
    json_put_name(out, "causes");
    buf_put_u8(out, '[');
    for (size_t i = 0; i < failures->count; i++) {
        const struct failure_cause *cause = &failures->list[i];
        if (i)
            buf_put_u8(out, ',');
        buf_put_u8(out, '{');
        json_put_uint_member(out, "count", cause->count);
        json_put_string_member(out, "message", cause->text);
        json_put_name(out, "examples");
        buf_put_u8(out, '[');
        for (uint64_t j = 0; j < cause->count && j < FAILURE_EXAMPLES; j++) {
            if (j)
                buf_put_u8(out, ',');
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
        if (rank)
            buf_put_u8(out, ',');
        buf_put_u8(out, '{');
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
    mpp_executor_stats(executor, &stats);
    buf_put_u8(out, '{');
    json_put_string_member(out, "mpthumb", MPP_VERSION);
    json_put_int_member(out, "exit_status", end->exit_status);
    json_put_string_member(out, "stopped_by", end->stopped_by);
    json_put_real_member(out, "started", log->begun_s, 3);
    json_put_real_member(out, "elapsed_s", end->elapsed_s, 3);
    json_put_uint_member(out, "done", tally->done);
    json_put_uint_member(out, "already_done", tally->kept);
    json_put_uint_member(out, "failed", tally->failed);
    json_put_uint_member(out, "skipped", tally->skipped);
    json_put_uint_member(out, "with_decoder_warnings", tally->damaged);
    json_put_real_member(out, "images_per_s", progress_rate(tally, end->elapsed_s), 1);
    put_causes(out, &console->failures);
    json_put_int_member(out, "workers", stats.workers);
    json_put_uint_member(out, "steals", stats.steals);
    json_put_uint_member(out, "tasks_stolen", stats.tasks_stolen);
    json_put_uint_member(out, "workers_replaced", stats.workers_replaced);
    json_put_uint_member(out, "tasks_tried_again", stats.retries);
    json_put_int_member(out, "ranks_lost", stats.ranks_lost);
    put_ranks(out, executor, end->elapsed_s);
    buf_put(out, "}\n", 2);
}

/* Writes a file that appears complete or not at all. */
static int write_file(const char *path, const struct buf *content, struct mpp_error *error)
{
    struct atomic_file file = ATOMIC_FILE_INIT;
    char directory[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    bool exists;
    int root;
    if (slash)
        snprintf(directory, sizeof directory, "%.*s", (int)(slash - path) + 1, path);
    if (content->failed)
        return mpp_error_set(error, "out of memory for '%.300s'", path);
    if (output_directory_open(directory, &root, error))
        return -1;
    int result = atomic_file_open(&file, root, slash ? slash + 1 : path, error) ||
                         atomic_file_write(&file, content->data, content->size, error) ||
                         atomic_file_commit(&file, true, &exists, error)
                     ? -1
                     : 0;
    atomic_file_abandon(&file);
    close(root);
    return result;
}

/* ---- Closing ---- */

int run_log_close(struct run_log *log, const struct console *console, struct mpp_executor *executor,
                  const struct run_log_end *end, struct mpp_error *error)
{
    struct buf out = BUF_INIT;
    struct mpp_error second; /* only the first error is reported */
    bool writes = log->journal.fd >= 0;
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
    free(log->journal_path);
    free(log->summary_path);
    *log = (struct run_log){.journal.fd = -1};
}
