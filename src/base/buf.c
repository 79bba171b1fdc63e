/* SPDX-License-Identifier: MIT */
/* A growable array of bytes and checked arithmetic on sizes: see buf.h. */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_release(struct buf *buf)
{
    free(buf->data);
    *buf = BUF_INIT;
}

/* Out of line, because buf_extend calls it only if the buffer has to grow. Inlined into buf_put it
 * would cost each call several instructions. */
__attribute__((noinline)) uint8_t *buf_reserve(struct buf *buf, size_t extra)
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

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    uint8_t *to = size < 0 ? NULL : buf_reserve(buf, (size_t)size + 1);
    if (!to) {
        buf->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf((char *)to, (size_t)size + 1, format, args);
    va_end(args);
    buf->size += (size_t)size;
}

bool size_multiply(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

bool size_add(size_t a, size_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}
