/* SPDX-License-Identifier: MIT */
/* Reads the Huffman coded data of a JPEG: see jpeg_huffman.h. */
#include "jpeg_huffman.h"

/* ---- Bits ---- */

struct jpeg_bits jpeg_bits_refilled_slowly(struct jpeg_bits bits)
{
    while (bits.count < 56) {
        bool available = bits.next < bits.end;
        bool stuffed =
            available && *bits.next == 0xFF && bits.end - bits.next > 1 && bits.next[1] == 0;
        if (available && (*bits.next != 0xFF || stuffed)) {
            bits.bits |= (uint64_t)*bits.next << (56 - bits.count);
            bits.next += stuffed ? 2 : 1;
        } else {
            bits.padding += 8;
        }
        bits.count += 8;
    }
    return bits;
}

/* ---- Codes ---- */

/* Fills `lengths`, `limit` and `offset`. False: not a Huffman code. */
static bool make_lengths(struct jpeg_code *code)
{
    uint32_t next = 0;
    int32_t index = 0;
    memset(code->lengths, 0, sizeof code->lengths);
    for (unsigned length = 1; length <= 16; length++) {
        code->offset[length] = index - (int32_t)next;
        for (unsigned i = 0; i < code->counts[length]; i++, index++, next++) {
            if (index > 255 || next >= 1u << length)
                return false;
            unsigned free = JPEG_PEEK_BITS - length;
            for (unsigned j = 0; length <= JPEG_PEEK_BITS && j < 1u << free; j++)
                code->lengths[next << free | j] = (uint16_t)(length << 8 | code->symbols[index]);
        }
        code->limit[length] = next << (16 - length);
        next <<= 1;
    }
    return true;
}

/* The AC symbol at the front of JPEG_PEEK_BITS bits, if it and its value fit into them. */
static struct jpeg_symbol symbol_of(const struct jpeg_code *code, unsigned peeked)
{
    unsigned length = code->lengths[peeked] >> 8, symbol = code->lengths[peeked] & 0xFF;
    unsigned run = symbol >> 4, size = symbol & 15;
    struct jpeg_bits bits = {.bits = (uint64_t)peeked << (64 - JPEG_PEEK_BITS), .count = 64};
    if (!length || length + size > JPEG_PEEK_BITS)
        return (struct jpeg_symbol){0};
    jpeg_bits_drop(&bits, length);
    return (struct jpeg_symbol){.bits = (uint8_t)(length + size),
                                .advance = (uint8_t)(size || run == 15 ? run + 1 : JPEG_BLOCK_END),
                                .value = (int16_t)jpeg_bits_value(&bits, size)};
}

/* The AC symbols that fit into JPEG_SKIP_BITS bits. */
static jpeg_skip skip_of(const struct jpeg_code *code, unsigned front)
{
    unsigned bits = 0, advance = 0;
    while (advance < JPEG_BLOCK_END) {
        unsigned peeked = (front << bits & (JPEG_SKIPS - 1)) >> (JPEG_SKIP_BITS - JPEG_PEEK_BITS);
        struct jpeg_symbol symbol = code->peeks[peeked];
        unsigned next = advance + symbol.advance;
        if (!symbol.bits || bits + symbol.bits > JPEG_SKIP_BITS ||
            (next > 63 && next < JPEG_BLOCK_END))
            break;
        bits += symbol.bits;
        advance = next;
    }
    return bits ? (jpeg_skip)(advance << JPEG_SKIP_ADVANCE | bits) : JPEG_SKIP_NONE;
}

bool jpeg_code_prepare(struct jpeg_code *code, const uint8_t counts[17], const uint8_t symbols[256],
                       bool ac)
{
    if (code->valid && !memcmp(code->counts + 1, counts + 1, 16) &&
        !memcmp(code->symbols, symbols, sizeof code->symbols))
        return true;
    memcpy(code->counts, counts, sizeof code->counts);
    memcpy(code->symbols, symbols, sizeof code->symbols);
    code->valid = make_lengths(code);
    for (unsigned peeked = 0; ac && code->valid && peeked < JPEG_PEEKS; peeked++)
        code->peeks[peeked] = symbol_of(code, peeked);
    for (unsigned front = 0; ac && code->valid && front < JPEG_SKIPS; front++)
        code->skips[front] = skip_of(code, front);
    return code->valid;
}
