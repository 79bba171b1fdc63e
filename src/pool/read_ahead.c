/* The reader threads of a worker process: see read_ahead.h. */
#include "read_ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Enough for paths and library calls; the default of 8 MB counts against limits of address space.
 */
#define STACK_BYTES (512 * 1024)

enum state { STATE_EMPTY, STATE_QUEUED, STATE_LOADING, STATE_LOADED };

struct entry {
    enum state state;
    uint64_t number;
    const struct mpp_job *job;
    void *payload; /* a copy: aligned */
    size_t size;
    struct loaded loaded;
};

struct read_ahead {
    const void *initargs;
    int depth;
    pthread_mutex_t mutex;
    pthread_cond_t queued; /* or ending */
    pthread_cond_t loaded;
    uint64_t next;   /* number of the first that is queued, or less */
    uint64_t behind; /* the last begun + 1 */
    bool ending;
    int idle;    /* threads that wait */
    int waiting; /* loads that are queued */
    int thread_count;
    pthread_t *threads;
    struct entry
        entries[]; /* by number; one more than depth: the task whose turn it is has one too */
};

static _Thread_local volatile uint64_t under_way;

uint64_t load_under_way(void)
{
    return under_way;
}

/* Time that passes while the calling thread does not compute. */
static int64_t idle_ns(void)
{
    struct timespec now, used;
    clock_gettime(CLOCK_MONOTONIC, &now);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (now.tv_sec - used.tv_sec) * INT64_C(1000000000) + now.tv_nsec - used.tv_nsec;
}

void load_now(const struct mpp_job *job, const void *initargs, struct mpp_bytes payload,
              struct loaded *loaded)
{
    int64_t idle_before_ns = idle_ns();
    *loaded = (struct loaded){.data = NULL};
    errno = 0;
    loaded->failed = job->load(initargs, payload, &loaded->data, &loaded->error) != 0;
    loaded->no_memory = loaded->failed && errno == ENOMEM;
    loaded->waited_ns = idle_ns() - idle_before_ns;
}

void loaded_drop(struct loaded *loaded, const struct mpp_job *job)
{
    if (!loaded->failed && job->unload)
        job->unload(loaded->data);
    *loaded = (struct loaded){.data = NULL};
}

static struct entry *entry_of(struct read_ahead *ahead, uint64_t number)
{
    return &ahead->entries[number % ((uint64_t)ahead->depth + 1)];
}

/* The first queued one; NULL: none is. */
static struct entry *next_queued(struct read_ahead *ahead)
{
    for (; ahead->next < ahead->behind; ahead->next++) {
        struct entry *entry = entry_of(ahead, ahead->next);
        if (entry->state == STATE_QUEUED && entry->number == ahead->next)
            return entry;
    }
    return NULL;
}

static void *read_on(void *context)
{
    struct read_ahead *ahead = context;
    pthread_mutex_lock(&ahead->mutex);
    while (!ahead->ending) {
        struct entry *entry = next_queued(ahead);
        if (!entry) {
            ahead->idle++;
            pthread_cond_wait(&ahead->queued, &ahead->mutex);
            ahead->idle--;
            continue;
        }
        entry->state = STATE_LOADING;
        ahead->waiting--;
        pthread_mutex_unlock(&ahead->mutex);
        under_way = entry->number + 1;
        load_now(entry->job, ahead->initargs, (struct mpp_bytes){entry->payload, entry->size},
                 &entry->loaded);
        under_way = 0;
        pthread_mutex_lock(&ahead->mutex);
        entry->state = STATE_LOADED;
        pthread_cond_signal(&ahead->loaded);
    }
    pthread_mutex_unlock(&ahead->mutex);
    return NULL;
}

/* One more where all are busy. Where none can be started at all, nothing is begun. */
static void start_thread(struct read_ahead *ahead)
{
    pthread_attr_t attributes;
    if (ahead->thread_count == ahead->depth || pthread_attr_init(&attributes))
        return;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    if (pthread_create(&ahead->threads[ahead->thread_count], &attributes, read_on, ahead) == 0)
        ahead->thread_count++;
    pthread_attr_destroy(&attributes);
}

struct read_ahead *read_ahead_new(int depth, const void *initargs)
{
    struct read_ahead *ahead =
        calloc(1, sizeof *ahead + ((size_t)depth + 1) * sizeof ahead->entries[0]);
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
    pthread_cond_init(&ahead->loaded, NULL);
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
        struct entry *entry = &ahead->entries[i];
        if (entry->state == STATE_LOADED)
            loaded_drop(&entry->loaded, entry->job);
        free(entry->payload);
    }
    pthread_cond_destroy(&ahead->queued);
    pthread_cond_destroy(&ahead->loaded);
    pthread_mutex_destroy(&ahead->mutex);
    free(ahead->threads);
    free(ahead);
}

bool read_ahead_begin(struct read_ahead *ahead, uint64_t number, const struct mpp_job *job,
                      struct mpp_bytes payload)
{
    struct entry *entry = entry_of(ahead, number);
    void *copy = malloc(payload.size + 1);
    pthread_mutex_lock(&ahead->mutex);
    if (ahead->idle <= ahead->waiting)
        start_thread(ahead);
    bool begins = copy && ahead->thread_count > 0 && entry->state == STATE_EMPTY;
    if (begins) {
        memcpy(copy, payload.data, payload.size);
        *entry = (struct entry){.state = STATE_QUEUED,
                                .number = number,
                                .job = job,
                                .payload = copy,
                                .size = payload.size};
        ahead->behind = number + 1;
        ahead->waiting++;
        pthread_cond_signal(&ahead->queued);
    }
    pthread_mutex_unlock(&ahead->mutex);
    if (!begins)
        free(copy);
    return begins;
}

bool read_ahead_take(struct read_ahead *ahead, uint64_t number, struct loaded *loaded)
{
    struct entry *entry = entry_of(ahead, number);
    pthread_mutex_lock(&ahead->mutex);
    bool begun = entry->state != STATE_EMPTY && entry->number == number;
    while (begun && entry->state != STATE_LOADED)
        pthread_cond_wait(&ahead->loaded, &ahead->mutex);
    if (begun) {
        *loaded = entry->loaded;
        free(entry->payload);
        *entry = (struct entry){.state = STATE_EMPTY};
    }
    pthread_mutex_unlock(&ahead->mutex);
    return begun;
}
