/* SPDX-License-Identifier: MIT */
/*
 * failing_calls: makes system calls and allocations of a test program fail. The program is linked
 * with --wrap for the calls (see batch.cmake); those of shared libraries are not affected.
 *
 * To let every call fail in turn:
 *
 *     for (unsigned at = 1, calls = 1; calls >= at - 1; at++) {
 *         calls_arm(CALL_WRITE | CALL_SYNC, at, ENOSPC);
 *         run();
 *         calls = calls_disarm();
 *     }
 *
 * The last run makes fewer than `at` calls, and none of them fails.
 */
#ifndef FAILING_CALLS_H
#define FAILING_CALLS_H

#include <stdbool.h>

enum failing_call {
    CALL_WRITE = 1,    /* write */
    CALL_SYNC = 2,     /* fdatasync */
    CALL_TRUNCATE = 4, /* ftruncate */
    CALL_OPEN = 8,     /* open, openat */
    CALL_READ = 16,    /* pread */
    CALL_SEEK = 32,    /* lseek */
    CALL_NAME = 64,    /* linkat, renameat */
    CALL_MEMORY = 128, /* malloc, calloc, realloc; errno is ENOMEM */
};

enum { CALLS_SHORT = 0 }; /* instead of an errno: the call transfers one byte */

/* Counts the calls of these kinds from now on, from 1. Call number `at` fails; 0: none. */
void calls_arm(unsigned kinds, unsigned at, int error);

/* The same, and all calls after it fail, too. */
void calls_arm_from(unsigned kinds, unsigned at, int error);

/* Ends counting and returns the number of calls. */
unsigned calls_disarm(void);

/* True if a write was not followed by a successful fdatasync. */
bool calls_left_unsynced(void);

#endif
