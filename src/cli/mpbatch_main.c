/* SPDX-License-Identifier: MIT */
/* mpbatch: runs any of the jobs of this tree. */
#include "job_registry.h"

int main(int argc, char **argv)
{
    return mpb_main(argc, argv, job_registry);
}
