/* SPDX-License-Identifier: MIT */
/* mpthumb_help: the texts of --help and --version. */
#ifndef MPTHUMB_HELP_H
#define MPTHUMB_HELP_H

const char *mpthumb_help_text(void);
const char *mpthumb_version_text(void); /* with the versions of the libraries */

#endif
