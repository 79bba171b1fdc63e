/* SPDX-License-Identifier: MIT */
/*
 * json: the part of JSON that a journal needs: writes values into a buf, and reads the members of
 * one object in place.
 *
 * This is our own code because file names are bytes, not text. A byte that is not part of valid
 * UTF-8 is written as the escape of a lone surrogate, \udc80 to \udcff, like Python's os.fsdecode
 * does (PEP 383), and is read back as that byte. The JSON libraries for C reject or replace such
 * escapes.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "buf.h"

/* ---- Writing ---- */

/* A string with its quotes and escapes. NULL is written as null. */
void json_put_string(struct buf *out, const char *text);

/* The same for bytes, which must not contain a zero byte. */
void json_put_text(struct buf *out, const void *bytes, size_t size);

/* Whether the bytes are valid UTF-8 without a zero byte. */
bool json_is_text(const void *bytes, size_t size);

/* The number value / 10^digits, with `digits` digits after the decimal point. */
void json_put_number(struct buf *out, bool negative, uint64_t value, int digits);

/* The name of a member and a colon, after a comma unless this is the first member of its object.
 * The name is written as it is: it must not need escapes. Names are constants: defined here, so
 * that the compiler knows their lengths. */
static inline void json_put_name(struct buf *out, const char *name)
{
    size_t size = strlen(name);
    bool comma = out->size && out->data[out->size - 1] != '{';
    uint8_t *to = buf_extend(out, comma + size + 3);
    if (!to)
        return;
    if (comma)
        to = store_u8(to, ',');
    to = store_u8(to, '"');
    memcpy(to, name, size);
    to = store_u8(to + size, '"');
    store_u8(to, ':');
}

static inline void json_put_string_member(struct buf *out, const char *name, const char *text)
{
    json_put_name(out, name);
    json_put_string(out, text);
}

static inline void json_put_uint_member(struct buf *out, const char *name, uint64_t value)
{
    json_put_name(out, name);
    json_put_number(out, false, value, 0);
}

/* The number value / 10^digits, as above. */
static inline void json_put_fixed_member(struct buf *out, const char *name, int64_t value,
                                         int digits)
{
    json_put_name(out, name);
    json_put_number(out, value < 0, value < 0 ? -(uint64_t)value : (uint64_t)value, digits);
}

static inline void json_put_int_member(struct buf *out, const char *name, int64_t value)
{
    json_put_fixed_member(out, name, value, 0);
}

/* `digits` is the number of digits after the decimal point. A value that is not finite is written
 * as null. */
void json_put_real_member(struct buf *out, const char *name, double value, int digits);

/* ---- Reading ---- */

enum json_kind {
    JSON_STRING, /* text is set */
    JSON_NUMBER, /* span: the number's characters */
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
    JSON_OBJECT, /* span: includes the braces; read it with json_read_object */
    JSON_ARRAY,  /* span: includes the brackets */
};

struct json_value {
    enum json_kind kind;
    const char
        *text; /* STRING: decoded, contains no zero byte; valid during the call of `member` */
    const char *span; /* the value's characters in the text */
    size_t span_size;
};

/* Reads a text that is one object and nothing else except white space: calls `member` for each
 * member. False: the text is not such an object, which may be found out after some calls, or
 * `member` returned false, which ends the reading. */
bool json_read_object(const char *text, size_t size,
                      bool (*member)(void *context, const char *name,
                                     const struct json_value *value),
                      void *context);

/* False: the value is not a whole number, or does not fit into int64_t. */
bool json_int(const struct json_value *value, int64_t *number);

#endif
