/* SPDX-License-Identifier: MIT */
/* doorbell: several bells in one process, or in threads, count messages and ring each other. A
 * stranger is a plain socket that sends what a bell must ignore. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "doorbell.h"

enum {
    RANKS_MAX = 64,
    RANK_LIMIT = 100, /* the other ranks run on other hosts */
    NAME_BYTES = 6,   /* as in doorbell.c */
    MANY = 20000,
};
#define LONG_AGO_NS INT64_C(-1000000000)

static const socklen_t address_size = sizeof(sa_family_t) + NAME_BYTES;

static bool is_readable(const struct doorbell *bell)
{
    struct pollfd fd = {.fd = doorbell_fd(bell), .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

/* Wakes up as after poll(2). Returns whether somebody had rung. */
static bool wake(struct doorbell *bell)
{
    bool rung = is_readable(bell);
    doorbell_wake(bell, rung, clock_now_ns(CLOCK_REALTIME));
    assert_false(is_readable(bell));
    return rung;
}

static bool post(struct doorbell *bell, int to)
{
    return doorbell_posted(bell, to, clock_now_ns(CLOCK_REALTIME));
}

/* Makes the bells of ranks 0 to count - 1, not connected yet. */
static void make_bells(struct doorbell **bells, struct doorbell_id *ids, int count)
{
    for (int i = 0; i < count; i++) {
        bells[i] = doorbell_new(i);
        assert_non_null(bells[i]);
        ids[i] = doorbell_id(bells[i]);
        assert_int_equal(ids[i].rank, i);
    }
}

static void connect_bells(struct doorbell **bells, int count)
{
    struct doorbell_id ids[RANKS_MAX];
    make_bells(bells, ids, count);
    for (int i = 0; i < count; i++)
        assert_true(doorbell_offer(bells[i], ids, count, RANK_LIMIT));
    for (int i = 0; i < count; i++) {
        assert_true(doorbell_accept(bells[i]));
        assert_false(is_readable(bells[i]));
        assert_false(doorbell_expects(bells[i]));
    }
}

static void free_bells(struct doorbell **bells, int count)
{
    for (int i = 0; i < count; i++) {
        assert_int_equal(doorbell_missed(bells[i]), 0);
        doorbell_free(bells[i]);
    }
}

/* ---- Messages and sleep ---- */

static void a_sleeping_rank_is_rung_once(void **state)
{
    (void)state;
    struct doorbell *bells[3];
    char bytes[8];
    connect_bells(bells, 3);
    for (int turn = 0; turn < 3; turn++) {
        assert_true(doorbell_sleep(bells[1]));
        for (int i = 0; i < 5; i++)
            assert_true(post(bells[0], 1));
        assert_int_equal(recv(doorbell_fd(bells[1]), bytes, sizeof bytes, 0), 1);
        assert_false(is_readable(bells[1]));
        assert_true(post(bells[2], 1)); /* another one rings, too */
        assert_true(wake(bells[1]));
        assert_true(post(bells[0], 1)); /* it is awake now */
        assert_false(is_readable(bells[1]));
        for (int i = 0; i < 7; i++) {
            assert_true(doorbell_expects(bells[1]));
            doorbell_received(bells[1], i < 6 ? 0 : 2, false);
        }
        assert_false(doorbell_expects(bells[1]));
    }
    assert_false(doorbell_expects(bells[0]) || doorbell_expects(bells[2]));
    free_bells(bells, 3);
}

static void a_rank_with_a_message_does_not_sleep(void **state)
{
    (void)state;
    struct doorbell *bells[2];
    connect_bells(bells, 2);
    assert_true(post(bells[0], 1));
    assert_false(doorbell_sleep(bells[1]));
    assert_false(wake(bells[1]));
    doorbell_received(bells[1], 0, false);
    assert_true(doorbell_sleep(bells[1]));
    assert_false(wake(bells[1]));
    free_bells(bells, 2);
}

/* MPI has it already, but its sender has not counted it yet. */
static void a_message_may_be_found_before_it_is_counted(void **state)
{
    (void)state;
    struct doorbell *bells[2];
    connect_bells(bells, 2);
    doorbell_received(bells[1], 0, false);
    assert_false(doorbell_expects(bells[1]));
    assert_true(post(bells[0], 1));
    assert_false(doorbell_expects(bells[1]));
    assert_true(post(bells[0], 1));
    assert_true(doorbell_expects(bells[1]));
    doorbell_received(bells[1], 0, false);
    free_bells(bells, 2);
}

static void ranks_of_other_hosts_are_not_counted(void **state)
{
    (void)state;
    struct doorbell *bells[2];
    connect_bells(bells, 2);
    assert_true(doorbell_sleep(bells[1]));
    assert_false(post(bells[0], 2));
    assert_false(post(bells[0], 0));
    assert_false(post(bells[0], -1));
    assert_false(post(bells[0], RANK_LIMIT));
    doorbell_received(bells[1], 50, false);
    doorbell_drop(bells[1], 50);
    assert_false(wake(bells[1]));
    assert_true(post(bells[0], 1));
    assert_true(doorbell_expects(bells[1]));
    doorbell_received(bells[1], 0, false);
    free_bells(bells, 2);
}

static void a_reminder_wakes_the_senders_of_what_is_missing(void **state)
{
    (void)state;
    struct doorbell *bells[3];
    connect_bells(bells, 3);
    assert_true(post(bells[1], 0));
    assert_true(doorbell_sleep(bells[1]));
    doorbell_remind(bells[0]);
    doorbell_remind(bells[0]);
    assert_true(wake(bells[1]));
    assert_true(doorbell_reminded(bells[1]));
    assert_false(doorbell_reminded(bells[1]));
    doorbell_remind(bells[0]); /* it is awake: it sees it without a ring */
    assert_false(doorbell_sleep(bells[1]));
    assert_false(wake(bells[1]));
    assert_true(doorbell_reminded(bells[1]));
    assert_false(doorbell_reminded(bells[2]));
    doorbell_received(bells[0], 1, false);
    doorbell_remind(bells[0]);
    assert_false(doorbell_reminded(bells[1]));
    free_bells(bells, 3);
}

/* ---- Sockets ---- */

static int make_stranger(struct doorbell_id *id)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t size = sizeof address;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    if (id)
        memcpy(id->name, address.sun_path, NAME_BYTES);
    return fd;
}

static ssize_t send_to(int fd, struct doorbell_id id, const void *data, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, id.name, NAME_BYTES);
    return sendto(fd, data, size, 0, (struct sockaddr *)&address, address_size);
}

