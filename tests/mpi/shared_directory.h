/*
 * rank_scratch: a directory that all ranks of a run on one host have, for what tasks leave behind.
 */
#ifndef SHARED_DIRECTORY_H
#define SHARED_DIRECTORY_H

/* Its path, the same on every rank; made by whoever comes first. NULL: it cannot be made. */
const char *rank_scratch_make(void);

void rank_scratch_remove(void);

#endif
