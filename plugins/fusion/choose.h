/* Which model's predictions are fused. Scores of different models are never mixed. */
#ifndef LINNET_FUSION_CHOOSE_H
#define LINNET_FUSION_CHOOSE_H

#include <linnet/plugin.h>

/* The observation's document among an item's, NULL if it is not there. */
const struct linnet_doc *fusion_observation(const struct linnet_item *item);
/* The view that a prediction is about: its place in the observation's `views`, or -1 if it is none of them.
 */
int fusion_view_of(const json_t *observation, const json_t *prediction);
/* The model ("<name>@<version>") that covers most views of the observation; of equals the wanted one (that of
 * wanted:convnet), then the newest (by its document's created_at, then by version). So a new model takes over
 * an observation when it has seen as much of it as the one before, and nothing flickers on the way. NULL if
 * no view has a prediction. Borrowed from the item's documents. Any thread. */
const char *fusion_choose_model(const struct linnet_host *host, const struct linnet_item *item);

#endif
