/*
 * mpthumb: thumbnails of many images, on all ranks of an MPI job.
 *
 * Every rank runs this main with the same arguments. What concerns the command line is said by the
 * process with launch rank 0, before MPI is started; the others leave in silence and with status 0,
 * so that a launcher reports the status of the one that spoke.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

#include "help.h"
#include "log.h"
#include "mppool.h"
#include "options.h"
#include "registry.h"
#include "run.h"
#include "thumbnail.h"

/* srun without MPI starts N processes that do not know of each other: each would do everything. */
static bool started_without_mpi(void)
{
    const char *tasks = getenv("SLURM_STEP_NUM_TASKS");
    return tasks && atoi(tasks) > 1 && !getenv("PMIX_RANK") && !getenv("OMPI_COMM_WORLD_RANK");
}

/* A descriptor that was closed would be given to the next file that is opened, and our lines would
 * go into it. Reading only, so that writing there fails as it should. */
static void keep_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
            exit(EXIT_INTERNAL);
}

static bool speaks(void)
{
    if (!started_without_mpi())
        return mpp_launch_rank() == 0;
    const char *rank = getenv("SLURM_PROCID");
    return !rank || atoi(rank) == 0;
}

static int usage_error(const char *text)
{
    if (!speaks())
        return EXIT_DONE;
    log_line("%s; try mpthumb --help", text);
    return EXIT_USAGE;
}

static int say(int (*print)(void))
{
    if (!speaks() || print() == 0)
        return EXIT_DONE;
    log_line("cannot write to standard output");
    return EXIT_INTERNAL;
}

static int run(int argc, char **argv, const struct options *options, double begun_s)
{
    struct thumbnail_setup setup = {
        .image = options->image, .output = options->output, .dry_run = options->dry_run};
    struct mpp_options pool = {
        .jobs = job_registry, .initargs = &setup, .workers_per_rank = options->workers};
    struct mpp_executor *executor;
    struct mpp_error error;
    switch (mpp_open(&argc, &argv, &pool, &executor, &error)) {
    case MPP_FAILED:
        log_line("%s", error.text);
        return EXIT_INTERNAL;
    case MPP_SERVED:
        return EXIT_DONE;
    case MPP_EXECUTOR:
        break;
    }
    int status = run_batch(executor, options, begun_s);
    if (mpp_close(executor, &error)) {
        log_line("%s", error.text);
        status = EXIT_INTERNAL;
    }
    return status;
}

int main(int argc, char **argv)
{
    double begun_s = run_now_s();
    struct options options;
    struct mpp_error error;
    keep_standard_descriptors();
    signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an error of write, not our end */
    signal(SIGXFSZ, SIG_IGN); /* and so is a limit on file sizes */
    if (options_parse(argc, argv, &options, &error))
        return usage_error(error.text);
    if (options.help)
        return say(help_print);
    if (options.version)
        return say(version_print);
    if (started_without_mpi())
        return usage_error("several tasks of srun that are not one MPI job: "
                           "start it with srun --mpi=pmix");
    return run(argc, argv, &options, begun_s);
}
