/* SPDX-License-Identifier: MIT */
/* mpi_library_name: a short name such as "Open MPI 4.1.4", for people, from the text of
 * MPI_Get_library_version. Pure. */
#ifndef MPI_LIBRARY_NAME_H
#define MPI_LIBRARY_NAME_H

#include <stddef.h>

enum { LIBRARY_NAME_SIZE = 64 };

/* The words of the first line of `version` up to its first number, which is the version; the whole
 * line if it has no number. At most size - 1 bytes; "unknown MPI" if `version` has no words. */
void mpi_library_name(const char *version, char *name, size_t size);

#endif
