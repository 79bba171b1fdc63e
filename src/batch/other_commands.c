/* SPDX-License-Identifier: MIT */
/* Commands that run no job: see other_commands.h. */
#include "other_commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "completions.h"
#include "journal_list.h"
#include "option_table.h"
#include "run_options.h"

enum { OPTIONS_MAX = 128, JOBS_MAX = 32 }; /* of one job, and of a program, for completions */

bool other_command_find(const char *word)
{
    return strcmp(word, "completions") == 0 || strcmp(word, "list") == 0;
}

/* ---- completions ---- */

/* The options that mean something for each job, as lists that end with NULL. */
struct completed_jobs {
    struct completion_job list[JOBS_MAX];
    const struct mpb_option *options[JOBS_MAX][OPTIONS_MAX];
    struct mpb_option *tables[JOBS_MAX]; /* of the engine, for each job */
    size_t count;
};

static int add_options(const struct mpb_option **list, const struct mpb_option *table,
                       const struct mpb_job *job, struct mpp_error *error)
{
    size_t count = 0;
    while (list[count])
        count++;
    for (; table && table->name; table++) {
        if (job && run_option_refusal(job, table))
            continue;
        if (count == OPTIONS_MAX - 1)
            return mpp_error_set(error, "more than %d options", OPTIONS_MAX - 1);
        list[count++] = table;
    }
    return 0;
}

static int add_job(struct completed_jobs *jobs, const struct mpb_job *job, struct mpp_error *error)
{
    if (jobs->count == JOBS_MAX)
        return mpp_error_set(error, "more than %d jobs", JOBS_MAX);
    size_t at = jobs->count++;
    jobs->tables[at] = run_options_table(job);
    if (!jobs->tables[at])
        return mpp_error_set(error, "out of memory");
    jobs->list[at] = (struct completion_job){job->name, job->summary, jobs->options[at]};
    return add_options(jobs->options[at], jobs->tables[at], job, error) ||
                   add_options(jobs->options[at], job->options, job, error)
               ? -1
               : 0;
}

/* The program itself, and each program that runs only one of its jobs. */
static int write_programs(const char *shell, const struct mpb_job *const *jobs,
                          const struct completed_jobs *completed, struct buf *text,
                          struct mpp_error *error)
{
    const struct mpb_option *before[OPTIONS_MAX] = {0};
    struct completion_program programs[JOBS_MAX + 1];
    size_t count = 1;
    if (add_options(before, run_option_table, NULL, error))
        return -1;
    programs[0] = (struct completion_program){program_invocation_short_name, before,
                                              completed->list, completed->count};
    for (size_t i = 0; i < completed->count; i++)
        if (jobs[i]->program)
            programs[count++] =
                (struct completion_program){jobs[i]->program, completed->options[i], NULL, 0};
    return completions_write(shell, programs, count, text, error);
}

static enum command_status write_completions(const char *shell, const struct mpb_job *const *jobs,
                                             struct buf *text, struct mpp_error *error)
{
    struct completed_jobs *completed = calloc(1, sizeof *completed);
    if (!completed) {
        mpp_error_set(error, "out of memory");
        return COMMAND_FAILED;
    }
    int result = 0;
    for (const struct mpb_job *const *job = jobs; !result && *job; job++)
        result = add_job(completed, *job, error);
    if (!result)
        result = write_programs(shell, jobs, completed, text, error);
    for (size_t i = 0; i < completed->count; i++)
        free(completed->tables[i]);
    free(completed);
    if (result)
        return completions_known(shell) ? COMMAND_FAILED : COMMAND_WRONG;
    return COMMAND_TEXT;
}

/* ---- list ---- */

struct list_options {
    int status; /* of `statuses` */
    bool null;
};

static enum command_status list_inputs(int argc, char **argv, struct mpp_error *error)
{
    static const char *const statuses[] = {"done", "failed", "skipped", "all", NULL};
    static const struct mpb_option table[] = {{.name = "status",
                                               .type = MPB_CHOICE,
                                               .argument = "STATUS",
                                               .initial = "all",
                                               .choices = statuses,
                                               .offset = offsetof(struct list_options, status)},
                                              {.name = "null",
                                               .letter = '0',
                                               .type = MPB_FLAG,
                                               .offset = offsetof(struct list_options, null)},
                                              {0}};
    struct list_options options = {0};
    struct option_tables tables = {.tables = {{table, &options}}, .count = 1};
    int rest;
    if (option_table_set_defaults(&tables.tables[0], error) ||
        option_tables_parse(&tables, argc, argv, 2, false, NULL, &rest, error))
        return COMMAND_WRONG;
    if (rest != argc - 1) {
        mpp_error_set(error, "list takes one output directory, run directory or journal");
        return COMMAND_WRONG;
    }
    if (journal_list_names(argv[rest], statuses[options.status + 1] ? options.status : -1,
                           options.null ? '\0' : '\n', stdout, error))
        return COMMAND_UNREADABLE;
    if ((fflush(stdout) || ferror(stdout)) && errno != EPIPE) { /* a reader may stop */
        mpp_error_set_errno(error, "cannot write the names");
        return COMMAND_FAILED;
    }
    return COMMAND_TEXT;
}

enum command_status other_command_run(int argc, char **argv, const struct mpb_job *const *jobs,
                                      struct buf *text, struct mpp_error *error)
{
    return strcmp(argv[1], "list") == 0
               ? list_inputs(argc, argv, error)
               : write_completions(argc == 3 ? argv[2] : "", jobs, text, error);
}
