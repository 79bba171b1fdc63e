/* help: the two texts of mpthumb that are not about a run. */
#ifndef MPTHUMB_HELP_H
#define MPTHUMB_HELP_H

const char *help_text(void);
const char *version_text(void); /* of mpthumb and of the libraries it stands on */

#endif
