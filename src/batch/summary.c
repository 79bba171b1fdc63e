/* Everything a run says: see summary.h. */
#include "summary.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

#define LINE_SIZE 12288 /* two paths of PATH_MAX and the words between them */

void summary_init(struct summary *summary, enum tally_kind kind, bool quiet)
{
    *summary = (struct summary){.quiet = quiet, .tally.kind = kind};
    progress_init(&summary->progress, quiet);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* a line is read when it is true, not at the end */
}

static void stdout_failed(struct summary *summary)
{
    if (!summary->stdout_failed)
        log_line("cannot write to standard output: %s; the run goes on without it",
                 strerror(errno));
    summary->stdout_failed = true;
}

void summary_line(struct summary *summary, const char *format, ...)
{
    char text[LINE_SIZE];
    char line[4 * LINE_SIZE];
    va_list args;
    if (summary->quiet || summary->stdout_failed)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_escape(text, line, sizeof line);
    progress_erase(&summary->progress);
    if (printf("%s\n", line) < 0 || ferror(stdout))
        stdout_failed(summary);
}

void summary_failed(struct summary *summary, const char *path, const char *text)
{
    uint64_t before = failure_summary_add(&summary->causes, text, path);
    summary->tally.failed++;
    if (summary->names_in && before >= SUMMARY_SAID)
        return;
    progress_erase(&summary->progress);
    log_line("'%s': %s", path, text);
}

/* What was not said of each cause. */
static void say_rest(struct summary *summary)
{
    bool said = false;
    failure_summary_sort(&summary->causes);
    for (size_t i = 0; summary->names_in && i < summary->causes.count; i++) {
        const struct cause *cause = &summary->causes.list[i];
        if (cause->count <= SUMMARY_SAID)
            continue;
        log_line("and %" PRIu64 " more like '%s': %s", cause->count - SUMMARY_SAID,
                 cause->examples[0], cause->text);
        said = true;
    }
    if (said)
        log_line("all that failed are named in %s", summary->names_in);
}

void summary_release(struct summary *summary)
{
    failure_summary_release(&summary->causes);
}

void summary_error(struct summary *summary, const char *text)
{
    progress_erase(&summary->progress);
    log_line("%s", text);
}

void summary_update(struct summary *summary, double elapsed_s)
{
    progress_update(&summary->progress, &summary->tally, elapsed_s);
}

void summary_format(const struct tally *tally, double elapsed_s, char *text, size_t size)
{
    char kept[48] = "", skipped[48] = "", damaged[48] = "";
    if (tally->kept)
        snprintf(kept, sizeof kept, ", %" PRIu64 " done before", tally->kept);
    if (tally->skipped)
        snprintf(skipped, sizeof skipped, ", %" PRIu64 " skipped", tally->skipped);
    if (tally->damaged)
        snprintf(damaged, sizeof damaged, " (%" PRIu64 " with decoder warnings)", tally->damaged);
    snprintf(text, size,
             "%" PRIu64 " done%s%s, %" PRIu64 " failed%s, %.1f %s/s. "
             "It took %.2f second(s) to finish",
             tally->done, damaged, kept, tally->failed, skipped, progress_rate(tally, elapsed_s),
             progress_unit(tally), elapsed_s);
}

/* Appends "3 workers" and what stands around it to a line, unless the count is zero. */
static size_t append(char *text, size_t size, size_t used, const char *before, uint64_t count,
                     const char *word, const char *after)
{
    if (!count || used >= size)
        return used;
    int written = snprintf(text + used, size - used, "%s%" PRIu64 " %s%s%s", before, count, word,
                           count == 1 ? "" : "s", after);
    return written < 0 ? used : used + (size_t)written;
}

void summary_format_pool(const struct summary_pool *pool, char *text, size_t size)
{
    text[0] = '\0';
    if (!pool->steals && !pool->workers_replaced && !pool->retries && !pool->confined &&
        !pool->ranks_lost)
        return;
    size_t used = append(text, size, 0, "", (uint64_t)pool->ranks, "rank", "");
    if (pool->ranks_lost && used < size)
        used += (size_t)snprintf(text + used, size - used, " (%d lost)", pool->ranks_lost);
    used = append(text, size, used, ", ", (uint64_t)pool->workers, "worker", "");
    used = append(text, size, used, ", ", pool->steals, "steal", "");
    used = append(text, size, used, " (", pool->tasks_stolen, "task", ")");
    used = append(text, size, used, ", ", pool->workers_replaced, "worker", " replaced");
    used = append(text, size, used, ", ", pool->retries, "task", " tried again");
    if (pool->confined && used < size)
        snprintf(text + used, size - used, "; confined by %s", pool->confined);
}

static int close_stdout(struct summary *summary)
{
    if (fflush(stdout) && !summary->quiet)
        stdout_failed(summary);
    return summary->stdout_failed ? -1 : 0;
}

int summary_finish(struct summary *summary, const struct summary_pool *pool, double elapsed_s)
{
    char text[512];
    progress_erase(&summary->progress);
    say_rest(summary);
    summary_format_pool(pool, text, sizeof text);
    if (text[0])
        summary_line(summary, "%s", text);
    summary_format(&summary->tally, elapsed_s, text, sizeof text);
    summary_line(summary, "%s", text);
    return close_stdout(summary);
}

int summary_finish_dry(struct summary *summary)
{
    char skipped[40] = "";
    if (summary->tally.skipped)
        snprintf(skipped, sizeof skipped, ", %" PRIu64 " to skip", summary->tally.skipped);
    progress_erase(&summary->progress);
    summary_line(summary, "Dry run: %" PRIu64 " to do, %" PRIu64 " failed%s; nothing was written",
                 summary->tally.done, summary->tally.failed, skipped);
    return close_stdout(summary);
}
