/* SPDX-License-Identifier: MIT */
/* What the environment says about the MPI launcher: see launcher.h. */
#include "launcher.h"

#include <stdlib.h>

/* The value of the first variable that is set; NULL: none is. */
static const char *first_of(const char *const *names)
{
    const char *value = NULL;
    while (!value && *names)
        value = getenv(*names++);
    return value;
}

/* Set by Open MPI's mpirun; by PMIx (srun --mpi=pmix); by MPICH's PMI and its derivatives; by
 * Cray's PALS. A launcher may run within one that stands behind it here. */
static const char *rank_text(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                        "PALS_RANKID", NULL};
    return first_of(names);
}

bool launcher_found(void)
{
    return rank_text();
}

int launcher_rank(void)
{
    const char *text = rank_text();
    return text ? atoi(text) : 0;
}

int launcher_check(int mpi_size, const char *library, struct mpp_error *error)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", NULL};
    const char *text = first_of(names);
    int started = text ? atoi(text) : 1;
    if (mpi_size > 1 || started <= 1)
        return 0;
    return mpp_error_set(error,
                         "the launcher has started %d processes, but each is a run of its own: the "
                         "program is built for %s, start it with the launcher of that MPI",
                         started, library);
}
