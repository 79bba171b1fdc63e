/* SPDX-License-Identifier: MIT */
/*
 * launcher: what the environment says about the MPI launcher (mpirun, srun) that has started this
 * process. All functions may be called before MPI_Init.
 */
#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <stdbool.h>

#include "mpp_error.h"

bool launcher_found(void); /* whether a launcher has started this process */
int launcher_rank(void);   /* of this process; 0 without a launcher */

/* Fails if the launcher has started several processes, but MPI sees only one: the library does not
 * know the launcher, and each process would do the whole work. `library`: its name, for the text.
 */
int launcher_check(int mpi_size, const char *library, struct mpp_error *error);

#endif
