/* Documents by the hundred thousand into linnet-reference: in batches, several requests under way at once,
 * and what stands there unchanged is left alone. Owned by the thread of the store. */
#ifndef LINNET_CLI_REFERENCE_WRITER_H
#define LINNET_CLI_REFERENCE_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "workers/cli/store.h"

struct linnet_reference_writer;

struct linnet_reference_written {
    uint64_t written, unchanged;
};

/* Start. `kinds`: ids' beginnings ("taxon:", "flora:") ended by NULL; where the database has none of them
 * yet, nothing is compared. `dry_run`: compare and count only. The store stays open longer. Failures are the
 * store's. */
int linnet_reference_writer_open(struct linnet_store *store, const char *const *kinds, bool dry_run,
                                 struct linnet_reference_writer **out, struct linnet_error *err);
/* Add a document by its text, a JSON object with "_id" and without "_rev". Copied; written sooner or later.
 * Waits while too much is under way. A failure of an earlier one is told here. LINNET_E_NOMEM,
 * LINNET_E_CONFLICT (somebody else writes the same), LINNET_E_DENIED and the store's. */
int linnet_reference_writer_add(struct linnet_reference_writer *writer, const char *id, const char *text,
                                size_t size, struct linnet_error *err);
/* Write what is left and wait for all of it. As above. */
int linnet_reference_writer_finish(struct linnet_reference_writer *writer, struct linnet_error *err);
struct linnet_reference_written linnet_reference_writer_count(const struct linnet_reference_writer *writer);
void linnet_reference_writer_close(struct linnet_reference_writer *writer); /* NULL is safe */

#endif
