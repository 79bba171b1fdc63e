/* SPDX-License-Identifier: MIT */
/* name_set: SipHash, which of many names are in the set already, and how often. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "name_set.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Test vectors of the reference implementation: key 00..0f, input 00..size-1. */
static void test_siphash(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint64_t hash;
    } vectors[] = {{0, UINT64_C(0x726fdb47dd0e0e31)},
                   {1, UINT64_C(0x74f839c593dc67fd)},
                   {8, UINT64_C(0x93f5f5799a932462)},
                   {15, UINT64_C(0xa129ca6149be45e5)}};
    const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    uint8_t input[16];
    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (uint8_t)i;
    for (size_t i = 0; i < COUNT(vectors); i++)
        assert_true(name_set_siphash(key, input, vectors[i].size) == vectors[i].hash);
}

/* Every third name is added a second time: only those names are in the set already. */
static void test_set_of_many_names(void **state)
{
    (void)state;
    const uint64_t key[2] = {1, 2};
    struct name_set set;
    name_set_init(&set, key);
    for (int i = 0; i < 100000; i++) {
        char name[64];
        bool added;
        snprintf(name, sizeof name, "photos/%d/img_%06d.jpg", i % 97, i);
        assert_int_equal(name_set_add(&set, name, &added, NULL), 0);
        assert_true(added);
        if (i % 3 == 0) {
            snprintf(name, sizeof name, "photos/%d/img_%06d.jpg", i / 3 % 97, i / 3);
            assert_int_equal(name_set_add(&set, name, &added, NULL), 0);
            assert_false(added);
        }
    }
    assert_int_equal(set.count, 100000);
    assert_true(set.capacity * 3 / 4 >= set.count && set.capacity * 3 / 8 <= set.count);
    name_set_release(&set);
}

static void expect_count(struct name_set *set, const char *name, uint64_t wanted)
{
    uint64_t before = 99;
    assert_int_equal(name_set_count(set, name, &before, NULL), 0);
    assert_int_equal(before, wanted);
}

/* One name a hundred thousand times, between others that occur less often or look like numbered
 * ones. Every number is right, so no search ends a step too early or too late. */
static void test_count_of_repeated_names(void **state)
{
    (void)state;
    struct name_set set;
    assert_int_equal(name_set_init_random(&set, NULL), 0);
    for (uint64_t i = 0; i < 100000; i++) {
        char name[32];
        expect_count(&set, "often", i);
        if (i % 100 == 0)
            expect_count(&set, "seldom", i / 100);
        snprintf(name, sizeof name, "%d/often", (int)i);
        if (i % 7 == 0)
            expect_count(&set, name, 0);
    }
    expect_count(&set, "", 0);
    expect_count(&set, "", 1);
    expect_count(&set, "0/", 0);
    expect_count(&set, "0/often", 1);
    name_set_release(&set);
}

/* Names that differ only at the end of the longest possible path. */
static void test_count_of_long_names(void **state)
{
    (void)state;
    struct name_set set;
    char name[PATH_MAX];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(name_set_init_random(&set, NULL), 0);
    for (uint64_t i = 0; i < 12; i++) {
        name[sizeof name - 2] = 'x';
        expect_count(&set, name, i);
        name[sizeof name - 2] = 'y';
        expect_count(&set, name, i);
    }
    name_set_release(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_siphash),
        cmocka_unit_test(test_set_of_many_names),
        cmocka_unit_test(test_count_of_repeated_names),
        cmocka_unit_test(test_count_of_long_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
