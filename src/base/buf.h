/*
 * buf: a growable run of bytes, and a bounded reader over one.
 *
 * Both know little-endian integers, so that whoever defines a format writes and reads it field by
 * field and never as a raw struct. A buf that could not grow remembers it (`failed`) and swallows
 * what follows: check once, after the last put. A reader that runs past its end does the same. What
 * is done for every field of every message is here in full, to be inlined.
 */
#ifndef BUF_H
#define BUF_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
    uint8_t *data; /* malloc'd, or NULL while empty */
    size_t size;   /* bytes in use */
    size_t capacity;
    bool failed; /* memory ran out: contents are not to be used */
};

#define BUF_INIT                                                                                   \
    (struct buf)                                                                                   \
    {                                                                                              \
        0                                                                                          \
    }

void buf_release(struct buf *buf); /* frees; zero is fine; leaves BUF_INIT */
void buf_clear(struct buf *buf);   /* empties, keeps the memory, forgets a failure */

/* Makes room for `extra` bytes behind the contents; returns where they go, or NULL (and failed).
 * The size is not changed. */
uint8_t *buf_reserve(struct buf *buf, size_t extra);

/* Makes room as buf_reserve does, and counts it as contents. */
static inline uint8_t *buf_extend(struct buf *buf, size_t extra)
{
    uint8_t *to = !buf->failed && buf->data && extra <= buf->capacity - buf->size
                      ? buf->data + buf->size
                      : buf_reserve(buf, extra);
    if (to)
        buf->size += extra;
    return to;
}

void buf_put(struct buf *buf, const void *bytes, size_t size);

/* Stores an integer at `to`; returns where the next one goes. */
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

/* Overwrites four bytes at `offset`, which must lie within the contents. */
static inline void buf_set_u32(struct buf *buf, size_t offset, uint32_t value)
{
    if (!buf->failed)
        store_u32(buf->data + offset, value);
}

struct reader {
    const uint8_t *next;
    const uint8_t *end;
    bool failed; /* something was wanted that is not there; every value since is 0 or NULL */
};

static inline struct reader reader_over(const void *bytes, size_t size)
{
    const uint8_t *start = bytes;
    return (struct reader){.next = start, .end = size ? start + size : start};
}

/* The next `size` bytes, in place; NULL and failed when there are fewer. */
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

/* a * b and a + b for sizes; false when the result does not fit. */
bool size_multiply(size_t a, size_t b, size_t *product);
bool size_add(size_t a, size_t b, size_t *sum);

#endif
