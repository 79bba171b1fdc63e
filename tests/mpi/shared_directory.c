/* A directory that all ranks of a run on one host have: see shared_directory.h. */
#include "shared_directory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[128];

const char *rank_scratch_make(void)
{
    /* What the launcher calls the run is the same on all ranks, and on no other run's. */
    const char *job = getenv("PMIX_NAMESPACE");
    snprintf(path, sizeof path, "/tmp/mppool-test-%.64s-%d", job ? job : "alone",
             job ? 0 : (int)getpid());
    return mkdir(path, 0700) && errno != EEXIST ? NULL : path;
}

void rank_scratch_remove(void)
{
    char command[sizeof path + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (system(command))
        fprintf(stderr, "%s is left\n", path);
}
