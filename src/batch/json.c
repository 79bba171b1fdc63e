/* SPDX-License-Identifier: MIT */
/* Writes and reads JSON values: see json.h. */
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 8 }; /* nesting of objects and arrays within a value */

/* ---- Writing ---- */

/* The length of the UTF-8 character at text, of which at most `most` > 0 bytes are there, by RFC
 * 3629: no overlong forms, no surrogates, nothing above U+10FFFF. 0: not valid UTF-8. */
static size_t utf8_character_size(const uint8_t *text, size_t most)
{
    uint8_t first = text[0];
    if (first < 0x80)
        return 1;
    size_t size = first >= 0xc2 && first <= 0xdf   ? 2
                  : first >= 0xe0 && first <= 0xef ? 3
                  : first >= 0xf0 && first <= 0xf4 ? 4
                                                   : 0;
    if (size > most)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    bool bad = (first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) ||
               (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f);
    return bad ? 0 : size;
}

bool json_is_text(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t step; size; at += step, size -= step) {
        step = *at ? utf8_character_size(at, size) : 0;
        if (!step)
            return false;
    }
    return true;
}

/* Characters that a string may contain as they are: printable ASCII but " and \. */
static const bool plain[256] = {[' ' ... '!'] = true, ['#' ... '['] = true, [']' ... '~'] = true};

void json_put_text(struct buf *out, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    buf_put_u8(out, '"');
    while (size) {
        size_t step = 0;
        while (step < size && plain[at[step]])
            step++;
        if (step) {
            buf_put(out, at, step);
        } else if ((step = utf8_character_size(at, size)) > 1) {
            buf_put(out, at, step);
        } else {
            if (step == 0)
                buf_printf(out, "\\u%04x", 0xdc00U + *at);
            else if (*at == '"' || *at == '\\')
                buf_put(out, (const uint8_t[]){'\\', *at}, 2);
            else
                buf_printf(out, "\\u%04x", *at);
            step = 1;
        }
        at += step;
        size -= step;
    }
    buf_put_u8(out, '"');
}

void json_put_string(struct buf *out, const char *text)
{
    if (text)
        json_put_text(out, text, strlen(text));
    else
        buf_put(out, "null", 4);
}

/* digits < 20. */
void json_put_number(struct buf *out, bool negative, uint64_t value, int digits)
{
    char text[DECIMAL_DIGITS_MAX + 2]; /* a sign and a point */
    char *const end = text + sizeof text, *at = end;
    for (int i = 0; i < digits; i++, value /= 10)
        *--at = (char)('0' + value % 10);
    if (digits)
        *--at = '.';
    at = decimal_before(at, value);
    if (negative)
        *--at = '-';
    buf_put(out, at, (size_t)(end - at));
}

void json_put_real_member(struct buf *out, const char *name, double value, int digits)
{
    json_put_name(out, name);
    if (isfinite(value))
        buf_printf(out, "%.*f", digits, value);
    else
        buf_put(out, "null", 4);
}

/* ---- Reading ---- */

struct json_reader {
    const char *next, *end;
    struct buf name, string;
};

static void skip_blanks(struct json_reader *reader)
{
    while (reader->next < reader->end && strchr(" \t\r\n", *reader->next) && *reader->next)
        reader->next++;
}

static bool take(struct json_reader *reader, char wanted)
{
    if (reader->next == reader->end || *reader->next != wanted)
        return false;
    reader->next++;
    return true;
}

static bool read_hex(struct json_reader *reader, unsigned *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        if (reader->next == reader->end)
            return false;
        char c = *reader->next++;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 16;
        if (digit == 16)
            return false;
        *code = *code << 4 | digit;
    }
    return true;
}

static void put_utf8(struct buf *out, unsigned code)
{
    if (code < 0x80) {
        buf_put_u8(out, (uint8_t)code);
        return;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t marks[] = {0, 0xc0, 0xe0, 0xf0};
    buf_put_u8(out, (uint8_t)(marks[more] | code >> (6 * more)));
    while (more--)
        buf_put_u8(out, (uint8_t)(0x80 | (code >> (6 * more) & 0x3f)));
}

/* Reads what follows \u: a character, a surrogate pair, or a byte that is not UTF-8 (json.h). */
static bool read_unicode(struct json_reader *reader, struct buf *out)
{
    unsigned code, low;
    if (!read_hex(reader, &code) || code == 0)
        return false;
    if (code >= 0xdc80 && code <= 0xdcff) {
        buf_put_u8(out, (uint8_t)(code - 0xdc00));
        return true;
    }
    if (code >= 0xd800 && code <= 0xdbff) {
        if (!take(reader, '\\') || !take(reader, 'u') || !read_hex(reader, &low) || low < 0xdc00 ||
            low > 0xdfff)
            return false;
        code = 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00));
    } else if (code >= 0xdc00 && code <= 0xdfff) {
        return false;
    }
    put_utf8(out, code);
    return true;
}

