/* SPDX-License-Identifier: MIT */
/* Messages: encoding and decoding, truncation at every byte, wrong counts, random bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "message.h"

static void put_sample(struct buf *out, int which)
{
    struct message_list list;
    switch (which) {
    case 0:
        message_put_hello(out, &(struct message_hello){.build = UINT64_C(1) << 50,
                                                       .workers = 64,
                                                       .clock_ns = -7,
                                                       .polls_host = true,
                                                       .host = "node-17"});
        break;
    case 1:
        list = message_begin_tasks(out);
        for (uint32_t i = 0; i < 3; i++)
            message_put_task(&list, &(struct message_task){.id = UINT64_C(1) << (20 * i),
                                                           .dispatch = i + 1,
                                                           .job = 7 * i,
                                                           .size = i * 3,
                                                           .payload = "abcdefgh"});
        message_end(&list);
        break;
    case 2:
        list = message_begin_done(out, 5);
        for (uint32_t i = 0; i < 3; i++)
            message_put_result(&list, &(struct message_result){.id = UINT64_C(3) << (20 * i),
                                                               .dispatch = i,
                                                               .status = (enum task_status)i,
                                                               .signal = 11 * i,
                                                               .pid = 4000000000u + i,
                                                               .run_ns = UINT64_C(1) << 40,
                                                               .ended_ns = INT64_MIN + i,
                                                               .worker = (uint16_t)(1021 + i),
                                                               .size = 2 * i,
                                                               .data = "xyzt"});
        message_end(&list);
        break;
    case 3:
        list = message_begin_moved(out, 9);
        message_put_moved(&list, UINT64_MAX, 3);
        message_put_moved(&list, 1, 4);
        message_end(&list);
        break;
    case 4:
        message_put_steal(out, &(struct message_steal){.thief = 65535, .count = 12});
        break;
    case 5:
        message_put_stop(out, true);
        break;
    case 6:
        message_put_want(out);
        break;
    case 7:
        message_put_bye(out);
        break;
    case 8:
        message_put_running(out, UINT64_C(7) << 33, 2);
        break;
    case 9:
        message_put_cancel(out, UINT64_C(5) << 40);
        break;
    case 10:
        message_put_broken(out, "no licence");
        break;
    case 11:
        message_put_ping(out);
        break;
    case 12:
        message_put_clock(out, -(INT64_C(9) << 50));
        break;
    }
}

enum { SAMPLES = 13 };

/* Decodes a message as its receiver does. -1: malformed. */
static int read_whole(const void *bytes, size_t size)
{
    struct reader fields;
    uint32_t count, other;
    struct message_hello hello;
    struct message_task task;
    struct message_result result;
    struct message_steal steal;
    uint64_t id;
    int64_t clock_ns;
    bool discard;
    const char *text;
    switch (message_open(bytes, size, &fields)) {
    case MESSAGE_BAD:
        return -1;
    case MESSAGE_HELLO:
        return message_get_hello(&fields, &hello);
    case MESSAGE_TASKS:
        if (message_get_tasks(&fields, &count))
            return -1;
        for (uint32_t i = 0; i < count; i++)
            if (message_get_task(&fields, &task))
                return -1;
        return 0;
    case MESSAGE_DONE:
        if (message_get_done(&fields, &other, &discard, &count))
            return -1;
        for (uint32_t i = 0; i < count; i++)
            if (message_get_result(&fields, &result))
                return -1;
        return 0;
    case MESSAGE_MOVED:
        if (message_get_moved(&fields, &other, &count))
            return -1;
        for (uint32_t i = 0; i < count; i++)
            if (message_get_moved_task(&fields, &id, &other))
                return -1;
        return 0;
    case MESSAGE_STEAL:
        return message_get_steal(&fields, &steal);
    case MESSAGE_STOP:
        return message_get_stop(&fields, &discard);
    case MESSAGE_RUNNING:
        return message_get_running(&fields, &id, &other);
    case MESSAGE_CANCEL:
        return message_get_cancel(&fields, &id);
    case MESSAGE_BROKEN:
        return message_get_broken(&fields, &text, &other);
    case MESSAGE_LOST:
        return message_get_lost(&fields, &other);
    case MESSAGE_CLOCK:
        return message_get_clock(&fields, &clock_ns);
    case MESSAGE_PING:
    case MESSAGE_END:
    case MESSAGE_WANT:
    case MESSAGE_BYE:
        return 0;
    }
    return -1;
}

