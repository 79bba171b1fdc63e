/* SPDX-License-Identifier: MIT */
/* What a program does around a run: see program.h. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"

/* If a standard descriptor is closed, the next file that is opened gets its number, and messages
 * would be written into that file. It is opened for reading only, so that writing to it fails. */
static void open_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
            exit(EXIT_INTERNAL);
}

void program_begin(void)
{
    open_standard_descriptors();
    signal(SIGPIPE, SIG_IGN); /* writing to a closed pipe returns EPIPE */
    signal(SIGXFSZ, SIG_IGN); /* exceeding a file size limit returns EFBIG */
}

/* srun without MPI support starts N independent processes. */
static bool started_without_mpi(void)
{
    const char *tasks = getenv("SLURM_STEP_NUM_TASKS");
    return tasks && atoi(tasks) > 1 && !getenv("PMIX_RANK") && !getenv("OMPI_COMM_WORLD_RANK");
}

/* True in the one process that prints messages. */
static bool is_printing_process(void)
{
    if (!started_without_mpi())
        return mpp_launch_rank() == 0;
    const char *rank = getenv("SLURM_PROCID");
    return !rank || atoi(rank) == 0;
}

enum exit_status program_usage_error(const char *text)
{
    if (!is_printing_process())
        return EXIT_DONE;
    log_line("%s; try %s --help", text, program_invocation_short_name);
    return EXIT_USAGE;
}

enum exit_status program_print(const struct buf *text)
{
    if (!is_printing_process() ||
        (!text->failed && fwrite(text->data, 1, text->size, stdout) == text->size &&
         !fflush(stdout)))
        return EXIT_DONE;
    log_line("cannot write to standard output");
    return EXIT_INTERNAL;
}

const char *program_launch_error(void)
{
    /* Each process would do the whole work. */
    return started_without_mpi() ? "srun started several processes that are not one MPI job; "
                                   "use srun --mpi=pmix"
                                 : NULL;
}
