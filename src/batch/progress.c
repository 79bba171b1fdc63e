/* SPDX-License-Identifier: MIT */
/* Shows how far a run is: see progress.h. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_S      0.1
#define BAR_CELLS_MIN 10
#define BAR_CELLS_MAX 30

double progress_rate(const struct tally *tally, double elapsed_s)
{
    return elapsed_s > 0 ? (double)tally->done / elapsed_s : 0;
}

int progress_format_time(double seconds, char *text, size_t size)
{
    if (!(seconds > 0))
        seconds = 0;
    if (seconds > 3599999) /* 999 hours */
        seconds = 3599999;
    int whole = (int)(seconds + 0.5);
    if (whole < 3600)
        return snprintf(text, size, "%d:%02d", whole / 60, whole % 60);
    return snprintf(text, size, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
}

static uint64_t finished(const struct tally *tally)
{
    return tally->done + tally->kept + tally->failed + tally->skipped;
}

/* ", 2 failed, 245.3 images/s, 0:12 left": the common end of bar and line. */
static void format_details(const struct tally *tally, double elapsed_s, char *text, size_t size)
{
    size_t used = 0;
    uint64_t count = finished(tally);
    if (tally->failed)
        used += (size_t)snprintf(text, size, ", %" PRIu64 " failed", tally->failed);
    used += (size_t)snprintf(text + used, size - used, ", %.1f %s/s",
                             progress_rate(tally, elapsed_s), tally->unit);
    if (count && tally->total > count) {
        char left[32];
        progress_format_time(elapsed_s / (double)count * (double)(tally->total - count), left,
                             sizeof left);
        snprintf(text + used, size - used, ", %s left", left);
    }
}

void progress_format_line(const struct tally *tally, double elapsed_s, char *text, size_t size)
{
    char details[128];
    format_details(tally, elapsed_s, details, sizeof details);
    if (tally->total)
        snprintf(text, size, "%" PRIu64 " of %" PRIu64 " %s%s", finished(tally), tally->total,
                 tally->input_unit, details);
    else
        snprintf(text, size, "%" PRIu64 " %s%s", finished(tally), tally->input_unit, details);
}

/* "[######    ]  60% ", at most `room` characters wide; "" if there is too little room. */
static void format_cells(const struct tally *tally, int room, char *text, size_t size)
{
    int width = room - (int)strlen("[] 100% ");
    uint64_t count = finished(tally) < tally->total ? finished(tally) : tally->total;
    text[0] = '\0';
    if (!tally->total || width < BAR_CELLS_MIN)
        return;
    if (width > BAR_CELLS_MAX)
        width = BAR_CELLS_MAX;
    double part = (double)count / (double)tally->total;
    int cells = (int)(part * width);
    snprintf(text, size, "[%.*s%*s] %3d%% ", cells, "##############################", width - cells,
             "", (int)(part * 100));
}

void progress_format_bar(const struct tally *tally, double elapsed_s, int columns, char *text,
                         size_t size)
{
    char line[256];
    char bar[BAR_CELLS_MAX + 16];
    progress_format_line(tally, elapsed_s, line, sizeof line);
    format_cells(tally, columns - (int)strlen(line), bar, sizeof bar);
    snprintf(text, size, "%s%s", bar, line);
    if (columns >= 0 && (size_t)columns < size && strlen(text) > (size_t)columns)
        text[columns] = '\0';
}

double progress_due_s(int lines)
{
    if (lines < 3)
        return 10.0 * (1 << lines);
    return 40.0 + 60.0 * (lines - 2);
}

void progress_init(struct progress *progress, bool quiet)
{
    const char *term = getenv("TERM");
    bool draws = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    *progress = (struct progress){.style = quiet   ? PROGRESS_NONE
                                           : draws ? PROGRESS_BAR
                                                   : PROGRESS_LINES};
    progress->next_s = draws ? REDRAW_S : progress_due_s(0);
}

static void put(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored; /* the run continues if its progress cannot be shown */
}

static int terminal_columns(void)
{
    struct winsize window;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col ? window.ws_col : 80;
}

void progress_update(struct progress *progress, const struct tally *tally, double elapsed_s)
{
    char text[512];
    char shown[600];
    if (progress->style == PROGRESS_NONE || elapsed_s < progress->next_s)
        return;
    if (progress->style == PROGRESS_BAR) {
        /* The last column stays free: some terminals wrap when it is written. */
        progress_format_bar(tally, elapsed_s, terminal_columns() - 1, text, sizeof text);
        snprintf(shown, sizeof shown, "\r%s\033[K", text);
        progress->on_screen = true;
        progress->next_s = elapsed_s + REDRAW_S;
    } else {
        progress_format_line(tally, elapsed_s, text, sizeof text);
        snprintf(shown, sizeof shown, "%s\n", text);
        do
            progress->next_s = progress_due_s(++progress->lines);
        while (progress->next_s <= elapsed_s);
    }
    put(shown);
}

void progress_erase(struct progress *progress)
{
    if (progress->on_screen)
        put("\r\033[K");
    progress->on_screen = false;
}
