/* scratch: a temporary directory for a test, which becomes the working directory. */
#ifndef TEMPORARY_DIRECTORY_H
#define TEMPORARY_DIRECTORY_H

int scratch_setup(void **state);    /* as cmocka's setup and teardown of each test */
int scratch_teardown(void **state); /* removes all that is in it */

void scratch_write(const char *path, const char *text); /* makes the directories on the way */
void scratch_expect(const char *path, const char *text);
int scratch_count(const char *directory); /* entries, `.` and `..` not counted */

#endif
