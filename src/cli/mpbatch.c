/* SPDX-License-Identifier: MIT */
/*
 * mpbatch: runs any registered job on all ranks of an MPI job, a number of times or once for each
 * input. Prints one line for each result on stdout and for each failure on stderr.
 */
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_common.h"
#include "clock.h"
#include "console.h"
#include "job_registry.h"
#include "journal.h"
#include "name_list.h"
#include "option_value.h"

static const char help[] =
    "Usage: mpbatch [OPTION]... JOB --count N\n"
    "       mpbatch [OPTION]... JOB INPUT...\n"
    "       mpirun -n N mpbatch [OPTION]... JOB ...\n"
    "Runs a job a number of times, or once for each input, on all ranks of the MPI job.\n"
    "\n"
    "      --count N                 run N tasks, numbered from 0\n"
    "      --files-from FILE         also run a task for each line of FILE; -: standard input\n"
    "  -0, --null                    the names in FILE end with a zero byte, not a newline\n"
    "      --journal FILE            write a line of JSON for each finished task\n"
    "  -j, --workers N               worker processes per rank (default: the cores it may use)\n"
    "      --max-workers N           worker processes of all ranks together (default: no limit)\n"
    "      --max-tasks-per-worker N  replace a worker process after N tasks (default: never)\n"
    "      --timeout SECONDS         a task that runs longer is killed and fails (default: none)\n"
    "      --retries N               further attempts after a crash (default: 1)\n"
    "      --memory-limit BYTES      address space of a worker, such as 2G (default: none)\n"
    "      --chunk N                 most tasks sent to a rank at once (default: adaptive)\n"
    "      --in-process              run tasks inside the ranks, for debugging\n"
    "      --quiet                   print errors only\n"
    "      --help, --version\n"
    "\n"
    "Exit status: 0 all done; 1 some tasks failed, the others are done; 2 usage error;\n"
    "70 internal error.\n"
    "\n"
    "Jobs\n";

struct mpbatch_options {
    const struct mpp_job *job;
    uint64_t count; /* 0 if there are inputs */
    char *const *inputs;
    size_t input_count;
    const char *files_from; /* NULL: none */
    bool null;
    const char *journal; /* NULL: none */
    size_t chunk;
    bool quiet, help, version;
    struct mpp_options pool;
};

struct mpbatch_run {
    const struct mpbatch_options *options;
    struct console console;
    struct name_list names;
    struct journal journal;
    uint64_t next;
    double begun_s;
};

/* ---- The command line ---- */

enum {
    OPTION_COUNT = 256,
    OPTION_FILES_FROM,
    OPTION_JOURNAL,
    OPTION_MAX_WORKERS,
    OPTION_MAX_TASKS,
    OPTION_TIMEOUT,
    OPTION_RETRIES,
    OPTION_MEMORY,
    OPTION_CHUNK,
    OPTION_IN_PROCESS,
    OPTION_QUIET,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"count", required_argument, NULL, OPTION_COUNT},
    {"files-from", required_argument, NULL, OPTION_FILES_FROM},
    {"null", no_argument, NULL, '0'},
    {"journal", required_argument, NULL, OPTION_JOURNAL},
    {"workers", required_argument, NULL, 'j'},
    {"max-workers", required_argument, NULL, OPTION_MAX_WORKERS},
    {"max-tasks-per-worker", required_argument, NULL, OPTION_MAX_TASKS},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"retries", required_argument, NULL, OPTION_RETRIES},
    {"memory-limit", required_argument, NULL, OPTION_MEMORY},
    {"chunk", required_argument, NULL, OPTION_CHUNK},
    {"in-process", no_argument, NULL, OPTION_IN_PROCESS},
    {"quiet", no_argument, NULL, OPTION_QUIET},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {0},
};

