/* A folder of a test's own, and files in it. */
#ifndef LINNET_TESTS_CLI_SCRATCH_H
#define LINNET_TESTS_CLI_SCRATCH_H

#include <stddef.h>

#include "tests/unit/test.h"

/* cmocka's setup and teardown: *state is the folder's path, the folder goes with all that is in it. */
int scratch_make(void **state);
int scratch_remove(void **state);
/* Write a file below the folder, its folders made; returns its path, the caller's. */
char *scratch_file(const char *folder, const char *name, const void *data, size_t size);
char *scratch_text(const char *folder, const char *name, const char *text);

#endif
