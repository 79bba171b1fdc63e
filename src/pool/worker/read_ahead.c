/* SPDX-License-Identifier: MIT */
/* The reader threads of a worker process: see read_ahead.h. */
#include "read_ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clock.h"

/* Enough for paths and library calls. The default of 8 MB would count against the memory limit,
 * which is a limit of address space. */
#define STACK_BYTES (512 * 1024)

enum load_state { LOAD_NONE, LOAD_QUEUED, LOAD_IN_PROGRESS, LOAD_ENDED };

struct load_slot {
    enum load_state state;
    uint64_t number; /* of the task */
    const struct mpp_job *job;
    void *payload; /* a copy, aligned for any type */
    size_t size;
    struct task_load load;
};

struct read_ahead {
    const void *initargs;
    int depth;
    pthread_mutex_t mutex; /* guards what follows and the slots' states */
    pthread_cond_t queued; /* a load was queued, or `ending` was set */
    pthread_cond_t ended;  /* a load has ended */
    uint64_t next_queued;  /* no queued task has a lower number */
    uint64_t end;          /* number + 1 of the last task whose load was begun */
    bool ending;
    int idle_threads;
    int queued_loads;
    int thread_count;
    pthread_t *threads;
    struct load_slot slots[]; /* a ring of depth + 1 entries, indexed by task number; the current
                                 task uses one */
};

/* ---- One load ---- */

/* The time that the calling thread has not spent computing; only differences have a meaning. */
static int64_t thread_idle_ns(void)
{
    return monotonic_now_ns() - clock_now_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* How often the calling thread has waited for something. */
static long thread_sleeps(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) ? 0 : usage.ru_nvcsw;
}

void task_load_run(struct task_load *load, const struct mpp_job *job, const void *initargs,
                   struct mpp_bytes payload)
{
    int64_t idle_before_ns = thread_idle_ns();
    long sleeps_before = thread_sleeps();
    *load = (struct task_load){.data = NULL};
    errno = 0;
    load->failed = job->load(initargs, payload, &load->data, &load->error) != 0;
    load->no_memory = load->failed && errno == ENOMEM;
    /* A thread that did not sleep may have been idle because others had its core. */
    load->waited_ns = thread_sleeps() == sleeps_before ? 0 : thread_idle_ns() - idle_before_ns;
}

void task_load_release(struct task_load *load, const struct mpp_job *job)
{
    if (!load->failed && job->unload)
        job->unload(load->data);
    *load = (struct task_load){.data = NULL};
}

/* ---- Reader threads ---- */

static _Thread_local volatile uint64_t current;

uint64_t read_ahead_current(void)
{
    return current;
}

static struct load_slot *load_slot_at(struct read_ahead *ahead, uint64_t number)
{
    return &ahead->slots[number % ((uint64_t)ahead->depth + 1)];
}

/* The queued load with the lowest number; NULL: none is queued. */
static struct load_slot *find_queued(struct read_ahead *ahead)
{
    for (; ahead->next_queued < ahead->end; ahead->next_queued++) {
        struct load_slot *slot = load_slot_at(ahead, ahead->next_queued);
        if (slot->state == LOAD_QUEUED && slot->number == ahead->next_queued)
            return slot;
    }
    return NULL;
}

static void *reader_main(void *context)
{
    struct read_ahead *ahead = context;
    pthread_mutex_lock(&ahead->mutex);
    while (!ahead->ending) {
        struct load_slot *slot = find_queued(ahead);
        if (!slot) {
            ahead->idle_threads++;
            pthread_cond_wait(&ahead->queued, &ahead->mutex);
            ahead->idle_threads--;
            continue;
        }
        slot->state = LOAD_IN_PROGRESS;
        ahead->queued_loads--;
        pthread_mutex_unlock(&ahead->mutex);
        current = slot->number + 1;
        task_load_run(&slot->load, slot->job, ahead->initargs,
                      (struct mpp_bytes){slot->payload, slot->size});
        current = 0;
        pthread_mutex_lock(&ahead->mutex);
        slot->state = LOAD_ENDED;
        pthread_cond_signal(&ahead->ended);
    }
    pthread_mutex_unlock(&ahead->mutex);
    return NULL;
}

