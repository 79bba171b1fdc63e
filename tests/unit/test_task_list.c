/* SPDX-License-Identifier: MIT */
/* task_list: the order of tasks, and the memory that small tasks share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "task_list.h"

static void append(struct task_list *list, struct task_slab **slab, uint64_t id, uint32_t size)
{
    unsigned char *payload = malloc(size + 1);
    assert_non_null(payload);
    memset(payload, (int)id, size + 1);
    struct agent_task *task = agent_task_new(
        slab, &(struct message_task){.id = id, .dispatch = 1, .size = size, .payload = payload});
    free(payload);
    assert_non_null(task);
    task_list_append(list, task);
}

/* Takes all tasks and checks that they have these ids, in this order, and their payloads. `ids`
 * ends with 0. */
static void take_all(struct task_list *list, const uint64_t *ids)
{
    for (; *ids; ids++) {
        struct agent_task *task = task_list_take(list);
        assert_non_null(task);
        assert_int_equal(task->id, *ids);
        for (uint32_t i = 0; i < task->size; i++)
            assert_int_equal(task->payload[i], (unsigned char)*ids);
        agent_task_free(task);
    }
    assert_null(task_list_take(list));
    assert_int_equal(list->count, 0);
}

static void test_order(void **state)
{
    (void)state;
    struct task_list list, other;
    struct task_slab *slab = NULL;
    task_list_init(&list);
    task_list_init(&other);
    for (uint64_t id = 1; id <= 9; id++)
        append(&list, &slab, id, 10);
    assert_null(task_list_take_id(&list, 77));
    agent_task_free(task_list_take_id(&list, 1));
    agent_task_free(task_list_take_id(&list, 9));
    agent_task_free(task_list_take_id(&list, 5));
    append(&list, &slab, 10, 10); /* after the last task was removed */
    append(&other, &slab, 11, 10);
    task_list_move_tail(&list, 3, &other);
    take_all(&other, (const uint64_t[]){7, 8, 10, 11, 0});
    task_list_move_tail(&list, 99, &other);
    take_all(&list, (const uint64_t[]){0});
    take_all(&other, (const uint64_t[]){2, 3, 4, 6, 0});
    task_slab_close(slab);
}

/* Tasks of all sizes are freed in another order than they were made, and after their slab was
 * closed. The sanitizers check this too. */
static void test_slabs(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, 15, 16, 17, 4000, 4100, 16384, 100000};
    enum { SIZES = sizeof sizes / sizeof *sizes, TASKS = 20 * SIZES };
    struct task_list list;
    struct task_slab *slab = NULL;
    task_list_init(&list);
    for (unsigned i = 0; i < TASKS; i++)
        append(&list, &slab, i + 1, sizes[i % SIZES]);
    task_slab_close(slab);
    for (uint64_t id = TASKS; id; id -= 2)
        agent_task_free(task_list_take_id(&list, id));
    uint64_t odd[TASKS / 2 + 1] = {0};
    for (uint64_t i = 0; i < TASKS / 2; i++)
        odd[i] = 2 * i + 1;
    take_all(&list, odd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_slabs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
