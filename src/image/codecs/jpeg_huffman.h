/* SPDX-License-Identifier: MIT */
/*
 * jpeg_huffman: reads the Huffman coded data of a JPEG. Pure.
 *
 * `struct jpeg_bits` holds the next bits in a 64-bit register, left-aligned, and refills it eight
 * bytes at a time. `struct jpeg_code` is a Huffman code with tables that are indexed by the next 11
 * bits: one table gives an AC symbol together with its value, another the total length of all AC
 * symbols that fit into those bits, for a decoder that skips them.
 *
 * Used by jpeg_scaled_decode.c and jpeg_progressive_dc.c.
 *
 * Source: ITU-T T.81 (1992), annexes C, F and K.
 */
#ifndef JPEG_HUFFMAN_H
#define JPEG_HUFFMAN_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    JPEG_PEEK_BITS = 11,
    JPEG_PEEKS = 1 << JPEG_PEEK_BITS,

    JPEG_SKIP_BITS = 11,
    JPEG_SKIPS = 1 << JPEG_SKIP_BITS,
    JPEG_SKIP_ADVANCE = 8,    /* the position of `advance` in a jpeg_skip */
    JPEG_SKIP_NONE = 64 << 8, /* a jpeg_skip: the first symbol is longer than JPEG_SKIP_BITS */

    JPEG_BLOCK_END = 128,    /* an `advance`: the end-of-block symbol; above every coefficient */
    JPEG_MARKER_RST0 = 0xD0, /* the first of eight restart markers, used in turn */
};

struct jpeg_bits {
    const uint8_t *next, *end;
    uint64_t bits;    /* the next one is the highest */
    unsigned count;   /* bits in `bits`, with the padding */
    unsigned padding; /* zero bits that were appended after the last byte of the data */
};

/* One AC symbol, decoded. */
struct jpeg_symbol {
    uint8_t bits;    /* its length with the bits of its value; 0: longer than JPEG_PEEK_BITS */
    uint8_t advance; /* coefficients to go forward; or JPEG_BLOCK_END */
    int16_t value;   /* of the last of those coefficients */
};

/* All AC symbols that fit into JPEG_SKIP_BITS bits, as advance << JPEG_SKIP_ADVANCE | bits.
 * When the last one ends the block, JPEG_BLOCK_END is added to advance. */
typedef uint16_t jpeg_skip;

struct jpeg_code {
    uint8_t counts[17];   /* as in the file: how many codes have each length, 1 to 16 */
    uint8_t symbols[256]; /* as in the file: their symbols, by increasing code */
    bool valid;
    uint32_t limit[18]; /* by length: one more than its last code, left-aligned in 16 bits */
    int32_t offset[17]; /* by length: added to a code it gives the index of the symbol */
    uint16_t lengths[JPEG_PEEKS]; /* by next bits: code length << 8 | symbol; 0: a longer code */
    struct jpeg_symbol peeks[JPEG_PEEKS]; /* by next bits; AC codes only, as are the skips */
    jpeg_skip skips[JPEG_SKIPS];
};

/* Builds the tables, with `ac` also those for AC codes. Does nothing if `code` holds this code
 * already. False: these counts and symbols are not a Huffman code. */
bool jpeg_code_prepare(struct jpeg_code *code, const uint8_t counts[17], const uint8_t symbols[256],
                       bool ac);

/* The part of jpeg_bits_refill for data with markers or near the end. */
struct jpeg_bits jpeg_bits_refilled_slowly(struct jpeg_bits bits);

/* Refills to at least 56 bits, with zeros where the data end or a marker follows. The slow part
 * gets a copy, so that the fields of the caller's local struct can stay in registers. */
static inline __attribute__((always_inline)) void jpeg_bits_refill(struct jpeg_bits *bits)
{
    if (bits->end - bits->next >= 8) {
        uint64_t next;
        memcpy(&next, bits->next, sizeof next);
        /* The fast path: none of the eight bytes is 0xFF, which could start a marker. */
        if (!((~next - UINT64_C(0x0101010101010101)) & next & UINT64_C(0x8080808080808080))) {
            bits->bits |= be64toh(next) >> bits->count;
            bits->next += (63 - bits->count) >> 3;
            bits->count |= 56;
            return;
        }
    }
    struct jpeg_bits copy = {bits->next, bits->end, bits->bits, bits->count, bits->padding};
    copy = jpeg_bits_refilled_slowly(copy);
    bits->next = copy.next;
    bits->bits = copy.bits;
    bits->count = copy.count;
    bits->padding = copy.padding;
}

static inline unsigned jpeg_bits_peek(const struct jpeg_bits *bits, unsigned count)
{
    return (unsigned)(bits->bits >> (64 - count));
}

static inline __attribute__((always_inline)) void jpeg_bits_drop(struct jpeg_bits *bits,
                                                                 unsigned count)
{
    bits->bits <<= count;
    bits->count -= count;
}

/* Reads the value that follows a symbol: `size` bits, 0 to 15, as T.81 encodes signed numbers. */
static inline __attribute__((always_inline)) int jpeg_bits_value(struct jpeg_bits *bits,
                                                                 unsigned size)
{
    if (!size)
        return 0;
    int value = (int)jpeg_bits_peek(bits, size);
    jpeg_bits_drop(bits, size);
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
}

/* Reads a symbol of any length. -1: these bits are no code. At least 16 bits must be loaded. */
static inline __attribute__((always_inline)) int jpeg_bits_symbol(struct jpeg_bits *bits,
                                                                  const struct jpeg_code *code)
{
    unsigned peeked = code->lengths[jpeg_bits_peek(bits, JPEG_PEEK_BITS)];
    if (peeked) {
        jpeg_bits_drop(bits, peeked >> 8);
        return (int)(peeked & 0xFF);
    }
    unsigned front = jpeg_bits_peek(bits, 16), length = JPEG_PEEK_BITS + 1;
    while (length <= 16 && front >= code->limit[length])
        length++;
    if (length > 16)
        return -1;
    jpeg_bits_drop(bits, length);
    return code->symbols[(int32_t)(front >> (16 - length)) + code->offset[length]];
}

/* Reads the difference of a DC coefficient to the previous block's and adds it to *dc. False: the
 * data are damaged. At least 56 bits must be loaded. */
static inline __attribute__((always_inline)) bool
jpeg_bits_dc(struct jpeg_bits *bits, const struct jpeg_code *code, int *dc)
{
    int size = jpeg_bits_symbol(bits, code);
    if (size < 0 || size > 11)
        return false;
    *dc += jpeg_bits_value(bits, (unsigned)size);
    return *dc >= -32768 && *dc <= 32767;
}

/* The marker that follows, if all bits before it have been read; otherwise 0. */
static inline int jpeg_bits_marker(struct jpeg_bits *bits)
{
    jpeg_bits_refill(bits);
    bool read = bits->padding && bits->count >= bits->padding && bits->count - bits->padding < 8;
    return read && bits->end - bits->next >= 2 && bits->next[0] == 0xFF ? bits->next[1] : 0;
}

/* Reads restart marker `number`, counted from 0 in a scan. False: something else follows. */
static inline bool jpeg_bits_restart(struct jpeg_bits *bits, unsigned number)
{
    if (jpeg_bits_marker(bits) != JPEG_MARKER_RST0 + (int)(number % 8))
        return false;
    *bits = (struct jpeg_bits){.next = bits->next + 2, .end = bits->end};
    return true;
}

#endif
