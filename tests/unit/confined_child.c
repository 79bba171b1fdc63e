/* SPDX-License-Identifier: MIT */
/* A child process that confines itself and tries something: see confined_child.h. */
#include "confined_child.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "confine.h"
#include "confine_paths.h"
#include "confine_syscalls.h"

int try_confined(const struct mpp_confine *confine, size_t memory_limit_bytes, int (*attempt)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct mpp_error error;
        if (confine_worker(confine, memory_limit_bytes, &error)) {
            fprintf(stderr, "%s\n", error.text);
            _exit(NOT_CONFINED);
        }
        errno = 0;
        _exit(attempt() ? (errno ? errno : EDOM) : 0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

void require_seccomp(void)
{
    if (confine_seccomp_available())
        return;
    print_message("NO SECCOMP: the refusal of system calls is not tested\n");
    skip();
}

void require_landlock(void)
{
    if (confine_landlock_version())
        return;
    print_message("NO LANDLOCK: the refusal of files is not tested\n");
    skip();
}
