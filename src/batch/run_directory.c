/* SPDX-License-Identifier: MIT */
/* Where a run keeps its files: see run_directory.h. */
#include "run_directory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "directory_walk.h"

static char *format(const char *text, ...) __attribute__((format(printf, 1, 2)));

static char *format(const char *text, ...)
{
    char *made;
    va_list args;
    va_start(args, text);
    int size = vasprintf(&made, text, args);
    va_end(args);
    return size < 0 ? NULL : made;
}

static bool has_run_directory(const struct run_options *options, const struct mpb_job *job)
{
    return options->run_directory || job->output != MPB_OUTPUT_FILES || options->run.output;
}

static char *directory_of_run(const struct run_options *options, const struct mpb_job *job)
{
    const char *output = options->run.output;
    if (options->run_directory)
        return format("%s", options->run_directory);
    if (job->output == MPB_OUTPUT_FILES)
        return format("%s/" METADATA_DIRECTORY, output);
    return format("%s.run", output && strcmp(output, "-") != 0 ? output : job->name);
}

/* A directory of this run below --spool-dir, which other runs may use, too. Every rank finds the
 * same name. */
static char *shared_spool(const struct run_directory *directory, const char *spool,
                          const char *shard)
{
    const char *own = directory->journal ? directory->journal : directory->path;
    char *here = own && *own == '/' ? strdup("") : getcwd(NULL, 0);
    char *whole = here ? format("%s/%s%s", here, own ? own : "", shard) : NULL;
    char *name =
        whole ? format("%s/spool-%016" PRIx64, spool, (uint64_t)XXH3_64bits(whole, strlen(whole)))
              : NULL;
    free(here);
    free(whole);
    return name;
}

/* Whether the options leave room for a journal: none beside the inputs, unless it was named. */
static bool may_have_journal(const struct run_options *options)
{
    return options->journal || options->run_directory || !options->run.writes_beside_inputs;
}

static bool has_journal(const struct run_options *options)
{
    return may_have_journal(options) && !options->no_journal &&
           (!options->run.dry_run || options->run.resume);
}

int run_directory_check(const struct run_options *options, const struct mpb_job *job,
                        struct mpp_error *error)
{
    bool needed =
        (has_journal(options) && !options->journal) || (job_has_results(job) && !options->spool);
    if (!may_have_journal(options) && (options->run.resume || options->run.verify))
        return mpp_error_set(error, "with outputs beside the inputs there is no default journal; "
                                    "name one with --journal or --run-dir");
    if (needed && !has_run_directory(options, job))
        return mpp_error_set(error, "there is no default directory for the files of the run; "
                                    "name one with --run-dir");
    return 0;
}

int run_directory_init(struct run_directory *directory, const struct run_options *options,
                       const struct mpb_job *job, struct mpp_error *error)
{
    char shard[48] = "";
    bool journal = has_journal(options), has_path = has_run_directory(options, job);
    *directory = (struct run_directory){.path = has_path ? directory_of_run(options, job) : NULL};
    const char *path = directory->path;
    if (has_path && !path)
        return mpp_error_set(error, "out of memory");
    if (options->shard.count)
        snprintf(shard, sizeof shard, "-%d-of-%d", options->shard.number, options->shard.count);
    if (journal && options->journal) {
        directory->journal = format("%s", options->journal);
        directory->summary = format("%s.summary.json", options->journal);
    } else if (journal) {
        directory->journal = format("%s/journal%s.jsonl", path, shard);
        directory->summary = format("%s/summary%s.json", path, shard);
    }
    if (job_has_results(job))
        directory->spool = options->spool ? shared_spool(directory, options->spool, shard)
                                          : format("%s/spool%s", path, shard);
    return (journal && (!directory->journal || !directory->summary)) ||
                   (job_has_results(job) && !directory->spool)
               ? mpp_error_set(error, "out of memory")
               : 0;
}

void run_directory_release(struct run_directory *directory)
{
    free(directory->path);
    free(directory->journal);
    free(directory->summary);
    free(directory->spool);
    *directory = (struct run_directory){0};
}
