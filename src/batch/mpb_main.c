/* SPDX-License-Identifier: MIT */
/*
 * mpb_main: the main function of every program on the engine (see mpbatch.h): reads the command
 * line, opens the pool with confined workers, and starts the run on rank 0.
 *
 * Every rank runs the same main with the same arguments. Errors in the command line, and texts such
 * as --help, are printed before MPI starts, by the process to which the launcher gave rank 0. The
 * other processes print nothing and exit with status 0, so that the launcher reports the status of
 * rank 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "batch_state.h"
#include "clock.h"
#include "command_line.h"
#include "early_stop.h"
#include "job_table.h"
#include "log.h"

/* ---- The process ---- */

/* Makes writing return an error where it would end the process, or damage a file: if a standard
 * descriptor is closed, the next file that is opened gets its number, and messages would be written
 * into that file. It is opened for reading only, so that writing to it fails. */
static void prepare_process(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
            exit(EXIT_INTERNAL);
    signal(SIGPIPE, SIG_IGN); /* writing to a closed pipe returns EPIPE */
    signal(SIGXFSZ, SIG_IGN); /* exceeding a file size limit returns EFBIG */
}

/* srun without support for this MPI starts N independent processes. */
static bool started_without_mpi(void)
{
    const char *tasks = getenv("SLURM_STEP_NUM_TASKS");
    /* Set by hydra and by srun --mpi=pmi2; Open MPI does not use PMI. */
    bool pmi = getenv("PMI_RANK") && strncmp(mpp_mpi_library(), "Open MPI", strlen("Open MPI"));
    return tasks && atoi(tasks) > 1 && !pmi && !getenv("PMIX_RANK") &&
           !getenv("OMPI_COMM_WORLD_RANK");
}

/* True in the one process that prints messages. */
static bool is_printing_process(void)
{
    if (!started_without_mpi())
        return mpp_launch_rank() == 0;
    const char *rank = getenv("SLURM_PROCID");
    return !rank || atoi(rank) == 0;
}

static enum exit_status print_usage_error(const char *text)
{
    if (!is_printing_process())
        return EXIT_DONE;
    log_line("%s; try %s --help", text, program_invocation_short_name);
    return EXIT_USAGE;
}

/* Any other error. */
static enum exit_status print_error(enum exit_status status, const char *text)
{
    if (!is_printing_process())
        return EXIT_DONE;
    log_line("%s", text);
    return status;
}

static enum exit_status print_text(const struct buf *text)
{
    if (!is_printing_process())
        return EXIT_DONE;
    bool printed = !text->size || fwrite(text->data, 1, text->size, stdout) == text->size;
    if (printed && !text->failed && !fflush(stdout))
        return EXIT_DONE;
    log_line("cannot write to standard output");
    return EXIT_INTERNAL;
}

/* What is wrong with how the program was launched; NULL: nothing. */
static const char *launch_error(void)
{
    /* Each process would do the whole work. */
    return started_without_mpi() ? "srun started several processes that are not one MPI job; "
                                   "use srun --mpi=pmix, or --mpi=pmi2 with MPICH"
                                 : NULL;
}

/* ---- What workers may write ---- */

/* The directory of a path, or the path itself if it is a directory. The caller frees it. */
static char *directory_of(const char *path)
{
    struct stat status;
    const char *slash = strrchr(path, '/');
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return strdup(path);
    return slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
}

static void free_paths(char **paths)
{
    for (char **path = paths; path && *path; path++)
        free(*path);
    free(paths);
}

/* The directories in which workers may write; the list ends with NULL. NULL: out of memory. */
static char **writable_paths(const struct batch_setup *setup)
{
    const struct mpb_run *run = &setup->options->run;
    char **paths = calloc(run->input_count + 3, sizeof *paths);
    size_t count = 0;
    if (!paths || !run_options_write(setup->options))
        return paths;
    if (setup->job->output == MPB_OUTPUT_FILES && run->output &&
        !(paths[count++] = strdup(run->output)))
        goto failed;
    if (setup->directory->spool && !(paths[count++] = strdup(setup->directory->spool)))
        goto failed;
    for (size_t i = 0; run->writes_beside_inputs && i < run->input_count; i++)
        if (!(paths[count++] = directory_of(run->inputs[i])))
            goto failed;
    return paths;
failed:
    free_paths(paths);
    return NULL;
}

/* ---- The run ---- */

/* Opens the pool, runs the job on rank 0, and closes the pool. Returns the exit status; on other
 * ranks that is EXIT_DONE if the pool could be opened. */
