/* The table of jobs: see registry.h. */
#include "registry.h"

#include <stddef.h>

#include "thumbnail.h"

const struct mpp_job *const job_registry[] = {&thumbnail_job, NULL};
