/* SPDX-License-Identifier: MIT */
/* Blocks of memory that tasks share: see task_slab.h. */
#include "task_slab.h"

#include <stdint.h>
#include <stdlib.h>

/* Small, because one task that runs for long keeps the whole slab. */
enum { SLAB_BYTES = 16384 };

struct task_slab {
    size_t references; /* its tasks, and 1 while it is being filled */
    size_t used, size; /* of `bytes`, in bytes */
    _Alignas(max_align_t) uint8_t bytes[];
};

void task_slab_close(struct task_slab *slab)
{
    if (slab && !--slab->references)
        free(slab);
}

static struct task_slab *slab_new(size_t bytes, size_t references)
{
    struct task_slab *slab = malloc(sizeof *slab + bytes);
    if (slab)
        *slab = (struct task_slab){.references = references, .size = bytes};
    return slab;
}

/* A slab with room for `size` more bytes. A large task gets one of its own. */
static struct task_slab *slab_with_room(struct task_slab **slab, size_t size)
{
    if (size > SLAB_BYTES / 4)
        return slab_new(size, 0);
    if (*slab && (*slab)->size - (*slab)->used >= size)
        return *slab;
    struct task_slab *fresh = slab_new(SLAB_BYTES, 1);
    if (fresh) {
        task_slab_close(*slab);
        *slab = fresh;
    }
    return fresh;
}

void *task_slab_take(struct task_slab **slab, size_t size, struct task_slab **home)
{
    size_t unit = _Alignof(max_align_t);
    size = (size + unit - 1) / unit * unit;
    *home = slab_with_room(slab, size);
    if (!*home)
        return NULL;
    void *task = (*home)->bytes + (*home)->used;
    (*home)->used += size;
    (*home)->references++;
    return task;
}
