/* SPDX-License-Identifier: MIT */
/* What a command line asks for: see command_line.h. */
#include "command_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option_table.h"
#include "other_commands.h"

static bool has_one_job(const struct command_line *command)
{
    return !command->jobs[1];
}

/* ---- --help and --version ---- */

const char *command_line_version(struct command_line *command)
{
    struct buf *out = &command->version;
    buf_clear(out);
    buf_printf(out, "%s " MPP_VERSION "\n%s\n", program_invocation_short_name, mpp_mpi_library());
    for (const struct mpb_job *const *job = command->jobs; *job; job++)
        if ((*job)->libraries && (!command->job || *job == command->job))
            buf_printf(out, "%s", (*job)->libraries());
    buf_printf(out, "workers confined by %s\n", mpp_confinement());
    buf_put_u8(out, '\0');
    return out->failed ? "" : (const char *)out->data;
}

static bool is_shown(const void *context, const struct mpb_option *option)
{
    const struct command_line *command = context;
    return !command->job || !run_option_refusal(command->job, option);
}

static struct option_tables tables_of(struct command_line *command)
{
    return (struct option_tables){
        .tables = {{command->table, &command->options},
                   {command->job ? command->job->options : NULL, command->settings}},
        .count = 2};
}

static void put_group(struct command_line *command, const char *group)
{
    struct option_tables tables = tables_of(command);
    struct buf lines = BUF_INIT;
    option_tables_help(&tables, group, is_shown, command, &lines);
    if (lines.size) {
        buf_printf(&command->text, "\n%s\n", group);
        buf_put(&command->text, lines.data, lines.size);
    }
    buf_release(&lines);
}

static bool is_of_group(const struct mpb_option *option, const char *group)
{
    return option->group && strcmp(option->group, group) == 0;
}

/* The engine's groups, and between them those of the job, in the order of their first options. */
static void put_groups(struct command_line *command)
{
    static const char *const own[] = {"Inputs", "Outputs", "Run", "Resuming and limits"};
    const struct mpb_option *options = command->job ? command->job->options : NULL;
    put_group(command, own[0]);
    put_group(command, own[1]);
    for (const struct mpb_option *option = options; option && option->name; option++) {
        bool printed = !option->group;
        for (size_t i = 0; !printed && i < sizeof own / sizeof *own; i++)
            printed = is_of_group(option, own[i]);
        for (const struct mpb_option *before = options; !printed && before < option; before++)
            printed = is_of_group(before, option->group);
        if (!printed)
            put_group(command, option->group);
    }
    put_group(command, own[2]);
    put_group(command, own[3]);
}

static void put_usage(struct command_line *command)
{
    const char *program = program_invocation_short_name;
    const struct mpb_job *job = command->job;
    struct buf *out = &command->text;
    const char *word = has_one_job(command) ? "" : job ? job->name : "JOB";
    const char *space = *word ? " " : "";
    buf_printf(out,
               "Usage: %s%s%s [OPTION]... INPUT...\n"
               "       mpirun -n N %s%s%s [OPTION]... INPUT...\n",
               program, space, word, program, space, word);
    if (job) {
        buf_printf(out, "%s\n", job->description ? job->description : job->summary);
        return;
    }
    buf_printf(out, "Runs a job for each input, on all ranks of the MPI job.\n\nJobs\n");
    for (const struct mpb_job *const *each = command->jobs; *each; each++)
        buf_printf(out, "  %-12s%s\n", (*each)->name, (*each)->summary);
    buf_printf(out,
               "\nOther commands\n"
               "  completions bash|zsh|fish               print the completions for a shell\n"
               "  list DIR [--status STATUS] [-0]         print names of inputs from a journal;\n"
               "                                          STATUS: done, failed, skipped or all\n");
}

static enum command_status show_help(struct command_line *command)
{
    put_usage(command);
    put_groups(command);
    buf_printf(&command->text, "\nExit status: 0 all done; 1 some inputs failed, the others are "
                               "done; 2 usage error;\n70 internal error; 75 stopped early, run "
                               "again with --resume to continue.\n");
    return COMMAND_TEXT;
}

/* ---- Parsing ---- */

static bool is_text(const struct command_line *command)
{
    return command->options.help || command->options.version;
}

/* As soon as the job is known, options that mean nothing for it are refused. */
static int see_option(void *context, const struct mpb_option *option, bool *stop,
                      struct mpp_error *error)
{
    struct command_line *command = context;
    command->output_given |= strcmp(option->name, "output") == 0;
    const char *why = command->job ? run_option_refusal(command->job, option) : NULL;
    *stop = is_text(command);
    return why ? mpp_error_set(error, "--%s means nothing for '%s': %s", option->name,
                               command->job->name, why)
               : 0;
}

