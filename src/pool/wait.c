/* Many futures: as_completed, and wait upon it. See mppool.h. */
#include <stdlib.h>

#include "executor.h"

struct mpp_as_completed {
    struct mpp_executor *executor; /* a reference; NULL: all were done from the start */
    struct waiter waiter;
    size_t left;  /* not given yet */
    size_t count; /* of watches */
    struct watch watches[];
};

/* An entry of the list given, for finding those that are in it twice. */
struct entry {
    struct mpp_future *future;
    size_t position;
};

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->future != b->future)
        return (uintptr_t)a->future < (uintptr_t)b->future ? -1 : 1;
    return a->position < b->position ? -1 : 1;
}

/* Puts a watch for the first of each future at its place in the list; the others stay empty. */
static int fill_watches(struct mpp_as_completed *iterator, struct mpp_future *const *futures,
                        size_t count)
{
    struct entry *entries = malloc((count ? count : 1) * sizeof *entries);
    if (!entries)
        return -1;
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct entry){futures[i], i};
    qsort(entries, count, sizeof *entries, compare_entries);
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0 || entries[i].future != entries[i - 1].future;
        iterator->watches[entries[i].position] =
            (struct watch){.future = first ? entries[i].future : NULL, .waiter = &iterator->waiter};
        iterator->left += first;
    }
    free(entries);
    return 0;
}

/* The pool of those that are not done; they all belong to one. */
static struct mpp_executor *find_executor(struct mpp_future *const *futures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!future_is_done(futures[i]))
            return futures[i]->executor;
    return NULL;
}

struct mpp_as_completed *mpp_as_completed(struct mpp_future *const *futures, size_t count,
                                          struct mpp_error *error)
{
    struct mpp_as_completed *iterator =
        calloc(1, sizeof *iterator + count * sizeof *iterator->watches);
    if (!iterator || fill_watches(iterator, futures, count)) {
        free(iterator);
        mpp_error_set(error, "out of memory for waiting for %zu futures", count);
        return NULL;
    }
    iterator->count = count;
    iterator->executor = find_executor(futures, count);
    waiter_init(&iterator->waiter);
    if (iterator->executor) {
        atomic_fetch_add(&iterator->executor->references, 1);
        pthread_mutex_lock(&iterator->executor->lock);
    }
    for (size_t i = 0; i < count; i++) {
        struct watch *watch = &iterator->watches[i];
        if (watch->future && !(iterator->executor && future_watch(watch->future, watch)))
            watch_list_append(&iterator->waiter.ready, watch);
    }
    if (iterator->executor)
        pthread_mutex_unlock(&iterator->executor->lock);
    return iterator;
}

static struct watch *next_ready(struct mpp_as_completed *iterator, double timeout_s)
{
    struct mpp_executor *executor = iterator->executor;
    if (!executor)
        return watch_list_take(&iterator->waiter.ready);
    double until_s = executor_until(timeout_s);
    pthread_mutex_lock(&executor->lock);
    while (!iterator->waiter.ready.first)
        if (!executor_wait(executor, &iterator->waiter.news, until_s))
            break;
    struct watch *watch = watch_list_take(&iterator->waiter.ready);
    pthread_mutex_unlock(&executor->lock);
    return watch;
}

int mpp_as_completed_next(struct mpp_as_completed *iterator, double timeout_s,
                          struct mpp_future **future, struct mpp_error *error)
{
    *future = NULL;
    if (!iterator->left)
        return 0;
    if (iterator->executor && executor_is_progress(iterator->executor))
        timeout_s = 0; /* a callback must not wait: the futures it waits for would never be done */
    struct watch *watch = next_ready(iterator, timeout_s);
    if (!watch)
        return mpp_error_set(error, "%zu futures are not done after %g s", iterator->left,
                             timeout_s);
    iterator->left--;
    *future = watch->future;
    watch->future = NULL; /* the caller may free it now */
    return 0;
}

void mpp_as_completed_free(struct mpp_as_completed *iterator)
{
    if (!iterator)
        return;
    if (iterator->executor) {
        pthread_mutex_lock(&iterator->executor->lock);
        for (size_t i = 0; i < iterator->count; i++)
            if (iterator->watches[i].future)
                future_unwatch(iterator->watches[i].future, &iterator->watches[i]);
        pthread_mutex_unlock(&iterator->executor->lock);
        executor_drop(iterator->executor);
    }
    waiter_release(&iterator->waiter);
    free(iterator);
}

static bool is_enough(struct mpp_future *future, enum mpp_return_when when)
{
    switch (when) {
    case MPP_ALL_COMPLETED:
        return false;
    case MPP_FIRST_COMPLETED:
        return true;
    case MPP_FIRST_EXCEPTION:
        return future->exception && future->exception->kind != MPP_EXCEPTION_CANCELLED;
    }
    return false;
}

int mpp_wait(struct mpp_future *const *futures, size_t count, double timeout_s,
             enum mpp_return_when when, struct mpp_error *error)
{
    struct mpp_as_completed *iterator = mpp_as_completed(futures, count, error);
    if (!iterator)
        return -1;
    double until_s = executor_until(timeout_s);
    struct mpp_future *future;
    int result;
    do {
        double left_s = timeout_s < 0 ? MPP_FOREVER : until_s - executor_until(0);
        result = mpp_as_completed_next(iterator, timeout_s < 0 || left_s > 0 ? left_s : 0, &future,
                                       error);
    } while (!result && future && !is_enough(future, when));
    mpp_as_completed_free(iterator);
    if (result)
        mpp_error_set(error, "the futures are not done after %g s", timeout_s);
    return result;
}
