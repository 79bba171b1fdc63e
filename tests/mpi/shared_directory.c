/* SPDX-License-Identifier: MIT */
/* A temporary directory for all ranks of a run: see shared_directory.h. */
#include "shared_directory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[128];

const char *shared_directory_make(void)
{
    /* The launcher's name for the run is the same on all its ranks and differs from other runs. */
    const char *job = getenv("PMIX_NAMESPACE");
    snprintf(path, sizeof path, "/tmp/mppool-test-%.64s-%d", job ? job : "alone",
             job ? 0 : (int)getpid());
    return mkdir(path, 0700) && errno != EEXIST ? NULL : path;
}

void shared_directory_remove(void)
{
    char command[sizeof path + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (system(command))
        fprintf(stderr, "cannot remove %s\n", path);
}
