/* SPDX-License-Identifier: MIT */
/* Writes and reads the lines of a journal: see journal_line.h. Pure. */
#include "journal_line.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "json.h"

#define NS_PER_S INT64_C(1000000000)

enum { STAGE_MAX = UINT16_MAX };

static const char *const status_names[] = {"done", "failed", "skipped"};
static const char hex_digits[] = "0123456789abcdef";

/* ---- Writing ---- */

static void put_sum_member(struct buf *out, const char *name, uint64_t sum)
{
    char text[18] = {[0] = '"', [17] = '"'};
    for (int i = 16; i > 0; i--, sum >>= 4)
        text[i] = hex_digits[sum & 15];
    json_put_name(out, name);
    buf_put(out, text, sizeof text);
}

static void put_hex_member(struct buf *out, const char *name, struct mpp_bytes bytes)
{
    const uint8_t *from = bytes.data;
    json_put_name(out, name);
    buf_put_u8(out, '"');
    uint8_t *to = buf_extend(out, 2 * bytes.size);
    for (size_t i = 0; to && i < bytes.size; i++) {
        *to++ = (uint8_t)hex_digits[from[i] >> 4];
        *to++ = (uint8_t)hex_digits[from[i] & 15];
    }
    buf_put_u8(out, '"');
}

static void put_result(struct buf *out, const struct result_ref *ref)
{
    json_put_name(out, "result");
    buf_put_u8(out, '{');
    if (ref->place == RESULT_SPOOLED) {
        json_put_name(out, "spool");
        buf_printf(out, "\"%" PRIu32 "-%" PRIu32 "-%" PRIu32 "\"", ref->run, ref->rank, ref->slot);
        json_put_uint_member(out, "offset", ref->offset);
        json_put_uint_member(out, "size", ref->size);
        put_sum_member(out, "xxh3", ref->xxh3);
    } else if (json_is_text(ref->bytes.data, ref->bytes.size)) {
        json_put_name(out, "text");
        json_put_text(out, ref->bytes.data, ref->bytes.size);
    } else {
        put_hex_member(out, "hex", ref->bytes);
    }
    buf_put_u8(out, '}');
}

static void put_place(struct buf *out, const struct journal_record *record)
{
    double us = record->run_s * 1e6;
    if (us >= 0 && us < 1e18)
        json_put_fixed_member(out, "ms", (int64_t)(us + 0.5), 3);
    json_put_int_member(out, "rank", record->rank);
    json_put_int_member(out, "worker", record->worker);
    json_put_string_member(out, "host", record->host);
    json_put_int_member(out, "attempts", record->attempts);
}

void journal_put_record(struct buf *out, const struct journal_record *record)
{
    buf_put_u8(out, '{');
    json_put_string_member(out, "source", record->identity.key);
    if (record->identity.stage)
        json_put_uint_member(out, "stage", record->identity.stage);
    if (record->identity.occurrence)
        json_put_uint_member(out, "occurrence", record->identity.occurrence);
    json_put_string_member(out, "status", status_names[record->status]);
    if (record->was)
        json_put_string_member(out, "was", status_names[*record->was]);
    if (record->error)
        json_put_string_member(out, "error", record->error);
    if (record->size_bytes >= 0) {
        json_put_int_member(out, "size", record->size_bytes);
        json_put_fixed_member(out, "mtime", record->mtime_ns, 9);
    }
    if (record->output) {
        json_put_string_member(out, "output", record->output);
        put_sum_member(out, "xxh3", record->xxh3);
    }
    if (record->fields.size) {
        buf_put_u8(out, ',');
        buf_put(out, record->fields.data, record->fields.size);
    }
    if (record->result.place != RESULT_NONE)
        put_result(out, &record->result);
    json_put_fixed_member(out, "end", record->end_ms, 3);
    if (record->rank >= 0)
        put_place(out, record);
    buf_put(out, "}\n", 2);
}

