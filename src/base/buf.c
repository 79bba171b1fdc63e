/* Growable bytes and the bounded reader: see buf.h. */
#include "buf.h"

#include <stdlib.h>
#include <string.h>

void buf_release(struct buf *buf)
{
    free(buf->data);
    *buf = BUF_INIT;
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->failed = false;
}

uint8_t *buf_reserve(struct buf *buf, size_t extra)
{
    size_t wanted;
    if (buf->failed || !size_add(buf->size, extra, &wanted)) {
        buf->failed = true;
        return NULL;
    }
    if (wanted > buf->capacity || !buf->data) {
        size_t capacity = buf->capacity < 128 ? 128 : buf->capacity;
        while (capacity < wanted && capacity <= SIZE_MAX / 2)
            capacity *= 2;
        if (capacity < wanted)
            capacity = wanted;
        uint8_t *data = realloc(buf->data, capacity);
        if (!data) {
            buf->failed = true;
            return NULL;
        }
        buf->data = data;
        buf->capacity = capacity;
    }
    return buf->data + buf->size;
}

void buf_put(struct buf *buf, const void *bytes, size_t size)
{
    uint8_t *to = buf_reserve(buf, size);
    if (to && size) {
        memcpy(to, bytes, size);
        buf->size += size;
    }
}

static void store_le(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static void put_le(struct buf *buf, uint64_t value, int bytes)
{
    uint8_t *to = buf_reserve(buf, (size_t)bytes);
    if (to) {
        store_le(to, value, bytes);
        buf->size += (size_t)bytes;
    }
}

void buf_put_u8(struct buf *buf, uint8_t value)
{
    put_le(buf, value, 1);
}

void buf_put_u16(struct buf *buf, uint16_t value)
{
    put_le(buf, value, 2);
}

void buf_put_u32(struct buf *buf, uint32_t value)
{
    put_le(buf, value, 4);
}

void buf_put_u64(struct buf *buf, uint64_t value)
{
    put_le(buf, value, 8);
}

void buf_set_u32(struct buf *buf, size_t offset, uint32_t value)
{
    if (!buf->failed)
        store_le(buf->data + offset, value, 4);
}

struct reader reader_over(const void *bytes, size_t size)
{
    const uint8_t *start = bytes;
    return (struct reader){.next = start, .end = size ? start + size : start};
}

const uint8_t *read_bytes(struct reader *reader, size_t size)
{
    if (reader->failed || (size_t)(reader->end - reader->next) < size) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *bytes = reader->next;
    reader->next += size;
    return bytes;
}

static uint64_t read_le(struct reader *reader, int size)
{
    const uint8_t *bytes = read_bytes(reader, (size_t)size);
    uint64_t value = 0;
    for (int i = 0; bytes && i < size; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

uint8_t read_u8(struct reader *reader)
{
    return (uint8_t)read_le(reader, 1);
}

uint16_t read_u16(struct reader *reader)
{
    return (uint16_t)read_le(reader, 2);
}

uint32_t read_u32(struct reader *reader)
{
    return (uint32_t)read_le(reader, 4);
}

uint64_t read_u64(struct reader *reader)
{
    return read_le(reader, 8);
}

bool size_multiply(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

bool size_add(size_t a, size_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}
