/* SPDX-License-Identifier: MIT */
/* only_init: starts MPI as the pool does, and ends it. ranks.py subtracts what this costs. */
#include <mpi.h>

int main(int argc, char **argv)
{
    int level;
    if (MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &level))
        return 1;
    return MPI_Finalize() ? 1 : 0;
}
