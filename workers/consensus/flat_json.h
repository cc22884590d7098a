/* JSON as the published data sets have it, hundreds of megabytes of one object: {"name": number, ...} or
 * {"name": {"name": number, ...}, ...}. Read in one pass over the mapped file, nothing built. Names are
 * without backslashes; numbers may stand in quotes. */
#ifndef LINNET_CONSENSUS_FLAT_JSON_H
#define LINNET_CONSENSUS_FLAT_JSON_H

#include <stddef.h>

#include "common/base/error.h"

/* One number: its names (`outer` is NULL in a flat object) and its text. A negative code ends the reading,
 * `what` the reason (static text). */
typedef int linnet_flat_json_number(void *arg, const char *outer, size_t outer_size, const char *name,
                                    size_t name_size, const char *text, size_t size, const char **what);

/* LINNET_E_IO, LINNET_E_PARSE with the line in words, or what `number` returned. */
int linnet_flat_json_read(const char *path, linnet_flat_json_number *number, void *arg,
                          struct linnet_error *err);

#endif
