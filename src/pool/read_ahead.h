/*
 * read_ahead: the reader threads of a worker process. What a task will need is loaded before its
 * turn, while others run.
 *
 * One thread, the worker's own, begins loads and takes them, both in the order of the tasks'
 * numbers.
 */
#ifndef READ_AHEAD_H
#define READ_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "mppool.h"

/* What became of a task's load. */
struct loaded {
    void *data; /* the job's; NULL where it failed */
    bool failed;
    bool no_memory; /* it failed for that */
    struct mpp_error error;
    int64_t waited_ns; /* for files, not computing */
};

/* In the calling thread. */
void load_now(const struct mpp_job *job, const void *initargs, struct mpp_bytes payload,
              struct loaded *loaded);

/* Gives back what was loaded. */
void loaded_drop(struct loaded *loaded, const struct mpp_job *job);

/* number + 1 of the task whose load the calling thread is in; 0: none. May be asked in a signal
 * handler. */
uint64_t load_under_way(void);

struct read_ahead;

/* Loads of at most `depth` tasks behind the next one to be taken may be begun; as many threads are
 * started, as they are needed.
 * NULL: out of memory. */
struct read_ahead *read_ahead_new(int depth, const void *initargs);
void read_ahead_free(struct read_ahead *ahead); /* blocks on loads under way; NULL is fine */

/* Copies the payload. False: it cannot be begun; it will have to be loaded when its turn comes. */
bool read_ahead_begin(struct read_ahead *ahead, uint64_t number, const struct mpp_job *job,
                      struct mpp_bytes payload);

/* Blocks until it is done. False: it was not begun. */
bool read_ahead_take(struct read_ahead *ahead, uint64_t number, struct loaded *loaded);

#endif
