/* SPDX-License-Identifier: MIT */
/* A temporary directory for all ranks of a run: see shared_directory.h. */
#include "shared_directory.h"

#include <stdio.h>
#include <stdlib.h>

#include "launcher.h"

static char path[128];

const char *shared_directory_make(void)
{
    /* No variable of a launcher names the run under every MPI: hydra sets none. */
    const char *given = getenv("MPP_TEST_DIRECTORY");
    if (given) {
        snprintf(path, sizeof path, "%s", given);
        return path;
    }
    if (launcher_found()) {
        fprintf(stderr, "set MPP_TEST_DIRECTORY to an empty directory that all ranks share\n");
        return NULL;
    }
    snprintf(path, sizeof path, "/tmp/mppool-test-XXXXXX");
    return mkdtemp(path);
}

void shared_directory_remove(void)
{
    char command[sizeof path + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (system(command))
        fprintf(stderr, "cannot remove %s\n", path);
}
