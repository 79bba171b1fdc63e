/* SPDX-License-Identifier: MIT */
/* Seeds for the fuzz targets of journals and messages: see seeds.h. */
#include <string.h>

#include "journal.h"
#include "message.h"
#include "seeds.h"
#include "task_message.h"

static const char format_1[] =
    "{\"journal\":\"0.1.0\",\"started\":\"2026-11-21T18:08:36Z\",\"host\":\"vm\","
    "\"libraries\":\"\",\"options\":{\"--blur\":\"2\",\"job\":\"noop\"}}\n"
    "{\"source\":\"in/"
    "\\udce4.jpg\",\"size\":543,\"mtime\":1700000000.123456789,\"output\":\"1.jpg\","
    "\"width\":16,\"height\":16,\"status\":\"done\",\"error\":null,\"ms\":0.360,\"rank\":0,"
    "\"host\":\"vm\",\"attempts\":1,\"xxh3\":\"979cb06c5de35850\"}\n"
    "{\"source\":\"task 0\",\"size\":null,\"mtime\":null,\"status\":\"failed\",\"xxh3\":null}\n";

static bool make_journal(int number, struct buf *out)
{
    static const struct journal_option options[] = {{"--blur", "2"}, {"--suffix", "\xff\""}};
    static const enum journal_status done = JOURNAL_DONE;
    struct journal_header header = {.version = "1",
                                    .libraries = "a\nb",
                                    .host = "h",
                                    .job = "thumbnail",
                                    .options = options,
                                    .option_count = 2};
    struct journal_record record = {.identity = {"a/\xe4.jpg", 0, 0},
                                    .size_bytes = 1234,
                                    .mtime_ns = -1,
                                    .output = "a/\xe4.jpg",
                                    .xxh3 = 77,
                                    .result = {.place = RESULT_INLINE, .bytes = {"a\xc3\xa4", 3}},
                                    .fields = {"\"width\":1", 9},
                                    .host = "h",
                                    .attempts = 1};
    if (number == 2)
        buf_put(out, format_1, sizeof format_1 - 1);
    if (number >= 2)
        return number == 2;
    journal_put_header(out, &header, 1, 0);
    journal_put_record(out, &record);
    if (number == 0)
        return true;
    record.result.bytes = (struct mpp_bytes){"\0\xff", 2};
    record.identity.occurrence = 3;
    journal_put_record(out, &record);
    record.result = (struct result_ref){
        .place = RESULT_SPOOLED, .run = 1, .rank = 2, .slot = 3, .offset = 4, .size = 5, .xxh3 = 6};
    record.identity.stage = 1;
    journal_put_record(out, &record);
    record = (struct journal_record){.identity = {"a/\xe4.jpg", 0, 0},
                                     .status = JOURNAL_FAILED,
                                     .was = &done,
                                     .error = "broken",
                                     .size_bytes = -1,
                                     .rank = -1};
    journal_put_record(out, &record);
    buf_put(out, "{\"source\":\"cut", 14);
    return true;
}

static void put_tasks(struct buf *out)
{
    struct buf payload = BUF_INIT;
    const struct result_ref spooled = {.place = RESULT_SPOOLED, .size = 5, .xxh3 = 6};
    struct buf members = BUF_INIT;
    result_ref_put(&members, &spooled);
    struct task_order order = {.identity = {"a", 1, 2},
                               .plan = {"plan", 4},
                               .run = 3,
                               .is_recorded = true,
                               .recorded = {.size_bytes = 1, .mtime_ns = 2, .result = spooled},
                               .member_count = 1,
                               .members = {members.data, members.size}};
    struct message_list list = message_begin_tasks(out);
    task_order_put(&payload, &order);
    buf_release(&members);
    for (uint64_t id = 1; id < 4; id++)
        message_put_task(&list, &(struct message_task){.id = id,
                                                       .dispatch = 1,
                                                       .size = (uint32_t)payload.size,
                                                       .payload = payload.data});
    message_end(&list);
    buf_release(&payload);
}

static void put_results(struct buf *out)
{
    struct buf made = BUF_INIT;
    struct task_report report = {.text = "no room",
                                 .line = "a was processed...",
                                 .output = "b",
                                 .fields = {"\"width\":1", 9},
                                 .result = {.place = RESULT_INLINE, .bytes = {"c", 1}}};
    struct message_list list = message_begin_done(out, 3);
    task_report_put(&made, &report);
    for (uint64_t id = 1; id < 4; id++)
        message_put_result(
            &list, &(struct message_result){
                       .id = id, .dispatch = 1, .size = (uint32_t)made.size, .data = made.data});
    message_end(&list);
    buf_release(&made);
}

static bool make_message(int number, struct buf *out)
{
    struct message_list list;
    switch (number) {
    case 0:
        message_put_hello(out, &(struct message_hello){.build = 1, .workers = 2, .host = "host"});
        return true;
    case 1:
        put_tasks(out);
        return true;
    case 2:
        put_results(out);
        return true;
    case 3:
        list = message_begin_moved(out, 1);
        message_put_moved(&list, 5, 1);
        message_end(&list);
        return true;
    case 4:
        message_put_steal(out, &(struct message_steal){1, 2});
        return true;
    case 5:
        message_put_broken(out, "because");
        return true;
    case 6:
        message_put_running(out, 1, 2);
        return true;
    case 7:
        message_put_lost(out, 3);
        return true;
    case 8:
        message_put_clock(out, 4);
        return true;
    default:
        return false;
    }
}

bool seed_make(const char *target, int number, struct buf *out)
{
    return strcmp(target, "journal") == 0 ? make_journal(number, out) : make_message(number, out);
}
