/* The parts of a progressive JPEG: what is left out and what stays, and that no damage leads
 * astray. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "jpeg_parts.h"

#define SOS(first) 0xFF, 0xDA, 0, 8, 1, 1, 0, first, 63, 0
#define DHT        0xFF, 0xC4, 0, 4, 0xFF, 0xDA /* a segment may hold what looks like a marker */
#define DATA       1, 0xFF, 0, 2, 0xFF, 0xD3, 3, 0xFF, 0xFF, 0xD0, 4 /* stuffing, restarts, fill */
#define EOI        0xFF, 0xD9

static void put_all(struct jpeg_parts *parts, struct buf *out)
{
    const uint8_t *part;
    size_t size;
    while (jpeg_parts_next(parts, &part, &size)) {
        assert_true(size > 0);
        assert_true(part >= parts->bytes && part + size <= parts->bytes + parts->size);
        buf_put(out, part, size);
    }
}

static const uint8_t whole[] = {DATA, DHT,    SOS(1), DATA,   SOS(5), DATA,
                                DHT,  SOS(0), DATA,   SOS(1), DATA,   EOI};

static void test_details_are_left_out(void **state)
{
    (void)state;
    static const uint8_t wanted[] = {DATA, DHT, DHT, SOS(0), DATA, EOI};
    struct jpeg_parts parts = {.bytes = whole, .size = sizeof whole};
    struct buf out = BUF_INIT;
    put_all(&parts, &out);
    assert_int_equal(out.size, sizeof wanted);
    assert_memory_equal(out.data, wanted, sizeof wanted);
    assert_int_equal(parts.skipped, 3);
    buf_release(&out);
}

static void test_nothing_to_leave_out(void **state)
{
    (void)state;
    static const uint8_t plain[] = {DATA, EOI};
    struct jpeg_parts parts = {.bytes = plain, .size = sizeof plain};
    struct buf out = BUF_INIT;
    put_all(&parts, &out);
    assert_int_equal(out.size, sizeof plain);
    assert_int_equal(parts.skipped, 0);
    buf_release(&out);
}

/* Cut anywhere, in memory that ends there. */
static void test_cut(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof whole; size++) {
        uint8_t *bytes = malloc(size + 1); /* one more, for 0 is no size */
        assert_non_null(bytes);
        memcpy(bytes + 1, whole, size);
        struct jpeg_parts parts = {.bytes = bytes + 1, .size = size};
        struct buf out = BUF_INIT;
        put_all(&parts, &out);
        assert_true(out.size <= size);
        buf_release(&out);
        free(bytes);
    }
}

/* Any bytes at all: it ends, and stays inside. */
static void test_noise(void **state)
{
    (void)state;
    static const uint8_t likely[] = {0xFF, 0xFF, 0xDA, 0xD9, 0xC4, 0xD0, 0, 1, 8, 255};
    uint64_t random = 1;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        for (size_t i = 0; i < sizeof bytes; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
            bytes[i] = likely[(random >> 33) % sizeof likely];
        }
        struct jpeg_parts parts = {.bytes = bytes, .size = sizeof bytes};
        struct buf out = BUF_INIT;
        put_all(&parts, &out);
        assert_true(out.size <= sizeof bytes);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_details_are_left_out),
        cmocka_unit_test(test_nothing_to_leave_out),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
