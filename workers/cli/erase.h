/* Erasing a person: everything that the person wrote, everything that was derived of it or names the person,
 * and the account. What is deleted is purged where the server can, compacted, and looked for again. */
#ifndef LINNET_CLI_ERASE_H
#define LINNET_CLI_ERASE_H

#include <jansson.h>

#include "common/base/error.h"
#include "workers/cli/steps.h"
#include "workers/cli/store.h"

struct linnet_erasure {
    struct linnet_store *store;
    struct linnet_steps *steps; /* what is done is noted here; its dry_run is minded */
    const char *uid;
    json_t *account; /* NULL where only the uid is known; borrowed */
    unsigned wait_s; /* how long workers may take to see the deletions before tombstones are purged */
    json_t *left;    /* out: [what is left, in words]; a new array, empty if all is gone */
};

/* Do it. LINNET_E_NOT_FOUND: no account and nothing of that uid. Other failures leave a part undone: run it
 * again with the uid. `left` is set on success. */
int linnet_erase(struct linnet_erasure *erasure, struct linnet_error *err);

#endif
