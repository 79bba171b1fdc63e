/* SPDX-License-Identifier: MIT */
/*
 * confine_paths: the part of confine_worker that restricts file access (Landlock). It needs
 * PR_SET_NO_NEW_PRIVS, and does nothing if the build or the kernel has no Landlock.
 */
#ifndef CONFINE_PATHS_H
#define CONFINE_PATHS_H

#include "mpp_error.h"
#include "mppool.h"

/* Restricts file access to the paths in `confine`. Below a readable path files can be read,
 * directories listed and, unless no_exec is set, programs executed. Below a writable path files and
 * directories can also be created, changed, renamed and removed, but devices cannot be created. A
 * file is identified by its inode: a file that replaces a listed one is not listed. A missing path
 * is ignored.
 *
 * Landlock before version 2 refuses to move any file to another directory; before version 3 it does
 * not restrict truncate(2); from version 5 on, ioctl(2) on devices is refused. */
int confine_paths(const struct mpp_confine *confine, struct mpp_error *error);

int confine_landlock_version(void); /* of this kernel; 0: none */

#endif
