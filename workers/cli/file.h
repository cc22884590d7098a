/* Whole files in memory. */
#ifndef LINNET_CLI_FILE_H
#define LINNET_CLI_FILE_H

#include <stddef.h>

#include "common/base/error.h"

/* Read a regular file of at most `limit` bytes; *out is freed by the caller, and is followed by a NUL.
 * LINNET_E_IO, LINNET_E_LIMIT, LINNET_E_NOMEM. */
int linnet_file_read(const char *path, size_t limit, void **out, size_t *size, struct linnet_error *err);

#endif