static void round_trips(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    struct reader fields;
    struct message_hello hello;
    put_sample(&out, 0);
    assert_int_equal(message_open(out.data, out.size, &fields), MESSAGE_HELLO);
    assert_int_equal(message_get_hello(&fields, &hello), 0);
    assert_true(hello.build == UINT64_C(1) << 50);
    assert_int_equal(hello.workers, 64);
    assert_true(hello.clock_ns == -7);
    assert_true(hello.polls_host);
    assert_string_equal(hello.host, "node-17");

    buf_clear(&out);
    put_sample(&out, 1);
    uint32_t count, other;
    bool wants;
    assert_int_equal(message_open(out.data, out.size, &fields), MESSAGE_TASKS);
    assert_int_equal(message_get_tasks(&fields, &count), 0);
    assert_int_equal(count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        struct message_task task;
        assert_int_equal(message_get_task(&fields, &task), 0);
        assert_true(task.id == UINT64_C(1) << (20 * i) && task.dispatch == i + 1 &&
                    task.job == 7 * i && task.size == i * 3);
        assert_memory_equal(task.payload, "abcdefgh", i * 3);
    }
    assert_true(fields.next == fields.end);

    buf_clear(&out);
    put_sample(&out, 2);
    assert_int_equal(message_open(out.data, out.size, &fields), MESSAGE_DONE);
    assert_int_equal(message_get_done(&fields, &other, &wants, &count), 0);
    assert_int_equal(other, 5);
    assert_int_equal(count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        struct message_result result;
        assert_int_equal(message_get_result(&fields, &result), 0);
        assert_true(result.id == UINT64_C(3) << (20 * i) && result.dispatch == i &&
                    result.status == (enum task_status)i && result.signal == 11 * i &&
                    result.pid == 4000000000u + i && result.run_ns == UINT64_C(1) << 40 &&
                    result.ended_ns == INT64_MIN + i && result.worker == 1021 + i &&
                    result.size == 2 * i);
        assert_memory_equal(result.data, "xyzt", 2 * i);
    }

    buf_clear(&out);
    put_sample(&out, 3);
    uint64_t id;
    assert_int_equal(message_open(out.data, out.size, &fields), MESSAGE_MOVED);
    assert_int_equal(message_get_moved(&fields, &other, &count), 0);
    assert_true(other == 9 && count == 2);
    assert_int_equal(message_get_moved_task(&fields, &id, &other), 0);
    assert_true(id == UINT64_MAX && other == 3);

    buf_clear(&out);
    put_sample(&out, 4);
    struct message_steal steal;
    assert_int_equal(message_open(out.data, out.size, &fields), MESSAGE_STEAL);
    assert_int_equal(message_get_steal(&fields, &steal), 0);
    assert_true(steal.thief == 65535 && steal.count == 12);

    buf_clear(&out);
    put_sample(&out, 5);
    bool discard = false;
    assert_int_equal(message_open(out.data, out.size, &fields), MESSAGE_STOP);
    assert_int_equal(message_get_stop(&fields, &discard), 0);
    assert_true(discard);

    buf_clear(&out);
    struct message_list done = message_begin_done(&out, 3);
    message_add_want(&done);
    message_end(&done);
    assert_int_equal(message_open(out.data, out.size, &fields), MESSAGE_DONE);
    assert_int_equal(message_get_done(&fields, &other, &wants, &count), 0);
    assert_true(wants && other == 3 && count == 0);

    buf_clear(&out);
    put_sample(&out, 8);
    assert_int_equal(message_open(out.data, out.size, &fields), MESSAGE_RUNNING);
    assert_int_equal(message_get_running(&fields, &id, &other), 0);
    assert_true(id == UINT64_C(7) << 33 && other == 2);

    buf_clear(&out);
    put_sample(&out, 9);
    assert_int_equal(message_open(out.data, out.size, &fields), MESSAGE_CANCEL);
    assert_int_equal(message_get_cancel(&fields, &id), 0);
    assert_true(id == UINT64_C(5) << 40);

    buf_clear(&out);
    put_sample(&out, 10);
    const char *text;
    assert_int_equal(message_open(out.data, out.size, &fields), MESSAGE_BROKEN);
    assert_int_equal(message_get_broken(&fields, &text, &other), 0);
    assert_int_equal(other, 10);
    assert_memory_equal(text, "no licence", 10);

    buf_clear(&out);
    put_sample(&out, 12);
    int64_t clock_ns;
    assert_int_equal(message_open(out.data, out.size, &fields), MESSAGE_CLOCK);
    assert_int_equal(message_get_clock(&fields, &clock_ns), 0);
    assert_true(clock_ns == -(INT64_C(9) << 50));
    buf_release(&out);
}

