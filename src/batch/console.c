/* SPDX-License-Identifier: MIT */
/* Everything a run prints: see console.h. */
#include "console.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

#define LINE_SIZE 12288 /* room for two paths of PATH_MAX and some words */

void console_init(struct console *console, const struct tally *tally, bool quiet)
{
    *console = (struct console){.quiet = quiet, .tally = *tally, .stream = stdout};
    progress_init(&console->progress, quiet);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* each line is visible at once */
}

static void stream_failed(struct console *console)
{
    if (!console->stream_failed)
        log_line("cannot write to standard %s: %s; the run continues without it",
                 console->stream == stdout ? "output" : "error", strerror(errno));
    console->stream_failed = true;
}

void console_line(struct console *console, const char *format, ...)
{
    char text[LINE_SIZE];
    char line[4 * LINE_SIZE];
    va_list args;
    if (console->quiet || console->stream_failed)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_escape(text, line, sizeof line);
    progress_erase(&console->progress);
    if (fprintf(console->stream, "%s\n", line) < 0 || ferror(console->stream))
        stream_failed(console);
}

void console_failed(struct console *console, const char *path, const char *text)
{
    uint64_t before = failure_summary_add(&console->failures, text, path);
    console->tally.failed++;
    if (console->failures_listed_in && before >= CONSOLE_EXAMPLES_MAX)
        return;
    progress_erase(&console->progress);
    log_line("'%s': %s", path, text);
}

/* Prints how many failures of each cause were not printed. */
static void print_unlisted(struct console *console)
{
    bool printed = false;
    failure_summary_sort(&console->failures);
    for (size_t i = 0; console->failures_listed_in && i < console->failures.count; i++) {
        const struct failure_cause *cause = &console->failures.list[i];
        if (cause->count <= CONSOLE_EXAMPLES_MAX)
            continue;
        log_line("and %" PRIu64 " more like '%s': %s", cause->count - CONSOLE_EXAMPLES_MAX,
                 cause->examples[0], cause->text);
        printed = true;
    }
    if (printed)
        log_line("all failed inputs are listed in '%s'", console->failures_listed_in);
}

void console_release(struct console *console)
{
    failure_summary_release(&console->failures);
}

void console_error(struct console *console, const char *text)
{
    progress_erase(&console->progress);
    log_line("%s", text);
}

void console_update(struct console *console, double elapsed_s)
{
    progress_update(&console->progress, &console->tally, elapsed_s);
}

void console_format_counts(const struct tally *tally, double elapsed_s, char *text, size_t size)
{
    char kept[48] = "", skipped[48] = "", warned[96] = "";
    if (tally->kept)
        snprintf(kept, sizeof kept, ", %" PRIu64 " done before", tally->kept);
    if (tally->skipped)
        snprintf(skipped, sizeof skipped, ", %" PRIu64 " skipped", tally->skipped);
    if (tally->warnings)
        snprintf(warned, sizeof warned, " (%" PRIu64 " %s)", tally->warnings, tally->warned);
    snprintf(text, size,
             "%" PRIu64 " done%s%s, %" PRIu64 " failed%s, %.1f %s/s. "
             "It took %.2f second(s) to finish",
             tally->done, warned, kept, tally->failed, skipped, progress_rate(tally, elapsed_s),
             tally->unit, elapsed_s);
}

/* Appends a count and its word between two texts, such as ", 3 workers replaced"; nothing if the
 * count is zero. Returns the new length of the line. */
static size_t append(char *text, size_t size, size_t used, const char *before, uint64_t count,
                     const char *word, const char *after)
{
    if (!count || used >= size)
        return used;
    int written = snprintf(text + used, size - used, "%s%" PRIu64 " %s%s%s", before, count, word,
                           count == 1 ? "" : "s", after);
    return written < 0 ? used : used + (size_t)written;
}

void console_format_pool(const struct mpp_stats *pool, const char *confined, char *text,
                         size_t size)
{
    text[0] = '\0';
    if (!pool->steals && !pool->workers_replaced && !pool->retries && !confined &&
        !pool->ranks_lost && !pool->ranks_polling)
        return;
    size_t used = append(text, size, 0, "", (uint64_t)pool->ranks, "rank", "");
    if (pool->ranks_lost && used < size)
        used += (size_t)snprintf(text + used, size - used, " (%d lost)", pool->ranks_lost);
    used = append(text, size, used, ", ", (uint64_t)pool->workers, "worker", "");
    used = append(text, size, used, ", ", pool->steals, "steal", "");
    used = append(text, size, used, " (", pool->tasks_stolen, "task", ")");
    used = append(text, size, used, ", ", pool->workers_replaced, "worker", " replaced");
    used = append(text, size, used, ", ", pool->retries, "task", " tried again");
    if (confined && used < size)
        used += (size_t)snprintf(text + used, size - used, "; confined by %s", confined);
    append(text, size, used, "; ", (uint64_t)pool->ranks_polling, "rank",
           " cannot be woken by others of the same host and look for messages on a timer");
}

static int close_stream(struct console *console)
{
    if (fflush(console->stream) && !console->quiet)
        stream_failed(console);
    return console->stream_failed ? -1 : 0;
}

int console_finish(struct console *console, const struct mpp_stats *pool, const char *confined,
                   double elapsed_s)
{
    char text[512];
    progress_erase(&console->progress);
    print_unlisted(console);
    console_format_pool(pool, confined, text, sizeof text);
    if (text[0])
        console_line(console, "%s", text);
    console_format_counts(&console->tally, elapsed_s, text, sizeof text);
    console_line(console, "%s", text);
    return close_stream(console);
}

/* The end of a run that writes nothing. */
static int finish_unwritten(struct console *console, const char *before, uint64_t count,
                            const char *what, const char *skipped_word)
{
    char skipped[40] = "";
    if (console->tally.skipped)
        snprintf(skipped, sizeof skipped, ", %" PRIu64 " %s", console->tally.skipped, skipped_word);
    progress_erase(&console->progress);
    print_unlisted(console);
    console_line(console, "%s%" PRIu64 " %s, %" PRIu64 " failed%s; nothing was written", before,
                 count, what, console->tally.failed, skipped);
    return close_stream(console);
}

int console_finish_dry(struct console *console)
{
    return finish_unwritten(console, "Dry run: ", console->tally.done, "to do", "to skip");
}

int console_finish_verify(struct console *console)
{
    return finish_unwritten(console, "", console->tally.kept, "verified", "skipped");
}
