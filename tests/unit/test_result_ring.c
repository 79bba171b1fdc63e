/* SPDX-License-Identifier: MIT */
/* result_ring: entries come out as they went in, also across the end of the ring and with a
 * concurrent writer and reader. A reader never reads outside a ring that was overwritten. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "result_ring.h"

static struct result_ring *ring;

static int setup(void **state)
{
    (void)state;
    ring = aligned_alloc(64, sizeof *ring);
    if (ring)
        result_ring_reset(ring);
    return ring ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    free(ring);
    return 0;
}

static void put_and_take(void **state)
{
    (void)state;
    size_t size;
    assert_null(result_ring_peek(ring, &size));
    assert_int_equal(size, 0);
    assert_true(result_ring_put(ring, "", 0));
    assert_true(result_ring_put(ring, "four", 4));
    assert_non_null(result_ring_peek(ring, &size));
    assert_int_equal(size, 0);
    result_ring_drop(ring);
    const void *bytes = result_ring_peek(ring, &size);
    assert_int_equal(size, 4);
    assert_memory_equal(bytes, "four", 4);
    assert_ptr_equal(result_ring_peek(ring, &size), bytes); /* until it is dropped */
    result_ring_drop(ring);
    assert_null(result_ring_peek(ring, &size));
}

static void full_and_too_large(void **state)
{
    (void)state;
    static uint8_t large[RESULT_RING_BYTES];
    size_t size;
    assert_false(result_ring_put(ring, large, RESULT_RING_BYTES / 2 + 1));
    assert_true(result_ring_put(ring, large, RESULT_RING_BYTES / 2 - 8));
    assert_true(result_ring_put(ring, large, RESULT_RING_BYTES / 2 - 8));
    assert_false(result_ring_put(ring, "", 0));
    assert_non_null(result_ring_peek(ring, &size));
    result_ring_drop(ring);
    assert_true(result_ring_put(ring, "", 0));
}

/* Entry sizes that leave every possible gap at the end of the ring. */
static void *write_all(void *count)
{
    uint8_t bytes[3000];
    for (uint32_t i = 0; i < *(uint32_t *)count; i++) {
        size_t size = i * 37 % sizeof bytes;
        memset(bytes, (int)(i & 255), size);
        while (!result_ring_put(ring, bytes, size))
            sched_yield();
    }
    return NULL;
}

static void concurrent_writer_and_reader(void **state)
{
    (void)state;
    uint32_t count = 200000;
    pthread_t writer;
    atomic_store(&ring->written, UINT32_MAX - 4095); /* the counters overflow soon */
    atomic_store(&ring->read, UINT32_MAX - 4095);
    assert_int_equal(pthread_create(&writer, NULL, write_all, &count), 0);
    for (uint32_t i = 0; i < count; i++) {
        size_t size;
        const uint8_t *bytes;
        while (!(bytes = result_ring_peek(ring, &size)))
            sched_yield();
        assert_int_equal(size, i * 37 % 3000);
        if (size)
            assert_true(bytes[0] == (i & 255) && bytes[size - 1] == (i & 255));
        result_ring_drop(ring);
    }
    pthread_join(writer, NULL);
}

/* Whatever a faulty job writes into the ring, the agent reads nothing outside it. */
static void overwritten_ring(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < 64; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            ring->bytes[random >> 48] = (uint8_t)(random >> 40);
        }
        atomic_store(&ring->written, (uint32_t)(random >> 20));
        atomic_store(&ring->read, (uint32_t)(random >> 24) & ~7u);
        size_t size;
        const uint8_t *bytes = result_ring_peek(ring, &size);
        if (bytes)
            assert_true(bytes >= ring->bytes && bytes + size <= ring->bytes + RESULT_RING_BYTES);
        else
            assert_true(size == 0 || size == SIZE_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(put_and_take, setup, teardown),
        cmocka_unit_test_setup_teardown(full_and_too_large, setup, teardown),
        cmocka_unit_test_setup_teardown(concurrent_writer_and_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(overwritten_ring, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
