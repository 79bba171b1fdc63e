/* mpthumb: thumbnails of many images, on all ranks of an MPI job. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomic_file.h"
#include "early_stop.h"
#include "job_registry.h"
#include "log.h"
#include "mpthumb_help.h"
#include "mpthumb_options.h"
#include "mpthumb_run.h"
#include "program.h"
#include "thumbnail_job.h"

struct batch {
    const struct options *options;
    double begun_s;
};

static enum exit_status work(struct mpp_executor *executor, void *context)
{
    const struct batch *batch = context;
    return run_batch(executor, batch->options, mpp_confinement(), batch->begun_s);
}

/* The directory of a path, or the path itself where it is a directory; malloc'd. */
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

/* Where workers may write; ends with NULL. NULL: out of memory. */
static char **writable_paths(const struct options *options)
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

/* In each worker process, before it is kept from all else: it can be kept to a directory only if
 * that is there. When it cannot be made, rank 0 says so. */
static int make_output(const void *initargs, struct mpp_error *error)
{
    const struct thumbnail_setup *setup = initargs;
    int fd;
    if (setup->output && !setup->dry_run && output_directory_open(setup->output, &fd, error) == 0)
        close(fd);
    return 0;
}

static enum exit_status run(int argc, char **argv, const struct options *options, double begun_s)
{
    /* Reading is free: links in the inputs may lead anywhere. So is writing where a list will name
     * the directories to write into. */
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
    struct batch batch = {options, begun_s};
    if (!writable) {
        log_line("out of memory");
        return EXIT_INTERNAL;
    }
    enum exit_status status = program_run(argc, argv, &pool, work, &batch);
    free_paths(writable);
    return status;
}

int main(int argc, char **argv)
{
    double begun_s = program_now_s();
    struct options options;
    struct mpp_error error;
    program_begin();
    if (options_parse(argc, argv, &options, &error))
        return program_usage_error(error.text);
    if (options.help)
        return program_say(help_text());
    if (options.version)
        return program_say(version_text());
    if (program_launch_error())
        return program_usage_error(program_launch_error());
    early_stop_block_signals(); /* rank 0 waits for them; the other ranks hear from rank 0 */
    return run(argc, argv, &options, begun_s);
}
