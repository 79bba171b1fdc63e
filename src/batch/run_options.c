/* SPDX-License-Identifier: MIT */
/* The options of every job: see run_options.h. */
#include "run_options.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Values of special forms ---- */

/* Reads a number of at least 1 in digits. NULL: there is none; otherwise the text behind it. */
static const char *read_number(const char *text, int *number)
{
    char *end;
    unsigned long value = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;
    *number = value && value <= INT_MAX ? (int)value : 0;
    return *number ? end : NULL;
}

static int parse_pattern(const char *text, void *member, struct mpp_error *error)
{
    struct pattern_list *list = member;
    if (!*text)
        return mpp_error_set(error, "--include and --exclude take a pattern that is not empty");
    if (list->count == PATTERNS_MAX)
        return mpp_error_set(error, "more than %d patterns", PATTERNS_MAX);
    list->patterns[list->count++] = text;
    return 0;
}

static int parse_shard(const char *text, void *member, struct mpp_error *error)
{
    struct shard *shard = member;
    const char *end = read_number(text, &shard->number);
    if (end && *end == '/' && (end = read_number(end + 1, &shard->count)) && !*end &&
        shard->number <= shard->count)
        return 0;
    return mpp_error_set(error, "--shard takes I/N with I from 1 to N, not '%.200s'", text);
}

static void format_shard(const void *member, char *text, size_t size)
{
    const struct shard *shard = member;
    snprintf(text, size, shard->count ? "%d/%d" : "all of them", shard->number, shard->count);
}

/* A number of failures, or a percentage of the inputs that have ended. */
static int parse_failures(const char *text, void *member, struct mpp_error *error)
{
    struct failure_limit *limit = member;
    int number;
    const char *end = read_number(text, &number);
    bool percent = end && strcmp(end, "%") == 0 && number <= 100;
    if (!end || (*end && !percent))
        return mpp_error_set(
            error, "--max-failures takes N of at least 1, or N%% from 1%% to 100%%, not '%.200s'",
            text);
    *limit = percent ? (struct failure_limit){.percent = (uint64_t)number}
                     : (struct failure_limit){.count = (uint64_t)number};
    return 0;
}

static int parse_time_limit(const char *text, void *member, struct mpp_error *error)
{
    double *limit_s = member;
    char *end = NULL;
    bool plain = *text && strspn(text, "0123456789.") == strlen(text);
    *limit_s = strcmp(text, "auto") == 0 ? TIME_LIMIT_AUTO : plain ? strtod(text, &end) : -2;
    if (*limit_s < TIME_LIMIT_AUTO || !isfinite(*limit_s) || (end && *end))
        return mpp_error_set(error,
                             "--time-limit takes seconds as a decimal number, such as 90 or 0.5, "
                             "or auto, not '%.200s'",
                             text);
    return 0;
}

/* ---- The table ---- */

#define INPUTS   "Inputs"
#define OUTPUTS  "Outputs"
#define RUN      "Run"
#define RESUMING "Resuming and limits"

/* clang-format off */
#define OPTION(option_name, option_letter, option_type, option_argument, option_member, option_group, option_help, ...) \
    {.name = option_name, .letter = option_letter, .type = option_type, .argument = option_argument, \
     .offset = offsetof(struct run_options, option_member), .group = option_group, .help = option_help, __VA_ARGS__}

