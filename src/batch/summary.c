/* Everything a run says: see summary.h. */
#include "summary.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

#define LINE_SIZE 12288 /* two paths of PATH_MAX and the words between them */

void summary_init(struct summary *summary, bool quiet)
{
    *summary = (struct summary){.quiet = quiet};
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
    summary->tally.failed++;
    progress_erase(&summary->progress);
    log_line("'%s': %s", path, text);
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
    char skipped[40] = "";
    if (tally->skipped)
        snprintf(skipped, sizeof skipped, ", %" PRIu64 " skipped", tally->skipped);
    snprintf(text, size,
             "%" PRIu64 " done, %" PRIu64 " failed%s, %.1f images/s. "
             "It took %.2f second(s) to finish",
             tally->done, tally->failed, skipped, progress_rate(tally, elapsed_s), elapsed_s);
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

void summary_format_pool(const struct summary_pool *pool, char *text, size_t size)
{
    text[0] = '\0';
    if (!pool->steals && !pool->workers_replaced && !pool->retries)
        return;
    snprintf(text, size,
             "%d rank%s, %d worker%s, %" PRIu64 " steal%s (%" PRIu64 " task%s), %" PRIu64
             " worker%s replaced, %" PRIu64 " task%s tried again",
             pool->ranks, plural((uint64_t)pool->ranks), pool->workers,
             plural((uint64_t)pool->workers), pool->steals, plural(pool->steals),
             pool->tasks_stolen, plural(pool->tasks_stolen), pool->workers_replaced,
             plural(pool->workers_replaced), pool->retries, plural(pool->retries));
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
