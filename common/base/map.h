/* Files that are read in place. */
#ifndef LINNET_BASE_MAP_H
#define LINNET_BASE_MAP_H

#include <stddef.h>

#include "common/base/error.h"

/* Map a file for reading; the caller's, to be given to munmap(). An empty file is no error: NULL, of size 0.
 * LINNET_E_NOT_FOUND, LINNET_E_IO. Any thread. */
int linnet_map_file(const char *path, void **bytes, size_t *size, struct linnet_error *err);

#endif
