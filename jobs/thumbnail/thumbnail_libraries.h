/* SPDX-License-Identifier: MIT */
/* thumbnail_libraries: the libraries that the thumbnail job uses, for --version. */
#ifndef THUMBNAIL_LIBRARIES_H
#define THUMBNAIL_LIBRARIES_H

/* A line for each library. */
const char *thumbnail_libraries(void);

#endif
