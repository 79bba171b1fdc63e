/* SPDX-License-Identifier: MIT */
/* Reads a journal into a hash table of tasks: see journal_index.h. */
#include "journal_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal_window.h"
#include "json.h"

void journal_index_release(struct journal_index *index)
{
    free(index->slots);
    *index = (struct journal_index){0};
}

/* The slot of a task, or the free slot for it. */
static struct journal_entry *slot_of(struct journal_entry *slots, size_t capacity,
                                     const uint64_t hash[2])
{
    size_t at = (size_t)hash[1] & (capacity - 1);
    while (slots[at].hash[0] && (slots[at].hash[0] != hash[0] || slots[at].hash[1] != hash[1]))
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

const struct journal_entry *journal_index_find(const struct journal_index *index,
                                               const struct task_identity *identity)
{
    uint64_t hash[2];
    if (!index->count)
        return NULL;
    task_identity_hash(identity, hash);
    const struct journal_entry *entry = slot_of(index->slots, index->capacity, hash);
    return entry->hash[0] ? entry : NULL;
}

static int grow(struct journal_index *index, struct mpp_error *error)
{
    size_t capacity = index->capacity ? 2 * index->capacity : 1024;
    struct journal_entry *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return mpp_error_set(error, "cannot be read: out of memory for %zu tasks", index->count);
    for (size_t i = 0; i < index->capacity; i++)
        if (index->slots[i].hash[0])
            *slot_of(slots, capacity, index->slots[i].hash) = index->slots[i];
    free(index->slots);
    index->slots = slots;
    index->capacity = capacity;
    return 0;
}

/* Adds an entry, or replaces the entry of the same task. */
static int add_entry(struct journal_index *index, const struct journal_entry *entry,
                     struct mpp_error *error)
{
    if (index->count >= index->capacity / 4 * 3 && grow(index, error))
        return -1;
    struct journal_entry *slot = slot_of(index->slots, index->capacity, entry->hash);
    index->count += !slot->hash[0];
    *slot = *entry;
    return 0;
}

/* ---- Headers ---- */

struct header_line {
    bool has_version;
    int64_t format;
    char job[256];
    struct json_value options;
    const struct journal_header *expected; /* NULL: every option will do */
    int differs;                           /* an option does; *error says how */
    struct mpp_error *error;
};

/* Reads all members but the options, whose place is noted. */
static bool read_header_member(void *context, const char *name, const struct json_value *value)
{
    struct header_line *to = context;
    if (strcmp(name, "journal") == 0)
        to->has_version = true;
    else if (strcmp(name, "format") == 0)
        return json_int(value, &to->format) && to->format > 0;
    else if (strcmp(name, "job") == 0 && value->kind == JSON_STRING)
        snprintf(to->job, sizeof to->job, "%s", value->text);
    else if (strcmp(name, "options") == 0 && value->kind == JSON_OBJECT)
        to->options = *value;
    return true;
}

static int compare_option(const struct journal_header *header, const char *name,
                          const char *recorded, struct mpp_error *error)
{
    for (size_t i = 0; i < header->option_count; i++) {
        const struct journal_option *option = &header->options[i];
        if (strcmp(option->name, name) == 0 && strcmp(option->value, recorded) != 0)
            return mpp_error_set(error,
                                 "was written with %s '%.200s', but this run has '%.200s'; use the "
                                 "same options, or start again without --resume",
                                 name, recorded, option->value);
    }
    return 0;
}

static bool read_option(void *context, const char *name, const struct json_value *value)
{
    struct header_line *to = context;
    if (value->kind != JSON_STRING)
        return true;
    if (to->format == 1 && strcmp(name, "job") == 0)
        snprintf(to->job, sizeof to->job, "%s", value->text);
    else if (to->expected && !to->differs)
        to->differs = compare_option(to->expected, name, value->text, to->error);
    return true;
}

/* Reads a header line; *is_header is set if it is one. -1: a run like `expected` cannot continue
 * it. */
static int read_header(const struct journal_header *expected, const char *line, size_t size,
                       bool *is_header, struct mpp_error *error)
{
    struct header_line header = {.format = 1, .expected = expected, .error = error};
    *is_header = json_read_object(line, size, read_header_member, &header) && header.has_version &&
                 header.options.span;
    if (!*is_header)
        return 0;
    if (header.format > JOURNAL_FORMAT)
        return mpp_error_set(error, "has format %lld; this program reads formats 1 and 2",
                             (long long)header.format);
    if (header.format == 1)
        strcpy(header.job, "thumbnail");
    *is_header =
        json_read_object(header.options.span, header.options.span_size, read_option, &header) &&
        *header.job;
    if (*is_header && expected && strcmp(header.job, expected->job) != 0)
        return mpp_error_set(error,
                             "was written by the job '%.200s', not '%.200s'; use another "
                             "file with --journal",
                             header.job, expected->job);
    return *is_header ? header.differs : 0;
}

bool journal_is_bare(int fd)
{
    struct journal_window window = {.fd = fd};
    const char *line;
    size_t size;
    uint64_t at = 0;
    bool complete = true, bare = true;
    for (; bare && complete; at += size + 1) {
        if (journal_window_line(&window, at, &line, &size, &complete, NULL))
            bare = false;
        else if (!complete)
            bare = journal_begins_like_header(line, size);
        else if (read_header(NULL, line, size, &bare, NULL))
            bare = false;
    }
    journal_window_release(&window);
    return bare;
}

/* ---- Lines ---- */

static int add_line(struct journal_index *index, const struct journal_header *header,
                    uint64_t offset, const char *line, size_t size, struct buf *key,
                    struct mpp_error *error)
{
    struct task_identity identity;
    struct journal_entry entry;
    bool is_header;
    if (journal_read_task(line, size, key, &identity, &entry)) {
        entry.line = offset;
        return add_entry(index, &entry, error);
    }
    if (read_header(header, line, size, &is_header, error))
        return -1;
    index->runs += is_header;
    index->damaged += !is_header;
    return 0;
}

int journal_index_read(struct journal_index *index, const struct journal_header *header, int fd,
                       uint64_t *valid, struct mpp_error *error)
{
    struct journal_window window = {.fd = fd};
    struct buf key = BUF_INIT;
    const char *line;
    size_t size;
    bool complete = true;
    int result = -1;
    *valid = 0;
    while (complete) {
        if (journal_window_line(&window, *valid, &line, &size, &complete, error) ||
            (complete && add_line(index, header, *valid, line, size, &key, error)))
            goto out;
        if (!index->runs && (complete || (!journal_begins_like_header(line, size)))) {
            mpp_error_set(error, "is not a journal: its first line is not a header; use another "
                                 "file with --journal");
            goto out;
        }
        if (complete)
            *valid += size + 1;
    }
    result = 0;
out:
    buf_release(&key);
    journal_window_release(&window);
    return result;
}
