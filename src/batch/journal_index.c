/* SPDX-License-Identifier: MIT */
/* Reads a journal into a hash table of sources: see journal_index.h. */
#include "journal_index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include <xxhash.h>

#include "json.h"
#include "read_write_full.h"

enum { READ_BYTES = 1 << 20, LINE_BYTES_MAX = 1 << 20 };

void journal_index_release(struct journal_index *index)
{
    free(index->slots);
    *index = (struct journal_index){0};
}

/* The slot of a source, or the free slot for it. */
static struct journal_entry *slot_of(struct journal_entry *slots, size_t capacity,
                                     const uint64_t key[2])
{
    size_t at = (size_t)key[1] & (capacity - 1);
    while (slots[at].key[0] && (slots[at].key[0] != key[0] || slots[at].key[1] != key[1]))
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

const struct journal_entry *journal_index_find(const struct journal_index *index,
                                               const char *source)
{
    if (!index->count)
        return NULL;
    XXH128_hash_t hash = XXH3_128bits(source, strlen(source));
    const uint64_t key[2] = {hash.low64 | 1, hash.high64};
    const struct journal_entry *entry = slot_of(index->slots, index->capacity, key);
    return entry->key[0] ? entry : NULL;
}

static int grow(struct journal_index *index, struct mpp_error *error)
{
    size_t capacity = index->capacity ? 2 * index->capacity : 1024;
    struct journal_entry *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return mpp_error_set(error, "out of memory for a journal of %zu files", index->count);
    for (size_t i = 0; i < index->capacity; i++)
        if (index->slots[i].key[0])
            *slot_of(slots, capacity, index->slots[i].key) = index->slots[i];
    free(index->slots);
    index->slots = slots;
    index->capacity = capacity;
    return 0;
}

/* Adds an entry, or replaces the entry of the same source. */
static int add_entry(struct journal_index *index, const struct journal_entry *entry,
                     struct mpp_error *error)
{
    if (index->count >= index->capacity / 4 * 3 && grow(index, error))
        return -1;
    struct journal_entry *slot = slot_of(index->slots, index->capacity, entry->key);
    index->count += !slot->key[0];
    *slot = *entry;
    return 0;
}

/* ---- Headers ---- */

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

static int compare_options(const struct journal_header *header, const struct json_value *options,
                           bool *well_formed, struct mpp_error *error)
{
    struct json_reader reader;
    const char *name;
    struct json_value value;
    int failed = 0;
    json_reader_init(&reader, options->span, options->span_size);
    while (!failed && json_next(&reader, &name, &value))
        if (value.kind == JSON_STRING)
            failed = compare_option(header, name, value.text, error);
    *well_formed &= !reader.failed;
    json_reader_release(&reader);
    return failed;
}

/* Reads a header line; *is_header is set if it is one. -1: an option differs. */
static int read_header(const struct journal_header *header, const char *line, size_t size,
                       bool *is_header, struct mpp_error *error)
{
    struct json_reader reader;
    const char *name;
    struct json_value value;
    bool has_version = false, has_options = false, well_formed = true;
    int failed = 0;
    json_reader_init(&reader, line, size);
    while (!failed && json_next(&reader, &name, &value)) {
        has_version |= strcmp(name, "journal") == 0;
        if (strcmp(name, "options") == 0 && value.kind == JSON_OBJECT) {
            has_options = true;
            failed = compare_options(header, &value, &well_formed, error);
        }
    }
    *is_header = has_version && has_options && well_formed && !reader.failed;
    json_reader_release(&reader);
    return failed;
}

/* ---- Lines ---- */

static int add_line(struct journal_index *index, const struct journal_header *header,
                    const char *line, size_t size, struct mpp_error *error)
{
    struct journal_entry entry;
    bool is_header;
    if (journal_read_entry(line, size, &entry))
        return add_entry(index, &entry, error);
    if (read_header(header, line, size, &is_header, error))
        return -1;
    index->runs += is_header;
    index->damaged += !is_header;
    return 0;
}

/* Adds the complete lines at the beginning of `text`. Returns their size, or -1. */
static ssize_t add_lines(struct journal_index *index, const struct journal_header *header,
                         const struct buf *text, struct mpp_error *error)
{
    size_t at = 0;
    const char *bytes = (const char *)text->data;
    for (const char *end; (end = memchr(bytes + at, '\n', text->size - at));
         at = (size_t)(end - bytes) + 1) {
        if (!index->runs && index->count + index->damaged > 0)
            break; /* the first line is not a header: not a journal */
        if (add_line(index, header, bytes + at, (size_t)(end - bytes) - at, error))
            return -1;
    }
    return (ssize_t)at;
}

/* Fails if the first line is not a header. `rest` is the text after the complete lines. */
static int check_first_line(const struct journal_index *index, const char *rest, size_t size,
                            struct mpp_error *error)
{
    bool other_line = index->count + index->damaged > 0;
    if (!index->runs && (other_line || !journal_begins_like_header(rest, size)))
        return mpp_error_set(error, "is not a journal: its first line is not a header; "
                                    "use another file with --journal");
    return 0;
}

int journal_index_read(struct journal_index *index, const struct journal_header *header, int fd,
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
        ssize_t got = pread_in_full(fd, to, READ_BYTES, *valid + text.size);
        if (got < 0) {
            mpp_error_set_errno(error, "cannot be read");
            break;
        }
        text.size += (size_t)got;
        ssize_t taken = text.size ? add_lines(index, header, &text, error) : 0;
        if (taken < 0)
            break;
        *valid += (uint64_t)taken;
        text.size -= (size_t)taken;
        memmove(text.data, text.data + taken, text.size);
        if (check_first_line(index, (const char *)text.data, text.size, error))
            break;
        if (got < READ_BYTES) {
            result = 0;
            break;
        }
        if (text.size > LINE_BYTES_MAX) {
            mpp_error_set(error, "is not a journal: it has a line of more than a megabyte");
            break;
        }
    }
    buf_release(&text);
    return result;
}