static void bytes_are_little_endian(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    message_put_steal(&out, &(struct message_steal){.thief = 0x01020304, .count = 5});
    const uint8_t expected[] = {MESSAGE_STEAL, 4, 3, 2, 1, 5, 0, 0, 0};
    assert_int_equal(out.size, sizeof expected);
    assert_memory_equal(out.data, expected, sizeof expected);
    buf_release(&out);
}

static void truncation_at_every_byte(void **state)
{
    (void)state;
    for (int which = 0; which < SAMPLES; which++) {
        struct buf out = BUF_INIT;
        put_sample(&out, which);
        assert_int_equal(read_whole(out.data, out.size), 0);
        for (size_t size = 0; size < out.size; size++) {
            uint8_t *exact = malloc(size + 1); /* a sanitizer sees reads past the end */
            assert_non_null(exact);
            exact = realloc(exact, size ? size : 1);
            memcpy(exact, out.data, size);
            assert_int_equal(read_whole(exact, size), -1);
            free(exact);
        }
        buf_release(&out);
    }
}

static void wrong_counts(void **state)
{
    (void)state;
    for (int which = 1; which <= 3; which++) {
        struct buf out = BUF_INIT;
        put_sample(&out, which);
        buf_set_u32(&out, which == 1 ? 1 : 5, UINT32_MAX);
        assert_int_equal(read_whole(out.data, out.size), -1);
        buf_release(&out);
    }
}

/* The number of a worker is an index in programs, so it must be in range. */
static void wrong_worker(void **state)
{
    (void)state;
    for (uint16_t worker = 1022; worker < 1026; worker++) {
        struct buf out = BUF_INIT;
        struct message_list list = message_begin_done(&out, 0);
        message_put_result(&list, &(struct message_result){.id = 1, .worker = worker});
        message_end(&list);
        assert_int_equal(read_whole(out.data, out.size), worker < 1024 ? 0 : -1);
        buf_release(&out);
    }
}

static void random_bytes(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 200000; round++) {
        uint8_t bytes[64];
        for (size_t i = 0; i < sizeof bytes; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            bytes[i] = (uint8_t)(random >> 24) & (i & 1 ? 0xff : 0x0f);
        }
        read_whole(bytes, (size_t)(random % sizeof bytes));
    }
}

static void bad_types_and_hosts(void **state)
{
    (void)state;
    struct reader fields;
    assert_int_equal(message_open("", 0, &fields), MESSAGE_BAD);
    assert_int_equal(message_open("\0", 1, &fields), MESSAGE_BAD);
    assert_int_equal(message_open("\x63", 1, &fields), MESSAGE_BAD);
    /* type, protocol, build (8 bytes), workers, clock (8 bytes), size of the host's name */
    uint8_t hello[27 + 255] = {MESSAGE_HELLO, MESSAGE_PROTOCOL, [13] = 1, [26] = 200};
    assert_int_equal(read_whole(hello, sizeof hello), -1);
    hello[26] = 3;
    assert_int_equal(read_whole(hello, sizeof hello), 0);
    hello[1] = MESSAGE_PROTOCOL + 1;
    assert_int_equal(read_whole(hello, sizeof hello), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(bytes_are_little_endian),
        cmocka_unit_test(truncation_at_every_byte),
        cmocka_unit_test(wrong_counts),
        cmocka_unit_test(wrong_worker),
        cmocka_unit_test(bad_types_and_hosts),
        cmocka_unit_test(random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
