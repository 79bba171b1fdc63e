/*
 * jpeg_bits: the entropy coded bits of a baseline JPEG, and its Huffman codes. Pure.
 *
 * Bits are kept left in a register and refilled eight bytes at a time. A table gives for the next
 * JPEG_PEEK_BITS bits a whole AC symbol with its value, or all the symbols among them.
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

enum { JPEG_PEEK_BITS = 11, JPEG_PEEKS = 1 << JPEG_PEEK_BITS, JPEG_BLOCK_ENDS = 128 };
enum { JPEG_FIRST_RESTART = 0xD0 };
enum {
    JPEG_SKIP_BITS = 11,
    JPEG_SKIPS = 1 << JPEG_SKIP_BITS,
    JPEG_SKIP_ADVANCE = 8,
    JPEG_SKIP_NONE = 64 << 8
};

struct jpeg_bits {
    const uint8_t *next, *end;
    uint64_t bits;    /* the next one is the highest */
    unsigned count;   /* of those, some of which are */
    unsigned made_up; /* zeros behind the last real one */
};

/* One AC symbol. */
struct jpeg_symbol {
    uint8_t bits;    /* with those of its value; 0: more than JPEG_PEEK_BITS */
    uint8_t advance; /* coefficients; JPEG_BLOCK_ENDS: no more are in this block. */
    int16_t value;   /* of the last one */
};

/* All AC symbols that are whole in JPEG_SKIP_BITS, as advance << JPEG_SKIP_ADVANCE | bits; where
 * the last ends the block, JPEG_BLOCK_ENDS is added to advance. JPEG_SKIP_NONE: not one is whole.
 */
typedef uint16_t jpeg_skip;

struct jpeg_code {
    uint8_t counts[17], symbols[256]; /* as the file has it: how many of each length; in order */
    bool made;
    uint32_t limit[18];           /* first code behind those of this length, left in 16 bits */
    int32_t offset[17];           /* from a code of this length to its symbol */
    uint16_t lengths[JPEG_PEEKS]; /* of the code at the front << 8 | its symbol; 0: longer */
    struct jpeg_symbol peeks[JPEG_PEEKS];
    jpeg_skip skips[JPEG_SKIPS];
};

/* Makes the tables, those of AC symbols only when asked for, unless they are of this code already.
 * False: it is no code. */
bool jpeg_code_prepare(struct jpeg_code *code, const uint8_t counts[17], const uint8_t symbols[256],
                       bool ac);

struct jpeg_bits jpeg_bits_refilled_slowly(struct jpeg_bits bits);

/* At least 56 bits are there after it, made up where the data end. The slow way gets a copy, so
 * that the fields of a local struct may stay in registers. */
static inline __attribute__((always_inline)) void jpeg_bits_refill(struct jpeg_bits *bits)
{
    if (bits->end - bits->next >= 8) {
        uint64_t next;
        memcpy(&next, bits->next, sizeof next);
        /* Is one of the bytes 0xFF? Then it may be a marker. */
        if (!((~next - UINT64_C(0x0101010101010101)) & next & UINT64_C(0x8080808080808080))) {
            bits->bits |= be64toh(next) >> bits->count;
            bits->next += (63 - bits->count) >> 3;
            bits->count |= 56;
            return;
        }
    }
    struct jpeg_bits copy = {bits->next, bits->end, bits->bits, bits->count, bits->made_up};
    copy = jpeg_bits_refilled_slowly(copy);
    bits->next = copy.next;
    bits->bits = copy.bits;
    bits->count = copy.count;
    bits->made_up = copy.made_up;
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

/* The number behind a symbol that says it has `size` bits, 0 to 15. */
static inline __attribute__((always_inline)) int jpeg_bits_value(struct jpeg_bits *bits,
                                                                 unsigned size)
{
    if (!size)
        return 0;
    int value = (int)jpeg_bits_peek(bits, size);
    jpeg_bits_drop(bits, size);
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
}

/* A symbol, whatever its length; -1: there is no such code. 16 bits must be there. */
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

/* The difference of a mean from the one before, added to it. False: damage. 56 bits must be there.
 */
static inline __attribute__((always_inline)) bool
jpeg_bits_mean(struct jpeg_bits *bits, const struct jpeg_code *code, int *mean)
{
    int size = jpeg_bits_symbol(bits, code);
    if (size < 0 || size > 11)
        return false;
    *mean += jpeg_bits_value(bits, (unsigned)size);
    return *mean >= -32768 && *mean <= 32767;
}

/* The marker that ends the data when they have all been read; 0: they have not, or there is none.
 */
static inline int jpeg_bits_marker(struct jpeg_bits *bits)
{
    jpeg_bits_refill(bits);
    bool read = bits->made_up && bits->count >= bits->made_up && bits->count - bits->made_up < 8;
    return read && bits->end - bits->next >= 2 && bits->next[0] == 0xFF ? bits->next[1] : 0;
}

/* Takes the marker of the restart with this number, counted from 0. False: it is not there. */
static inline bool jpeg_bits_restart(struct jpeg_bits *bits, unsigned number)
{
    if (jpeg_bits_marker(bits) != JPEG_FIRST_RESTART + (int)(number % 8))
        return false;
    *bits = (struct jpeg_bits){.next = bits->next + 2, .end = bits->end};
    return true;
}

#endif
