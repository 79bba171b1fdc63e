/* SPDX-License-Identifier: MIT */
/* result_ref: what is encoded is decoded again, and nothing that is cut off or malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "result_ref.h"

static const struct result_ref examples[] = {
    {.place = RESULT_NONE},
    {.place = RESULT_INLINE, .bytes = {"", 0}},
    {.place = RESULT_INLINE, .bytes = {"a\0b", 3}},
    {.place = RESULT_SPOOLED,
     .run = UINT32_MAX,
     .rank = 2,
     .slot = 3,
     .offset = UINT64_C(1) << 40,
     .size = UINT64_MAX,
     .xxh3 = UINT64_C(0x0123456789abcdef)},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

static void expect_equal(const struct result_ref *a, const struct result_ref *b)
{
    assert_int_equal(a->place, b->place);
    assert_int_equal(a->bytes.size, b->bytes.size);
    if (a->bytes.size)
        assert_memory_equal(a->bytes.data, b->bytes.data, a->bytes.size);
    assert_int_equal(a->run, b->run);
    assert_int_equal(a->rank, b->rank);
    assert_int_equal(a->slot, b->slot);
    assert_int_equal(a->offset, b->offset);
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->xxh3, b->xxh3);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct buf bytes = BUF_INIT;
    for (size_t i = 0; i < EXAMPLES; i++)
        result_ref_put(&bytes, &examples[i]);
    assert_false(bytes.failed);
    struct reader reader = reader_over(bytes.data, bytes.size);
    for (size_t i = 0; i < EXAMPLES; i++) {
        struct result_ref found;
        result_ref_get(&reader, &found);
        assert_false(reader.failed);
        expect_equal(&found, &examples[i]);
    }
    assert_ptr_equal(reader.next, reader.end);
    buf_release(&bytes);
}

static void test_cut_off(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        struct buf bytes = BUF_INIT;
        result_ref_put(&bytes, &examples[i]);
        for (size_t size = 0; size < bytes.size; size++) {
            uint8_t *part = malloc(size + 1); /* of this size, so that ASan sees a read beyond */
            memcpy(part, bytes.data, size);
            struct reader reader = reader_over(part, size);
            struct result_ref found;
            result_ref_get(&reader, &found);
            assert_true(reader.failed);
            free(part);
        }
        buf_release(&bytes);
    }
}

static void test_unknown_place(void **state)
{
    (void)state;
    for (int place = RESULT_SPOOLED + 1; place < 256; place++) {
        uint8_t bytes[64] = {(uint8_t)place};
        struct reader reader = reader_over(bytes, sizeof bytes);
        struct result_ref found;
        result_ref_get(&reader, &found);
        assert_true(reader.failed);
    }
}

static void test_checksum(void **state)
{
    (void)state;
    assert_int_equal(result_ref_xxh3(&examples[1]), UINT64_C(0x2d06800538d394c2)); /* of nothing */
    assert_int_equal(result_ref_xxh3(&examples[3]), UINT64_C(0x0123456789abcdef));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_unknown_place),
        cmocka_unit_test(test_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