const struct mpb_option run_option_table[] = {
    OPTION("files-from", 0, MPB_TEXT, "FILE", run.files_from, INPUTS,
           "also read inputs from FILE, one per line; -: standard input"),
    OPTION("null", '0', MPB_FLAG, NULL, null, INPUTS,
           "inputs in FILE end with a zero byte, as written by find -print0"),
    OPTION("include", 0, MPB_CUSTOM, "GLOB", include, INPUTS,
           "of the files found in directories, use only those whose name matches; may be repeated",
           .parse = parse_pattern),
    OPTION("exclude", 0, MPB_CUSTOM, "GLOB", exclude, INPUTS,
           "leave out files found in directories whose name matches; may be repeated",
           .parse = parse_pattern),
    OPTION("count", 0, MPB_COUNT, "N", count, INPUTS, "run N tasks, numbered from 0",
           .minimum = 1, .maximum = 1e15),
    OPTION("output", 'o', MPB_TEXT, "PATH", run.output, OUTPUTS, "where the output goes"),
    OPTION("workers", 'j', MPB_INT, "N", workers, RUN,
           "worker processes per rank (default: the cores it may use)",
           .minimum = 1, .maximum = MPP_WORKERS_MAX),
    OPTION("max-workers", 0, MPB_INT, "N", max_workers, RUN,
           "worker processes of all ranks together (default: no limit)",
           .minimum = 1, .maximum = INT_MAX),
    OPTION("read-ahead", 0, MPB_INT, "N", read_ahead, RUN,
           "inputs that each worker reads ahead if reading is slow; 0: none",
           .initial = "16", .maximum = MPP_READ_AHEAD_MAX),
    OPTION("shard", 0, MPB_CUSTOM, "I/N", shard, RUN,
           "process only part I of N of the inputs, I from 1 to N",
           .parse = parse_shard, .format = format_shard, .decides = true),
    OPTION("chunk", 0, MPB_COUNT, "N", chunk, RUN,
           "most tasks sent to a rank at once (default: adaptive)",
           .minimum = 1, .maximum = INT_MAX),
    OPTION("in-process", 0, MPB_FLAG, NULL, in_process, RUN,
           "run tasks inside the ranks, for debugging"),
    OPTION("dry-run", 0, MPB_FLAG, NULL, run.dry_run, RUN,
           "print what would be done, write nothing"),
    OPTION("verbose", 'v', MPB_FLAG, NULL, run.verbose, RUN, "print a line for each input"),
    OPTION("quiet", 0, MPB_FLAG, NULL, quiet, RUN, "print errors only"),
    OPTION("help", 0, MPB_FLAG, NULL, help, RUN, "print this text"),
    OPTION("version", 0, MPB_FLAG, NULL, version, RUN,
           "print the versions of the program and its libraries"),
    OPTION("resume", 0, MPB_FLAG, NULL, run.resume, RESUMING,
           "continue an earlier run: skip what its journal says is done"),
    OPTION("retry-failed", 0, MPB_FLAG, NULL, retry_failed, RESUMING,
           "continue an earlier run: process only what failed"),
    OPTION("skip-existing", 0, MPB_FLAG, NULL, run.skip_existing, RESUMING,
           "skip inputs whose output exists, whichever program made it"),
    OPTION("verify", 0, MPB_FLAG, NULL, run.verify, RESUMING,
           "compare the outputs with the checksums in the journal; with --resume, make missing "
           "and different outputs again"),
    OPTION("timeout", 0, MPB_SECONDS, "SEC", timeout_s, RESUMING,
           "a task that takes longer fails; 0: no limit", .initial = "0"),
    OPTION("retries", 0, MPB_INT, "N", retries, RESUMING,
           "further attempts after a crash, at the end of the run",
           .initial = "1", .maximum = 1000),
    OPTION("memory-limit", 0, MPB_BYTES, "BYTES", memory_limit_bytes, RESUMING,
           "address space of a worker, such as 2G (default: no limit)"),
    OPTION("max-tasks-per-worker", 0, MPB_INT, "N", max_tasks_per_worker, RESUMING,
           "replace a worker process after N tasks (default: never)",
           .minimum = 1, .maximum = INT_MAX),
    OPTION("max-failures", 0, MPB_CUSTOM, "N|N%", failures, RESUMING,
           "stop early after N failures, or when N% of at least 100 finished inputs failed",
           .parse = parse_failures),
    OPTION("time-limit", 0, MPB_CUSTOM, "SEC|auto", time_limit_s, RESUMING,
           "stop early enough to end within SEC seconds; auto: within the time limit of the "
           "Slurm job", .parse = parse_time_limit),
    OPTION("journal", 0, MPB_TEXT, "FILE", journal, RESUMING,
           "write the journal to FILE, not into the run directory"),
    OPTION("journal-sync", 0, MPB_SECONDS, "SEC", journal_sync_s, RESUMING,
           "write the journal to disk at least every SEC seconds", .initial = "5", .minimum = 0.1),
    OPTION("no-journal", 0, MPB_FLAG, NULL, no_journal, RESUMING, "write no journal"),
    OPTION("run-dir", 0, MPB_TEXT, "DIR", run_directory, RESUMING,
           "directory of the journal, the summary and the spool"),
    OPTION("spool-dir", 0, MPB_TEXT, "DIR", spool, RESUMING,
           "directory for large results, which all ranks share (default: in the run directory)"),
    OPTION("keep-spool", 0, MPB_FLAG, NULL, keep_spool, RESUMING,
           "keep the large results of a run that has ended with status 0"),
    OPTION("joblog", 0, MPB_TEXT, "FILE", joblog, RESUMING,
           "write a line for each input in the format of GNU parallel --joblog"),
    {0},
};
/* clang-format on */