/* However many datagrams a socket takes (net.unix.max_dgram_qlen). */
static void a_full_socket_wakes_as_well(void **state)
{
    (void)state;
    struct doorbell *bells[2];
    connect_bells(bells, 2);
    int stranger = make_stranger(NULL);
    assert_true(doorbell_sleep(bells[1]));
    while (send_to(stranger, doorbell_id(bells[1]), "x", 1) == 1)
        ;
    assert_true(post(bells[0], 1));
    assert_true(wake(bells[1]));
    assert_true(doorbell_expects(bells[1]));
    doorbell_received(bells[1], 0, false);
    assert_true(doorbell_sleep(bells[1]));
    assert_true(post(bells[0], 1)); /* and after that it is rung again */
    assert_true(wake(bells[1]));
    doorbell_received(bells[1], 0, false);
    close(stranger);
    free_bells(bells, 2);
}

/* All but the last two ranks are stopped while they sleep. */
static void stopped_ranks_do_not_keep_others_from_being_rung(void **state)
{
    (void)state;
    struct doorbell *bells[RANKS_MAX];
    connect_bells(bells, RANKS_MAX);
    for (int i = 0; i < RANKS_MAX - 2; i++)
        assert_true(doorbell_sleep(bells[i]));
    for (int message = 0; message < 100; message++)
        for (int i = 0; i < RANKS_MAX - 2; i++)
            assert_true(post(bells[RANKS_MAX - 1], i));
    for (int turn = 0; turn < 10; turn++) {
        assert_true(doorbell_sleep(bells[RANKS_MAX - 2]));
        assert_true(post(bells[RANKS_MAX - 1], RANKS_MAX - 2));
        assert_true(wake(bells[RANKS_MAX - 2]));
        doorbell_received(bells[RANKS_MAX - 2], RANKS_MAX - 1, false);
    }
    for (int i = 0; i < RANKS_MAX - 2; i++) {
        assert_true(wake(bells[i]));
        for (int message = 0; message < 100; message++) {
            assert_true(doorbell_expects(bells[i]));
            doorbell_received(bells[i], RANKS_MAX - 1, false);
        }
        assert_false(doorbell_expects(bells[i]));
    }
    free_bells(bells, RANKS_MAX);
}

