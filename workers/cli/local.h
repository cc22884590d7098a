/* An observation in memory from files on disk: photographs, and documents as JSON. The source of `linnet run`
 * and `linnet eval`. */
#ifndef LINNET_CLI_LOCAL_H
#define LINNET_CLI_LOCAL_H

#include "common/base/error.h"
#include "workers/host/observation.h"

struct linnet_local_options {
    const char *observer; /* NULL: "local" */
    const char *flora;    /* NULL: none */
};

/* Load files into `out` (initialised here; to be given to linnet_observation_done on success only).
 *
 * A path that ends in .json is a document, an array of documents or {"docs": [...]}, all of one observation.
 * Attachments are inline (base64 "data"), or files <path without .json>/<name>. A document of kind
 * observation needs no _id. Every other path is a photograph, "leaf=PATH" one of an organ: it becomes an
 * image document, and a view of the observation if that does not name it yet (organ auto). Without an
 * observation one is made, dated by the files. What is loaded twice is the same to the last digit, ids
 * included.
 *
 * LINNET_E_IO, LINNET_E_PARSE, LINNET_E_LIMIT, LINNET_E_INVALID, LINNET_E_NOMEM. */
int linnet_local_load(const char *const *paths, size_t n, const struct linnet_local_options *options,
                      struct linnet_observation *out, struct linnet_error *err);
/* The media type that the first bytes speak of, "application/octet-stream" if none that Linnet knows. Static
 * string. */
const char *linnet_local_type(const void *data, size_t size);

/* Write a document to FOLDER/<id>.json, an attachment to FOLDER/<id>/<name>, or an observation with all that
 * it holds: what linnet_local_load, and a folder of references, read again. FOLDER must exist. LINNET_E_IO,
 * LINNET_E_LIMIT, LINNET_E_INVALID (a name with a '/'), LINNET_E_NOMEM. */
int linnet_local_save(const char *folder, const char *id, const json_t *document, struct linnet_error *err);
int linnet_local_save_blob(const char *folder, const char *id, const char *name,
                           const struct linnet_bytes *bytes, struct linnet_error *err);
int linnet_local_save_all(const char *folder, const struct linnet_observation *observation,
                          struct linnet_error *err);

#endif