void journal_put_header(struct buf *out, const struct journal_header *header, uint32_t run,
                        int64_t now_s)
{
    char text[32];
    struct tm utc;
    time_t now = (time_t)now_s;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    buf_put_u8(out, '{');
    json_put_string_member(out, "journal", header->version);
    json_put_int_member(out, "format", JOURNAL_FORMAT);
    json_put_string_member(out, "job", header->job);
    json_put_uint_member(out, "run", run);
    json_put_string_member(out, "started", text);
    json_put_string_member(out, "host", header->host);
    json_put_string_member(out, "libraries", header->libraries);
    json_put_name(out, "options");
    buf_put_u8(out, '{');
    for (size_t i = 0; i < header->option_count; i++)
        json_put_string_member(out, header->options[i].name, header->options[i].value);
    buf_put(out, "}}\n", 3);
}

/* ---- Headers that a killed run left ---- */

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
    return at == size || match(line + at, size - at, "\",\"format\":") > 0 ||
           match(line + at, size - at, "\",\"started\":\"") > 0; /* format 1 */
}

/* ---- Reading ---- */

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
    *ns = s * NS_PER_S + (value->span[0] == '-' ? -part : part);
    return true;
}

static bool read_digits(const char *text, size_t count, uint8_t *to)
{
    for (size_t i = 0; i < count; i++) {
        const char *found = text[i] ? strchr(hex_digits, text[i]) : NULL;
        if (!found)
            return false;
        to[i / 2] = (uint8_t)(to[i / 2] << 4 | (found - hex_digits));
    }
    return true;
}

static bool read_sum(const struct json_value *value, uint64_t *sum)
{
    uint64_t bytes = 0;
    if (value->kind != JSON_STRING || strlen(value->text) != 16 ||
        !read_digits(value->text, 16, (uint8_t *)&bytes))
        return false;
    *sum = be64toh(bytes);
    return true;
}

static bool read_uint(const struct json_value *value, uint64_t *number)
{
    int64_t whole;
    if (!json_int(value, &whole) || whole < 0)
        return false;
    *number = (uint64_t)whole;
    return true;
}

enum { SEEN_SOURCE = 1, SEEN_STATUS = 2, SEEN_SIZE = 4, SEEN_MTIME = 8 };

struct task_line {
    struct buf *key;
    struct task_identity *identity;
    struct journal_entry *entry;
    unsigned seen;
};

static bool read_member(void *context, const char *name, const struct json_value *value)
{
    struct task_line *to = context;
    enum journal_status status;
    uint64_t number;
    if (value->kind == JSON_NULL)
        return true; /* format 1: unknown */
    if (strcmp(name, "source") == 0) {
        if (value->kind != JSON_STRING)
            return false;
        buf_clear(to->key);
        buf_put(to->key, value->text, strlen(value->text) + 1);
        to->seen |= SEEN_SOURCE;
    } else if (strcmp(name, "stage") == 0) {
        if (!read_uint(value, &number) || number > STAGE_MAX)
            return false;
        to->identity->stage = (uint32_t)number;
    } else if (strcmp(name, "occurrence") == 0) {
        return read_uint(value, &to->identity->occurrence);
    } else if (strcmp(name, "status") == 0) {
        if (!read_status(value, &status))
            return false;
        to->entry->status = status;
        to->seen |= SEEN_STATUS;
    } else if (strcmp(name, "size") == 0) {
        to->seen |= SEEN_SIZE;
        return json_int(value, &to->entry->size_bytes);
    } else if (strcmp(name, "mtime") == 0) {
        to->seen |= SEEN_MTIME;
        return read_time(value, &to->entry->mtime_ns);
    } else if (strcmp(name, "xxh3") == 0) {
        return read_sum(value, &to->entry->xxh3);
    }
    return true;
}