static void a_rank_that_has_closed_is_rung_in_vain(void **state)
{
    (void)state;
    struct doorbell *bells[2];
    connect_bells(bells, 2);
    doorbell_sleep(bells[1]);
    doorbell_free(bells[1]);
    assert_true(post(bells[0], 1));
    doorbell_free(bells[0]);
}

/* ---- Ranks that die ---- */

static void a_lost_rank_is_written_off(void **state)
{
    (void)state;
    struct doorbell *bells[3];
    connect_bells(bells, 3);
    assert_true(post(bells[0], 1)); /* counted, but it will never arrive */
    assert_true(post(bells[2], 1));
    doorbell_drop(bells[1], 0);
    assert_true(doorbell_expects(bells[1]));
    doorbell_received(bells[1], 2, false);
    assert_false(doorbell_expects(bells[1]));
    assert_false(post(bells[1], 0));
    assert_true(doorbell_sleep(bells[1]));
    assert_true(post(bells[2], 1));
    assert_true(wake(bells[1]));
    doorbell_received(bells[1], 2, false);
    free_bells(bells, 3);

    connect_bells(bells, 3);
    doorbell_received(bells[1], 0, true); /* arrived, but it died before it was counted */
    assert_int_equal(doorbell_missed(bells[1]), 1);
    doorbell_drop(bells[1], 0);
    assert_int_equal(doorbell_missed(bells[1]), 0);
    assert_false(doorbell_expects(bells[1]));
    assert_true(post(bells[2], 1)); /* that does not hide the next message */
    assert_true(doorbell_expects(bells[1]));
    doorbell_received(bells[1], 2, false);
    free_bells(bells, 3);
}

/* ---- What is reported as missed ---- */

static void what_nobody_has_announced_is_missed(void **state)
{
    (void)state;
    struct doorbell *bells[2];
    connect_bells(bells, 2);
    doorbell_received(bells[1], 0, true);
    doorbell_received(bells[1], 0, true);
    assert_int_equal(doorbell_missed(bells[1]), 2);
    assert_true(post(bells[0], 1));
    assert_int_equal(doorbell_missed(bells[1]), 1);
    assert_true(post(bells[0], 1)); /* they were only found early */
    free_bells(bells, 2);
}

static void a_ring_that_does_not_come_is_missed(void **state)
{
    (void)state;
    struct doorbell *bells[2];
    connect_bells(bells, 2);
    assert_true(doorbell_sleep(bells[1]));
    doorbell_posted(bells[0], 1, clock_now_ns(CLOCK_REALTIME));
    doorbell_wake(bells[1], false, clock_now_ns(CLOCK_REALTIME)); /* it may still come */
    assert_int_equal(doorbell_missed(bells[1]), 0);
    assert_false(doorbell_sleep(bells[1])); /* awake because of the message, and not rung for it */
    doorbell_wake(bells[1], false, clock_now_ns(CLOCK_REALTIME) - LONG_AGO_NS);
    assert_int_equal(doorbell_missed(bells[1]), 0);
    doorbell_received(bells[1], 0, false);
    assert_true(doorbell_sleep(bells[1]));
    doorbell_posted(bells[0], 1, clock_now_ns(CLOCK_REALTIME) + LONG_AGO_NS);
    doorbell_wake(bells[1], false, clock_now_ns(CLOCK_REALTIME));
    assert_int_equal(doorbell_missed(bells[1]), 1);
    doorbell_free(bells[0]);
    doorbell_free(bells[1]);
}

