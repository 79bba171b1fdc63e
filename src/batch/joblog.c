/* SPDX-License-Identifier: MIT */
/* A job log in the format of GNU parallel: see joblog.h. */
#include "joblog.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "log.h"

static const char columns[] =
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

/* The number of lines without the header. */
static uint64_t count_entries(FILE *file)
{
    uint64_t lines = 0;
    rewind(file);
    for (int c; (c = getc(file)) != EOF;)
        lines += c == '\n';
    return lines ? lines - 1 : 0;
}

int joblog_open(struct joblog *joblog, const char *path, bool append, struct mpp_error *error)
{
    *joblog = (struct joblog){0};
    if (!path)
        return 0;
    joblog->file = fopen(path, append ? "a+e" : "we");
    if (!joblog->file)
        return mpp_error_set_errno(error, "cannot write the job log '%.300s'", path);
    if (append)
        joblog->seq = count_entries(joblog->file);
    fseek(joblog->file, 0, SEEK_END);
    if (ftell(joblog->file) <= 0)
        fputs(columns, joblog->file);
    return 0;
}

int joblog_put(struct joblog *joblog, const struct journal_record *record, int signal,
               uint64_t output_bytes, struct mpp_error *error)
{
    char source[4 * PATH_MAX];
    if (!joblog->file)
        return 0;
    log_escape(record->identity.key, source, sizeof source);
    fprintf(joblog->file, "%" PRIu64 "\t%s\t%.3f\t%.3f\t%" PRIu64 "\t%" PRIu64 "\t%d\t%d\t%s %s\n",
            ++joblog->seq, record->host && *record->host ? record->host : ":",
            (double)record->end_ms * 1e-3 - record->run_s, record->run_s,
            record->size_bytes > 0 ? (uint64_t)record->size_bytes : 0, output_bytes,
            record->status == JOURNAL_FAILED, signal, program_invocation_short_name, source);
    return ferror(joblog->file) ? mpp_error_set_errno(error, "cannot write the job log") : 0;
}

int joblog_close(struct joblog *joblog, struct mpp_error *error)
{
    FILE *file = joblog->file;
    joblog->file = NULL;
    return file && fclose(file) ? mpp_error_set_errno(error, "cannot write the job log") : 0;
}
