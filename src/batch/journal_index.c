/* What a journal says of the runs before: see journal.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include <xxhash.h>

#include "io_full.h"
#include "journal.h"
#include "json.h"

enum { READ_BYTES = 1 << 20, LINE_BYTES_MAX = 1 << 20 };

void journal_index_release(struct journal_index *past)
{
    free(past->slots);
    *past = (struct journal_index){0};
}

/* The slot of a source, or the free one where it would go. */
static struct journal_entry *slot_of(struct journal_entry *slots, size_t capacity,
                                     const uint64_t key[2])
{
    size_t at = (size_t)key[1] & (capacity - 1);
    while (slots[at].key[0] && (slots[at].key[0] != key[0] || slots[at].key[1] != key[1]))
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

const struct journal_entry *journal_index_find(const struct journal_index *past, const char *source)
{
    if (!past->count)
        return NULL;
    XXH128_hash_t hash = XXH3_128bits(source, strlen(source));
    const uint64_t key[2] = {hash.low64 | 1, hash.high64};
    const struct journal_entry *entry = slot_of(past->slots, past->capacity, key);
    return entry->key[0] ? entry : NULL;
}

static int grow(struct journal_index *past, struct mpp_error *error)
{
    size_t capacity = past->capacity ? 2 * past->capacity : 1024;
    struct journal_entry *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return mpp_error_set(error, "out of memory for a journal of %zu files", past->count);
    for (size_t i = 0; i < past->capacity; i++)
        if (past->slots[i].key[0])
            *slot_of(slots, capacity, past->slots[i].key) = past->slots[i];
    free(past->slots);
    past->slots = slots;
    past->capacity = capacity;
    return 0;
}

static int remember(struct journal_index *past, const struct journal_entry *entry,
                    struct mpp_error *error)
{
    if (past->count >= past->capacity / 4 * 3 && grow(past, error))
        return -1;
    struct journal_entry *slot = slot_of(past->slots, past->capacity, entry->key);
    past->count += !slot->key[0];
    *slot = *entry;
    return 0;
}

/* ---- Headers ---- */

static int compare_option(const struct journal_header *header, const char *name, const char *was,
                          struct mpp_error *error)
{
    for (size_t i = 0; i < header->option_count; i++) {
        const struct journal_option *option = &header->options[i];
        if (strcmp(option->name, name) == 0 && strcmp(option->value, was) != 0)
            return mpp_error_set(error,
                                 "was written by a run with %s '%.200s', and here it is '%.200s'; "
                                 "use the same options, or start anew without --resume",
                                 name, was, option->value);
    }
    return 0;
}

static int compare_options(const struct journal_header *header, const struct json_value *options,
                           bool *sensible, struct mpp_error *error)
{
    struct json_reader reader;
    const char *name;
    struct json_value value;
    int failed = 0;
    json_reader_init(&reader, options->span, options->span_size);
    while (!failed && json_next(&reader, &name, &value))
        if (value.kind == JSON_STRING)
            failed = compare_option(header, name, value.text, error);
    *sensible &= !reader.failed;
    json_reader_release(&reader);
    return failed;
}

/* *is_header: it is one; then -1 says that its options are others. */
static int read_header(const struct journal_header *header, const char *line, size_t size,
                       bool *is_header, struct mpp_error *error)
{
    struct json_reader reader;
    const char *name;
    struct json_value value;
    bool named = false, optioned = false, sensible = true;
    int failed = 0;
    json_reader_init(&reader, line, size);
    while (!failed && json_next(&reader, &name, &value)) {
        named |= strcmp(name, "journal") == 0;
        if (strcmp(name, "options") == 0 && value.kind == JSON_OBJECT) {
            optioned = true;
            failed = compare_options(header, &value, &sensible, error);
        }
    }
    *is_header = named && optioned && sensible && !reader.failed;
    json_reader_release(&reader);
    return failed;
}

/* ---- Lines ---- */

static int take_line(struct journal_index *past, const struct journal_header *header,
                     const char *line, size_t size, struct mpp_error *error)
{
    struct journal_entry entry;
    bool is_header;
    if (journal_read_entry(line, size, &entry))
        return remember(past, &entry, error);
    if (read_header(header, line, size, &is_header, error))
        return -1;
    past->runs += is_header;
    past->damaged += !is_header;
    return 0;
}

/* The whole lines at the front of `text`; returns the size of what was taken, or -1. */
static ssize_t take_lines(struct journal_index *past, const struct journal_header *header,
                          const struct buf *text, struct mpp_error *error)
{
    size_t at = 0;
    const char *bytes = (const char *)text->data;
    for (const char *end; (end = memchr(bytes + at, '\n', text->size - at));
         at = (size_t)(end - bytes) + 1) {
        if (!past->runs && past->count + past->damaged > 0)
            break; /* its first line is no header */
        if (take_line(past, header, bytes + at, (size_t)(end - bytes) - at, error))
            return -1;
    }
    return (ssize_t)at;
}

static int refuse(const struct journal_index *past, struct mpp_error *error)
{
    if (!past->runs && past->count + past->damaged > 0)
        return mpp_error_set(error, "is no journal of ours: its first line is another; "
                                    "name another file with --journal");
    return 0;
}

int journal_index_read(struct journal_index *past, const struct journal_header *header, int fd,
                       uint64_t *valid, struct mpp_error *error)
{
    struct buf text = BUF_INIT;
    int result = -1;
    *valid = 0;
    for (;;) {
        uint8_t *to = buf_reserve(&text, READ_BYTES);
        if (!to) {
            mpp_error_set(error, "out of memory for the journal");
            break;
        }
        ssize_t got = io_full_pread(fd, to, READ_BYTES, *valid + text.size);
        if (got < 0) {
            mpp_error_set_errno(error, "cannot be read");
            break;
        }
        text.size += (size_t)got;
        ssize_t taken = text.size ? take_lines(past, header, &text, error) : 0;
        if (taken < 0 || refuse(past, error))
            break;
        *valid += (uint64_t)taken;
        text.size -= (size_t)taken;
        memmove(text.data, text.data + taken, text.size);
        if (got < READ_BYTES) {
            result = 0;
            break;
        }
        if (text.size > LINE_BYTES_MAX) {
            mpp_error_set(error, "is no journal of ours: it has a line of more than a megabyte");
            break;
        }
    }
    buf_release(&text);
    return result;
}
