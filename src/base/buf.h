/*
 * buf: a growable run of bytes, and a bounded reader over one.
 *
 * Both know little-endian integers, so that whoever defines a format writes and reads it field by
 * field and never as a raw struct. A buf that could not grow remembers it (`failed`) and swallows
 * what follows: check once, after the last put. A reader that runs past its end does the same.
 */
#ifndef BUF_H
#define BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

void buf_put(struct buf *buf, const void *bytes, size_t size);
void buf_put_u8(struct buf *buf, uint8_t value);
void buf_put_u16(struct buf *buf, uint16_t value);
void buf_put_u32(struct buf *buf, uint32_t value);
void buf_put_u64(struct buf *buf, uint64_t value);

/* Overwrites four bytes at `offset`, which must lie within the contents. */
void buf_set_u32(struct buf *buf, size_t offset, uint32_t value);

struct reader {
    const uint8_t *next;
    const uint8_t *end;
    bool failed; /* something was wanted that is not there; every value since is 0 or NULL */
};

struct reader reader_over(const void *bytes, size_t size);
uint8_t read_u8(struct reader *reader);
uint16_t read_u16(struct reader *reader);
uint32_t read_u32(struct reader *reader);
uint64_t read_u64(struct reader *reader);

/* The next `size` bytes, in place; NULL and failed when there are fewer. */
const uint8_t *read_bytes(struct reader *reader, size_t size);

/* a * b and a + b for sizes; false when the result does not fit. */
bool size_multiply(size_t a, size_t b, size_t *product);
bool size_add(size_t a, size_t b, size_t *sum);

#endif
