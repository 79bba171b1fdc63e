/* SPDX-License-Identifier: MIT */
/* stage_plan: groups of results in their order, and keys that go by the results alone. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include <cmocka.h>

#include "stage_plan.h"
#include "temporary_directory.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Result number i: inline or spooled, its checksum goes by i. */
static struct result_ref ref_of(uint32_t i, const char text[12])
{
    if (i % 3 == 0)
        return (struct result_ref){.place = RESULT_INLINE, .bytes = {text, strlen(text)}};
    return (struct result_ref){.place = RESULT_SPOOLED,
                               .run = 1,
                               .rank = i % 5,
                               .slot = i % 2,
                               .offset = UINT64_C(1000) * i,
                               .size = 2000,
                               .xxh3 = i};
}

static void add_results(struct stage_plan *plan, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char text[12];
        snprintf(text, sizeof text, "%u", i);
        struct result_ref ref = ref_of(i, text);
        assert_int_equal(stage_plan_add(plan, "run/spool", &ref, NULL), 0);
    }
}

/* Checks the members of a task: the results from number `first` on. */
static void expect_members(const struct task_order *order, uint32_t first, uint32_t count)
{
    struct reader from = reader_over(order->members.data, order->members.size);
    assert_int_equal(order->member_count, count);
    for (uint32_t i = first; i < first + count; i++) {
        char text[12];
        struct result_ref found;
        snprintf(text, sizeof text, "%u", i);
        struct result_ref wanted = ref_of(i, text);
        result_ref_get(&from, &found);
        if (found.place != wanted.place || found.bytes.size != wanted.bytes.size ||
            found.rank != wanted.rank || found.slot != wanted.slot || found.run != wanted.run ||
            found.offset != wanted.offset || found.size != wanted.size || found.xxh3 != wanted.xxh3)
            fail_msg("result %u", i);
        if (wanted.bytes.size)
            assert_memory_equal(found.bytes.data, wanted.bytes.data, wanted.bytes.size);
    }
    assert_true(!from.failed && from.next == from.end);
}

/* Makes all tasks of `count` results. */
static void check_groups(size_t group, uint32_t count)
{
    const struct mpb_stage stage = {.name = "merge", .group = group};
    struct stage_plan plan = {0};
    struct task_order order = {.identity.stage = 1};
    bool made;
    add_results(&plan, count);
    for (uint32_t first = 0; first < count; first += (uint32_t)(group ? group : count)) {
        uint32_t left = count - first;
        assert_int_equal(stage_plan_next(&plan, &stage, &order, &made, NULL), 0);
        assert_true(made);
        expect_members(&order, first, group && group < left ? (uint32_t)group : left);
        assert_int_equal(strncmp(order.identity.key, "merge ", 6), 0);
        assert_int_equal(order.identity.stage, 1);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stage_plan_next(&plan, &stage, &order, &made, NULL), 0);
        assert_false(made);
    }
    stage_plan_release(&plan);
    stage_plan_release(&plan);
}

static void groups(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 3, 16, 1000, SIZE_MAX, 0};
    static const uint32_t counts[] = {0, 1, 15, 16, 17, 48, 100};
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (size_t k = 0; k < COUNT(counts); k++)
            check_groups(sizes[i], counts[k]);
    assert_int_equal(scratch_count("run/spool"), 0); /* the file has no name */
}

static void a_million_results(void **state)
{
    (void)state;
    check_groups(0, 1000000);
    check_groups(16, 1000000);
}

/* ---- Keys ---- */

static struct result_ref inline_ref(const char *text)
{
    return (struct result_ref){.place = RESULT_INLINE, .bytes = {text, strlen(text)}};
}

static struct result_ref spooled_ref(const char *text, uint32_t slot)
{
    return (struct result_ref){.place = RESULT_SPOOLED,
                               .run = slot,
                               .rank = slot,
                               .slot = slot,
                               .offset = slot,
                               .size = strlen(text),
                               .xxh3 = XXH3_64bits(text, strlen(text))};
}

