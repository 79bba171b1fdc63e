/* SPDX-License-Identifier: MIT */
/*
 * buf: a growable array of bytes, and a reader with bounds checks. Messages between ranks and the
 * payloads of tasks are encoded and decoded with them; journal lines are built in a buf.
 *
 * Integers are stored in little-endian byte order, whatever the machine's own order is. A format is
 * written and read field by field; a struct is never copied to the wire as it is.
 *
 * Errors are sticky. When a buf cannot grow it sets `failed` and ignores every later put, so the
 * caller checks once, after the last one. When a reader has too few bytes left it sets `failed`,
 * and this read and all later ones return 0 or NULL.
 *
 * Functions that run for every field of every message are defined here, so that they are inlined.
 */
#ifndef BUF_H
#define BUF_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
    uint8_t *data; /* from malloc; NULL while nothing was allocated */
    size_t size;   /* bytes in use */
    size_t capacity;
    bool failed; /* memory ran out: the contents are incomplete */
};

#define BUF_INIT ((struct buf){0})

void buf_release(struct buf *buf); /* frees; leaves BUF_INIT, which may be released again */

/* Empties, keeps the memory, resets `failed`. */
static inline void buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->failed = false;
}

/* Makes room for `extra` bytes behind the contents and returns where they start; `size` does not
 * change. NULL: out of memory, and `failed` is set. */
uint8_t *buf_reserve(struct buf *buf, size_t extra);

/* The same, but adds `extra` to `size`: the caller must fill those bytes. */
static inline uint8_t *buf_extend(struct buf *buf, size_t extra)
{
    uint8_t *to = !buf->failed && buf->data && extra <= buf->capacity - buf->size
                      ? buf->data + buf->size
                      : buf_reserve(buf, extra);
    if (to)
        buf->size += extra;
    return to;
}

static inline void buf_put(struct buf *buf, const void *bytes, size_t size)
{
    uint8_t *to = buf_extend(buf, size);
    if (to && size)
        memcpy(to, bytes, size);
}

/* Writes the decimal digits of a number in front of `end` and returns where they begin; at most
 * DECIMAL_DIGITS_MAX. */
enum { DECIMAL_DIGITS_MAX = 20 };
static inline char *decimal_before(char *end, uint64_t value)
{
    do
        *--end = (char)('0' + value % 10);
    while (value /= 10);
    return end;
}

/* Puts formatted text, without a zero byte. */
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Store an integer at `to` and return the address behind it. */
static inline uint8_t *store_u8(uint8_t *to, uint8_t value)
{
    *to = value;
    return to + 1;
}

static inline uint8_t *store_u16(uint8_t *to, uint16_t value)
{
    value = htole16(value);
    memcpy(to, &value, sizeof value);
    return to + sizeof value;
}

static inline uint8_t *store_u32(uint8_t *to, uint32_t value)
{
    value = htole32(value);
    memcpy(to, &value, sizeof value);
    return to + sizeof value;
}

static inline uint8_t *store_u64(uint8_t *to, uint64_t value)
{
    value = htole64(value);
    memcpy(to, &value, sizeof value);
    return to + sizeof value;
}

static inline void buf_put_u8(struct buf *buf, uint8_t value)
{
    uint8_t *to = buf_extend(buf, sizeof value);
    if (to)
        store_u8(to, value);
}

static inline void buf_put_u16(struct buf *buf, uint16_t value)
{
    uint8_t *to = buf_extend(buf, sizeof value);
    if (to)
        store_u16(to, value);
}

static inline void buf_put_u32(struct buf *buf, uint32_t value)
{
    uint8_t *to = buf_extend(buf, sizeof value);
    if (to)
        store_u32(to, value);
}

static inline void buf_put_u64(struct buf *buf, uint64_t value)
{
    uint8_t *to = buf_extend(buf, sizeof value);
    if (to)
        store_u64(to, value);
}

/* Overwrites four bytes at `offset`; they must be part of the contents. */
static inline void buf_set_u32(struct buf *buf, size_t offset, uint32_t value)
{
    if (!buf->failed)
        store_u32(buf->data + offset, value);
}

struct reader {
    const uint8_t *next;
    const uint8_t *end;
    bool failed; /* a read went past the end: its value and all later ones are 0 or NULL */
};

static inline struct reader reader_over(const void *bytes, size_t size)
{
    const uint8_t *start = bytes;
    return (struct reader){.next = start, .end = size ? start + size : start};
}

/* The next `size` bytes, not copied. NULL: fewer are left, and `failed` is set. */
static inline const uint8_t *read_bytes(struct reader *reader, size_t size)
{
    if (reader->failed || (size_t)(reader->end - reader->next) < size) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *bytes = reader->next;
    reader->next += size;
    return bytes;
}

static inline uint8_t read_u8(struct reader *reader)
{
    const uint8_t *bytes = read_bytes(reader, 1);
    return bytes ? *bytes : 0;
}

static inline uint16_t read_u16(struct reader *reader)
{
    uint16_t value = 0;
    const uint8_t *bytes = read_bytes(reader, sizeof value);
    if (bytes)
        memcpy(&value, bytes, sizeof value);
    return le16toh(value);
}

static inline uint32_t read_u32(struct reader *reader)
{
    uint32_t value = 0;
    const uint8_t *bytes = read_bytes(reader, sizeof value);
    if (bytes)
        memcpy(&value, bytes, sizeof value);
    return le32toh(value);
}

static inline uint64_t read_u64(struct reader *reader)
{
    uint64_t value = 0;
    const uint8_t *bytes = read_bytes(reader, sizeof value);
    if (bytes)
        memcpy(&value, bytes, sizeof value);
    return le64toh(value);
}

/* a * b and a + b. False: the result does not fit into size_t. */
bool size_multiply(size_t a, size_t b, size_t *product);
bool size_add(size_t a, size_t b, size_t *sum);

#endif
