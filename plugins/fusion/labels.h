/* How many of a model's classes lie under each taxon, and how many of these grow where the observation was
 * made: by this the probability that a prediction leaves unlisted is shared out. */
#ifndef LINNET_FUSION_LABELS_H
#define LINNET_FUSION_LABELS_H

#include <linnet/plugin.h>
#include <stdint.h>

#include "plugins/fusion/flora.h"

struct fusion_labels; /* a small cache; owned by one thread */

struct fusion_labels *fusion_labels_new(const struct linnet_taxonomy *taxonomy);
void fusion_labels_free(struct fusion_labels *labels);

/* Classes at or under each taxon, by index; one more at the end for all of them. With a selection each counts
 * as much as its place makes it likely (fusion_selection_prior). NULL if the model's document has no labels
 * that the backbone knows, or out of memory. Valid until the next call but one. */
const double *fusion_labels_under(struct fusion_labels *labels, const char *model,
                                  const json_t *model_document, const struct fusion_selection *selection);

#endif
