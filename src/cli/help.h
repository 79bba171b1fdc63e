/* help: the two texts that are not about a run. */
#ifndef HELP_H
#define HELP_H

/* On stdout; -1 when it did not take them. */
int help_print(void);
int version_print(void); /* of mpthumb and of the libraries it stands on */

#endif
