/* SPDX-License-Identifier: MIT */
/* References to results: see result_ref.h. Pure. */
#include "result_ref.h"

#include <xxhash.h>

void result_ref_put(struct buf *to, const struct result_ref *ref)
{
    buf_put_u8(to, (uint8_t)ref->place);
    if (ref->place == RESULT_INLINE) {
        buf_put_u32(to, (uint32_t)ref->bytes.size);
        buf_put(to, ref->bytes.data, ref->bytes.size);
    } else if (ref->place == RESULT_SPOOLED) {
        buf_put_u32(to, ref->run);
        buf_put_u32(to, ref->rank);
        buf_put_u32(to, ref->slot);
        buf_put_u64(to, ref->offset);
        buf_put_u64(to, ref->size);
        buf_put_u64(to, ref->xxh3);
    }
}

void result_ref_get(struct reader *from, struct result_ref *ref)
{
    uint8_t place = read_u8(from);
    *ref = (struct result_ref){.place = (enum result_place)place};
    if (place > RESULT_SPOOLED) {
        from->failed = true;
    } else if (place == RESULT_INLINE) {
        ref->bytes.size = read_u32(from);
        ref->bytes.data = read_bytes(from, ref->bytes.size);
    } else if (place == RESULT_SPOOLED) {
        ref->run = read_u32(from);
        ref->rank = read_u32(from);
        ref->slot = read_u32(from);
        ref->offset = read_u64(from);
        ref->size = read_u64(from);
        ref->xxh3 = read_u64(from);
    }
}

uint64_t result_ref_xxh3(const struct result_ref *ref)
{
    return ref->place == RESULT_SPOOLED ? ref->xxh3 : XXH3_64bits(ref->bytes.data, ref->bytes.size);
}