/* ---- What means nothing for a job ---- */

bool job_has_results(const struct mpb_job *job)
{
    return job->output == MPB_OUTPUT_STREAM || job->stages;
}

const char *run_option_refusal(const struct mpb_job *job, const struct mpb_option *option)
{
    bool of_files = job->inputs == MPB_INPUT_FILES, makes_files = job->output == MPB_OUTPUT_FILES;
    const struct {
        const char *name;
        bool useful;
        const char *why;
    } rules[] = {
        {"include", of_files, "its inputs are not files"},
        {"exclude", of_files, "its inputs are not files"},
        {"count", job->inputs == MPB_INPUT_WORDS, "its inputs are files"},
        {"output", job->output != MPB_OUTPUT_NONE, "it writes no output"},
        {"skip-existing", makes_files, "it does not write a file for each input"},
        {"verify", makes_files, "it does not write a file for each input"},
        {"spool-dir", job_has_results(job), "it has no results to collect"},
        {"keep-spool", job_has_results(job), "it has no results to collect"},
        {"read-ahead", job->load, "it reads nothing ahead"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (!rules[i].useful && strcmp(option->name, rules[i].name) == 0)
            return rules[i].why;
    return NULL;
}

struct mpb_option *run_options_table(const struct mpb_job *job)
{
    size_t size = sizeof run_option_table;
    struct mpb_option *table = malloc(size);
    if (!table)
        return NULL;
    memcpy(table, run_option_table, size);
    for (struct mpb_option *option = table; job && option->name; option++) {
        for (const struct mpb_default *each = job->defaults; each && each->name; each++)
            if (strcmp(option->name, each->name) == 0)
                option->initial = each->value;
        if (strcmp(option->name, "output") != 0)
            continue;
        bool files = job->output == MPB_OUTPUT_FILES;
        option->argument = files ? "DIR" : "FILE";
        option->help = files ? "output directory" : "write the output to FILE, not to stdout";
        option->initial = job->output_default;
    }
    return table;
}

/* ---- Combinations ---- */

static int check_inputs(const struct run_options *options, const struct mpb_job *job,
                        struct mpp_error *error)
{
    bool inputs = options->run.input_count || options->run.files_from;
    if (options->count && inputs)
        return mpp_error_set(error, "--count and inputs cannot be used together");
    if (options->count || inputs)
        return 0;
    return job->inputs == MPB_INPUT_WORDS
               ? mpp_error_set(error,
                               "nothing to do: use --count, name inputs, or use --files-from")
               : mpp_error_set(error, "no input: name files or directories, or give --files-from");
}

int run_options_check(struct run_options *options, const struct mpb_job *job,
                      struct mpp_error *error)
{
    options->run.resume |= options->retry_failed;
    if (options->run.verbose && options->quiet)
        return mpp_error_set(error, "--verbose and --quiet cannot be used together");
    if (options->null && !options->run.files_from)
        return mpp_error_set(error, "--null needs --files-from");
    if (options->no_journal && (options->journal || options->run.resume || options->run.verify))
        return mpp_error_set(error, "--no-journal cannot be used with --journal, --resume, "
                                    "--retry-failed or --verify");
    if (options->run.skip_existing && options->run.verify)
        return mpp_error_set(error, "--skip-existing and --verify cannot be used together");
    return check_inputs(options, job, error);
}

bool run_options_only_verify(const struct run_options *options)
{
    return options->run.verify && !options->run.resume;
}

bool run_options_write(const struct run_options *options)
{
    return !options->run.dry_run && !run_options_only_verify(options);
}