static int handle_option(int code, char **argv, struct mpbatch_options *options,
                         struct mpp_error *error)
{
    struct mpp_options *pool = &options->pool;
    int number = 0;
    switch (code) {
    case OPTION_COUNT:
        if (option_value_count("--count", optarg, 1, INT_MAX, &number, error))
            return -1;
        options->count = (uint64_t)number;
        return 0;
    case OPTION_FILES_FROM:
        options->files_from = optarg;
        return 0;
    case '0':
        options->null = true;
        return 0;
    case OPTION_JOURNAL:
        options->journal = optarg;
        return 0;
    case 'j':
        return option_value_count("--workers", optarg, 1, MPP_WORKERS_MAX, &pool->workers_per_rank,
                                  error);
    case OPTION_MAX_WORKERS:
        return option_value_count("--max-workers", optarg, 1, INT_MAX, &pool->max_workers, error);
    case OPTION_MAX_TASKS:
        return option_value_count("--max-tasks-per-worker", optarg, 1, INT_MAX,
                                  &pool->max_tasks_per_worker, error);
    case OPTION_TIMEOUT:
        return option_value_seconds("--timeout", optarg, &pool->timeout_s, error);
    case OPTION_RETRIES:
        if (option_value_count("--retries", optarg, 0, 1000, &pool->retries, error))
            return -1;
        pool->retries = pool->retries ? pool->retries : -1;
        return 0;
    case OPTION_MEMORY:
        return option_value_bytes("--memory-limit", optarg, &pool->memory_limit_bytes, error);
    case OPTION_CHUNK:
        if (option_value_count("--chunk", optarg, 1, INT_MAX, &number, error))
            return -1;
        options->chunk = (size_t)number;
        return 0;
    case OPTION_IN_PROCESS:
        pool->isolate = MPP_NOT_ISOLATED;
        return 0;
    case OPTION_QUIET:
        options->quiet = true;
        return 0;
    case OPTION_HELP:
        options->help = true;
        return 0;
    case OPTION_VERSION:
        options->version = true;
        return 0;
    default:
        return option_value_error(code, argv, long_options, error);
    }
}

/* mpbatch cannot run a job that needs initargs, such as the thumbnail job. */
static bool is_offered(const struct mpp_job *job)
{
    return !job->open;
}

static const struct mpp_job *find_job(const char *name)
{
    for (size_t i = 0; job_registry[i]; i++)
        if (is_offered(job_registry[i]) && !strcmp(job_registry[i]->name, name))
            return job_registry[i];
    return NULL;
}

static int parse(int argc, char **argv, struct mpbatch_options *options, struct mpp_error *error)
{
    *options = (struct mpbatch_options){.pool.jobs = job_registry};
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, ":0j:", long_options, NULL)) != -1;) {
        if (handle_option(code, argv, options, error))
            return -1;
        if (options->help || options->version)
            return 0;
    }
    if (optind == argc)
        return mpp_error_set(error, "no job was named");
    options->job = find_job(argv[optind]);
    if (!options->job)
        return mpp_error_set(error, "there is no job '%.200s'", argv[optind]);
    options->inputs = argv + optind + 1;
    options->input_count = (size_t)(argc - optind - 1);
    bool inputs = options->input_count || options->files_from;
    if (options->count && inputs)
        return mpp_error_set(error, "--count and inputs cannot be used together");
    if (!options->count && !inputs)
        return mpp_error_set(error, "nothing to do: use --count, name inputs, or use --files-from");
    return 0;
}

static const char *help_text(void)
{
    static char text[4096];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", help);
    for (size_t i = 0; job_registry[i] && used < sizeof text; i++)
        if (is_offered(job_registry[i]))
            used += (size_t)snprintf(text + used, sizeof text - used, "  %-12s%s\n",
                                     job_registry[i]->name, job_registry[i]->summary);
    return text;
}

static const char *version_text(void)
{
    static char text[128];
    snprintf(text, sizeof text, "mpbatch %s\nworkers can be confined by %s\n", MPP_VERSION,
             mpp_confinement());
    return text;
}

/* ---- The run ---- */

/* The next name from --files-from. */
static enum mpp_source_status read_list(struct mpbatch_run *run, struct mpp_bytes *payload)
{
    struct mpp_error why;
    const char *name;
    for (;;) {
        switch (name_list_next(&run->names, &name, &why)) {
        case NAME_LIST_NAME:
            *payload = (struct mpp_bytes){name, strlen(name) + 1};
            return MPP_SOURCE_ITEM;
        case NAME_LIST_BAD:
            console_failed(&run->console, name, why.text);
            continue;
        case NAME_LIST_LATER:
            console_update(&run->console, monotonic_now_s() - run->begun_s);
            return MPP_SOURCE_LATER;
        case NAME_LIST_FAILED:
            console_failed(&run->console, run->options->files_from, why.text);
            return MPP_SOURCE_END;
        case NAME_LIST_END:
            return MPP_SOURCE_END;
        }
    }
}

