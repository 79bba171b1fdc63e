/* SPDX-License-Identifier: MIT */
/* rank_liveness: the death of a watched process makes the descriptor readable and is reported once;
 * processes of other hosts are not watched. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rank_liveness.h"

enum { CHILDREN = 4 };

static void deaths_are_reported_once(void **state)
{
    (void)state;
    struct rank_liveness_id self = rank_liveness_self(), ids[CHILDREN + 2] = {self};
    pid_t children[CHILDREN];
    assert_int_not_equal(self.pid_space, 0);
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0)
            for (;;)
                pause();
        ids[i + 1] = (struct rank_liveness_id){self.pid_space, children[i]};
    }
    ids[CHILDREN + 1] =
        (struct rank_liveness_id){self.pid_space + 1, children[0]}; /* on another host */
    struct rank_liveness *liveness = rank_liveness_new(ids, CHILDREN + 2);
    assert_non_null(liveness);
    assert_int_equal(rank_liveness_next_dead(liveness), -1);
    for (int i = 0; i < CHILDREN; i++) {
        siginfo_t info;
        kill(children[i], SIGKILL);
        /* Wait for the death, but leave a zombie: that counts as dead as well. */
        assert_int_equal(waitid(P_PID, (id_t)children[i], &info, WEXITED | WNOWAIT), 0);
        assert_int_equal(rank_liveness_next_dead(liveness), i + 1);
        assert_int_equal(rank_liveness_next_dead(liveness), -1);
        waitpid(children[i], NULL, 0);
    }
    rank_liveness_free(liveness);
    /* Processes that were dead before they were watched. */
    liveness = rank_liveness_new(ids, 2);
    assert_int_equal(rank_liveness_next_dead(liveness), 1);
    assert_int_equal(rank_liveness_next_dead(liveness), -1);
    rank_liveness_free(liveness);
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    int ready = poll(&poll_fd, 1, timeout_ms);
    assert_true(ready >= 0);
    return ready == 1 && poll_fd.revents == POLLIN;
}

/* A rank sleeps in poll(2) until another one dies. */
static void a_death_makes_the_descriptor_readable(void **state)
{
    (void)state;
    struct rank_liveness_id ids[CHILDREN];
    pid_t children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0)
            for (;;)
                pause();
        ids[i] = (struct rank_liveness_id){rank_liveness_self().pid_space, children[i]};
    }
    struct rank_liveness *liveness = rank_liveness_new(ids, CHILDREN);
    assert_non_null(liveness);
    int fd = rank_liveness_fd(liveness);
    assert_false(is_readable(fd, 0));
    for (int i = CHILDREN - 1; i >= 0; i--) {
        kill(children[i], SIGKILL);
        assert_true(is_readable(fd, -1));
        assert_true(is_readable(fd, 0)); /* until the death is asked for */
        assert_int_equal(rank_liveness_next_dead(liveness), i);
        assert_false(is_readable(fd, 0));
        waitpid(children[i], NULL, 0);
        assert_false(is_readable(fd, 0));
    }
    rank_liveness_free(liveness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deaths_are_reported_once),
        cmocka_unit_test(a_death_makes_the_descriptor_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
