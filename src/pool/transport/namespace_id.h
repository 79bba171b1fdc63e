/* SPDX-License-Identifier: MIT */
/*
 * namespace_id: tells whether two processes share a namespace of the kernel (namespaces(7)), and so
 * can use each other's process ids or abstract sockets.
 */
#ifndef NAMESPACE_ID_H
#define NAMESPACE_ID_H

#include <stdint.h>

/* Identifies the calling process's namespace of this kind ("pid", "net") among those of all hosts:
 * a hash of the id of this boot of this host and the namespace's number. 0: not known. */
uint64_t namespace_id(const char *kind);

#endif
