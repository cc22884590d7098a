/* The backbone as the admin commands need it: all taxon documents of linnet-reference in memory. */
#ifndef LINNET_CLI_BACKBONE_H
#define LINNET_CLI_BACKBONE_H

#include "common/taxonomy/taxonomy.h"
#include "workers/cli/store.h"
#include "workers/host/references.h"

/* Load it; the caller frees *out. LINNET_E_NOT_FOUND, with words that say how to load one, if there is no
 * taxon. */
int linnet_backbone_load(struct linnet_store *store, struct linnet_taxonomy **out, struct linnet_error *err);
/* Taxa and floras as stages see them; the caller unrefs *out. */
int linnet_backbone_references(struct linnet_store *store, struct linnet_references **out,
                               struct linnet_error *err);

#endif