static int parse_words(struct command_line *command, int argc, char **argv, int first,
                       bool in_order, int *rest, struct mpp_error *error)
{
    struct option_seen seen = {see_option, command};
    struct option_tables tables = tables_of(command);
    return option_tables_parse(&tables, argc, argv, first, in_order, &seen, rest, error);
}

static const struct mpb_job *find_job(const struct command_line *command, const char *name)
{
    for (const struct mpb_job *const *job = command->jobs; *job; job++)
        if (strcmp((*job)->name, name) == 0)
            return *job;
    return NULL;
}

/* Finds the word that names the job; the options before it are looked at later. */
static int name_job(struct command_line *command, int argc, char **argv, int *at,
                    struct mpp_error *error)
{
    *at = 0;
    if (has_one_job(command)) {
        command->job = command->jobs[0];
        return 0;
    }
    if (parse_words(command, argc, argv, 1, true, at, error))
        return -1;
    if (is_text(command))
        return 0;
    if (*at == argc)
        return mpp_error_set(error, "no job was named");
    command->job = find_job(command, argv[*at]);
    return command->job ? 0 : mpp_error_set(error, "there is no job '%.200s'", argv[*at]);
}

/* Stores the defaults of the engine and of the job. */
static int set_defaults(struct command_line *command, struct mpp_error *error)
{
    free(command->table);
    command->options = (struct run_options){0};
    command->table = run_options_table(command->job);
    if (command->job)
        command->settings = calloc(1, command->job->settings_size + 1);
    if (!command->table || (command->job && !command->settings))
        return mpp_error_set(error, "out of memory");
    struct option_tables tables = tables_of(command);
    return option_table_set_defaults(&tables.tables[0], error) ||
                   option_table_set_defaults(&tables.tables[1], error)
               ? -1
               : 0;
}

/* Each shard has an output file of its own. */
static int name_shard(struct command_line *command, struct mpp_error *error)
{
    const struct shard *shard = &command->options.shard;
    struct mpb_run *run = &command->options.run;
    if (command->job->output != MPB_OUTPUT_STREAM || !shard->count || !run->output ||
        strcmp(run->output, "-") == 0)
        return 0;
    if (asprintf(&command->output, "%s-%d-of-%d", run->output, shard->number, shard->count) < 0) {
        command->output = NULL;
        return mpp_error_set(error, "out of memory");
    }
    run->output = command->output;
    return 0;
}

static int parse_job(struct command_line *command, int argc, char **argv, int at,
                     struct mpp_error *error)
{
    const struct mpb_job *job = command->job;
    struct mpb_run *run = &command->options.run;
    int rest;
    if (set_defaults(command, error) ||
        (at && parse_words(command, at, argv, 1, true, &rest, error)) ||
        parse_words(command, argc, argv, at + 1, false, &rest, error))
        return -1;
    if (is_text(command))
        return 0;
    run->inputs = argv + rest;
    run->input_count = (size_t)(argc - rest);
    if (!command->output_given)
        run->output = NULL; /* `check` has to know */
    if (run_options_check(&command->options, job, error) ||
        (job->check && job->check(command->settings, run, error)))
        return -1;
    if (!run->output && !run->writes_beside_inputs)
        run->output = job->output_default;
    return name_shard(command, error);
}

enum command_status command_line_parse(int argc, char **argv, const struct mpb_job *const *jobs,
                                       struct command_line *command, struct mpp_error *error)
{
    int at;
    *command = (struct command_line){.jobs = jobs};
    if (set_defaults(command, error))
        return COMMAND_WRONG;
    if (!has_one_job(command) && argc > 1 && other_command_find(argv[1]))
        return other_command_run(argc, argv, jobs, &command->text, error);
    if (name_job(command, argc, argv, &at, error) ||
        (command->job && parse_job(command, argc, argv, at, error)))
        return COMMAND_WRONG;
    if (command->options.help)
        return show_help(command);
    if (command->options.version) {
        buf_printf(&command->text, "%s", command_line_version(command));
        return COMMAND_TEXT;
    }
    return COMMAND_RUN;
}

void command_line_release(struct command_line *command)
{
    free(command->table);
    free(command->settings);
    free(command->output);
    buf_release(&command->text);
    buf_release(&command->version);
}
