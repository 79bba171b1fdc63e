/* SPDX-License-Identifier: MIT */
/* mpthumb: makes thumbnails of many images on all ranks of an MPI job. This is the main function:
 * it opens the pool with confined workers and starts the run on rank 0. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_common.h"
#include "clock.h"
#include "early_stop.h"
#include "job_registry.h"
#include "log.h"
#include "mpthumb_help.h"
#include "mpthumb_options.h"
#include "mpthumb_run.h"
#include "output_directory.h"
#include "thumbnail_task.h"

struct run_arguments {
    const struct mpthumb_options *options;
    double begun_s;
};

static enum exit_status work(struct mpp_executor *executor, void *context)
{
    const struct run_arguments *arguments = context;
    return mpthumb_run_batch(executor, arguments->options, mpp_confinement(), arguments->begun_s);
}

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
static char **writable_paths(const struct mpthumb_options *options)
{
    char **paths = calloc(options->input_count + 2, sizeof *paths);
    size_t count = 0;
    if (paths && options->output && !options->dry_run)
        paths[count++] = strdup(options->output);
    for (size_t i = 0; paths && options->beside && i < options->input_count; i++) {
        if (!(paths[count++] = directory_of(options->inputs[i]))) {
            free_paths(paths);
            return NULL;
        }
    }
    return paths;
}

/* Runs in each worker process before it is confined: a worker can be confined only to a directory
 * that exists. Errors are ignored here, because rank 0 reports them. */
static int make_output(const void *initargs, struct mpp_error *error)
{
    const struct thumbnail_setup *setup = initargs;
    int fd;
    if (setup->output && !setup->dry_run && output_directory_open(setup->output, &fd, error) == 0)
        close(fd);
    return 0;
}

static enum exit_status run(int argc, char **argv, const struct mpthumb_options *options,
                            double begun_s)
{
    /* Workers may read everything, because symbolic links in the inputs can lead anywhere. With
     * --beside and --files-from they may also write everywhere: the directories are not known
     * yet. */
    static const char *const anywhere[] = {"/", NULL};
    struct thumbnail_setup setup = {
        .image = options->image, .output = options->output, .dry_run = options->dry_run};
    char **writable = writable_paths(options);
    struct mpp_confine confine = {.no_exec = true,
                                  .no_sockets = true,
                                  .paths = !(options->beside && options->files_from),
                                  .readable = anywhere,
                                  .writable = (const char *const *)writable};
    struct mpp_options pool = {.jobs = job_registry,
                               .initializer = make_output,
                               .initargs = &setup,
                               .workers_per_rank = options->workers,
                               .read_ahead = options->read_ahead,
                               .timeout_s = options->timeout_s,
                               .retries = options->retries ? options->retries : -1,
                               .confine = &confine};
    struct run_arguments arguments = {options, begun_s};
    if (!writable) {
        log_line("out of memory");
        return EXIT_INTERNAL;
    }
    enum exit_status status = cli_run(argc, argv, &pool, work, &arguments);
    free_paths(writable);
    return status;
}

int main(int argc, char **argv)
{
    double begun_s = monotonic_now_s();
    struct mpthumb_options options;
    struct mpp_error error;
    cli_begin();
    if (mpthumb_options_parse(argc, argv, &options, &error))
        return cli_usage_error(error.text);
    if (options.help)
        return cli_print(mpthumb_help_text());
    if (options.version)
        return cli_print(mpthumb_version_text());
    if (cli_launch_error())
        return cli_usage_error(cli_launch_error());
    early_stop_block_signals(); /* rank 0 handles them and tells the other ranks */
    return run(argc, argv, &options, begun_s);
}