/* The key of the task that is made of all these results. */
static const char *key_of(const char *stage_name, size_t count, const struct result_ref *refs)
{
    static char key[64];
    const struct mpb_stage stage = {.name = stage_name};
    struct stage_plan plan = {0};
    struct task_order order = {0};
    bool made;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(stage_plan_add(&plan, ".", &refs[i], NULL), 0);
    assert_int_equal(stage_plan_next(&plan, &stage, &order, &made, NULL), 0);
    snprintf(key, sizeof key, "%s", order.identity.key);
    stage_plan_release(&plan);
    return key;
}

static void keys_go_by_the_results(void **state)
{
    (void)state;
    char first[64];
    const struct result_ref ab[] = {inline_ref("a"), inline_ref("b")};
    const struct result_ref same[] = {spooled_ref("a", 1), spooled_ref("b", 7)};
    const struct result_ref ba[] = {inline_ref("b"), inline_ref("a")};
    const struct result_ref abb[] = {inline_ref("a"), inline_ref("b"), inline_ref("b")};
    const struct result_ref none[] = {inline_ref(""), inline_ref("")};
    snprintf(first, sizeof first, "%s", key_of("merge", 2, ab));
    assert_int_equal(strlen(first), strlen("merge ") + 32);
    assert_int_equal(strspn(first + 6, "0123456789abcdef"), 32);
    assert_string_equal(key_of("merge", 2, ab), first);
    assert_string_equal(key_of("merge", 2, same), first);
    assert_string_not_equal(key_of("merge", 2, ba), first);
    assert_string_not_equal(key_of("merge", 1, ab), first);
    assert_string_not_equal(key_of("merge", 3, abb), first);
    assert_string_not_equal(key_of("sum", 2, ab), first);
    snprintf(first, sizeof first, "%s", key_of("merge", 1, none));
    assert_string_not_equal(key_of("merge", 2, none), first); /* empty results count, too */
    assert_int_equal(strlen(key_of("a stage whose name is far too long", 1, ab)), 20 + 1 + 32);
    /* Keys are stored in journals: this one must stay what it is. */
    const struct result_ref fixed[] = {spooled_ref("a", 1), {.place = RESULT_SPOOLED, .xxh3 = 1}};
    assert_string_equal(key_of("merge", 2, fixed), "merge 6aaf8c552f7b95d5dd461f4b16dadec1");
}

static void a_directory_that_cannot_be_used(void **state)
{
    (void)state;
    struct stage_plan plan = {0};
    const struct result_ref ref = {.place = RESULT_NONE};
    struct mpp_error error = {""};
    scratch_write("file", "");
    assert_int_equal(stage_plan_add(&plan, "file/spool", &ref, &error), -1);
    assert_non_null(strstr(error.text, "file"));
    char path[5000];
    memset(path, 'd', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(stage_plan_add(&plan, path, &ref, &error), -1);
    assert_non_null(strstr(error.text, "': File name too long"));
    stage_plan_release(&plan);
}

/* A reason that another call left in errno is not named. */
static void a_file_that_is_cut_off(void **state)
{
    (void)state;
    static const off_t sizes[] = {0, 3, 4, 6};
    const struct mpb_stage stage = {.name = "merge"};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct stage_plan plan = {0};
        struct task_order order = {0};
        struct mpp_error error = {""};
        bool made;
        add_results(&plan, 1);
        assert_int_equal(fflush(plan.file), 0);
        assert_int_equal(ftruncate(fileno(plan.file), sizes[i]), 0);
        errno = EIO;
        assert_int_equal(stage_plan_next(&plan, &stage, &order, &made, &error), -1);
        assert_string_equal(error.text, "a file in the spool directory was cut off");
        stage_plan_release(&plan);
    }
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(groups),
        IN_SCRATCH(a_million_results),
        IN_SCRATCH(keys_go_by_the_results),
        IN_SCRATCH(a_directory_that_cannot_be_used),
        IN_SCRATCH(a_file_that_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
