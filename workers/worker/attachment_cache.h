/* Files that hold attachments of reference documents, named by their digest, so that a file once there is
 * right for ever. Written aside, checked, fsynced, renamed: a kill leaves no half file under a final name. */
#ifndef LINNET_WORKER_ATTACHMENT_CACHE_H
#define LINNET_WORKER_ATTACHMENT_CACHE_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"

/* Make a folder and those above it. LINNET_E_IO with the folder's name. */
int linnet_folder_make(const char *path, struct linnet_error *err);
/* The path of the file of an attachment stub ({"digest":"md5-…","length":…}) in `folder`; true if it is
 * there, of the right length. */
bool linnet_attachment_cached(const char *folder, const json_t *stub, char path[PATH_MAX]);
/* Check bytes against the stub and put them there. LINNET_E_BROKEN if length or digest differ, LINNET_E_IO.
 */
int linnet_attachment_cache(const char *folder, const json_t *stub, const void *data, size_t size,
                            struct linnet_error *err);

#endif
