/* SPDX-License-Identifier: MIT */
/* mpthumb: makes thumbnails of many images: the thumbnail job under its own name. */
#include <stddef.h>

#include "jobs.h"

int main(int argc, char **argv)
{
    static const struct mpb_job *const jobs[] = {&thumbnail_job, NULL};
    return mpb_main(argc, argv, jobs);
}
