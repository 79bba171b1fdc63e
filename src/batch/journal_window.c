/* SPDX-License-Identifier: MIT */
/* Reads lines through a window in memory: see journal_window.h. */
#include "journal_window.h"

#include "journal_line.h"
#include "read_write_full.h"

/* A window begins at a multiple of BLOCK_BYTES, so that it has lines before `at`, too: results are
 * read in the order of the inputs, but their lines are in the order in which tasks ended. */
enum { WINDOW_BYTES = 1 << 18, BLOCK_BYTES = 1 << 16 };

void journal_window_release(struct journal_window *window)
{
    buf_release(&window->text);
    *window = (struct journal_window){.fd = -1};
}

/* Looks for the line in memory. False: it is not there, or only its first *size bytes are. */
static bool look(const struct journal_window *window, uint64_t at, const char **line, size_t *size)
{
    *line = "";
    *size = 0;
    if (at < window->begin || at - window->begin >= window->text.size)
        return false;
    *line = (const char *)window->text.data + (at - window->begin);
    *size = window->text.size - (size_t)(at - window->begin);
    const char *end = memchr(*line, '\n', *size);
    if (end)
        *size = (size_t)(end - *line);
    return end;
}

static int fill(struct journal_window *window, uint64_t at, size_t most, bool *ended,
                struct mpp_error *error)
{
    buf_clear(&window->text);
    window->begin = at - at % BLOCK_BYTES;
    uint8_t *to = buf_reserve(&window->text, most);
    if (!to)
        return mpp_error_set(error, "cannot be read: out of memory");
    ssize_t got = pread_in_full(window->fd, to, most, window->begin);
    if (got < 0)
        return mpp_error_set_errno(error, "cannot be read");
    window->text.size = (size_t)got;
    *ended = (size_t)got < most;
    return 0;
}

int journal_window_line(struct journal_window *window, uint64_t at, const char **line, size_t *size,
                        bool *complete, struct mpp_error *error)
{
    bool ended = false;
    for (size_t most = WINDOW_BYTES;; most *= 2) {
        *complete = look(window, at, line, size);
        if (*size >= JOURNAL_LINE_MAX)
            return mpp_error_set(error, "is not a journal: it has a line of more than a megabyte");
        if (*complete || ended)
            return 0;
        if (fill(window, at, most, &ended, error))
            return -1;
    }
}