static enum exit_status run_pool(int argc, char **argv, const struct mpp_options *options,
                                 const struct batch_arguments *arguments)
{
    struct mpp_executor *executor;
    struct mpp_error error;
    switch (mpp_open(&argc, &argv, options, &executor, &error)) {
    case MPP_FAILED:
        log_line("%s", error.text);
        return EXIT_INTERNAL;
    case MPP_SERVED:
        return EXIT_DONE;
    case MPP_EXECUTOR:
        break;
    }
    enum exit_status status = batch_run(executor, arguments);
    mpp_executor_exit_status(executor, (int)status);
    if (mpp_close(executor, &error)) {
        log_line("%s", error.text);
        status = EXIT_INTERNAL;
    }
    return status;
}

static enum exit_status run_job(int argc, char **argv, const struct batch_setup *setup,
                                struct batch_arguments *arguments)
{
    /* Workers may read everything, because symbolic links in the inputs can lead anywhere. If they
     * write beside inputs from a list, they may write everywhere: the directories are not known
     * yet. */
    static const char *const anywhere[] = {"/", NULL};
    const struct run_options *options = setup->options;
    const struct mpb_job *job = setup->job;
    char **writable = writable_paths(setup);
    struct mpp_confine confine = {
        .no_exec = !(job->permissions & MPB_MAY_EXEC),
        .no_sockets = !(job->permissions & MPB_MAY_CONNECT),
        .paths = !(job->permissions & MPB_MAY_WRITE) &&
                 !(options->run.writes_beside_inputs && options->run.files_from),
        .readable = anywhere,
        .writable = (const char *const *)writable};
    bool confined = confine.no_exec || confine.no_sockets || confine.paths;
    struct mpp_job pool_job = batch_worker_job(setup);
    const struct mpp_job *const jobs[] = {&pool_job, NULL};
    struct mpp_options pool = {.jobs = jobs,
                               .initializer = batch_worker_initialize,
                               .initargs = setup,
                               .workers_per_rank = options->workers,
                               .max_workers = options->max_workers,
                               .read_ahead = job->load ? options->read_ahead : 0,
                               .max_tasks_per_worker = options->max_tasks_per_worker,
                               .timeout_s = options->timeout_s,
                               .retries = options->retries ? options->retries : -1,
                               .memory_limit_bytes = options->memory_limit_bytes,
                               .confine = confined ? &confine : NULL,
                               .isolate = options->in_process ? MPP_NOT_ISOLATED : MPP_ISOLATED};
    arguments->confined = confined && !options->in_process ? mpp_confinement() : NULL;
    if (!writable) {
        log_line("out of memory");
        return EXIT_INTERNAL;
    }
    enum exit_status status = run_pool(argc, argv, &pool, arguments);
    free_paths(writable);
    return status;
}

static enum exit_status run_command(int argc, char **argv, struct command_line *command,
                                    double begun_s)
{
    struct run_directory directory;
    struct mpp_error error;
    if (run_directory_check(&command->options, command->job, &error))
        return print_usage_error(error.text);
    if (run_directory_init(&directory, &command->options, command->job, &error)) {
        run_directory_release(&directory);
        return print_error(EXIT_INTERNAL, error.text);
    }
    struct batch_setup setup = {.job = command->job,
                                .settings = command->settings,
                                .options = &command->options,
                                .directory = &directory};
    struct batch_arguments arguments = {
        .setup = &setup, .libraries = command_line_version(command), .begun_s = begun_s};
    early_stop_block_signals(); /* rank 0 handles them and tells the other ranks */
    enum exit_status status = run_job(argc, argv, &setup, &arguments);
    run_directory_release(&directory);
    return status;
}

int mpb_main(int argc, char **argv, const struct mpb_job *const *jobs)
{
    double begun_s = monotonic_now_s();
    struct command_line command;
    struct mpp_error error;
    enum exit_status status = EXIT_INTERNAL;
    prepare_process();
    if (job_table_check(jobs, &error))
        return (int)print_error(EXIT_INTERNAL, error.text);
    switch (command_line_parse(argc, argv, jobs, &command, &error)) {
    case COMMAND_WRONG:
        status = print_usage_error(error.text);
        break;
    case COMMAND_UNREADABLE:
        status = print_error(EXIT_USAGE, error.text);
        break;
    case COMMAND_FAILED:
        status = print_error(EXIT_INTERNAL, error.text);
        break;
    case COMMAND_TEXT:
        status = print_text(&command.text);
        break;
    case COMMAND_RUN:
        status = launch_error() ? print_usage_error(launch_error())
                                : run_command(argc, argv, &command, begun_s);
        break;
    }
    command_line_release(&command);
    return (int)status;
}