static enum mpp_source_status source(void *context, struct mpp_bytes *payload,
                                     struct mpp_error *error)
{
    (void)error;
    struct mpbatch_run *run = context;
    const struct mpbatch_options *options = run->options;
    if (run->next == options->count + options->input_count)
        return options->files_from ? read_list(run, payload) : MPP_SOURCE_END;
    if (options->input_count) {
        const char *input = options->inputs[run->next];
        *payload = (struct mpp_bytes){input, strlen(input) + 1};
    }
    run->next++;
    return MPP_SOURCE_ITEM;
}

static int sink(void *context, const struct mpp_outcome *outcome, struct mpp_error *error)
{
    struct mpbatch_run *run = context;
    struct tally *tally = &run->console.tally;
    char number[40];
    snprintf(number, sizeof number, "task %" PRIu64, outcome->index);
    struct journal_record record = {.source =
                                        outcome->payload.size ? outcome->payload.data : number,
                                    .size_bytes = -1,
                                    .run_s = outcome->run_s,
                                    .rank = outcome->rank,
                                    .host = outcome->host,
                                    .attempts = outcome->attempts};
    if (outcome->exception) {
        record.status = JOURNAL_FAILED;
        record.error = outcome->exception->message;
        console_failed(&run->console, record.source, record.error);
    } else {
        record.status = JOURNAL_DONE;
        tally->done++;
        if (outcome->result.size)
            console_line(&run->console, "%.*s", (int)outcome->result.size,
                         (const char *)outcome->result.data);
    }
    if ((tally->done + tally->failed) % 1024 == 0 || outcome->run_s > 1e-3)
        console_update(&run->console, monotonic_now_s() - run->begun_s);
    return journal_append(&run->journal, &record, error);
}

static int open_files(struct mpbatch_run *run, struct mpp_error *error)
{
    const struct mpbatch_options *options = run->options;
    struct journal_option job = {.name = "job"};
    struct journal_index none = {0};
    char host[65] = "";
    int fd = STDIN_FILENO;
    run->journal.fd = -1;
    if (options->files_from)
        fd = name_list_open(options->files_from, error);
    if (fd < 0)
        return -1;
    name_list_init(&run->names, fd, options->null ? '\0' : '\n');
    if (!options->journal)
        return 0;
    snprintf(job.value, sizeof job.value, "%s", options->job->name);
    gethostname(host, sizeof host - 1);
    struct journal_header header = {.version = MPP_VERSION,
                                    .libraries = version_text(),
                                    .host = host,
                                    .options = &job,
                                    .option_count = 1};
    return journal_open(&run->journal, options->journal, JOURNAL_FRESH, &header, &none, error);
}

static enum exit_status map_all(struct mpbatch_run *run, struct mpp_executor *executor)
{
    struct mpp_error error;
    struct mpp_map map = {.job = run->options->job->name,
                          .source = source,
                          .sink = sink,
                          .context = run,
                          .chunksize = run->options->chunk};
    int failed = mpp_map_unordered(executor, &map, &error);
    if (failed)
        console_error(&run->console, error.text);
    if (journal_close(&run->journal, &error)) {
        console_error(&run->console, error.text);
        failed = -1;
    }
    struct pool_summary pool = cli_pool_summary(executor, NULL);
    if (console_finish(&run->console, &pool, monotonic_now_s() - run->begun_s) || failed)
        return EXIT_INTERNAL;
    return run->console.tally.failed ? EXIT_SOME_FAILED : EXIT_DONE;
}

static enum exit_status work(struct mpp_executor *executor, void *context)
{
    struct mpbatch_run *run = context;
    struct mpp_error error;
    enum exit_status status = EXIT_USAGE;
    console_init(&run->console, TALLY_TASKS, run->options->quiet);
    if (!run->options->files_from)
        run->console.tally.total = run->options->count + run->options->input_count;
    if (open_files(run, &error))
        console_error(&run->console, error.text);
    else
        status = map_all(run, executor);
    if (run->names.fd > STDIN_FILENO)
        close(run->names.fd);
    console_release(&run->console);
    return status;
}

int main(int argc, char **argv)
{
    struct mpbatch_options options;
    static struct mpbatch_run run; /* too large for the stack */
    struct mpp_error error;
    run.options = &options;
    run.begun_s = monotonic_now_s();
    cli_begin();
    if (parse(argc, argv, &options, &error))
        return cli_usage_error(error.text);
    if (options.help)
        return cli_print(help_text());
    if (options.version)
        return cli_print(version_text());
    if (cli_launch_error())
        return cli_usage_error(cli_launch_error());
    return cli_run(argc, argv, &options.pool, work, &run);
}
