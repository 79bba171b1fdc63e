/* SPDX-License-Identifier: MIT */
/* Fuzz target: journals. Values that are read must lie within the file, and survive being written
 * and read again. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_target.h"
#include "journal.h"
#include "json.h"
#include "read_write_full.h"

struct object {
    const char *text;
    size_t size;
    int depth;
};

static bool check_member(void *context, const char *name, const struct json_value *value)
{
    const struct object *within = context;
    struct object object = {value->span, value->span_size, within->depth + 1};
    int64_t number;
    (void)name;
    if (value->span < within->text || value->span + value->span_size > within->text + within->size)
        abort();
    json_int(value, &number);
    if (value->kind == JSON_OBJECT && object.depth < 4)
        json_read_object(object.text, object.size, check_member, &object);
    return true;
}

/* Reads every member of an object, and of the objects within it. */
static void read_object(const char *text, size_t size)
{
    json_read_object(text, size, check_member, &(struct object){text, size, 0});
}

static bool read_entry(const char *line, size_t size, struct journal_entry *entry)
{
    struct task_identity identity;
    struct buf key = BUF_INIT;
    bool good = journal_read_task(line, size, &key, &identity, entry);
    buf_release(&key);
    return good;
}

/* What was read from a line must survive being written and read again. */
static void write_again(const struct task_identity *identity, const struct result_ref *ref)
{
    struct journal_record record = {
        .identity = *identity, .size_bytes = -1, .rank = -1, .result = *ref};
    struct journal_entry entry;
    struct result_ref back;
    struct buf line = BUF_INIT, bytes = BUF_INIT;
    uint64_t hash[2];
    journal_put_record(&line, &record);
    task_identity_hash(identity, hash);
    if (!read_entry((char *)line.data, line.size, &entry) ||
        memcmp(entry.hash, hash, sizeof hash) != 0 ||
        !journal_read_result((char *)line.data, line.size, &bytes, &back) ||
        back.place != ref->place || back.bytes.size != ref->bytes.size ||
        (ref->bytes.size && memcmp(back.bytes.data, ref->bytes.data, ref->bytes.size) != 0) ||
        back.run != ref->run || back.rank != ref->rank || back.slot != ref->slot ||
        back.offset != ref->offset || back.size != ref->size || back.xxh3 != ref->xxh3)
        abort();
    buf_release(&line);
    buf_release(&bytes);
}

static void read_line(const char *line, size_t size)
{
    struct task_identity identity;
    struct journal_entry entry;
    struct result_ref ref;
    struct buf key = BUF_INIT, bytes = BUF_INIT;
    journal_begins_like_header(line, size);
    bool has_result = journal_read_result(line, size, &bytes, &ref);
    if (journal_read_task(line, size, &key, &identity, &entry) && has_result)
        write_again(&identity, &ref);
    buf_release(&key);
    buf_release(&bytes);
}

/* Each entry of the index refers to a line about its task. */
static void check_index(const struct journal_index *index, const char *text, uint64_t valid)
{
    uint64_t counted = 0;
    for (size_t i = 0; i < index->capacity; i++) {
        const struct journal_entry *slot = &index->slots[i];
        struct journal_entry entry;
        if (!slot->hash[0])
            continue;
        counted++;
        if (slot->line >= valid)
            abort();
        const char *line = text + slot->line, *end = memchr(line, '\n', valid - slot->line);
        if (!end || !read_entry(line, (size_t)(end - line), &entry) ||
            memcmp(entry.hash, slot->hash, sizeof entry.hash) != 0 || entry.status != slot->status)
            abort();
    }
    if (counted != index->count)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct journal_option options[] = {{"--blur", "2"}};
    struct journal_header header = {.job = "thumbnail", .options = options, .option_count = 1};
    const char *text = (const char *)data;
    struct mpp_error error;
    uint64_t valid;
    int fd = memfd_create("journal", MFD_CLOEXEC);
    if (fd < 0 || write_in_full(fd, data, size))
        abort();
    for (int any = 0; any < 2; any++) {
        struct journal_index index = {0};
        if (journal_index_read(&index, any ? NULL : &header, fd, &valid, &error) == 0) {
            if (valid > size || (valid && data[valid - 1] != '\n'))
                abort();
            check_index(&index, text, valid);
            if (any && index.count && journal_is_bare(fd))
                abort();
        }
        journal_index_release(&index);
    }
    close(fd);
    read_object(text, size);
    read_line(text, size);
    for (const char *end; (end = memchr(text, '\n', size)); text = end + 1) {
        read_line(text, (size_t)(end - text));
        size -= (size_t)(end - text) + 1;
    }
    return 0;
}
