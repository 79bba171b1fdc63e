/* SPDX-License-Identifier: MIT */
/*
 * task_slab: memory for tasks, which are many, small, and end in about the order in which they were
 * made: a block is shared by some dozens of them and freed with the last one. Cheaper than malloc
 * and free for each.
 *
 * There are no locks: the tasks of a slab are made and dropped by one thread at a time.
 */
#ifndef TASK_SLAB_H
#define TASK_SLAB_H

#include <stddef.h>

struct task_slab;

/* Room for a task of `size` bytes, aligned for any type. *slab is the slab that is being filled and
 * NULL before the first call; the function replaces it when it is full. *home is set to the slab of
 * this task, which the task keeps for task_slab_close. NULL: out of memory. */
void *task_slab_take(struct task_slab **slab, size_t size, struct task_slab **home);

/* Call it once for each task, when it ends, with its home; and once for the slab that was filled
 * last, when no more tasks are made. NULL is allowed. */
void task_slab_close(struct task_slab *slab);

#endif
