/* SPDX-License-Identifier: MIT */
/* What mpbatch.h requires of a job: see job_table.h. */
#include "job_table.h"

#include <string.h>

#include "stage_plan.h"

static int check_stages(const struct mpb_job *job, struct mpp_error *error)
{
    for (const struct mpb_stage *stage = job->stages; stage && stage->name; stage++) {
        if (!stage->run)
            return mpp_error_set(error, "stage '%.100s' of job '%.100s' has no run function",
                                 stage->name, job->name);
        if (strlen(stage->name) > STAGE_NAME_MAX)
            return mpp_error_set(error,
                                 "the name of stage '%.100s' of job '%.100s' is longer than "
                                 "%d bytes",
                                 stage->name, job->name, STAGE_NAME_MAX);
    }
    return 0;
}

int job_table_check(const struct mpb_job *const *jobs, struct mpp_error *error)
{
    for (; *jobs; jobs++) {
        const struct mpb_job *job = *jobs;
        if (!job->name || !job->summary || !job->run)
            return mpp_error_set(error, "job '%.100s' has no name, no summary or no run function",
                                 job->name ? job->name : "");
        if (job->output == MPB_OUTPUT_FILES && !job->output_path)
            return mpp_error_set(error, "job '%.100s' writes files and has no output_path function",
                                 job->name);
        if (!job->load != !job->unload)
            return mpp_error_set(error, "job '%.100s' has only one of load and unload", job->name);
        if (check_stages(job, error))
            return -1;
    }
    return 0;
}