/* Starts one more thread, unless there are `depth` already or it cannot be started. */
static void start_thread(struct read_ahead *ahead)
{
    pthread_attr_t attributes;
    if (ahead->thread_count == ahead->depth || pthread_attr_init(&attributes))
        return;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    if (!pthread_create(&ahead->threads[ahead->thread_count], &attributes, reader_main, ahead))
        ahead->thread_count++;
    pthread_attr_destroy(&attributes);
}

struct read_ahead *read_ahead_new(int depth, const void *initargs)
{
    struct read_ahead *ahead =
        calloc(1, sizeof *ahead + ((size_t)depth + 1) * sizeof ahead->slots[0]);
    pthread_t *threads = calloc((size_t)depth, sizeof *threads);
    if (!ahead || !threads) {
        free(ahead);
        free(threads);
        return NULL;
    }
    ahead->initargs = initargs;
    ahead->depth = depth;
    ahead->threads = threads;
    pthread_mutex_init(&ahead->mutex, NULL);
    pthread_cond_init(&ahead->queued, NULL);
    pthread_cond_init(&ahead->ended, NULL);
    return ahead;
}

void read_ahead_free(struct read_ahead *ahead)
{
    if (!ahead)
        return;
    pthread_mutex_lock(&ahead->mutex);
    ahead->ending = true;
    pthread_cond_broadcast(&ahead->queued);
    pthread_mutex_unlock(&ahead->mutex);
    for (int i = 0; i < ahead->thread_count; i++)
        pthread_join(ahead->threads[i], NULL);
    for (int i = 0; i <= ahead->depth; i++) {
        struct load_slot *slot = &ahead->slots[i];
        if (slot->state == LOAD_ENDED)
            task_load_release(&slot->load, slot->job);
        free(slot->payload);
    }
    pthread_cond_destroy(&ahead->queued);
    pthread_cond_destroy(&ahead->ended);
    pthread_mutex_destroy(&ahead->mutex);
    free(ahead->threads);
    free(ahead);
}

bool read_ahead_begin(struct read_ahead *ahead, uint64_t number, const struct mpp_job *job,
                      struct mpp_bytes payload)
{
    struct load_slot *slot = load_slot_at(ahead, number);
    void *copy = malloc(payload.size + 1);
    pthread_mutex_lock(&ahead->mutex);
    if (ahead->idle_threads <= ahead->queued_loads)
        start_thread(ahead);
    bool begins = copy && ahead->thread_count > 0 && slot->state == LOAD_NONE;
    if (begins) {
        memcpy(copy, payload.data, payload.size);
        *slot = (struct load_slot){.state = LOAD_QUEUED,
                                   .number = number,
                                   .job = job,
                                   .payload = copy,
                                   .size = payload.size};
        ahead->end = number + 1;
        ahead->queued_loads++;
        pthread_cond_signal(&ahead->queued);
    }
    pthread_mutex_unlock(&ahead->mutex);
    if (!begins)
        free(copy);
    return begins;
}

bool read_ahead_take(struct read_ahead *ahead, uint64_t number, struct task_load *load)
{
    struct load_slot *slot = load_slot_at(ahead, number);
    pthread_mutex_lock(&ahead->mutex);
    bool begun = slot->state != LOAD_NONE && slot->number == number;
    while (begun && slot->state != LOAD_ENDED)
        pthread_cond_wait(&ahead->ended, &ahead->mutex);
    if (begun) {
        *load = slot->load;
        free(slot->payload);
        *slot = (struct load_slot){.state = LOAD_NONE};
    }
    pthread_mutex_unlock(&ahead->mutex);
    return begun;
}
