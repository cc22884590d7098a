/* How the leaves of a conflict become one document. Pure, and the same whatever the order of the leaves. */
#ifndef LINNET_WORKER_MERGE_H
#define LINNET_WORKER_MERGE_H

#include <jansson.h>
#include <stddef.h>

/* Compare two revisions ("3-ab..."): by their number, then by their text, as CouchDB does. <0, 0, >0. */
int linnet_merge_compare_revisions(const char *a, const char *b);
/* The place of the leaf that was edited last: by "updated_at", else "created_at"; among equals the highest
 * revision. n > 0. */
size_t linnet_merge_latest(json_t *const *leaves, size_t n);
/* One observation of several: every member as the latest leaf that has it says; the views of all by their
 * image, at most ten. Members that start with '_' are those of leaves[0]. A new reference; NULL: out of
 * memory. */
json_t *linnet_merge_observations(json_t *const *leaves, size_t n);
/* The place of a leaf that says the same as `merged` but for members that start with '_'; n if none does. */
size_t linnet_merge_same(const json_t *merged, json_t *const *leaves, size_t n);

#endif
