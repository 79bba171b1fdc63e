/*
 * json: what a journal needs of JSON: values written into a buf, and the members of one object read
 * in place.
 *
 * Own code because file names are bytes. A byte that is no part of UTF-8 is written as the escape
 * of a lone surrogate, \udc80 to \udcff, as Python's os.fsdecode has it (PEP 383), and read back as
 * that byte; the JSON libraries for C refuse such escapes or replace them.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* ---- Writing ---- */

/* Text with its quotes; NULL gives null. */
void json_put_string(struct buf *out, const char *text);

/* A comma unless this is the first member, and "name":. Names are plain. */
void json_put_name(struct buf *out, const char *name);

void json_put_string_member(struct buf *out, const char *name, const char *text);
void json_put_int_member(struct buf *out, const char *name, int64_t value);
void json_put_uint_member(struct buf *out, const char *name, uint64_t value);
/* With so many digits behind the point; null where it is no finite number. */
void json_put_real_member(struct buf *out, const char *name, double value, int digits);

/* ---- Reading ---- */

enum json_kind {
    JSON_STRING, /* text */
    JSON_NUMBER, /* span: its characters */
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
    JSON_OBJECT, /* span: with its braces, to be read by a reader of its own */
    JSON_ARRAY,  /* span: with its brackets */
};

struct json_value {
    enum json_kind kind;
    const char *text; /* STRING: decoded, without a zero byte in it; valid until the next member */
    const char *span;
    size_t span_size;
};

/* Reads one object, and nothing behind it but blanks. */
struct json_reader {
    const char *next, *end;
    bool begun;
    bool failed;             /* it is no such object */
    struct buf name, string; /* the caller releases the reader */
};

void json_reader_init(struct json_reader *reader, const char *text, size_t size);
void json_reader_release(struct json_reader *reader);

/* The next member; *name is valid until the next call. False: the end, or failed. */
bool json_next(struct json_reader *reader, const char **name, struct json_value *value);

/* A number that is a whole one within 64 bits; false otherwise. */
bool json_int(const struct json_value *value, int64_t *number);

#endif
