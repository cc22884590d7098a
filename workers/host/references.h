/* An immutable snapshot of linnet-reference, shared by all stages of a process and by their threads.
 * Filled by one thread, finished, then read by any. */
#ifndef LINNET_HOST_REFERENCES_H
#define LINNET_HOST_REFERENCES_H

#include <jansson.h>

#include "common/base/error.h"
#include "common/taxonomy/taxonomy.h"

struct linnet_references;

struct linnet_references *linnet_references_new(void);
/* Add a document under its _id (own reference). Documents of kind taxon go to the taxonomy as well. */
int linnet_references_add(struct linnet_references *references, json_t *document, struct linnet_error *err);
/* Say where the bytes of an attachment lie on disk. */
int linnet_references_add_file(struct linnet_references *references, const char *id, const char *name,
                               const char *path);
/* Sort, build the taxonomy. After it nothing changes any more. */
int linnet_references_finish(struct linnet_references *references, struct linnet_error *err);
/* A folder as `linnet run` and the tests use it: every *.json (a document or an array of them), every *.jsonl
 * (a document a line); attachments in <file without .json>/<name>, or a model's model.onnx beside model.json.
 */
int linnet_references_load_folder(struct linnet_references *references, const char *path,
                                  struct linnet_error *err);
struct linnet_references *linnet_references_ref(struct linnet_references *references);
void linnet_references_unref(struct linnet_references *references);

json_t *linnet_references_get(const struct linnet_references *references, const char *id);
int linnet_references_each(const struct linnet_references *references, const char *prefix,
                           int (*each)(void *arg, const char *id, json_t *document), void *arg);
const char *linnet_references_file(const struct linnet_references *references, const char *id,
                                   const char *name);
const struct linnet_taxonomy *linnet_references_taxonomy(const struct linnet_references *references);

#endif