bool journal_read_task(const char *line, size_t size, struct buf *key,
                       struct task_identity *identity, struct journal_entry *entry)
{
    struct task_line to = {key, identity, entry, 0};
    *identity = (struct task_identity){0};
    *entry = (struct journal_entry){0};
    if (!json_read_object(line, size, read_member, &to) || !(to.seen & SEEN_SOURCE) ||
        !(to.seen & SEEN_STATUS) || key->failed)
        return false;
    if (!(to.seen & SEEN_SIZE) || !(to.seen & SEEN_MTIME))
        entry->size_bytes = -1;
    identity->key = (const char *)key->data;
    task_identity_hash(identity, entry->hash);
    return true;
}

/* ---- Results ---- */

/* Reads RUN-RANK-SLOT. */
static bool read_spool_name(const char *text, struct result_ref *ref)
{
    uint32_t *const numbers[] = {&ref->run, &ref->rank, &ref->slot};
    for (size_t i = 0; i < 3; i++) {
        uint64_t number = 0;
        if (i && *text++ != '-')
            return false;
        if (!isdigit((unsigned char)*text))
            return false;
        for (; isdigit((unsigned char)*text); text++) {
            number = number * 10 + (uint64_t)(*text - '0');
            if (number > UINT32_MAX)
                return false;
        }
        *numbers[i] = (uint32_t)number;
    }
    return !*text;
}

/* One bit for each member of a result. */
enum { HAS_TEXT = 1, HAS_HEX = 2, HAS_SPOOL = 4, HAS_OFFSET = 8, HAS_SIZE = 16, HAS_SUM = 32 };

struct result_members {
    struct buf *bytes;
    struct result_ref *ref;
    unsigned seen;
};

static bool read_result_member(void *context, const char *name, const struct json_value *value)
{
    struct result_members *to = context;
    struct result_ref *ref = to->ref;
    bool is_string = value->kind == JSON_STRING;
    if (strcmp(name, "text") == 0 && is_string) {
        to->seen |= HAS_TEXT;
        buf_put(to->bytes, value->text, strlen(value->text));
        return !to->bytes->failed;
    }
    if (strcmp(name, "hex") == 0 && is_string) {
        size_t digits = strlen(value->text);
        uint8_t *data = buf_extend(to->bytes, digits / 2);
        to->seen |= HAS_HEX;
        return digits % 2 == 0 && (data || !digits) && read_digits(value->text, digits, data);
    }
    if (strcmp(name, "spool") == 0 && is_string) {
        to->seen |= HAS_SPOOL;
        return read_spool_name(value->text, ref);
    }
    if (strcmp(name, "offset") == 0) {
        to->seen |= HAS_OFFSET;
        return read_uint(value, &ref->offset);
    }
    if (strcmp(name, "size") == 0) {
        to->seen |= HAS_SIZE;
        return read_uint(value, &ref->size);
    }
    if (strcmp(name, "xxh3") == 0) {
        to->seen |= HAS_SUM;
        return read_sum(value, &ref->xxh3);
    }
    return true;
}

/* Reads the member that tells of the result. */
static bool read_result(void *context, const char *name, const struct json_value *value)
{
    struct result_members *to = context;
    if (strcmp(name, "result") != 0)
        return true;
    *to->ref = (struct result_ref){0};
    to->seen = 0;
    buf_clear(to->bytes);
    if (value->kind != JSON_OBJECT ||
        !json_read_object(value->span, value->span_size, read_result_member, to))
        return false;
    bool spooled = to->seen == (HAS_SPOOL | HAS_OFFSET | HAS_SIZE | HAS_SUM);
    to->ref->place = spooled ? RESULT_SPOOLED : RESULT_INLINE;
    return spooled || to->seen == HAS_TEXT || to->seen == HAS_HEX;
}

bool journal_read_result(const char *line, size_t size, struct buf *bytes, struct result_ref *ref)
{
    struct result_members to = {bytes, ref, 0};
    *ref = (struct result_ref){.place = RESULT_NONE};
    buf_clear(bytes);
    if (!json_read_object(line, size, read_result, &to))
        return false;
    if (ref->place == RESULT_INLINE)
        ref->bytes = (struct mpp_bytes){bytes->data, bytes->size};
    return true;
}