static bool read_escape(struct json_reader *reader, struct buf *out)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (reader->next == reader->end)
        return false;
    char c = *reader->next++;
    if (c == 'u')
        return read_unicode(reader, out);
    const char *found = c ? strchr(names, c) : NULL;
    if (!found)
        return false;
    buf_put_u8(out, (uint8_t)values[found - names]);
    return true;
}

/* Called after the opening quote was read. */
static bool read_string(struct json_reader *reader, struct buf *out)
{
    buf_clear(out);
    for (;;) {
        const char *begin = reader->next;
        while (reader->next < reader->end && (uint8_t)*reader->next >= 0x20 &&
               *reader->next != '"' && *reader->next != '\\')
            reader->next++;
        buf_put(out, begin, (size_t)(reader->next - begin));
        if (take(reader, '"'))
            break;
        if (!take(reader, '\\') || !read_escape(reader, out))
            return false;
    }
    buf_put_u8(out, '\0');
    return !out->failed;
}

/* Skips an object or an array. Checks only that brackets match and strings are well formed. */
static bool skip_nested(struct json_reader *reader)
{
    char closing[DEPTH_MAX];
    int depth = 0;
    do {
        if (reader->next == reader->end)
            return false;
        char c = *reader->next++;
        if (c == '"') {
            if (!read_string(reader, &reader->string))
                return false;
        } else if (c == '{' || c == '[') {
            if (depth == DEPTH_MAX)
                return false;
            closing[depth++] = c == '{' ? '}' : ']';
        } else if (c == '}' || c == ']') {
            if (closing[--depth] != c)
                return false;
        }
    } while (depth);
    return true;
}

static bool read_word(struct json_reader *reader, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(reader->end - reader->next) < size || memcmp(reader->next, word, size) != 0)
        return false;
    reader->next += size;
    return true;
}

static bool read_value(struct json_reader *reader, struct json_value *value)
{
    static const char *const words[] = {
        [JSON_TRUE] = "true", [JSON_FALSE] = "false", [JSON_NULL] = "null"};
    *value = (struct json_value){.span = reader->next};
    if (reader->next == reader->end)
        return false;
    bool good;
    switch (*reader->next) {
    case '"':
        reader->next++;
        value->kind = JSON_STRING;
        good = read_string(reader, &reader->string);
        value->text = (const char *)reader->string.data;
        break;
    case '{':
    case '[':
        value->kind = *reader->next == '{' ? JSON_OBJECT : JSON_ARRAY;
        good = skip_nested(reader);
        break;
    case 't':
    case 'f':
    case 'n':
        value->kind = *reader->next == 't'   ? JSON_TRUE
                      : *reader->next == 'f' ? JSON_FALSE
                                             : JSON_NULL;
        good = read_word(reader, words[value->kind]);
        break;
    default:
        value->kind = JSON_NUMBER;
        while (reader->next < reader->end && *reader->next &&
               strchr("0123456789+-.eE", *reader->next))
            reader->next++;
        good = reader->next > value->span;
    }
    value->span_size = (size_t)(reader->next - value->span);
    return good;
}

static bool read_members(struct json_reader *reader,
                         bool (*member)(void *context, const char *name,
                                        const struct json_value *value),
                         void *context)
{
    struct json_value value;
    skip_blanks(reader);
    if (!take(reader, '{'))
        return false;
    for (bool first = true;; first = false) {
        skip_blanks(reader);
        if (take(reader, '}'))
            break;
        if (!first && !take(reader, ','))
            return false;
        skip_blanks(reader);
        if (!take(reader, '"') || !read_string(reader, &reader->name))
            return false;
        skip_blanks(reader);
        if (!take(reader, ':'))
            return false;
        skip_blanks(reader);
        if (!read_value(reader, &value) ||
            !member(context, (const char *)reader->name.data, &value))
            return false;
    }
    skip_blanks(reader);
    return reader->next == reader->end;
}

bool json_read_object(const char *text, size_t size,
                      bool (*member)(void *context, const char *name,
                                     const struct json_value *value),
                      void *context)
{
    struct json_reader reader = {.next = text, .end = text + size};
    bool good = read_members(&reader, member, context);
    buf_release(&reader.name);
    buf_release(&reader.string);
    return good;
}

bool json_int(const struct json_value *value, int64_t *number)
{
    bool negative = value->span_size && value->span[0] == '-';
    uint64_t sum = 0;
    if (value->kind != JSON_NUMBER || value->span_size <= negative)
        return false;
    for (size_t i = negative; i < value->span_size; i++) {
        char c = value->span[i];
        if (c < '0' || c > '9' || sum > (INT64_MAX - (uint64_t)(c - '0')) / 10)
            return false;
        sum = sum * 10 + (uint64_t)(c - '0');
    }
    *number = negative ? -(int64_t)sum : (int64_t)sum;
    return true;
}
