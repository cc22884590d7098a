/* Writing observations and validations as apps do, many at once, each once. */
#ifndef LINNET_CLI_SUBMISSION_H
#define LINNET_CLI_SUBMISSION_H

#include <stdbool.h>

#include "workers/cli/observation_documents.h"
#include "workers/cli/store.h"

/* The site's public key from `site:key`, a new string; NULL if it has none. */
char *linnet_submission_key(struct linnet_store *store);

/* Write one observation with its pictures in one request. *written is false if it stands there already. */
int linnet_submission_put(struct linnet_store *store, const struct linnet_draft *draft, bool *written,
                          struct linnet_error *err);

/* Submit a table of pictures, a row each: columns observation, image (path below `folder`), organ, observer,
 * decimalLatitude, decimalLongitude, observed_at, created_at (else observed_at), flora, taxon (proposed; used
 * only with `propose`); rows of one observation stand together. An observation's ULID is made of its name, so
 * that submitting twice writes once. The ULIDs go into `ulids` ({name: ulid}, borrowed object). */
struct linnet_submission {
    struct linnet_store *store;
    const struct linnet_store_options *options;
    const char *key; /* public, may be NULL */
    bool propose, dry_run;
    size_t limit; /* most observations; 0: all */
    size_t written, standing, pictures;
};
int linnet_submission_table(struct linnet_submission *submission, const char *csv, const char *folder,
                            json_t *ulids, struct linnet_error *err);
/* Write validations from a table: observation (a name of `ulids` or a ULID), user, vote (taxon, not-a-plant,
 * cannot-tell; else taxon if there is one), taxon, created_at, shown, rank, model (of the suggestion). Votes
 * that stand there are left alone. */
int linnet_submission_votes(struct linnet_submission *submission, const char *csv, const json_t *ulids,
                            struct linnet_error *err);
/* `name` itself if it is a ULID, else one for an observation called `name` that was made at `time` (RFC
 * 3339): the same every time. */
void linnet_submission_ulid(const char *name, const char *time, char out[LINNET_ULID_SIZE]);

#endif