/* ---- Connecting ---- */

/* Sends a descriptor, as rank 0 does. */
static void offer_descriptor(int fd, struct doorbell_id to, uint64_t cookie, int offered)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct iovec part = {&cookie, sizeof cookie};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct msghdr head = {.msg_name = &address,
                          .msg_namelen = address_size,
                          .msg_iov = &part,
                          .msg_iovlen = 1,
                          .msg_control = control,
                          .msg_controllen = sizeof control};
    memcpy(address.sun_path, to.name, NAME_BYTES);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&head);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof offered);
    memcpy(CMSG_DATA(rights), &offered, sizeof offered);
    assert_int_equal(sendmsg(fd, &head, 0), sizeof cookie);
}

static void datagrams_of_strangers_are_ignored(void **state)
{
    (void)state;
    struct doorbell *bells[2];
    struct doorbell_id ids[2];
    make_bells(bells, ids, 2);
    int stranger = make_stranger(NULL);
    int memory = memfd_create("stranger", MFD_CLOEXEC);
    assert_int_equal(send_to(stranger, ids[1], "", 0), 0);
    assert_int_equal(send_to(stranger, ids[1], &ids[1].cookie, sizeof ids[1].cookie), 8);
    offer_descriptor(stranger, ids[1], ids[1].cookie + 1, memory);
    assert_true(doorbell_offer(bells[0], ids, 2, RANK_LIMIT));
    assert_true(doorbell_offer(bells[1], ids, 2, RANK_LIMIT));
    assert_true(doorbell_accept(bells[0]) && doorbell_accept(bells[1]));
    assert_true(doorbell_sleep(bells[1]));
    assert_int_equal(send_to(stranger, ids[1], "some text", 9), 9);
    assert_true(wake(bells[1]));
    assert_false(doorbell_expects(bells[1]));
    assert_true(post(bells[0], 1));
    assert_true(doorbell_expects(bells[1]));
    doorbell_received(bells[1], 0, false);
    close(memory);
    close(stranger);
    free_bells(bells, 2);
}

static void what_cannot_be_reached_fails_to_connect(void **state)
{
    (void)state;
    struct doorbell *bells[3];
    struct doorbell_id ids[3];
    make_bells(bells, ids, 3);
    ids[2].space++; /* another network namespace, which may have a socket of the same name */
    assert_false(doorbell_offer(bells[0], ids, 3, RANK_LIMIT));
    ids[2].space--;
    doorbell_free(bells[0]);
    doorbell_free(bells[2]); /* its name leads nowhere */
    bells[0] = doorbell_new(0);
    assert_non_null(bells[0]);
    ids[0] = doorbell_id(bells[0]);
    assert_false(doorbell_offer(bells[0], ids, 3, RANK_LIMIT));
    doorbell_free(bells[0]);
    doorbell_free(bells[1]);

    make_bells(bells, ids, 2);
    assert_true(doorbell_offer(bells[1], ids, 2, RANK_LIMIT));
    assert_false(doorbell_accept(bells[1])); /* nothing was offered */
    doorbell_free(bells[0]);
    doorbell_free(bells[1]);
}

/* ---- At the same time ---- */

static _Atomic int sent[4][RANKS_MAX]; /* from, to: what MPI would have */

struct runner {
    struct doorbell *bell;
    int rank, ranks;
};

/* Posts MANY messages to each other rank, and sleeps without a limit until all of theirs have come.
 * A wake-up that is missed lets the test hang. The messages are nothing but the counts. */
