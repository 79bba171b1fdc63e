/* SPDX-License-Identifier: MIT */
/* Writes and reads the lines of a journal: see journal_line.h. Pure. */
#include "journal_line.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#include "json.h"

#define NS_PER_S INT64_C(1000000000)

static const char *const status_names[] = {"done", "failed", "skipped"};

/* Writes a time in seconds since 1970 with nine decimals; a double would lose the last two. */
static void put_time_member(struct buf *out, const char *name, int64_t ns)
{
    char text[40];
    int64_t s = ns / NS_PER_S, rest = ns % NS_PER_S;
    if (rest < 0) {
        rest += NS_PER_S;
        s--;
    }
    int size = snprintf(text, sizeof text, "%" PRId64 ".%09" PRId64, s, rest);
    json_put_name(out, name);
    buf_put(out, text, (size_t)size);
}

static void put_null_member(struct buf *out, const char *name)
{
    json_put_string_member(out, name, NULL);
}

void journal_put_record(struct buf *out, const struct journal_record *record)
{
    char sum[17];
    buf_put_u8(out, '{');
    json_put_string_member(out, "source", record->source);
    if (record->size_bytes >= 0) {
        json_put_int_member(out, "size", record->size_bytes);
        put_time_member(out, "mtime", record->mtime_ns);
    } else {
        put_null_member(out, "size");
        put_null_member(out, "mtime");
    }
    json_put_string_member(out, "output", record->output);
    if (record->output) {
        json_put_int_member(out, "width", record->width_px);
        json_put_int_member(out, "height", record->height_px);
    } else {
        put_null_member(out, "width");
        put_null_member(out, "height");
    }
    json_put_string_member(out, "status", status_names[record->status]);
    json_put_string_member(out, "error", record->error);
    json_put_real_member(out, "ms", record->run_s * 1e3, 3);
    json_put_int_member(out, "rank", record->rank);
    json_put_string_member(out, "host", record->host);
    json_put_int_member(out, "attempts", record->attempts);
    if (record->output)
        snprintf(sum, sizeof sum, "%016" PRIx64, record->xxh3);
    json_put_string_member(out, "xxh3", record->output ? sum : NULL);
    buf_put(out, "}\n", 2);
}

void journal_put_header(struct buf *out, const struct journal_header *header, int64_t now_s)
{
    char text[32];
    struct tm utc;
    time_t now = (time_t)now_s;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    buf_put_u8(out, '{');
    json_put_string_member(out, "journal", header->version);
    json_put_string_member(out, "started", text);
    json_put_string_member(out, "host", header->host);
    json_put_string_member(out, "libraries", header->libraries);
    json_put_name(out, "options");
    buf_put_u8(out, '{');
    for (size_t i = 0; i < header->option_count; i++)
        json_put_string_member(out, header->options[i].name, header->options[i].value);
    buf_put(out, "}}\n", 3);
}

/* Compares at most `size` bytes of `line` with `text`. Returns the length of `text`, 0 if they
 * differ, or `size` if the line ends first. */
static size_t match(const char *line, size_t size, const char *text)
{
    size_t length = strlen(text);
    size_t compared = size < length ? size : length;
    return memcmp(line, text, compared) ? 0 : compared;
}

bool journal_begins_like_header(const char *line, size_t size)
{
    size_t at = match(line, size, "{\"journal\":\"");
    if (at == size || !at)
        return at == size;
    while (at < size && (isalnum((unsigned char)line[at]) || memchr(".+-", line[at], 3)))
        at++; /* the version */
    return at == size || match(line + at, size - at, "\",\"started\":\"") > 0;
}

static bool read_status(const struct json_value *value, enum journal_status *status)
{
    for (size_t i = 0; i < sizeof status_names / sizeof *status_names; i++)
        if (value->kind == JSON_STRING && strcmp(value->text, status_names[i]) == 0) {
            *status = (enum journal_status)i;
            return true;
        }
    return false;
}

/* Reads "1700000000.123456789": whole seconds, a point, nine digits. */
static bool read_time(const struct json_value *value, int64_t *ns)
{
    const char *point = memchr(value->span, '.', value->span_size);
    struct json_value seconds = *value, rest = *value;
    int64_t s, part;
    if (value->kind != JSON_NUMBER || !point)
        return false;
    seconds.span_size = (size_t)(point - value->span);
    rest.span = point + 1;
    rest.span_size = value->span_size - seconds.span_size - 1;
    if (rest.span_size != 9 || !json_int(&seconds, &s) || !json_int(&rest, &part) || part < 0 ||
        s > INT64_MAX / NS_PER_S - 1 || s < INT64_MIN / NS_PER_S + 1)
        return false;
    *ns = s * NS_PER_S + part;
    return true;
}

static bool read_sum(const struct json_value *value, uint64_t *sum)
{
    *sum = 0;
    if (value->kind == JSON_NULL)
        return true;
    if (value->kind != JSON_STRING || strlen(value->text) != 16)
        return false;
    for (const char *c = value->text; *c; c++) {
        const char *digits = "0123456789abcdef", *found = strchr(digits, *c);
        if (!found)
            return false;
        *sum = *sum << 4 | (uint64_t)(found - digits);
    }
    return true;
}

static bool read_member(struct journal_entry *entry, const char *name,
                        const struct json_value *value, unsigned *seen)
{
    if (strcmp(name, "source") == 0) {
        if (value->kind != JSON_STRING)
            return false;
        XXH128_hash_t key = XXH3_128bits(value->text, strlen(value->text));
        entry->key[0] = key.low64 | 1; /* never 0, which marks a free slot */
        entry->key[1] = key.high64;
        *seen |= 1;
    } else if (strcmp(name, "size") == 0) {
        return value->kind == JSON_NULL || json_int(value, &entry->size_bytes);
    } else if (strcmp(name, "mtime") == 0) {
        return value->kind == JSON_NULL || read_time(value, &entry->mtime_ns);
    } else if (strcmp(name, "status") == 0) {
        *seen |= 2;
        return read_status(value, &entry->status);
    } else if (strcmp(name, "xxh3") == 0) {
        *seen |= 4;
        return read_sum(value, &entry->xxh3);
    }
    return true;
}

bool journal_read_entry(const char *line, size_t size, struct journal_entry *entry)
{
    struct json_reader reader;
    const char *name;
    struct json_value value;
    unsigned seen = 0;
    bool good = true;
    *entry = (struct journal_entry){.size_bytes = -1};
    json_reader_init(&reader, line, size);
    while (good && json_next(&reader, &name, &value))
        good = read_member(entry, name, &value, &seen);
    good &= !reader.failed && seen == 7;
    json_reader_release(&reader);
    return good;
}