static void *run(void *argument)
{
    struct runner *runner = argument;
    int taken[4] = {0}, received = 0, wanted = MANY * (runner->ranks - 1);
    for (int posted = 0; posted < MANY || received < wanted;) {
        for (int to = 0; posted < MANY && to < runner->ranks; to++)
            if (to != runner->rank) {
                sent[runner->rank][to]++;
                post(runner->bell, to);
            }
        posted += posted < MANY;
        while (doorbell_expects(runner->bell))
            for (int from = 0; from < runner->ranks; from++)
                if (sent[from][runner->rank] > taken[from]) {
                    doorbell_received(runner->bell, from, false);
                    taken[from]++;
                    received++;
                }
        if (posted < MANY || received == wanted)
            continue;
        struct pollfd fd = {.fd = doorbell_fd(runner->bell), .events = POLLIN};
        bool rung = doorbell_sleep(runner->bell) && poll(&fd, 1, -1) == 1;
        doorbell_wake(runner->bell, rung, clock_now_ns(CLOCK_REALTIME));
    }
    return NULL;
}

static void no_wake_up_is_missed(void **state)
{
    (void)state;
    for (int ranks = 2; ranks <= 4; ranks++) {
        struct doorbell *bells[4];
        struct runner runners[4];
        pthread_t threads[4];
        connect_bells(bells, ranks);
        memset(sent, 0, sizeof sent);
        for (int i = 0; i < ranks; i++) {
            runners[i] = (struct runner){bells[i], i, ranks};
            assert_int_equal(pthread_create(&threads[i], NULL, run, &runners[i]), 0);
        }
        for (int i = 0; i < ranks; i++)
            pthread_join(threads[i], NULL);
        free_bells(bells, ranks);
    }
}

/* ---- Nothing is left behind ---- */

static bool is_listed(const struct doorbell_id *id)
{
    char name[16], line[256];
    bool found = false;
    snprintf(name, sizeof name, "@%.5s\n", id->name + 1);
    FILE *sockets = fopen("/proc/net/unix", "r");
    assert_non_null(sockets);
    while (fgets(line, sizeof line, sockets))
        if (strstr(line, name))
            found = true;
    fclose(sockets);
    return found;
}

static void nothing_is_left_after_a_kill(void **state)
{
    (void)state;
    int ids[2];
    struct doorbell_id id;
    assert_int_equal(pipe(ids), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct doorbell *bell = doorbell_new(0);
        id = doorbell_id(bell);
        doorbell_offer(bell, &id, 1, RANK_LIMIT);
        if (write(ids[1], &id, sizeof id) == sizeof id)
            for (;;)
                pause();
        _exit(1);
    }
    assert_int_equal(read(ids[0], &id, sizeof id), sizeof id);
    assert_true(is_listed(&id));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_false(is_listed(&id));
    close(ids[0]);
    close(ids[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sleeping_rank_is_rung_once),
        cmocka_unit_test(a_rank_with_a_message_does_not_sleep),
        cmocka_unit_test(a_message_may_be_found_before_it_is_counted),
        cmocka_unit_test(ranks_of_other_hosts_are_not_counted),
        cmocka_unit_test(a_reminder_wakes_the_senders_of_what_is_missing),
        cmocka_unit_test(a_full_socket_wakes_as_well),
        cmocka_unit_test(stopped_ranks_do_not_keep_others_from_being_rung),
        cmocka_unit_test(a_rank_that_has_closed_is_rung_in_vain),
        cmocka_unit_test(a_lost_rank_is_written_off),
        cmocka_unit_test(what_nobody_has_announced_is_missed),
        cmocka_unit_test(a_ring_that_does_not_come_is_missed),
        cmocka_unit_test(datagrams_of_strangers_are_ignored),
        cmocka_unit_test(what_cannot_be_reached_fails_to_connect),
        cmocka_unit_test(no_wake_up_is_missed),
        cmocka_unit_test(nothing_is_left_after_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
